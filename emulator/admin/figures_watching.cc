#include "emulator/admin/figures_watching.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::admin {
namespace {

constexpr int kMostLogLines = 10'000;
constexpr std::size_t kLinesAtOnce = 256;

// In the place of lines that were no longer kept.
std::shared_ptr<const dev::v1::LogLine> MissedLines(std::int64_t count, const dev::v1::LogLine* before) {
  auto line = std::make_shared<dev::v1::LogLine>();
  if (before != nullptr) *line->mutable_time() = before->time();
  line->set_source(kEmulatorWrites);
  line->set_level("warning");
  line->set_text(absl::StrCat(count, " lines came faster than they could be shown."));
  return line;
}

}  // namespace

absl::Status SamplesWatching::Check(const dev::v1::WatchSamplesRequest& request) {
  if (request.newest() >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("asked for ", request.newest(), " samples; ask for at least 0"));
}

std::unique_ptr<Live::Watch> SamplesWatching::Subscribe() { return live_.WatchSamples(request_, Adding()); }

absl::StatusOr<Watching::Progress> SamplesWatching::Send(Views&) {
  while (Taking()) {
    const auto next = queue_.Take();
    if (!next) return Progress::kUpToDate;
    responder().Message(next->item->SerializeAsString());
  }
  return Progress::kMoreToSend;
}

LogLinesWatching::LogLinesWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder,
                                   Live& live, const dev::v1::WatchLogLinesRequest& request)
    : Watching(std::move(pool), std::move(responder)),
      live_(live),
      filter_(*LogFilter::From(request.filter())),
      newest_(*LogLimit(request.newest())) {}

absl::Status LogLinesWatching::Check(const dev::v1::WatchLogLinesRequest& request) {
  if (absl::Status status = LogFilter::From(request.filter()).status(); !status.ok()) return status;
  return LogLimit(request.newest()).status();
}

std::unique_ptr<Live::Watch> LogLinesWatching::Subscribe() {
  return live_.WatchLog([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Wake();
  });
}

void LogLinesWatching::Take(LogLines lines) {
  next_ = lines.next;
  if (lines.missed > 0) {
    unsent_.push_back(MissedLines(lines.missed, lines.lines.empty() ? nullptr : lines.lines.front().get()));
  }
  unsent_.insert(unsent_.end(), std::make_move_iterator(lines.lines.begin()),
                 std::make_move_iterator(lines.lines.end()));
}

absl::StatusOr<Watching::Progress> LogLinesWatching::Send(Views&) {
  if (!next_.has_value()) Take(live_.NewestLogLines(filter_, newest_));
  while (Taking()) {
    if (unsent_.empty()) Take(live_.LogLinesFrom(*next_, filter_, kLinesAtOnce));
    if (unsent_.empty()) return Progress::kUpToDate;
    responder().Message(unsent_.front()->SerializeAsString());
    unsent_.pop_front();
  }
  return Progress::kMoreToSend;
}

absl::StatusOr<std::size_t> LogLimit(int asked) {
  if (asked < 0) return absl::InvalidArgumentError(absl::StrCat("asked for ", asked, " lines; ask for at least 0"));
  return static_cast<std::size_t>(std::min(asked, kMostLogLines));
}

}  // namespace cloudstate::admin
