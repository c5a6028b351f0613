#include "emulator/tck/event_sourced_model.h"

namespace cloudstate::tck::event_sourced {
namespace {

model::Persisted Persisted(const std::string& value) {
  model::Persisted persisted;
  persisted.set_value(value);
  return persisted;
}

}  // namespace

model::RequestAction Emit(const std::string& value) {
  model::RequestAction action;
  action.mutable_emit()->set_value(value);
  return action;
}

model::RequestAction ForwardTo(const std::string& id) {
  model::RequestAction action;
  action.mutable_forward()->set_id(id);
  return action;
}

model::RequestAction EffectOn(const std::string& id, Mode mode) {
  model::RequestAction action;
  action.mutable_effect()->set_id(id);
  action.mutable_effect()->set_synchronous(mode == Mode::kSynchronous);
  return action;
}

model::RequestAction FailWith(const std::string& text) {
  model::RequestAction action;
  action.mutable_fail()->set_message(text);
  return action;
}

model::Request Request(const std::string& id, const Actions& actions) {
  model::Request request;
  request.set_id(id);
  for (const model::RequestAction& action : actions) *request.add_actions() = action;
  return request;
}

model::Response Response(const std::string& message) {
  model::Response response;
  response.set_message(message);
  return response;
}

In Init(const std::string& service, const std::string& id) {
  In in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  return in;
}

In InitWithSnapshot(const std::string& id, std::int64_t sequence, const std::string& value) {
  In in = Init(kModel, id);
  in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(sequence);
  in.mutable_init()->mutable_snapshot()->mutable_snapshot()->PackFrom(Persisted(value));
  return in;
}

In Event(std::int64_t sequence, const std::string& value) {
  In in;
  in.mutable_event()->set_sequence(sequence);
  in.mutable_event()->mutable_payload()->PackFrom(Persisted(value));
  return in;
}

In Command(std::int64_t number, const std::string& name, const model::Request& request) {
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

Answer& Answer::Fail(const std::string& text, Restart restart) {
  Failure& failure = *reply_.mutable_client_action()->mutable_failure();
  failure.set_description(text);
  failure.set_restart(restart == Restart::kYes);
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

Answer& Answer::Events(const std::vector<std::string>& values) {
  for (const std::string& value : values) reply_.add_events()->PackFrom(Persisted(value));
  return *this;
}

Answer& Answer::Snapshot(const std::string& value) {
  reply_.mutable_snapshot()->PackFrom(Persisted(value));
  return *this;
}

eventsourced::EventSourcedStreamOut Answer::To(std::int64_t number) const {
  eventsourced::EventSourcedStreamOut out;
  *out.mutable_reply() = reply_;
  out.mutable_reply()->set_command_id(number);
  if (reply_.client_action().has_failure()) {
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_command_id(number);
  }
  return out;
}

}  // namespace cloudstate::tck::event_sourced
