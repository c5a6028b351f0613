#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/admin/allowance.h"
#include "emulator/admin/live.h"
#include "emulator/admin/reader_pool.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// A client that watches something for as long as it likes. All its work is done on the reader pool, one piece at a
// time; a client that takes its messages slowly is waited for.
class Watching : public std::enable_shared_from_this<Watching> {
 public:
  Watching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder)
      : pool_(std::move(pool)), responder_(std::move(responder)) {}
  virtual ~Watching() = default;

  // Watches until the client goes away, something fails or End. `ended` runs then, not within Start. Before the
  // backend's Start returns.
  void Start(std::function<void(const std::shared_ptr<Watching>&)> ended);

  // There may be something to send. Any thread, quick.
  void Wake();

  // Only after the pool has stopped.
  void End(absl::Status status);

 protected:
  // Makes `Wake` be called from now on for what is watched.
  virtual std::unique_ptr<Live::Watch> Subscribe() = 0;

  enum class Progress { kUpToDate, kMoreToSend };
  // Sends what there is while Taking() says so.
  virtual absl::StatusOr<Progress> Send(Views& views) = 0;

  // Whether the client has taken nearly all that it was sent.
  bool Taking() const;
  serving::Responder& responder() { return *responder_; }
  // An event of its own tells that some were dropped before this one.
  template <class Taken>
  void SendGap(const Taken& before) {
    if (before.missed == 0) return;
    auto gap = std::decay_t<decltype(before.item)>();
    *gap.mutable_time() = before.item.time();
    gap.set_kind("missed");
    gap.set_text(MissedText(before.missed));
    responder_->Message(gap.SerializeAsString());
  }

 private:
  static std::string MissedText(std::int64_t missed);
  void Run(const absl::StatusOr<Views*>& views);
  void Work(const absl::StatusOr<Views*>& views);

  const std::shared_ptr<ReaderPool> pool_;
  std::shared_ptr<serving::Responder> responder_;  // null once ended
  std::function<void(const std::shared_ptr<Watching>&)> ended_;
  std::unique_ptr<Live::Watch> watch_;
  std::atomic<std::uint64_t> wakes_ = 0;  // not yet served; the one that finds 0 puts a task into the pool
  std::atomic<bool> gone_ = false;
};

// Events as they are stored.
class EventsWatching final : public Watching {
 public:
  EventsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                 dev::v1::WatchEventsRequest request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  Live& live_;
  const dev::v1::EventFilter filter_;
  std::optional<std::int64_t> position_;  // none: begins at the end
};

// What waits for a reader who may be slow: the newest. Beyond some the oldest are dropped and counted. Any thread.
template <class Item>
class NewestQueue {
 public:
  struct Taken {
    Item item;
    std::int64_t missed = 0;  // that were dropped or left out before this one
  };

  explicit NewestQueue(std::size_t most) : most_(most) {}

  void Add(Item item) {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(item), std::exchange(missed_, 0)});
    if (queue_.size() <= most_) return;
    const std::int64_t missed = queue_.front().missed + 1;
    queue_.pop_front();
    queue_.front().missed += missed;
  }

  // Counts one that is left out here.
  void Miss() {
    std::lock_guard lock(mutex_);
    ++missed_;
  }

  std::optional<Taken> Take() {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    Taken next = std::move(queue_.front());
    queue_.pop_front();
    return next;
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::deque<Taken> queue_;
  std::int64_t missed_ = 0;  // behind the last one in the queue
};

// What comes item by item from what is watched; beyond 1,000 that wait, the oldest are dropped.
template <class Request, class Item>
class QueuedWatching : public Watching {
 public:
  QueuedWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                 Request request)
      : Watching(std::move(pool), std::move(responder)), live_(live), request_(std::move(request)) {}

 protected:
  // What the watched one calls with each item. Any thread, quick.
  auto Adding() {
    std::weak_ptr<QueuedWatching> weak = std::static_pointer_cast<QueuedWatching>(shared_from_this());
    return [weak = std::move(weak)](Item item) {
      auto self = weak.lock();
      if (self == nullptr) return;
      self->queue_.Add(std::move(item));
      self->Wake();
    };
  }

  // Sends items as they are, and before each what was dropped.
  absl::StatusOr<Progress> SendQueued() {
    while (Taking()) {
      const auto next = queue_.Take();
      if (!next) return Progress::kUpToDate;
      SendGap(*next);
      responder().Message(next->item.SerializeAsString());
    }
    return Progress::kMoreToSend;
  }

  Live& live_;
  const Request request_;
  NewestQueue<Item> queue_{1'000};
};

// Traces as they end; beyond some that wait, the oldest are dropped and counted. So are, before anybody is woken for
// them, those beyond what the client wants in a second. Failed ones have an allowance of their own, so that they are
// not lost among the others.
class CommandsWatching final : public Watching {
 public:
  CommandsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                   dev::v1::WatchCommandsRequest request);
  static absl::Status Check(const dev::v1::WatchCommandsRequest& request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  using Queue = NewestQueue<std::shared_ptr<const trace::Trace>>;

  void Add(std::shared_ptr<const trace::Trace> trace);
  std::optional<Queue::Taken> TakeNext();

  Live& live_;
  const dev::v1::WatchCommandsRequest request_;
  std::deque<std::shared_ptr<const trace::Trace>> kept_;  // come before the queue
  Queue queue_{256};
  // On the nodes' strand.
  Allowance good_;
  Allowance failed_;
};

// What happens to the cluster; beyond some that wait, the oldest are dropped, which an event of its own tells.
class ClusterEventsWatching final : public QueuedWatching<dev::v1::WatchClusterEventsRequest, dev::v1::ClusterEvent> {
 public:
  using QueuedWatching::QueuedWatching;

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;
};

// What happens to replicas of CRDT entities, in the same way. Nothing of it is kept, so the first event tells that the
// watch has begun.
class CrdtsWatching final : public QueuedWatching<dev::v1::WatchCrdtsRequest, dev::v1::CrdtEvent> {
 public:
  using QueuedWatching::QueuedWatching;

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;
};

}  // namespace cloudstate::admin
