#include "emulator/tck/crdt_model.h"

#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::tck::crdts {
namespace {

using google::protobuf::Any;

// Elements and keys of the model are strings, as the published libraries encode them.
Any Packed(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  Any any;
  any.set_type_url("p.cloudstate.io/string");
  any.set_value(value.SerializeAsString());
  return any;
}

template <typename Repeated>
void Pack(const Strings& texts, Repeated& packed) {
  for (const std::string& text : texts) *packed.Add() = Packed(text);
}

template <typename Repeated>
void Pack(const ormap::Entries& entries, Repeated& packed) {
  for (const auto& [key, delta] : entries) {
    crdt::ORMapEntryDelta& entry = *packed.Add();
    *entry.mutable_key() = Packed(key);
    *entry.mutable_delta() = delta;
  }
}

}  // namespace

namespace gcounter {
messages::Update Update(std::uint64_t increment) {
  messages::Update update;
  update.mutable_gcounter()->set_increment(increment);
  return update;
}
Delta Changed(std::uint64_t increment) {
  Delta delta;
  delta.mutable_gcounter()->set_increment(increment);
  return delta;
}
messages::State State(std::uint64_t value) {
  messages::State state;
  state.mutable_gcounter()->set_value(value);
  return state;
}
}  // namespace gcounter

namespace pncounter {
messages::Update Update(std::int64_t change) {
  messages::Update update;
  update.mutable_pncounter()->set_change(change);
  return update;
}
Delta Changed(std::int64_t change) {
  Delta delta;
  delta.mutable_pncounter()->set_change(change);
  return delta;
}
messages::State State(std::int64_t value) {
  messages::State state;
  state.mutable_pncounter()->set_value(value);
  return state;
}
}  // namespace pncounter

namespace gset {
messages::Update Add(const std::string& element) {
  messages::Update update;
  update.mutable_gset()->set_add(element);
  return update;
}
Delta Changed(const Strings& added) {
  Delta delta;
  Pack(added, *delta.mutable_gset()->mutable_added());
  return delta;
}
messages::State State(const Strings& elements) {
  messages::State state;
  state.mutable_gset()->mutable_elements()->Assign(elements.begin(), elements.end());
  return state;
}
}  // namespace gset

namespace orset {
messages::Update Add(const std::string& element) {
  messages::Update update;
  update.mutable_orset()->set_add(element);
  return update;
}
messages::Update Remove(const std::string& element) {
  messages::Update update;
  update.mutable_orset()->set_remove(element);
  return update;
}
messages::Update Clear() {
  messages::Update update;
  update.mutable_orset()->set_clear(true);
  return update;
}
Delta Changed(const Change& change) {
  Delta delta;
  delta.mutable_orset()->set_cleared(change.cleared);
  Pack(change.removed, *delta.mutable_orset()->mutable_removed());
  Pack(change.added, *delta.mutable_orset()->mutable_added());
  return delta;
}
messages::State State(const Strings& elements) {
  messages::State state;
  state.mutable_orset()->mutable_elements()->Assign(elements.begin(), elements.end());
  return state;
}
}  // namespace orset

namespace lww {
messages::Update Update(const std::string& value, messages::LWWRegisterClockType clock, std::int64_t custom) {
  messages::Update update;
  update.mutable_lwwregister()->set_value(value);
  if (clock != messages::DEFAULT) {
    update.mutable_lwwregister()->mutable_clock()->set_clocktype(clock);
    update.mutable_lwwregister()->mutable_clock()->set_customclockvalue(custom);
  }
  return update;
}
Delta Changed(const std::string& value, crdt::CrdtClock clock, std::int64_t custom) {
  Delta delta;
  *delta.mutable_lwwregister()->mutable_value() = Packed(value);
  delta.mutable_lwwregister()->set_clock(clock);
  delta.mutable_lwwregister()->set_custom_clock_value(custom);
  return delta;
}
messages::State State(const std::string& value) {
  messages::State state;
  state.mutable_lwwregister()->set_value(value);
  return state;
}
}  // namespace lww

namespace flag {
messages::Update Enable() {
  messages::Update update;
  update.mutable_flag();
  return update;
}
Delta Changed(bool value) {
  Delta delta;
  delta.mutable_flag()->set_value(value);
  return delta;
}
messages::State State(bool value) {
  messages::State state;
  state.mutable_flag()->set_value(value);
  return state;
}
}  // namespace flag

namespace ormap {
messages::Update Add(const std::string& key) {
  messages::Update update;
  update.mutable_ormap()->set_add(key);
  return update;
}
messages::Update Update(const std::string& key, const messages::Update& update) {
  messages::Update whole;
  whole.mutable_ormap()->mutable_update()->set_key(key);
  *whole.mutable_ormap()->mutable_update()->mutable_update() = update;
  return whole;
}
messages::Update Remove(const std::string& key) {
  messages::Update update;
  update.mutable_ormap()->set_remove(key);
  return update;
}
messages::Update Clear() {
  messages::Update update;
  update.mutable_ormap()->set_clear(true);
  return update;
}
Delta Changed(const Change& change) {
  Delta delta;
  delta.mutable_ormap()->set_cleared(change.cleared);
  Pack(change.removed, *delta.mutable_ormap()->mutable_removed());
  Pack(change.updated, *delta.mutable_ormap()->mutable_updated());
  Pack(change.added, *delta.mutable_ormap()->mutable_added());
  return delta;
}
messages::State State(const std::vector<std::pair<std::string, messages::State>>& entries) {
  messages::State state;
  state.mutable_ormap();
  for (const auto& [key, value] : entries) {
    messages::ORMapEntryValue& entry = *state.mutable_ormap()->add_entries();
    entry.set_key(key);
    *entry.mutable_value() = value;
  }
  return state;
}
}  // namespace ormap

