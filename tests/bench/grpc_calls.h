#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/bench/load.h"

namespace cloudstate::bench {

// The serialized message for an entity.
using MessageFor = std::function<std::string(std::size_t entity)>;

// Unary calls of one method over a connection of their own. `address` is HOST:PORT, `path` as in
// "/package.Service/Method".
std::unique_ptr<Calls> UnaryCalls(const std::string& address, std::string path, MessageFor request);

// Calls of a bidirectional method, one stream for each lane, on one connection: each call is a message and the answer
// to it. `first` makes the first message of a stream, which is not answered; empty if there is none.
std::unique_ptr<Calls> StreamedCalls(const std::string& address, const std::string& path, std::size_t lanes,
                                     const std::function<std::string()>& first, MessageFor message);

// Blocks until something answers there.
absl::Status WaitForServer(const std::string& address, absl::Duration timeout);

struct EntityCommand {
  std::string method;
  std::string type_url;
  MessageFor payload;
};

// What a proxy without a journal would do: one stream of cloudstate.eventsourced.EventSourced/handle for each entity,
// and for each call a command and its reply. All over one connection.
class EntityStreamCalls : public Calls {
 public:
  // What the next calls send. Not while some are under way.
  virtual void Send(EntityCommand command) = 0;
};

// Opens the streams of all entities to the user function at `address`, and waits for that; they stay open as long as
// the object is there.
std::unique_ptr<EntityStreamCalls> OpenEntityStreams(const std::string& address, const std::string& service,
                                                     std::size_t entities,
                                                     const std::function<std::string(std::size_t)>& entity_id);

}  // namespace cloudstate::bench
