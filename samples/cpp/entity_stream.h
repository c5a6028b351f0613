#pragma once

#include <grpcpp/grpcpp.h>

#include "cloudstate/event_sourced.grpc.pb.h"
#include "samples/cpp/entity.h"

namespace cloudstate::samples {

using EntityStream = grpc::ServerBidiReactor<eventsourced::EventSourcedStreamIn, eventsourced::EventSourcedStreamOut>;

// Serves one entity's stream, from `init` until the proxy half-closes it. `entities` outlives the stream. gRPC owns
// what is returned, as it does with every reactor: it goes when the call has ended.
EntityStream* ServeEntityStream(const std::vector<EntityDescription>& entities);

}  // namespace cloudstate::samples
