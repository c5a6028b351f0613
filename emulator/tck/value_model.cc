#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

messages::Persisted Persisted(const std::string& value) {
  messages::Persisted persisted;
  persisted.set_value(value);
  return persisted;
}

}  // namespace

void Write(const Update& step, messages::RequestAction& action) { action.mutable_update()->set_value(step.value); }
void Write(const Delete&, messages::RequestAction& action) { action.mutable_delete_(); }

Kind::In Kind::Init(const std::string& service, const std::string& id) {
  In in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  in.mutable_init()->mutable_state();  // there, without a value: nothing is stored
  return in;
}

Kind::Response Kind::Respond(const State& state) {
  Response response;
  response.set_message(state);
  return response;
}

Kind::In InitWithState(const std::string& id, const std::string& value) {
  Kind::In in = Kind::Init(Kind::kModel, id);
  in.mutable_init()->mutable_state()->mutable_value()->PackFrom(Persisted(value));
  return in;
}

Answer& Answer::Updates(const std::string& value) {
  reply().mutable_state_action()->mutable_update()->mutable_value()->PackFrom(Persisted(value));
  return *this;
}

Answer& Answer::Deletes() {
  reply().mutable_state_action()->mutable_delete_();
  return *this;
}

}  // namespace cloudstate::tck::value
