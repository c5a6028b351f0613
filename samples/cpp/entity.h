#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace google::protobuf {
class Any;
class FileDescriptor;
class Message;
}  // namespace google::protobuf

namespace cloudstate::eventsourced {
class EventSourcedReply;
}

namespace cloudstate::samples {

class Entity;

// A method of a service of this or another entity of the same user function.
struct Method {
  std::string_view service;  // full name
  std::string_view name;
};

enum class EffectMode { kAsynchronous, kSynchronous };

// What an entity may do with one command. Give exactly one of Reply, Forward and Fail; the last one counts.
class CommandContext {
 public:
  CommandContext(std::int64_t command_id, std::string_view entity_id, Entity& entity,
                 eventsourced::EventSourcedReply& reply);

  std::string_view entity_id() const { return entity_id_; }

  // Adds the event to those that are stored before the client hears anything, and applies it to the entity at once.
  void Emit(const google::protobuf::Message& event);
  void Effect(Method method, const google::protobuf::Message& command, EffectMode mode = EffectMode::kAsynchronous);
  void Reply(const google::protobuf::Message& message);
  void Forward(Method method, const google::protobuf::Message& command);
  // The client gets `description` verbatim. Events and effects of this command are dropped.
  void Fail(std::string description);

  // The first event that the entity could not apply, else OK.
  const absl::Status& apply_status() const { return apply_status_; }

 private:
  std::int64_t command_id_;
  std::string_view entity_id_;
  Entity& entity_;
  eventsourced::EventSourcedReply& reply_;
  absl::Status apply_status_;
  bool emitted_ = false;
  bool failed_ = false;
};

// The state of one entity while its stream is open, and what its commands and events do. Calls never overlap, but come
// from different threads. A status other than OK means that what came cannot be understood: it ends the stream.
class Entity {
 public:
  virtual ~Entity() = default;
  virtual absl::Status OnSnapshot(const google::protobuf::Any& snapshot) = 0;
  virtual absl::Status OnEvent(const google::protobuf::Any& event) = 0;
  virtual absl::Status OnCommand(const std::string& name, const google::protobuf::Any& payload,
                                 CommandContext& context) = 0;
  virtual void WriteSnapshot(google::protobuf::Any& snapshot) const = 0;
};

struct EntityDescription {
  std::string service_name;  // full name, as in its proto file
  std::string persistence_id;
  std::int64_t snapshot_every = 100;                              // events; 0: never
  absl::Duration passivation_timeout = absl::InfiniteDuration();  // infinite: as the proxy likes
  // The file of the service, and those of the events and snapshots. What they import comes along.
  std::vector<const google::protobuf::FileDescriptor*> files;
  std::function<std::unique_ptr<Entity>()> create;
};

// For the answer to a command, event or snapshot whose type the entity does not know.
absl::Status UnknownType(const std::string& what, const google::protobuf::Any& payload);

}  // namespace cloudstate::samples
