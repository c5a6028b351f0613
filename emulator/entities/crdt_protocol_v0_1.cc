// Protocol 0.1 says a whole value as a state, and one in a map that is new as well; the rest of its deltas is that of
// 0.2.

#include <optional>
#include <utility>

#include "cloudstate/v0_1/crdt.pb.h"
#include "emulator/entities/crdt_protocol.h"

namespace cloudstate::entities {
namespace {

namespace old = v0_1::crdt;
using crdt::CrdtDelta;
using crdt::CrdtStreamOut;

// `whole` leads from nothing to the value.
void ToState(CrdtDelta whole, old::CrdtState& state) {
  switch (whole.delta_case()) {
    case CrdtDelta::kGcounter:
      state.mutable_gcounter()->set_value(whole.gcounter().increment());
      break;
    case CrdtDelta::kPncounter:
      state.mutable_pncounter()->set_value(whole.pncounter().change());
      break;
    case CrdtDelta::kGset:
      *state.mutable_gset()->mutable_items() = std::move(*whole.mutable_gset()->mutable_added());
      break;
    case CrdtDelta::kOrset:
      *state.mutable_orset()->mutable_items() = std::move(*whole.mutable_orset()->mutable_added());
      break;
    case CrdtDelta::kLwwregister:
      *state.mutable_lwwregister() = std::move(*whole.mutable_lwwregister());
      break;
    case CrdtDelta::kFlag:
      *state.mutable_flag() = whole.flag();
      break;
    case CrdtDelta::kOrmap:
      state.mutable_ormap();
      for (crdt::ORMapEntryDelta& each : *whole.mutable_ormap()->mutable_added()) {
        old::ORMapEntry& entry = *state.mutable_ormap()->add_entries();
        *entry.mutable_key() = std::move(*each.mutable_key());
        ToState(std::move(*each.mutable_delta()), *entry.mutable_value());
      }
      break;
    case CrdtDelta::kVote:
      state.mutable_vote()->set_votes_for(static_cast<std::uint32_t>(whole.vote().votes_for()));
      state.mutable_vote()->set_total_voters(static_cast<std::uint32_t>(whole.vote().total_voters()));
      state.mutable_vote()->set_self_vote(whole.vote().self_vote());
      break;
    case CrdtDelta::DELTA_NOT_SET:
      break;
  }
}

CrdtDelta FromState(old::CrdtState& state) {
  CrdtDelta whole;
  switch (state.state_case()) {
    case old::CrdtState::kGcounter:
      whole.mutable_gcounter()->set_increment(state.gcounter().value());
      break;
    case old::CrdtState::kPncounter:
      whole.mutable_pncounter()->set_change(state.pncounter().value());
      break;
    case old::CrdtState::kGset:
      *whole.mutable_gset()->mutable_added() = std::move(*state.mutable_gset()->mutable_items());
      break;
    case old::CrdtState::kOrset:
      *whole.mutable_orset()->mutable_added() = std::move(*state.mutable_orset()->mutable_items());
      break;
    case old::CrdtState::kLwwregister:
      *whole.mutable_lwwregister() = std::move(*state.mutable_lwwregister());
      break;
    case old::CrdtState::kFlag:
      *whole.mutable_flag() = state.flag();
      break;
    case old::CrdtState::kOrmap:
      whole.mutable_ormap();
      for (old::ORMapEntry& each : *state.mutable_ormap()->mutable_entries()) {
        crdt::ORMapEntryDelta& entry = *whole.mutable_ormap()->add_added();
        *entry.mutable_key() = std::move(*each.mutable_key());
        *entry.mutable_delta() = FromState(*each.mutable_value());
      }
      break;
    case old::CrdtState::kVote:
      whole.mutable_vote()->set_self_vote(state.vote().self_vote());
      whole.mutable_vote()->set_votes_for(static_cast<std::int32_t>(state.vote().votes_for()));
      whole.mutable_vote()->set_total_voters(static_cast<std::int32_t>(state.vote().total_voters()));
      break;
    case old::CrdtState::STATE_NOT_SET:
      break;
  }
  return whole;
}

// Both have all but the map.
template <typename From, typename To>
void MoveUnlessMap(From& from, To& to) {
  switch (from.delta_case()) {
    case From::kGcounter:
      *to.mutable_gcounter() = from.gcounter();
      break;
    case From::kPncounter:
      *to.mutable_pncounter() = from.pncounter();
      break;
    case From::kGset:
      *to.mutable_gset() = std::move(*from.mutable_gset());
      break;
    case From::kOrset:
      *to.mutable_orset() = std::move(*from.mutable_orset());
      break;
    case From::kLwwregister:
      *to.mutable_lwwregister() = std::move(*from.mutable_lwwregister());
      break;
    case From::kFlag:
      *to.mutable_flag() = from.flag();
      break;
    case From::kVote:
      *to.mutable_vote() = from.vote();
      break;
    case From::kOrmap:
    case From::DELTA_NOT_SET:
      break;
  }
}

void ToOldDelta(CrdtDelta delta, old::CrdtDelta& to) {
  MoveUnlessMap(delta, to);
  if (!delta.has_ormap()) return;
  crdt::ORMapDelta& map = *delta.mutable_ormap();
  old::ORMapDelta& changes = *to.mutable_ormap();
  changes.set_cleared(map.cleared());
  *changes.mutable_removed() = std::move(*map.mutable_removed());
  for (crdt::ORMapEntryDelta& each : *map.mutable_updated()) {
    old::ORMapEntryDelta& entry = *changes.add_updated();
    *entry.mutable_key() = std::move(*each.mutable_key());
    ToOldDelta(std::move(*each.mutable_delta()), *entry.mutable_delta());
  }
  for (crdt::ORMapEntryDelta& each : *map.mutable_added()) {
    old::ORMapEntry& entry = *changes.add_added();
    *entry.mutable_key() = std::move(*each.mutable_key());
    ToState(std::move(*each.mutable_delta()), *entry.mutable_value());
  }
}

CrdtDelta FromOldDelta(old::CrdtDelta& delta) {
  CrdtDelta to;
  MoveUnlessMap(delta, to);
  if (!delta.has_ormap()) return to;
  old::ORMapDelta& map = *delta.mutable_ormap();
  crdt::ORMapDelta& changes = *to.mutable_ormap();
  changes.set_cleared(map.cleared());
  *changes.mutable_removed() = std::move(*map.mutable_removed());
  for (old::ORMapEntryDelta& each : *map.mutable_updated()) {
    crdt::ORMapEntryDelta& entry = *changes.add_updated();
    *entry.mutable_key() = std::move(*each.mutable_key());
    *entry.mutable_delta() = FromOldDelta(*each.mutable_delta());
  }
  for (old::ORMapEntry& each : *map.mutable_added()) {
    crdt::ORMapEntryDelta& entry = *changes.add_added();
    *entry.mutable_key() = std::move(*each.mutable_key());
    *entry.mutable_delta() = FromState(*each.mutable_value());
  }
  return to;
}

// One published library makes the value anew with its first own change, even if it was told of that of others: so what
// they have done is in there as well, and is not to be done twice. Of a register in a map this forgets the clock.
absl::Status FromCreation(old::CrdtState& state, const std::optional<crdt::Value>& known, crdt::CrdtStateAction& to) {
  CrdtDelta whole = FromState(state);
  if (!known.has_value() || known->type != static_cast<int>(whole.delta_case())) {
    *to.mutable_update() = std::move(whole);
    return absl::OkStatus();
  }
  crdt::Value created;
  crdt::ApplyOwn(whole, created);
  if (created.count < known->count) {
    return absl::InvalidArgumentError("it made its counter anew, with less than it was told of");
  }
  std::optional<CrdtDelta> change = crdt::Difference(*known, created);
  if (change.has_value()) *to.mutable_update() = whole.has_lwwregister() ? std::move(whole) : *std::move(change);
  return absl::OkStatus();
}

absl::Status FromOldAction(old::CrdtStateAction& action, const std::optional<crdt::Value>& known,
                           crdt::CrdtStateAction& to) {
  to.set_write_consistency(action.write_consistency());
  if (action.has_create()) return FromCreation(*action.mutable_create(), known, to);
  if (action.has_update()) *to.mutable_update() = FromOldDelta(*action.mutable_update());
  if (action.has_delete_()) to.mutable_delete_();
  return absl::OkStatus();
}

class OldCrdtProtocol final : public CrdtProtocol {
 public:
  std::string Init(const std::string& service, const std::string& entity_id,
                   std::optional<CrdtDelta> whole) const override {
    old::CrdtStreamIn in;
    in.mutable_init()->set_service_name(service);
    in.mutable_init()->set_entity_id(entity_id);
    if (whole.has_value()) ToState(*std::move(whole), *in.mutable_init()->mutable_state());
    return in.SerializeAsString();
  }

