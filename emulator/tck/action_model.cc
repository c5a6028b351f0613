#include "emulator/tck/action_model.h"

namespace cloudstate::tck::actions {

messages::ProcessStep ReplyWith(const std::string& message) {
  messages::ProcessStep step;
  step.mutable_reply()->set_message(message);
  return step;
}

messages::ProcessStep ForwardTo(const std::string& id) {
  messages::ProcessStep step;
  step.mutable_forward()->set_id(id);
  return step;
}

messages::ProcessStep EffectOn(const std::string& id, Mode mode) {
  messages::ProcessStep step;
  step.mutable_effect()->set_id(id);
  step.mutable_effect()->set_synchronous(mode == Mode::kSynchronous);
  return step;
}

messages::ProcessStep FailWith(const std::string& text) {
  messages::ProcessStep step;
  step.mutable_fail()->set_message(text);
  return step;
}

messages::Request Request(const Groups& groups) {
  messages::Request request;
  for (const Group& group : groups) {
    messages::ProcessGroup& added = *request.add_groups();
    for (const messages::ProcessStep& step : group) *added.add_steps() = step;
  }
  return request;
}

messages::OtherRequest OtherRequest(const std::string& id) {
  messages::OtherRequest request;
  request.set_id(id);
  return request;
}

messages::Response Response(const std::string& message) {
  messages::Response response;
  response.set_message(message);
  return response;
}

cloudstate::action::ActionCommand Opening(const std::string& method) {
  cloudstate::action::ActionCommand command;
  command.set_service_name(kModel);
  command.set_name(method);
  return command;
}

cloudstate::action::ActionCommand Payload(const google::protobuf::Message& request) {
  cloudstate::action::ActionCommand command;
  command.mutable_payload()->PackFrom(request);
  return command;
}

cloudstate::action::ActionCommand Command(const std::string& service, const std::string& method,
                                          const google::protobuf::Message& request) {
  cloudstate::action::ActionCommand command = Payload(request);
  command.set_service_name(service);
  command.set_name(method);
  return command;
}

Answer& Answer::Reply(const std::string& message) {
  response_.mutable_reply()->mutable_payload()->PackFrom(Response(message));
  return *this;
}

Answer& Answer::Forward(const std::string& id) {
  cloudstate::Forward& forward = *response_.mutable_forward();
  forward.set_service_name(kTwo);
  forward.set_command_name("Call");
  forward.mutable_payload()->PackFrom(OtherRequest(id));
  return *this;
}

Answer& Answer::Fail(const std::string& text) {
  response_.mutable_failure()->set_description(text);
  return *this;
}

Answer& Answer::Effect(const std::string& id, Mode mode) {
  SideEffect& effect = *response_.add_side_effects();
  effect.set_service_name(kTwo);
  effect.set_command_name("Call");
  effect.mutable_payload()->PackFrom(OtherRequest(id));
  effect.set_synchronous(mode == Mode::kSynchronous);
  return *this;
}

}  // namespace cloudstate::tck::actions
