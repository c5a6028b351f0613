#include "emulator/simulation/shared_conversation.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/element.h"
#include "emulator/simulation/shared_value.h"

namespace cloudstate::simulation {
namespace {

using crdt::CrdtDelta;

// The part of a change that changes this value; null where there is none yet. Keys of maps need not be there.
std::optional<CrdtDelta> Fitting(CrdtDelta asked, const crdt::Value* value) {
  switch (asked.delta_case()) {
    case CrdtDelta::kOrset: {
      auto& removed = *asked.mutable_orset()->mutable_removed();
      const auto missing = [&](const auto& each) {
        return value == nullptr || !value->elements.contains(crdt::KeyOf(each));
      };
      removed.erase(std::remove_if(removed.begin(), removed.end(), missing), removed.end());
      if (removed.empty() && asked.orset().added().empty()) return std::nullopt;
      return asked;
    }
    case CrdtDelta::kFlag:
      return value != nullptr && value->enabled ? std::nullopt : std::optional(asked);
    case CrdtDelta::kVote: {
      const bool before = value != nullptr && value->votes.self;
      return before == asked.vote().self_vote() ? std::nullopt : std::optional(asked);
    }
    case CrdtDelta::kOrmap: {
      const auto find = [&](const google::protobuf::Any& key) -> const crdt::Value* {
        if (value == nullptr) return nullptr;
        const auto found = value->entries.find(crdt::KeyOf(key));
        return found == value->entries.end() ? nullptr : &found->second;
      };
      CrdtDelta fitting;
      crdt::ORMapDelta& map = *fitting.mutable_ormap();
      for (const google::protobuf::Any& key : asked.ormap().removed()) {
        if (find(key) != nullptr) *map.add_removed() = key;
      }
      for (const crdt::ORMapEntryDelta& each : asked.ormap().updated()) {
        const crdt::Value* entry = find(each.key());
        std::optional<CrdtDelta> inner = Fitting(each.delta(), entry);
        if (!inner.has_value()) continue;
        crdt::ORMapEntryDelta& change = entry == nullptr ? *map.add_added() : *map.add_updated();
        *change.mutable_key() = each.key();
        *change.mutable_delta() = *std::move(inner);
      }
      return map.ByteSizeLong() == 0 ? std::nullopt : std::optional(fitting);
    }
    default:
      return asked;
  }
}

class SharedConversation final : public Conversation {
 public:
  explicit SharedConversation(std::shared_ptr<UserFunctionCore> core) : core_(std::move(core)) {}
  ~SharedConversation() override {
    core_->hanging -= hanging_;
    EndVisits();
  }
  SharedConversation(const SharedConversation&) = delete;
  SharedConversation& operator=(const SharedConversation&) = delete;

  void Hear(const std::string& message, SimulatedStream& stream) override {
    crdt::CrdtStreamIn in;
    if (!in.ParseFromString(message)) in.Clear();
    Require(begun_ != in.has_init(), "its stream has not begun, or began twice");
    Require(!over_, "it was told more after its end");
    switch (in.message_case()) {
      case crdt::CrdtStreamIn::kInit:
        Begin(in.init());
        return;
      case crdt::CrdtStreamIn::kDelta:
        RequireQuiet(stream);
        simulation::Hear(in.delta(), value_);
        TellVisitors(stream);
        return;
      case crdt::CrdtStreamIn::kDelete:
        RequireQuiet(stream);
        over_ = true;
        EndVisits();
        return;
      case crdt::CrdtStreamIn::kCommand:
        Take(in.command(), stream);
        return;
      case crdt::CrdtStreamIn::kStreamCancelled:
        Leave(in.stream_cancelled(), stream);
        return;
      case crdt::CrdtStreamIn::MESSAGE_NOT_SET:
        Require(false, "a message of its stream is none of the protocol's");
    }
  }

  void HalfClosed(SimulatedStream& stream) override {
    const bool gone = deleted_ || over_;
    Require(visits_.empty() || gone, "its stream was ended while clients stayed");
    Require(Outstanding(stream) == 0 || gone, "its stream was ended before its answers had come");
    EndVisits();
    stream.End(absl::ZeroDuration(), absl::OkStatus());
  }

 private:
  enum class Says { kAnswer, kNews };

  void Require(bool holds, absl::string_view what) {
    if (!holds) core_->Violated(absl::StrCat(kShared, "|", entity_id_, ": ", what));
  }

  void Begin(const crdt::CrdtInit& init) {
    begun_ = true;
    entity_id_ = init.entity_id();
    Require(init.service_name() == kShared, absl::StrCat("a stream began for service '", init.service_name(), "'"));
    if (init.has_delta()) simulation::Hear(init.delta(), value_);
  }

  // Commands and cancellations whose answers have not arrived.
  int Outstanding(const SimulatedStream& stream) {
    while (said_.size() > stream.on_their_way()) said_.pop_front();
    return hanging_ + static_cast<int>(std::ranges::count(said_, Says::kAnswer));
  }

  void RequireQuiet(const SimulatedStream& stream) {
    const int outstanding = Outstanding(stream);
    if (outstanding > 0) {
      Require(false, absl::StrCat("it was told of others' changes while ", outstanding, " commands were outstanding"));
    }
  }

