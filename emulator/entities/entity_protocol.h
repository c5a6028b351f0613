#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "emulator/entities/entity.h"

namespace cloudstate::entities {

// The type of the event that a value entity's deletion is stored as. So the journal tells the whole history of a value:
// each event is a version of it or this.
inline constexpr std::string_view kDeletedValue = "type.googleapis.com/cloudstate.valueentity.ValueEntityDelete";

// A user function's reply to a command: what is to be stored, and then what is to be done.
struct StoredReply {
  std::int64_t command_id = 0;
  Reply reply;
  std::vector<journal::Payload> events;
  std::optional<journal::Payload> snapshot;
};

// What differs between the kinds of entities that keep their state in the journal: how their streams are spoken, and
// what they are loaded from. Without state of its own.
class EntityProtocol {
 public:
  virtual ~EntityProtocol() = default;

  // The gRPC path of the user function's stream.
  virtual std::string_view method() const = 0;
  // As the published error texts call such an entity: "entity", "Value entity".
  virtual std::string_view name() const = 0;

  // Reads what a stream begins with. `done` runs on a thread of the journal's.
  virtual void LoadFirst(journal::Journal& journal, const base::EntityKey& key, ReplayFrom from, std::size_t max_bytes,
                         absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) const = 0;

  // The first messages of a stream. Takes what it needs out of `page`; the events that are left in it follow.
  virtual std::string Init(const std::string& service, const std::string& entity_id, journal::Replay& page) const = 0;
  virtual std::string Event(journal::Event event) const = 0;
  virtual std::string Command(cloudstate::Command command) const = 0;

  // What the user function says. An error for what is no message, or says nothing.
  using Answer = std::variant<StoredReply, Failure>;
  virtual absl::StatusOr<Answer> Parse(const std::string& message) const = 0;
};

// These live for ever.
const EntityProtocol& EventSourced();
const EntityProtocol& ValueEntity();

}  // namespace cloudstate::entities
