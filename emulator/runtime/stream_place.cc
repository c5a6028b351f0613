#include "emulator/runtime/stream_place.h"

#include <utility>

#include "emulator/userfunction/wire_reader.h"

namespace cloudstate::runtime {
namespace {

using userfunction::WireField;
using userfunction::WireReader;

// The numbers of fields in the published messages, which are the same in both dialects unless it says otherwise.
constexpr int kInit = 1;          // of what streams of entities begin with
constexpr int kInitService = 1;   // of EventSourcedInit, ValueEntityInit and CrdtInit
constexpr int kInitEntityId = 2;  // likewise
constexpr int kCommandId = 2;     // of Command
constexpr int kCommandName = 3;   // likewise
constexpr int kActionService = 2;
constexpr int kActionName = 3;
constexpr int kAnsweredCommand = 1;  // of EventSourcedReply, Failure and all others

int CommandField(std::string_view method, userfunction::Dialect dialect) {
  if (method == "/cloudstate.eventsourced.EventSourced/handle") return 3;
  if (method == "/cloudstate.valueentity.ValueEntity/handle") return 2;
  if (method == "/cloudstate.crdt.Crdt/handle") return dialect == userfunction::Dialect::k0_1 ? 5 : 4;
  return 0;
}

std::string_view BytesOf(std::string_view message, int number) {
  std::string_view found;
  WireReader reader(message);
  for (WireField field; reader.Next(field);) {
    if (field.number == number && field.type == WireField::Type::kBytes) found = field.bytes;
  }
  return found;
}

std::int64_t NumberOf(std::string_view message, int number) {
  std::int64_t found = 0;
  WireReader reader(message);
  for (WireField field; reader.Next(field);) {
    if (field.number == number && field.type == WireField::Type::kVarint)
      found = static_cast<std::int64_t>(field.value);
  }
  return found;
}

}  // namespace

StreamPlace::StreamPlace(std::string_view method, userfunction::Dialect dialect)
    : is_action_(method.starts_with("/cloudstate.action.ActionProtocol/") ||
                 method.starts_with("/cloudstate.function.StatelessFunction/")),
      command_field_(CommandField(method, dialect)) {}

std::optional<StreamPlace::Command> StreamPlace::Look(std::string_view message) {
  const bool is_first = !std::exchange(looked_, true);
  if (is_action_) {
    if (!is_first) return std::nullopt;  // what follows belongs to the same command
    service_ = BytesOf(message, kActionService);
    return Command{.method = std::string(BytesOf(message, kActionName))};
  }
  if (is_first) {
    const std::string_view init = BytesOf(message, kInit);
    service_ = BytesOf(init, kInitService);
    entity_id_ = BytesOf(init, kInitEntityId);
    return std::nullopt;
  }
  const std::string_view command = BytesOf(message, command_field_);
  if (command.empty()) return std::nullopt;
  return Command{.method = std::string(BytesOf(command, kCommandName)), .id = NumberOf(command, kCommandId)};
}

bool StreamPlace::Answers(std::string_view message, std::int64_t command) const {
  if (is_action_) return true;
  WireReader reader(message);
  for (WireField field; reader.Next(field);) {
    if (field.type == WireField::Type::kBytes && NumberOf(field.bytes, kAnsweredCommand) == command) return true;
  }
  return false;
}

}  // namespace cloudstate::runtime
