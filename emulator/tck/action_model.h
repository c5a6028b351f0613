#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cloudstate/action.pb.h"
#include "cloudstate/tck/model/action.pb.h"
#include "emulator/tck/model_steps.h"

// The messages that make the model's actions do something, and those that they must answer with.
namespace cloudstate::tck::actions {

inline constexpr char kModel[] = "cloudstate.tck.model.action.ActionTckModel";
inline constexpr char kTwo[] = "cloudstate.tck.model.action.ActionTwo";

namespace messages = model::action;

struct ReplyWith {
  std::string message;
};
using Step = std::variant<ReplyWith, ForwardTo, EffectOn, FailWith>;
// A request has several groups.
using Group = std::vector<Step>;
using Groups = std::vector<Group>;

messages::Request Request(const Groups& groups);
messages::OtherRequest OtherRequest(const std::string& id);
messages::Response Response(const std::string& message);

// ---- to the user function

// What opens a call that has a stream of messages: service and method without a payload.
cloudstate::action::ActionCommand Opening(const std::string& method);
// One of these messages: a payload alone.
cloudstate::action::ActionCommand Payload(const google::protobuf::Message& request);
// A call with one message.
cloudstate::action::ActionCommand Command(const std::string& service, const std::string& method,
                                          const google::protobuf::Message& request);

// ---- from the user function

// One response, to be completed: Answer().Effect("x").Reply("a"). As it is, it says nothing.
class Answer {
 public:
  Answer& Reply(const std::string& message);
  Answer& Forward(const std::string& id);
  Answer& Fail(const std::string& text);
  Answer& Effect(const std::string& id, Mode mode = Mode::kAsynchronous);
  const cloudstate::action::ActionResponse& message() const { return response_; }

 private:
  cloudstate::action::ActionResponse response_;
};

}  // namespace cloudstate::tck::actions
