#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/dev.pb.h"
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

 private:
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

// Traces as they end; beyond some that wait, the oldest are dropped and counted.
class CommandsWatching final : public Watching {
 public:
  CommandsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                   dev::v1::WatchCommandsRequest request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  static constexpr std::size_t kMaxQueued = 256;
  struct Queued {
    std::shared_ptr<const trace::Trace> trace;
    std::int64_t missed = 0;  // before this one
  };

  void Add(std::shared_ptr<const trace::Trace> trace);
  std::optional<Queued> Take();

  Live& live_;
  const dev::v1::CommandFilter filter_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<const trace::Trace>> queue_;
  std::int64_t missed_ = 0;  // before the first of the queue
};

// What happens to the cluster; beyond some that wait, the oldest are dropped, which an event of its own tells.
class ClusterEventsWatching final : public Watching {
 public:
  ClusterEventsWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                        dev::v1::WatchClusterEventsRequest request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  static constexpr std::size_t kMaxQueued = 1'000;

  void Add(dev::v1::ClusterEvent event);
  std::optional<dev::v1::ClusterEvent> Take();

  Live& live_;
  const dev::v1::WatchClusterEventsRequest request_;
  std::mutex mutex_;
  std::deque<dev::v1::ClusterEvent> queue_;
  std::int64_t missed_ = 0;  // before the first of the queue
};

}  // namespace cloudstate::admin
