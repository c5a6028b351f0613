#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "samples/cpp/answer.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace cloudstate::eventsourced {
class EventSourcedReply;
}

namespace cloudstate::samples {

class EventSourcedContext;

// The state of one entity while its stream is open, and what its commands and events do. Calls never overlap, but come
// from different threads. A status other than OK means that what came cannot be understood: it ends the stream.
class EventSourcedEntity {
 public:
  virtual ~EventSourcedEntity() = default;
  virtual absl::Status OnSnapshot(const google::protobuf::Any& snapshot) = 0;
  virtual absl::Status OnEvent(const google::protobuf::Any& event) = 0;
  virtual absl::Status OnCommand(const std::string& name, const google::protobuf::Any& payload,
                                 EventSourcedContext& context) = 0;
  virtual void WriteSnapshot(google::protobuf::Any& snapshot) const = 0;
};

// What an event-sourced entity may do with one command.
class EventSourcedContext : public Answer<eventsourced::EventSourcedReply> {
 public:
  EventSourcedContext(std::string_view entity_id, EventSourcedEntity& entity, eventsourced::EventSourcedReply& reply)
      : Answer(reply), entity_id_(entity_id), entity_(entity) {}

  std::string_view entity_id() const { return entity_id_; }

  // Adds the event to those that are stored before the client hears anything, and applies it to the entity at once.
  void Emit(const google::protobuf::Message& event);

  bool emitted() const { return emitted_; }
  // The first event that the entity could not apply, else OK.
  const absl::Status& apply_status() const { return apply_status_; }

 private:
  std::string_view entity_id_;
  EventSourcedEntity& entity_;
  absl::Status apply_status_;
  bool emitted_ = false;
};

// A service of which every entity has a journal of events.
struct EventSourcedService {
  std::string service_name;  // full name, as in its proto file
  std::string persistence_id;
  std::int64_t snapshot_every = 100;                              // events; 0: never
  absl::Duration passivation_timeout = absl::InfiniteDuration();  // infinite: as the proxy likes
  // The file of the service, and those of the events and snapshots. What they import comes along.
  std::vector<const google::protobuf::FileDescriptor*> files;
  std::function<std::unique_ptr<EventSourcedEntity>()> create;
};

}  // namespace cloudstate::samples
