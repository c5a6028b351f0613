#pragma once

#include <string>

#include "google/protobuf/message.h"

// What the model's services of every kind can be told to do; each kind has more beside it.
namespace cloudstate::tck {

enum class Mode { kAsynchronous, kSynchronous };

struct ForwardTo {
  std::string id;
};
struct EffectOn {
  std::string id;
  Mode mode = Mode::kAsynchronous;
};
struct FailWith {
  std::string text;
};

// A step as the kind's message has it: a RequestAction or a ProcessStep.
template <typename Message>
void Write(const ForwardTo& step, Message& message) {
  message.mutable_forward()->set_id(step.id);
}
template <typename Message>
void Write(const EffectOn& step, Message& message) {
  message.mutable_effect()->set_id(step.id);
  message.mutable_effect()->set_synchronous(step.mode == Mode::kSynchronous);
}
template <typename Message>
void Write(const FailWith& step, Message& message) {
  message.mutable_fail()->set_message(step.text);
}

// Makes a forward or a side effect call `service`, a second one of the model.
template <typename Message>
void CallTwo(const char* service, const google::protobuf::Message& request, Message& message) {
  message.set_service_name(service);
  message.set_command_name("Call");
  message.mutable_payload()->PackFrom(request);
}

}  // namespace cloudstate::tck
