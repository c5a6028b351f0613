#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/userfunction/dialect.h"

namespace cloudstate::runtime {

// Where a stream to the user function belongs, and which commands go over it, as its messages say. Reads no more of
// them than that, and takes what is no such message for one that says nothing. Of one stream.
class StreamPlace {
 public:
  // `method` is the gRPC path of the stream.
  StreamPlace(std::string_view method, userfunction::Dialect dialect);

  struct Command {
    std::string method;
    std::int64_t id = 0;  // 0 for actions, whose calls have one command each
  };
  // The first message has to be shown, always: it says where the stream belongs.
  bool wants_first() const { return !looked_; }
  // Looks at a message to the user function. The command, if it is one.
  std::optional<Command> Look(std::string_view message);

  // Whether what the user function says belongs to that command.
  bool Answers(std::string_view message, std::int64_t command) const;

  bool is_action() const { return is_action_; }
  const std::string& service() const { return service_; }      // full name; empty until it is known
  const std::string& entity_id() const { return entity_id_; }  // empty for actions

 private:
  bool is_action_ = false;
  bool looked_ = false;    // at the first message
  int command_field_ = 0;  // of entities' streams: the number of what commands are in
  std::string service_;
  std::string entity_id_;
};

}  // namespace cloudstate::runtime
