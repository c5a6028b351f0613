#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cloudstate/event_sourced.pb.h"
#include "samples/cpp/event_sourced.h"

namespace cloudstate::samples {

// One entity between the opening and the end of its stream.
class EventSourcedSession {
 public:
  using In = eventsourced::EventSourcedStreamIn;
  using Out = eventsourced::EventSourcedStreamOut;

  // `services` outlives the session.
  explicit EventSourcedSession(const std::vector<EventSourcedService>& services) : services_(services) {}

  // Takes a message of the proxy and writes the answer to the empty `out`, when there is one. Another status than OK
  // ends the stream.
  absl::Status Handle(const In& in, Out& out);

 private:
  absl::Status HandleInit(const eventsourced::EventSourcedInit& init);
  absl::Status HandleCommand(const Command& command, eventsourced::EventSourcedReply& reply);

  const std::vector<EventSourcedService>& services_;
  const EventSourcedService* service_ = nullptr;
  std::unique_ptr<EventSourcedEntity> entity_;
  std::string entity_id_;
  std::int64_t sequence_ = 0;  // of the last event
};

}  // namespace cloudstate::samples
