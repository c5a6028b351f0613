#include "cmd/cloudstate-dev/fuzz_player.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/await_idle.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr int kCallTimedOut = static_cast<int>(absl::StatusCode::kDeadlineExceeded);
constexpr int kCallUnavailable = static_cast<int>(absl::StatusCode::kUnavailable);
constexpr int kCallInternal = static_cast<int>(absl::StatusCode::kInternal);
constexpr int kCallUnknown = static_cast<int>(absl::StatusCode::kUnknown);

// A stream that answers may go on for ever.
constexpr absl::Duration kListen = absl::Milliseconds(200);
// A process that is killed is noticed a little later than its streams end.
constexpr absl::Duration kCrashIsNoticed = absl::Milliseconds(500);
constexpr absl::Duration kBetweenPidLooks = absl::Milliseconds(5);
// Ending a stream is not a command, but a busy machine may take its time.
constexpr absl::Duration kStreamsEndWithin = absl::Seconds(2);
constexpr char kPlaceholder[] = "‹id›";

// Those of the probes before any sequence; sequences count from 1.
constexpr int kFirstProbe = 9000;

}  // namespace

FuzzPlayer::FuzzPlayer(FuzzEmulator& emulator, Options options) : emulator_(emulator), options_(std::move(options)) {}

absl::Status FuzzPlayer::CollectProbes() {
  std::vector<const fuzzing::Method*> methods;
  for (const fuzzing::Method& each : emulator_.types().methods()) {
    if (each.IsStored() && each.IsUnary() && !each.key_fields.empty()) methods.push_back(&each);
  }
  // Reads are asked for little.
  std::stable_sort(methods.begin(), methods.end(), [](const auto* one, const auto* other) {
    return one->input->field_count() < other->input->field_count();
  });
  int number = kFirstProbe;
  for (const fuzzing::Method* method : methods) {
    std::optional<fuzzing::Outcome> first;
    for (int time = 0; time < 2; ++time) {
      const std::string json = InputJson(fuzzing::ProbeStep(*method, ++number).input());
      const absl::StatusOr<std::string> id = emulator_.types().EntityId(*method, json);
      if (!id.ok()) return id.status();
      auto response = CallOnce(emulator_.client(), *method, json, options_.deadline);
      if (!response.ok()) return response.status();
      if (absl::Status idle = AwaitIdle(emulator_.client(), options_.deadline); !idle.ok()) break;
      if (response->code() != 0 && response->code() != kCallUnknown) break;
      auto stored = LastSequence(emulator_.client(), {method->persistence_id, *id});
      if (!stored.ok()) return stored.status();
      if (*stored > 0) return absl::OkStatus();  // from now on the user function has done something
      auto outcome =
          OutcomeOf(emulator_.client(), response->trace_id(), {method->persistence_id, *id}, method->name, 0);
      if (!outcome.ok()) return outcome.status();
      const fuzzing::Outcome masked = fuzzing::Masked(*std::move(outcome), *id, kPlaceholder);
      if (!first.has_value()) {
        first = masked;
      } else if (fuzzing::Difference(masked, *first, fuzzing::Compared::kAll).empty()) {
        probes_.push_back({method});
        fresh_[method->FullName()] = masked;
      }
    }
  }
  emulator_.TakeComplaints();  // come again in a sequence
  return absl::OkStatus();
}

absl::StatusOr<FuzzPlayer::Result> FuzzPlayer::Play(const fuzzing::Sequence& sequence) {
  Result result;
  stored_ = std::nullopt;
  std::size_t last_call = 0;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (options_.interrupted()) return absl::CancelledError("interrupted");
    if (sequence[i].has_call()) last_call = i;
    Maybe finding = PlayStep(sequence[i], result);
    if (!finding.ok()) return finding.status();
    if (!finding->has_value()) continue;
    result.finding = *std::move(finding);
    result.finding->step = i;
    return result;
  }
  Maybe finding = CheckStreams();
  if (!finding.ok()) return finding.status();
  result.finding = *std::move(finding);
  if (result.finding.has_value()) {
    result.finding->step = last_call;
    if (result.finding->method.empty() && !sequence.empty()) result.finding->method = sequence[last_call].call();
  }
  return result;
}