  void Take(const Command& command, SimulatedStream& stream) {
    const std::string name = absl::StrCat("command ", command.id());
    Require(command.entity_id() == entity_id_, absl::StrCat(name, " is for entity '", command.entity_id(), "'"));
    ++last_command_;
    Require(command.id() == last_command_, absl::StrCat(name, " came as number ", last_command_));
    const Fate fate = DrawFate(*core_);
    if (fate == Fate::kHangs) {
      ++hanging_;
      ++core_->hanging;
      return;
    }
    if (fate == Fate::kBreaks) {
      said_.push_back(Says::kNews);
      stream.End(core_->behaviour.latency.Draw(core_->random), BrokenStream());
      return;
    }
    crdt::CrdtStreamOut out;
    crdt::CrdtReply& reply = *out.mutable_reply();
    reply.set_command_id(command.id());
    const bool known = fate != Fate::kFails && Answer(command, reply);
    if (!known) {
      Failure& failure = *reply.mutable_client_action()->mutable_failure();
      failure.set_command_id(command.id());
      failure.set_description(kSimulatedFailure);
    }
    Say(Says::kAnswer, out, stream);
    if (reply.has_state_action() && !deleted_) TellVisitors(stream, command.id());
  }

  // False where this is no command of the service.
  bool Answer(const Command& command, crdt::CrdtReply& reply) {
    const auto which = Unpack<ledger::Which>(command.payload());
    const auto change = Unpack<ledger::SharedChange>(command.payload());
    const bool reads = command.name() == "Read" && which.has_value() && which->entity() == entity_id_;
    const bool stays = command.name() == "Stay";
    const bool changes = (stays || command.name() == "Change") && change.has_value() && change->entity() == entity_id_;
    if ((!reads && !changes) || command.streamed() != stays) {
      Require(false, absl::StrCat("command ", command.id(), " (", command.name(), ") is not for this entity"));
      return false;
    }
    const bool changed = changes && Carry(*change, *reply.mutable_state_action());
    if (!changed) reply.clear_state_action();
    if (stays) {
      reply.set_streamed(true);
      visits_.emplace(command.id(), change->update().has_vote());
      ++core_->visits;
    }
    Pack(See(changed), *reply.mutable_client_action()->mutable_reply()->mutable_payload());
    return true;
  }

  // Whether there was anything to change.
  bool Carry(const ledger::SharedChange& change, crdt::CrdtStateAction& action) {
    action.set_write_consistency(change.consistency());
    if (change.end()) {
      action.mutable_delete_();
      deleted_ = true;
      return true;
    }
    if (!change.has_update()) return false;
    std::optional<CrdtDelta> update = Fitting(change.update(), value_.has_value() ? &*value_ : nullptr);
    if (!update.has_value()) return false;
    ApplyOwn(*update);
    *action.mutable_update() = *std::move(update);
    return true;
  }

  void ApplyOwn(const CrdtDelta& update) {
    if (!value_.has_value()) value_.emplace();
    crdt::ApplyOwn(update, *value_);
  }

  void Leave(const StreamCancelled& cancelled, SimulatedStream& stream) {
    const auto visit = visits_.find(cancelled.id());
    if (visit == visits_.end() || cancelled.entity_id() != entity_id_) {
      Require(false, absl::StrCat("command ", cancelled.id(), " was cancelled, which has no stream"));
      return;
    }
    const bool voted = visit->second;
    visits_.erase(visit);
    --core_->visits;
    crdt::CrdtStreamOut out;
    crdt::CrdtStreamCancelledResponse& response = *out.mutable_stream_cancelled_response();
    response.set_command_id(cancelled.id());
    const bool last = std::ranges::none_of(visits_, [](const auto& each) { return each.second; });
    if (voted && last && value_.has_value() && value_->votes.self) {
      CrdtDelta& update = *response.mutable_state_action()->mutable_update();
      update.mutable_vote()->set_self_vote(false);
      ApplyOwn(update);
    }
    Say(Says::kAnswer, out, stream);
    if (response.has_state_action()) TellVisitors(stream);
  }

  void TellVisitors(SimulatedStream& stream, std::int64_t but = 0) {
    for (const auto& [id, votes] : visits_) {
      if (id == but) continue;
      crdt::CrdtStreamOut out;
      out.mutable_streamed_message()->set_command_id(id);
      Pack(See(false), *out.mutable_streamed_message()->mutable_client_action()->mutable_reply()->mutable_payload());
      Say(Says::kNews, out, stream);
    }
  }

  ledger::Seen See(bool changed) const {
    ledger::Seen seen;
    seen.set_changed(changed);
    if (value_.has_value()) *seen.mutable_value() = crdt::WholeDelta(*value_);
    return seen;
  }

  void Say(Says what, const crdt::CrdtStreamOut& out, SimulatedStream& stream) {
    Outstanding(stream);  // forgets what has arrived
    said_.push_back(what);
    stream.Say(core_->behaviour.latency.Draw(core_->random), out.SerializeAsString());
  }

  void EndVisits() {
    core_->visits -= static_cast<int>(visits_.size());
    visits_.clear();
  }

  const std::shared_ptr<UserFunctionCore> core_;
  std::string entity_id_;
  std::optional<crdt::Value> value_;
  std::map<std::int64_t, bool> visits_;  // whether they have voted
  std::deque<Says> said_;                // and not arrived, with some that have
  std::int64_t last_command_ = 0;
  int hanging_ = 0;
  bool begun_ = false;
  bool deleted_ = false;  // by itself; commands may follow until that is heard
  bool over_ = false;     // as it was told
};

}  // namespace

std::unique_ptr<Conversation> NewSharedConversation(std::shared_ptr<UserFunctionCore> core) {
  return std::make_unique<SharedConversation>(std::move(core));
}

}  // namespace cloudstate::simulation
