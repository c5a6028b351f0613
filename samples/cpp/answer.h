#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Any;
class Message;
}  // namespace google::protobuf

namespace cloudstate {
class SideEffect;
}

namespace cloudstate::samples {

// A method of a service of the same user function.
struct Method {
  std::string_view service;  // full name
  std::string_view name;
};

enum class EffectMode { kAsynchronous, kSynchronous };

void WriteEffect(Method method, const google::protobuf::Message& command, EffectMode mode, SideEffect& effect);

// What a command of any kind may be answered with. Give at most one of Reply, Forward and Fail; of Reply and Forward
// the last one counts, and after Fail nothing does. `Message` is what the proxy gets: EventSourcedReply,
// ValueEntityReply, CrdtReply, CrdtStreamedMessage or ActionResponse.
template <typename Message>
class Answer {
 public:
  void Reply(const google::protobuf::Message& message);
  // The client gets the answer of `method` instead.
  void Forward(Method method, const google::protobuf::Message& command);
  // Sends a command whose answer nobody gets. The client's answer waits for a synchronous one to be carried out.
  void Effect(Method method, const google::protobuf::Message& command, EffectMode mode = EffectMode::kAsynchronous);
  // The client gets `description` verbatim. The effects of this command are dropped, and what it changed.
  void Fail(std::string description);

  bool failed() const { return failed_; }

 protected:
  explicit Answer(Message& message) : message_(message) {}
  ~Answer() = default;

  Message& message() { return message_; }

 private:
  Message& message_;
  bool failed_ = false;
};

// For a command, event, snapshot or value of a type that is not expected there.
absl::Status UnknownType(const std::string& what, const google::protobuf::Any& payload);

}  // namespace cloudstate::samples
