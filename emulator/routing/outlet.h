#pragma once

#include "absl/status/status.h"
#include "cloudstate/entity.pb.h"
#include "emulator/base/strand.h"

namespace cloudstate::routing {

// Where the outcome of a command goes: to the client, among the answers of a command that forwarded, or nowhere.
// Replies in their order, then one End. On the strand.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void Reply(cloudstate::Reply reply) = 0;
  virtual void End(absl::Status status) = 0;
  // Runs `then` once the replies so far have been taken, perhaps before this returns; perhaps never, once the outlet
  // has no more use for replies. Who produces many waits for it.
  virtual void WhenReady(base::Task then) = 0;
};

}  // namespace cloudstate::routing
