#include "cmd/cloudstate-dev/check_history_replays.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::cli {
namespace {

using dev::v1::ReplayOutcome;
using dev::v1::ReplayRequest;
using dev::v1::ReplayResponse;

// A user function that one replay has ended takes all others with it, until it is there again: the first try is among
// others, those after it are alone.
constexpr int kTries = 3;
constexpr absl::Duration kComesBackWithin = absl::Seconds(30);
constexpr absl::Duration kAskHistoryAgain = absl::Milliseconds(50);

// What a broken stream is told as. That the user function says itself that it failed is nobody else's fault; a broken
// one may be: of a replay that has ended the user function.
bool IsBroken(absl::StatusCode code, absl::string_view message) {
  return code == absl::StatusCode::kAborted && !absl::StrContains(message, ": it failed: ");
}

bool MayBeOthersFault(const absl::StatusOr<ReplayResponse>& response) {
  if (!response.ok()) return IsBroken(response.status().code(), response.status().message());
  return std::ranges::any_of(response->outcomes(), [](const ReplayOutcome& each) {
    return IsBroken(static_cast<absl::StatusCode>(each.code()), each.message());
  });
}

}  // namespace

absl::StatusOr<ReplayResponse> HistoryReplays::Replay(std::int64_t sequence,
                                                      const std::vector<dev::v1::ReplayCommand>& commands,
                                                      ReplayFrom from) {
  ReplayRequest request;
  request.set_persistence_id(entity_.persistence_id());
  request.set_entity_id(entity_.entity_id());
  request.set_sequence(sequence);
  request.set_without_snapshots(from == ReplayFrom::kStart);
  request.mutable_commands()->Assign(commands.begin(), commands.end());
  *request.mutable_deadline() = base::ToDuration(deadline_);
  absl::StatusOr<ReplayResponse> response;
  for (int i = suspected_ ? 1 : 0; i < kTries; ++i) {
    // A user function that ended only after its stream is seen to be gone by then.
    if (i == kTries - 1) absl::SleepFor(kAskHistoryAgain);
    response = i == 0 ? AmongOthers(request) : Alone(request);
    if (!MayBeOthersFault(response)) return response;
  }
  suspected_ = true;
  return response;
}

absl::StatusOr<ReplayResponse> HistoryReplays::AmongOthers(const ReplayRequest& request) {
  const absl::ReaderMutexLock lock(&under_way_);
  return WhenItIsThere(request);
}

absl::StatusOr<ReplayResponse> HistoryReplays::Alone(const ReplayRequest& request) {
  const absl::MutexLock lock(&under_way_);
  return WhenItIsThere(request);
}

absl::StatusOr<ReplayResponse> HistoryReplays::WhenItIsThere(const ReplayRequest& request) {
  const absl::Time end = absl::Now() + kComesBackWithin;
  for (;;) {
    grpc::ClientContext context;
    const CallEnd::Guard guard(end_, context);
    if (end_.interrupted()) return absl::CancelledError("interrupted");
    absl::StatusOr<ReplayResponse> response = client_.Call(&Client::ReplaysStub::Replay, request, context);
    if (end_.interrupted()) return absl::CancelledError("interrupted");
    const bool later = absl::IsUnavailable(response.status()) || absl::IsResourceExhausted(response.status());
    if (!later || absl::Now() > end) return response;
    absl::SleepFor(kAskHistoryAgain);
  }
}

}  // namespace cloudstate::cli
