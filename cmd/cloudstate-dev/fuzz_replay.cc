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

// What a fresh stream answers that was brought the entity's events is what the entity has to answer.
FuzzPlayer::Maybe FuzzPlayer::CheckReplay(const Made& made) {
  const base::EntityKey key{made.method.persistence_id, made.entity_id};
  const FuzzReplay replay{key, made.sequence, &made.method, made.json, ReplayedFrom::kSnapshot, options_.deadline};
  auto answer = Ask(emulator_.client(), replay);
  if (absl::IsNotFound(answer.status())) return std::nullopt;  // nothing was stored
  stored_ = key;
  if (absl::IsResourceExhausted(answer.status())) return std::nullopt;
  if (absl::IsAborted(answer.status())) {
    return Found(fuzzing::FindingKind::kLoad, made,
                 absl::StrCat("with the events of the entity: ", absl::string_view(answer.status().message())));
  }
  if (absl::IsDeadlineExceeded(answer.status())) {
    return Found(
        fuzzing::FindingKind::kHang, made,
        absl::StrCat("the events of the entity were not taken within ", FormatShortDuration(options_.deadline)));
  }
  if (!answer.ok()) return answer.status();
  if (answer->outcomes().empty()) return absl::InternalError("a replay had no outcome");
  if (answer->outcomes(0).code() == kReplayTimedOut) {
    return Found(fuzzing::FindingKind::kHang, made,
                 absl::StrCat("no answer within ", FormatShortDuration(options_.deadline), " on a stream of its own"));
  }
  return CompareReplays(made, fuzzing::OfReplay(answer->outcomes(0)), answer->snapshot_sequence() > 0);
}

FuzzPlayer::Maybe FuzzPlayer::CompareReplays(const Made& made, const fuzzing::Outcome& first, bool has_snapshot) {
  const base::EntityKey key{made.method.persistence_id, made.entity_id};
  const FuzzReplay replay{key, made.sequence, &made.method, made.json, ReplayedFrom::kSnapshot, options_.deadline};
  auto again = Ask(emulator_.client(), replay);
  if (!again.ok()) return again.status();
  if (again->outcomes().empty()) return std::nullopt;
  const fuzzing::Outcome second = fuzzing::OfReplay(again->outcomes(0));
  const std::string chance = fuzzing::Difference(second, first, fuzzing::Compared::kAll);
  const bool stores = !first.events.empty() || !second.events.empty();
  if (!chance.empty() && !stores) {
    return Found(fuzzing::FindingKind::kChance, made, absl::StrCat("with the same events the second time ", chance),
                 first);
  }
  if (!chance.empty()) drawing_lots_.insert(made.method.FullName());
  const fuzzing::Compared compared =
      drawing_lots_.contains(made.method.FullName()) ? fuzzing::Compared::kShape : fuzzing::Compared::kAll;

  if (has_snapshot) {
    Maybe finding = CheckSnapshot(made, first, compared);
    if (!finding.ok() || finding->has_value()) return finding;
  }
  if (made.response.trace_id().empty()) return std::nullopt;
  auto live = OutcomeOf(emulator_.client(), made.response.trace_id(), key, made.method.name, made.sequence);
  if (!live.ok()) return live.status();
  const std::string difference = fuzzing::Difference(*live, first, compared);
  if (difference.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kState, made, absl::StrCat("the entity has ", difference, " as by its events"),
               first);
}

FuzzPlayer::Maybe FuzzPlayer::CheckSnapshot(const Made& made, const fuzzing::Outcome& with_snapshot,
                                            fuzzing::Compared compared) {
  const base::EntityKey key{made.method.persistence_id, made.entity_id};
  const FuzzReplay replay{key, made.sequence, &made.method, made.json, ReplayedFrom::kFirstEvent, options_.deadline};
  auto answer = Ask(emulator_.client(), replay);
  if (!answer.ok()) return answer.status();
  if (answer->outcomes().empty()) return std::nullopt;
  const fuzzing::Outcome expected = fuzzing::OfReplay(answer->outcomes(0));
  const std::string difference = fuzzing::Difference(with_snapshot, expected, compared);
  if (difference.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kSnapshot, made,
               absl::StrCat("from its snapshot it has ", difference, " as from its events"), expected);
}

}  // namespace cloudstate::cli