  std::string FirstValue(CrdtDelta whole) const override {
    old::CrdtStreamIn in;
    ToState(std::move(whole), *in.mutable_state());
    return in.SerializeAsString();
  }

  std::string Change(CrdtDelta change) const override {
    old::CrdtStreamIn in;
    ToOldDelta(std::move(change), *in.mutable_changed());
    return in.SerializeAsString();
  }

  std::string Deletion() const override {
    old::CrdtStreamIn in;
    in.mutable_deleted();
    return in.SerializeAsString();
  }

  std::string Command(cloudstate::Command command) const override {
    old::CrdtStreamIn in;
    *in.mutable_command() = std::move(command);
    return in.SerializeAsString();
  }

  std::string Cancellation(cloudstate::StreamCancelled cancelled) const override {
    old::CrdtStreamIn in;
    *in.mutable_stream_cancelled() = std::move(cancelled);
    return in.SerializeAsString();
  }

  absl::StatusOr<CrdtStreamOut> Parse(const std::string& message,
                                      const std::optional<crdt::Value>& known) const override {
    old::CrdtStreamOut from;
    if (!from.ParseFromString(message)) {
      return absl::InvalidArgumentError("a message on its stream was no cloudstate.crdt.CrdtStreamOut of protocol 0.1");
    }
    CrdtStreamOut out;
    absl::Status status;
    switch (from.message_case()) {
      case old::CrdtStreamOut::kReply: {
        old::CrdtReply& reply = *from.mutable_reply();
        crdt::CrdtReply& to = *out.mutable_reply();
        to.set_command_id(reply.command_id());
        to.set_streamed(reply.streamed());
        if (reply.has_client_action()) *to.mutable_client_action() = std::move(*reply.mutable_client_action());
        *to.mutable_side_effects() = std::move(*reply.mutable_side_effects());
        if (reply.has_state_action()) {
          status = FromOldAction(*reply.mutable_state_action(), known, *to.mutable_state_action());
        }
        break;
      }
      case old::CrdtStreamOut::kStreamedMessage:
        *out.mutable_streamed_message() = std::move(*from.mutable_streamed_message());
        break;
      case old::CrdtStreamOut::kStreamCancelledResponse: {
        old::CrdtStreamCancelledResponse& response = *from.mutable_stream_cancelled_response();
        crdt::CrdtStreamCancelledResponse& to = *out.mutable_stream_cancelled_response();
        to.set_command_id(response.command_id());
        *to.mutable_side_effects() = std::move(*response.mutable_side_effects());
        if (response.has_state_action()) {
          status = FromOldAction(*response.mutable_state_action(), known, *to.mutable_state_action());
        }
        break;
      }
      case old::CrdtStreamOut::kFailure:
        *out.mutable_failure() = std::move(*from.mutable_failure());
        break;
      case old::CrdtStreamOut::MESSAGE_NOT_SET:
        return absl::InvalidArgumentError("a message on its stream was empty");
    }
    if (!status.ok()) return status;
    return out;
  }
};

}  // namespace

const CrdtProtocol& CrdtProtocolV01() {
  static const OldCrdtProtocol kProtocol;
  return kProtocol;
}

}  // namespace cloudstate::entities
