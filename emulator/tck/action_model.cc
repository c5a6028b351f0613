#include "emulator/tck/action_model.h"

namespace cloudstate::tck::actions {
namespace {

void Write(const ReplyWith& step, messages::ProcessStep& message) {
  message.mutable_reply()->set_message(step.message);
}

}  // namespace

messages::Request Request(const Groups& groups) {
  messages::Request request;
  for (const Group& group : groups) {
    messages::ProcessGroup& added = *request.add_groups();
    for (const Step& step : group) {
      std::visit([&message = *added.add_steps()](const auto& each) { Write(each, message); }, step);
    }
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
  CallTwo(kTwo, OtherRequest(id), *response_.mutable_forward());
  return *this;
}

Answer& Answer::Fail(const std::string& text) {
  response_.mutable_failure()->set_description(text);
  return *this;
}

Answer& Answer::Effect(const std::string& id, Mode mode) {
  SideEffect& effect = *response_.add_side_effects();
  CallTwo(kTwo, OtherRequest(id), effect);
  effect.set_synchronous(mode == Mode::kSynchronous);
  return *this;
}

}  // namespace cloudstate::tck::actions
