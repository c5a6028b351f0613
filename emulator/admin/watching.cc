#include "emulator/admin/watching.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::admin {
namespace {

constexpr std::size_t kMaxUnsent = 64;
constexpr int kEventsAtOnce = 100;
constexpr int kMostKeptCommands = 1'000;
// A client that does not take its messages says nothing when it does again; so it is looked after this often.
constexpr absl::Duration kLookAgain = absl::Milliseconds(5);

}  // namespace

std::string Watching::MissedText(std::int64_t missed) {
  return absl::StrCat(missed, " events before this one were too many to show.");
}

void Watching::Start(std::function<void(const std::shared_ptr<Watching>&)> ended) {
  ended_ = std::move(ended);
  responder_->OnCancel([weak = weak_from_this()] {
    auto self = weak.lock();
    if (self == nullptr) return;
    self->gone_ = true;
    self->Wake();
  });
  Wake();
}

void Watching::Wake() {
  if (wakes_.fetch_add(1) != 0) return;
  pool_->Post([self = shared_from_this()](const absl::StatusOr<Views*>& views) { self->Run(views); });
}

void Watching::Run(const absl::StatusOr<Views*>& views) {
  const std::uint64_t served = wakes_.load();
  Work(views);
  if (wakes_.fetch_sub(served) == served) return;
  pool_->Post([self = shared_from_this()](const absl::StatusOr<Views*>& next) { self->Run(next); });
}

void Watching::Work(const absl::StatusOr<Views*>& views) {
  if (responder_ == nullptr) return;
  if (gone_ || !views.ok()) {
    End(gone_ ? absl::CancelledError("the client has gone") : views.status());
    return;
  }
  if (watch_ == nullptr) {
    watch_ = Subscribe();
    responder_->Headers(Metadata());  // so that the client sees that it misses nothing from now on
  }
  absl::StatusOr<Progress> progress = Send(**views);
  if (!progress.ok()) {
    End(progress.status());
  } else if (*progress == Progress::kMoreToSend) {
    const absl::Duration delay = Taking() ? absl::ZeroDuration() : kLookAgain;
    auto wake = [self = shared_from_this()](const absl::StatusOr<Views*>&) { self->Wake(); };
    pool_->Post(std::move(wake), delay);
  }
}

void Watching::End(absl::Status status) {
  if (responder_ == nullptr) return;
  watch_ = nullptr;
  std::exchange(responder_, nullptr)->Finish(std::move(status));
  ended_(shared_from_this());
}

bool Watching::Taking() const { return !gone_ && responder_->Unsent() < kMaxUnsent; }

EventsWatching::EventsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder,
                               Live& live, dev::v1::WatchEventsRequest request)
    : Watching(std::move(pool), std::move(responder)), live_(live), filter_(request.filter()) {
  if (request.has_after_position()) position_ = request.after_position();
}

std::unique_ptr<Live::Watch> EventsWatching::Subscribe() {
  return live_.WatchCommits([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Wake();
  });
}

absl::StatusOr<Watching::Progress> EventsWatching::Send(Views& views) {
  if (!position_) {
    absl::StatusOr<std::int64_t> last = views.LastPosition();
    if (!last.ok()) return last.status();
    position_ = *last;
    return Progress::kUpToDate;
  }
  if (!Taking()) return Progress::kMoreToSend;
  absl::StatusOr<Views::Following> following = views.EventsAfter(*position_, filter_, kEventsAtOnce);
  if (!following.ok()) return following.status();
  for (const dev::v1::Event& event : following->events) responder().Message(event.SerializeAsString());
  position_ = following->position;
  return following->complete ? Progress::kUpToDate : Progress::kMoreToSend;
}

CommandsWatching::CommandsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder,
                                   Live& live, dev::v1::WatchCommandsRequest request)
    : Watching(std::move(pool), std::move(responder)),
      live_(live),
      request_(std::move(request)),
      good_(request_.most_per_second()),
      failed_(request_.most_per_second()) {}

absl::Status CommandsWatching::Check(const dev::v1::WatchCommandsRequest& request) {
  if (request.most_per_second() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("asked for ", request.most_per_second(), " calls a second; ask for at least 1"));
  }
  if (request.filter().open()) {
    return absl::InvalidArgumentError("calls are watched as they end; those that are open are listed by ListCommands");
  }
  return PageSize(request.newest()).status();
}

std::unique_ptr<Live::Watch> CommandsWatching::Subscribe() {
  std::weak_ptr<CommandsWatching> weak = std::static_pointer_cast<CommandsWatching>(shared_from_this());
  const auto newest = static_cast<std::size_t>(std::min(request_.newest(), kMostKeptCommands));
  Live::WatchedTraces watched = live_.WatchTraces(
      request_.filter(), newest, [weak = std::move(weak)](const std::shared_ptr<const trace::Trace>& trace) {
        if (auto self = weak.lock()) self->Add(trace);
      });
  kept_.assign(watched.kept.begin(), watched.kept.end());
  return std::move(watched.watch);
}

void CommandsWatching::Add(std::shared_ptr<const trace::Trace> trace) {
  if (!Matches(request_.filter(), *trace)) return;
  Allowance& allowance = trace->outcome.ok() ? good_ : failed_;
  if (!allowance.Take(trace->begin + trace->duration)) {
    queue_.Miss();
    return;
  }
  queue_.Add(std::move(trace));
  Wake();
}

std::optional<CommandsWatching::Queue::Taken> CommandsWatching::TakeNext() {
  if (kept_.empty()) return queue_.Take();
  Queue::Taken next{std::move(kept_.front())};
  kept_.pop_front();
  return next;
}

absl::StatusOr<Watching::Progress> CommandsWatching::Send(Views& views) {
  while (Taking()) {
    auto next = TakeNext();
    if (!next) return Progress::kUpToDate;
    absl::StatusOr<dev::v1::CommandTrace> command =
        request_.brief() ? BriefTrace(*next->item) : views.Trace(*next->item);
    if (!command.ok()) return command.status();
    dev::v1::WatchCommandsResponse response;
    *response.mutable_command() = *std::move(command);
    response.set_missed(next->missed);
    responder().Message(response.SerializeAsString());
  }
  return Progress::kMoreToSend;
}

std::unique_ptr<Live::Watch> ClusterEventsWatching::Subscribe() { return live_.WatchClusterEvents(request_, Adding()); }

absl::StatusOr<Watching::Progress> ClusterEventsWatching::Send(Views&) { return SendQueued(); }

std::unique_ptr<Live::Watch> CrdtsWatching::Subscribe() {
  auto watch = live_.WatchCrdts(request_, Adding());
  dev::v1::CrdtEvent beginning;
  *beginning.mutable_time() = ToTimestamp(absl::Now());
  beginning.set_kind("watching");
  queue_.Add(std::move(beginning));
  return watch;
}

absl::StatusOr<Watching::Progress> CrdtsWatching::Send(Views& views) {
  if (absl::Status status = views.RefreshTypes(); !status.ok()) return status;
  while (Taking()) {
    auto next = queue_.Take();
    if (!next) return Progress::kUpToDate;
    SendGap(*next);
    views.Describe(next->item);
    responder().Message(next->item.SerializeAsString());
  }
  return Progress::kMoreToSend;
}

}  // namespace cloudstate::admin