namespace vote {
messages::Update Update(bool self) {
  messages::Update update;
  update.mutable_vote()->set_self_vote(self);
  return update;
}
Delta Changed(bool self) { return Changed(self, 0, 0); }
Delta Changed(bool self, std::int32_t votes_for, std::int32_t total) {
  Delta delta;
  delta.mutable_vote()->set_self_vote(self);
  delta.mutable_vote()->set_votes_for(votes_for);
  delta.mutable_vote()->set_total_voters(total);
  return delta;
}
messages::State State(bool self, std::int32_t votes_for, std::int32_t total) {
  messages::State state;
  state.mutable_vote()->set_self_vote(self);
  state.mutable_vote()->set_votes_for(votes_for);
  state.mutable_vote()->set_total_voters(total);
  return state;
}
}  // namespace vote

messages::Update At(messages::UpdateWriteConsistency consistency, messages::Update update) {
  update.set_write_consistency(consistency);
  return update;
}

void Write(const UpdateWith& step, messages::RequestAction& action) { *action.mutable_update() = step.update; }
void Write(const Delete&, messages::RequestAction& action) { action.mutable_delete_(); }
void Write(const AddText& step, messages::RequestAction& action) { *action.mutable_update() = gset::Add(step.value); }

Kind::State::State(const std::string& text) : message(gset::State(text.empty() ? Strings{} : Strings{text})) {}
Kind::State::State(const char* text) : State(std::string(text)) {}

Kind::In Kind::Init(const std::string& service, const std::string& id) {
  In in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  return in;
}

Kind::Response Kind::Respond(const State& state) {
  Response response;
  *response.mutable_state() = state.message;
  return response;
}

Kind::In InitWithDelta(const std::string& id, const Delta& delta) {
  Kind::In in = Kind::Init(Kind::kModel, id);
  *in.mutable_init()->mutable_delta() = delta;
  return in;
}

Kind::In DeltaFromElsewhere(const Delta& delta) {
  Kind::In in;
  *in.mutable_delta() = delta;
  return in;
}

Kind::In DeletionFromElsewhere() {
  Kind::In in;
  in.mutable_delete_();
  return in;
}

messages::StreamedRequest StreamedRequest(const std::string& id, const StreamedCall& call) {
  messages::StreamedRequest request;
  request.set_id(id);
  if (call.first.has_value()) *request.mutable_initial_update() = *call.first;
  if (call.until.has_value()) *request.mutable_end_state() = *call.until;
  if (call.on_cancel.has_value()) *request.mutable_cancel_update() = *call.on_cancel;
  for (const EffectOn& effect : call.effects) {
    messages::Effect& added = *request.add_effects();
    added.set_id(effect.id);
    added.set_synchronous(effect.mode == Mode::kSynchronous);
  }
  request.set_empty(call.silent);
  return request;
}

Kind::In StreamedCommand(std::int64_t number, const messages::StreamedRequest& request) {
  Kind::In in;
  in.mutable_command()->set_entity_id(request.id());
  in.mutable_command()->set_id(number);
  in.mutable_command()->set_name("ProcessStreamed");
  in.mutable_command()->set_streamed(true);
  in.mutable_command()->mutable_payload()->PackFrom(request);
  return in;
}

Kind::In Cancellation(const std::string& id, std::int64_t number) {
  Kind::In in;
  in.mutable_stream_cancelled()->set_entity_id(id);
  in.mutable_stream_cancelled()->set_id(number);
  return in;
}

Answer& Answer::Updates(const Delta& delta, crdt::CrdtWriteConsistency consistency) {
  *reply().mutable_state_action()->mutable_update() = delta;
  reply().mutable_state_action()->set_write_consistency(consistency);
  return *this;
}

Answer& Answer::Deletes() {
  reply().mutable_state_action()->mutable_delete_();
  return *this;
}

Answer& Answer::Streams() {
  reply().set_streamed(true);
  return *this;
}

Kind::Out Streamed(std::int64_t number, const std::optional<messages::State>& state,
                   const std::vector<EffectOn>& effects, Stream stream) {
  Kind::Out out;
  crdt::CrdtStreamedMessage& message = *out.mutable_streamed_message();
  message.set_command_id(number);
  message.set_end_stream(stream == Stream::kEnds);
  if (state.has_value()) {
    message.mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(Kind::Respond(*state));
  }
  for (const EffectOn& effect : effects) {
    SideEffect& added = *message.add_side_effects();
    CallTwo(Kind::kTwo, Request<Kind>(effect.id), added);
    added.set_synchronous(effect.mode == Mode::kSynchronous);
  }
  return out;
}

Kind::Out CancellationAnswer(std::int64_t number, const std::optional<Delta>& update) {
  Kind::Out out;
  out.mutable_stream_cancelled_response()->set_command_id(number);
  if (update.has_value()) {
    *out.mutable_stream_cancelled_response()->mutable_state_action()->mutable_update() = *update;
  }
  return out;
}

}  // namespace cloudstate::tck::crdts