FuzzPlayer::Maybe FuzzPlayer::PlayStep(const dev::v1::TestStep& step, Result& result) {
  if (step.has_call()) return PlayCall(step, result);
  result.codes.push_back(0);
  if (step.has_evict()) {
    const std::size_t space = step.evict().find(' ');
    absl::Status status =
        EvictEntity(emulator_.client(), step.evict().substr(0, space), step.evict().substr(space + 1));
    if (!status.ok()) return status;
    return std::nullopt;
  }
  dev::v1::AdvanceTimeRequest request;
  *request.mutable_by() = step.advance();
  auto advanced = emulator_.client().Call(&Client::TestingStub::AdvanceTime, request);
  if (!advanced.ok()) return advanced.status();
  return std::nullopt;
}

FuzzPlayer::Maybe FuzzPlayer::PlayCall(const dev::v1::TestStep& step, Result& result) {
  const fuzzing::Method* method = fuzzing::FindMethod(emulator_.types().methods(), step.call());
  if (method == nullptr) return absl::InternalError(absl::StrCat("there is no method ", step.call()));
  Made made{*method, InputJson(step.input()), "", 0, {}};
  if (method->kind != fuzzing::Kind::kAction && !method->takes_stream) {
    const absl::StatusOr<std::string> id = emulator_.types().EntityId(*method, made.json);
    if (!id.ok()) {  // no input any more, after it was made plainer
      result.codes.push_back(static_cast<int>(id.status().code()));
      return std::nullopt;
    }
    made.entity_id = *id;
  }
  if (method->IsStored()) {
    auto sequence = LastSequence(emulator_.client(), {method->persistence_id, made.entity_id});
    if (!sequence.ok()) return sequence.status();
    made.sequence = *sequence;
  }
  const int pid = emulator_.pid();
  const std::size_t losses = emulator_.losses();
  const absl::Duration deadline = method->answers_with_stream ? kListen : options_.deadline;
  absl::StatusOr<dev::v1::CallResponse> response;
  if (method->takes_stream) {
    std::vector<std::string> inputs;
    for (const auto& input : step.inputs()) inputs.push_back(InputJson(input));
    response = CallWithStream(emulator_.client(), *method, inputs, deadline);
  } else {
    response = CallOnce(emulator_.client(), *method, made.json, deadline);
  }
  if (!response.ok()) return response.status();
  made.response = *std::move(response);
  result.codes.push_back(made.response.code());
  ++result.commands;

  if (made.response.code() != 0 && HasCrashed(made.response, pid, losses)) {
    Maybe crash = Found(fuzzing::FindingKind::kCrash, made, absl::StrCat("the process ended", emulator_.Output()));
    if (crash.ok() && crash->has_value()) return crash;
    // Where nobody looks for that, the rest of the sequence is for the process that comes next.
    if (absl::Status status = emulator_.AwaitUserFunction(); !status.ok()) return status;
    emulator_.TakeComplaints();
    return std::nullopt;
  }
  Maybe finding = CheckEnd(made);
  // What the emulator itself refused says nothing about the user function.
  const bool answered = made.response.code() == 0 || made.response.code() == kCallUnknown;
  if (finding.ok() && !finding->has_value() && answered && method->IsStored() && method->IsUnary()) {
    finding = CheckReplay(made);
  }
  if (finding.ok() && !finding->has_value()) finding = CheckProbe(made, step);
  return finding;
}

