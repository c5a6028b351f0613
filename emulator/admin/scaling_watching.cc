#include "emulator/admin/scaling_watching.h"

#include <utility>

namespace cloudstate::admin {

absl::Status ScalingEventsWatching::Check(const dev::v1::WatchScalingEventsRequest& request) {
  return PageSize(request.newest()).status();
}

std::unique_ptr<Live::Watch> ScalingEventsWatching::Subscribe() { return live_.WatchScalingEvents(request_, Adding()); }

absl::StatusOr<Watching::Progress> ScalingEventsWatching::Send(Views&) { return SendQueued(); }

void CallTimesQueue::Add(dev::v1::CallTimes times) {
  std::lock_guard lock(mutex_);
  calls_ += times.at_size();
  queue_.push_back(std::move(times));
  while (calls_ > most_calls_ && queue_.size() > 1) {
    calls_ -= queue_.front().at_size();
    missed_ += queue_.front().at_size();
    queue_.pop_front();
  }
}

std::optional<dev::v1::CallTimes> CallTimesQueue::Take() {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  dev::v1::CallTimes next = std::move(queue_.front());
  queue_.pop_front();
  calls_ -= next.at_size();
  next.set_missed(std::exchange(missed_, 0));
  return next;
}

CallTimesWatching::CallTimesWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder,
                                     Live& live, const dev::v1::RecordCallsRequest&)
    : Watching(std::move(pool), std::move(responder)), live_(live) {}

std::unique_ptr<Live::Watch> CallTimesWatching::Subscribe() {
  std::weak_ptr<CallTimesWatching> weak = std::static_pointer_cast<CallTimesWatching>(shared_from_this());
  return live_.WatchCallTimes([weak = std::move(weak)](dev::v1::CallTimes times) {
    auto self = weak.lock();
    if (self == nullptr) return;
    self->queue_.Add(std::move(times));
    self->Wake();
  });
}

absl::StatusOr<Watching::Progress> CallTimesWatching::Send(Views&) {
  while (Taking()) {
    const auto next = queue_.Take();
    if (!next) return Progress::kUpToDate;
    responder().Message(next->SerializeAsString());
  }
  return Progress::kMoreToSend;
}

}  // namespace cloudstate::admin
