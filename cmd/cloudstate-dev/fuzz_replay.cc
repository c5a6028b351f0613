#include "cmd/cloudstate-dev/fuzz_replay.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/fuzz_player.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::cli {
namespace {

constexpr int kReplayTimedOut = static_cast<int>(absl::StatusCode::kDeadlineExceeded);

}  // namespace

absl::StatusOr<dev::v1::ReplayResponse> Ask(Client& client, const FuzzReplay& replay) {
  dev::v1::ReplayRequest request;
  request.set_persistence_id(replay.key.persistence_id);
  request.set_entity_id(replay.key.entity_id);
  request.set_sequence(replay.sequence);
  request.set_without_snapshots(replay.from == ReplayedFrom::kFirstEvent);
  *request.mutable_deadline() = base::ToDuration(replay.deadline);
  if (replay.method != nullptr) {
    auto& command = *request.add_commands();
    command.set_service(replay.method->service);
    command.set_method(replay.method->name);
    command.set_json(replay.json);
  }
  return client.Call(&Client::ReplaysStub::Replay, request);
}

absl::StatusOr<FuzzPlayer::Replayed> FuzzPlayer::Replay(const Made& made, ReplayedFrom from) {
  const base::EntityKey key{made.method.persistence_id, made.entity_id};
  const auto answer = Ask(emulator_.client(), {key, made.sequence, &made.method, made.json, from, options_.deadline});
  if (absl::IsNotFound(answer.status())) return Replayed();  // nothing was stored
  stored_ = key;
  if (absl::IsResourceExhausted(answer.status())) return Replayed();
  const char* const events =
      from == ReplayedFrom::kSnapshot ? "the events of the entity" : "all events of the entity, without its snapshot";
  if (absl::IsAborted(answer.status())) {
    Replayed replayed{Found(fuzzing::FindingKind::kLoad, made,
                            absl::StrCat("with ", events, ": ", absl::string_view(answer.status().message())))};
    if (replayed.finding.has_value()) replayed.finding->needs_first_event = from == ReplayedFrom::kFirstEvent;
    return replayed;
  }
  if (absl::IsDeadlineExceeded(answer.status())) {
    return Replayed{Found(fuzzing::FindingKind::kHang, made,
                          absl::StrCat(events, " were not taken within ", FormatShortDuration(options_.deadline)))};
  }
  if (!answer.ok()) return answer.status();
  if (answer->outcomes().empty()) return absl::InternalError("a replay had no outcome");
  if (answer->outcomes(0).code() == kReplayTimedOut) {
    return Replayed{
        Found(fuzzing::FindingKind::kHang, made,
              absl::StrCat("no answer within ", FormatShortDuration(options_.deadline), " on a stream of its own"))};
  }
  return Replayed{std::nullopt, fuzzing::OfReplay(answer->outcomes(0)), answer->snapshot_sequence() > 0};
}

// What a fresh stream answers that was brought the entity's events is what the entity has to answer.
FuzzPlayer::Maybe FuzzPlayer::CheckReplay(const Made& made) {
  auto first = Replay(made, ReplayedFrom::kSnapshot);
  if (!first.ok()) return first.status();
  if (!first->outcome.has_value()) return std::move(first->finding);
  auto second = Replay(made, ReplayedFrom::kSnapshot);
  if (!second.ok()) return second.status();
  if (!second->outcome.has_value()) return std::move(second->finding);
  const fuzzing::Outcome& outcome = *first->outcome;
  const fuzzing::Outcome& again = *second->outcome;
  const std::string chance = fuzzing::Difference(again, outcome, fuzzing::Compared::kAll);
  const bool stores = !outcome.events.empty() || !again.events.empty();
  if (!chance.empty() && !stores) {
    return Found(fuzzing::FindingKind::kChance, made, absl::StrCat("with the same events the second time ", chance),
                 outcome);
  }
  if (!chance.empty()) drawing_lots_.insert(made.method.FullName());
  const fuzzing::Compared compared =
      drawing_lots_.contains(made.method.FullName()) ? fuzzing::Compared::kShape : fuzzing::Compared::kAll;
  if (first->has_snapshot) {
    Maybe finding = CheckSnapshot(made, outcome, compared);
    if (!finding.ok() || finding->has_value()) return finding;
  }
  return CheckState(made, outcome, compared);
}

FuzzPlayer::Maybe FuzzPlayer::CheckSnapshot(const Made& made, const fuzzing::Outcome& with_snapshot,
                                            fuzzing::Compared compared) {
  auto replayed = Replay(made, ReplayedFrom::kFirstEvent);
  if (!replayed.ok()) return replayed.status();
  if (!replayed->outcome.has_value()) return std::move(replayed->finding);
  const std::string difference = fuzzing::Difference(with_snapshot, *replayed->outcome, compared);
  if (difference.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kSnapshot, made,
               absl::StrCat("from its snapshot it has ", difference, " as from its events"), replayed->outcome);
}

FuzzPlayer::Maybe FuzzPlayer::CheckState(const Made& made, const fuzzing::Outcome& by_events,
                                         fuzzing::Compared compared) {
  if (made.response.trace_id().empty()) return std::nullopt;
  const base::EntityKey key{made.method.persistence_id, made.entity_id};
  auto live = OutcomeOf(emulator_.client(), made.response.trace_id(), key, made.method.name, made.sequence);
  if (!live.ok()) return live.status();
  const std::string difference = fuzzing::Difference(*live, by_events, compared);
  if (difference.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kState, made, absl::StrCat("the entity has ", difference, " as by its events"),
               by_events);
}

}  // namespace cloudstate::cli