bool FuzzPlayer::HasCrashed(const dev::v1::CallResponse& response, int pid, std::size_t losses) const {
  if (response.code() != kCallUnavailable && response.code() != kCallUnknown) return false;
  const bool stream_ended =
      absl::StartsWith(response.message(), "Unexpected ") && absl::EndsWith(response.message(), " termination");
  if (response.code() == kCallUnknown && !stream_ended) return false;
  const absl::Time end = absl::Now() + kCrashIsNoticed;
  while (emulator_.pid() == pid && emulator_.losses() == losses) {
    if (absl::Now() > end) return false;
    absl::SleepFor(kBetweenPidLooks);
  }
  return true;
}

FuzzPlayer::Maybe FuzzPlayer::CheckEnd(const Made& made) {
  const int code = made.response.code();
  if (code == kCallTimedOut && !made.method.answers_with_stream) {
    return Found(fuzzing::FindingKind::kHang, made,
                 absl::StrCat("no answer within ", FormatShortDuration(options_.deadline)));
  }
  if (absl::Status idle = AwaitIdle(emulator_.client(), options_.deadline); absl::IsDeadlineExceeded(idle)) {
    return Found(fuzzing::FindingKind::kHang, made,
                 absl::StrCat("what it set off does not end: ", absl::string_view(idle.message())));
  } else if (!idle.ok()) {
    return idle;
  }
  Maybe complaint = CheckComplaints(made.method.FullName(), made.entity_id);
  if (!complaint.ok() || complaint->has_value()) return complaint;
  if (code == kCallInternal || code == kCallUnavailable) {
    return Found(fuzzing::FindingKind::kProtocol, made, made.response.message());
  }
  return std::nullopt;
}

FuzzPlayer::Maybe FuzzPlayer::CheckComplaints(const std::string& method, const std::string& entity_id) {
  const std::vector<std::string> complaints = emulator_.TakeComplaints();
  if (complaints.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kProtocol, method, entity_id, complaints.front());
}

FuzzPlayer::Maybe FuzzPlayer::CheckProbe(const Made& made, const dev::v1::TestStep& step) {
  const auto fresh = fresh_.find(made.method.FullName());
  if (fresh == fresh_.end() || !fuzzing::IsProbe(step, made.method)) return std::nullopt;
  auto outcome = OutcomeOf(emulator_.client(), made.response.trace_id(), {made.method.persistence_id, made.entity_id},
                           made.method.name, 0);
  if (!outcome.ok()) return outcome.status();
  const fuzzing::Outcome expected = fuzzing::Masked(fresh->second, kPlaceholder, made.entity_id);
  const std::string difference = fuzzing::Difference(*outcome, expected, fuzzing::Compared::kAll);
  if (difference.empty()) return std::nullopt;
  return Found(fuzzing::FindingKind::kIsolation, made,
               absl::StrCat("an entity that nothing was done to answers with ", difference), expected);
}

FuzzPlayer::Maybe FuzzPlayer::CheckStreams() {
  if (absl::Status status = EvictEntity(emulator_.client(), "", ""); !status.ok()) return status;
  if (stored_.has_value()) {
    FuzzReplay replay{
        *stored_, 0, nullptr, "", ReplayedFrom::kSnapshot, std::max(options_.deadline, kStreamsEndWithin)};
    auto sequence = LastSequence(emulator_.client(), *stored_);
    if (!sequence.ok()) return sequence.status();
    replay.sequence = *sequence;
    const auto ended = Ask(emulator_.client(), replay);
    if (absl::IsDeadlineExceeded(ended.status())) {
      return Found(fuzzing::FindingKind::kOpenStream, "", stored_->entity_id,
                   absl::StrCat("its stream was still open ", FormatShortDuration(replay.deadline),
                                " after the emulator had ended its half of it"));
    }
  }
  return CheckComplaints("", "");
}

std::optional<fuzzing::Finding> FuzzPlayer::Found(fuzzing::FindingKind kind, const std::string& method,
                                                  const std::string& entity_id, std::string text,
                                                  std::optional<fuzzing::Outcome> expected) const {
  if (options_.ignored.contains(kind)) return std::nullopt;
  return fuzzing::Finding{kind, method, entity_id, std::move(text), 0, std::move(expected)};
}

}  // namespace cloudstate::cli
