#include "emulator/tck/event_sourced_model.h"

namespace cloudstate::tck::event_sourced {
namespace {

model::Persisted Persisted(const std::string& value) {
  model::Persisted persisted;
  persisted.set_value(value);
  return persisted;
}

}  // namespace

void Write(const Emit& step, model::RequestAction& action) { action.mutable_emit()->set_value(step.value); }

Kind::In Kind::Init(const std::string& service, const std::string& id) {
  In in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  return in;
}

Kind::Response Kind::Respond(const State& state) {
  Response response;
  response.set_message(state);
  return response;
}

Kind::In InitWithSnapshot(const std::string& id, std::int64_t sequence, const std::string& value) {
  Kind::In in = Kind::Init(Kind::kModel, id);
  in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(sequence);
  in.mutable_init()->mutable_snapshot()->mutable_snapshot()->PackFrom(Persisted(value));
  return in;
}

Kind::In Event(std::int64_t sequence, const std::string& value) {
  Kind::In in;
  in.mutable_event()->set_sequence(sequence);
  in.mutable_event()->mutable_payload()->PackFrom(Persisted(value));
  return in;
}

Answer& Answer::Events(const std::vector<std::string>& values) {
  for (const std::string& value : values) reply().add_events()->PackFrom(Persisted(value));
  return *this;
}

Answer& Answer::Snapshot(const std::string& value) {
  reply().mutable_snapshot()->PackFrom(Persisted(value));
  return *this;
}

}  // namespace cloudstate::tck::event_sourced
