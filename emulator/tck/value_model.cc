#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

messages::Persisted Persisted(const std::string& value) {
  messages::Persisted persisted;
  persisted.set_value(value);
  return persisted;
}

}  // namespace

messages::RequestAction Update(const std::string& value) {
  messages::RequestAction action;
  action.mutable_update()->set_value(value);
  return action;
}

messages::RequestAction Delete() {
  messages::RequestAction action;
  action.mutable_delete_();
  return action;
}

messages::RequestAction ForwardTo(const std::string& id) {
  messages::RequestAction action;
  action.mutable_forward()->set_id(id);
  return action;
}

messages::RequestAction EffectOn(const std::string& id, Mode mode) {
  messages::RequestAction action;
  action.mutable_effect()->set_id(id);
  action.mutable_effect()->set_synchronous(mode == Mode::kSynchronous);
  return action;
}

messages::RequestAction FailWith(const std::string& text) {
  messages::RequestAction action;
  action.mutable_fail()->set_message(text);
  return action;
}

messages::Request Request(const std::string& id, const Actions& actions) {
  messages::Request request;
  request.set_id(id);
  for (const messages::RequestAction& action : actions) *request.add_actions() = action;
  return request;
}

messages::Response Response(const std::string& message) {
  messages::Response response;
  response.set_message(message);
  return response;
}

In Init(const std::string& service, const std::string& id) {
  In in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  in.mutable_init()->mutable_state();  // there, without a value: nothing is stored
  return in;
}

In InitWithState(const std::string& id, const std::string& value) {
  In in = Init(kModel, id);
  in.mutable_init()->mutable_state()->mutable_value()->PackFrom(Persisted(value));
  return in;
}

In Command(std::int64_t number, const std::string& name, const messages::Request& request) {
  In in;
  in.mutable_command()->set_entity_id(request.id());
  in.mutable_command()->set_id(number);
  in.mutable_command()->set_name(name);
  in.mutable_command()->mutable_payload()->PackFrom(request);
  return in;
}

Answer& Answer::Reply(const std::string& message) {
  reply_.mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(Response(message));
  return *this;
}

Answer& Answer::Forward(const std::string& id) {
  cloudstate::Forward& forward = *reply_.mutable_client_action()->mutable_forward();
  forward.set_service_name(kTwo);
  forward.set_command_name("Call");
  forward.mutable_payload()->PackFrom(Request(id));
  return *this;
}

Answer& Answer::Fail(const std::string& text) {
  reply_.mutable_client_action()->mutable_failure()->set_description(text);
  return *this;
}

Answer& Answer::Effect(const std::string& id, Mode mode) {
  SideEffect& effect = *reply_.add_side_effects();
  effect.set_service_name(kTwo);
  effect.set_command_name("Call");
  effect.mutable_payload()->PackFrom(Request(id));
  effect.set_synchronous(mode == Mode::kSynchronous);
  return *this;
}

Answer& Answer::Updates(const std::string& value) {
  reply_.mutable_state_action()->mutable_update()->mutable_value()->PackFrom(Persisted(value));
  return *this;
}

Answer& Answer::Deletes() {
  reply_.mutable_state_action()->mutable_delete_();
  return *this;
}

valueentity::ValueEntityStreamOut Answer::To(std::int64_t number) const {
  valueentity::ValueEntityStreamOut out;
  *out.mutable_reply() = reply_;
  out.mutable_reply()->set_command_id(number);
  if (reply_.client_action().has_failure()) {
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_command_id(number);
  }
  return out;
}

}  // namespace cloudstate::tck::value
