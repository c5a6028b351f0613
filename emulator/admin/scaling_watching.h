#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/admin/watching.h"

namespace cloudstate::admin {

// What happens to the replicas; beyond some that wait, the oldest are dropped, which an event of its own tells.
class ScalingEventsWatching final : public QueuedWatching<dev::v1::WatchScalingEventsRequest, dev::v1::ScalingEvent> {
 public:
  using QueuedWatching::QueuedWatching;
  static absl::Status Check(const dev::v1::WatchScalingEventsRequest& request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;
};

// Times of calls that wait for a reader: several in each, the oldest dropped beyond a number of calls, and counted. Any
// thread.
class CallTimesQueue {
 public:
  explicit CallTimesQueue(std::int64_t most_calls) : most_calls_(most_calls) {}

  void Add(dev::v1::CallTimes times);
  std::optional<dev::v1::CallTimes> Take();

 private:
  const std::int64_t most_calls_;
  std::mutex mutex_;
  std::deque<dev::v1::CallTimes> queue_;
  std::int64_t calls_ = 0;   // in the queue
  std::int64_t missed_ = 0;  // before the first one
};

// The times of calls as they end.
class CallTimesWatching final : public Watching {
 public:
  static constexpr std::int64_t kMostWaiting = 50'000;  // calls

  CallTimesWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                    const dev::v1::RecordCallsRequest& request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  Live& live_;
  CallTimesQueue queue_{kMostWaiting};
};

}  // namespace cloudstate::admin
