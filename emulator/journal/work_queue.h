#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace cloudstate::journal {

// A bounded queue between threads. What was taken still counts against the bounds until it is released, so that they
// limit all that has been asked for and not been answered.
template <typename T>
class WorkQueue {
 public:
  struct Bounds {
    std::size_t items = std::numeric_limits<std::size_t>::max();
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
  };
  enum class Pushed { kYes, kFull, kClosed };

  explicit WorkQueue(Bounds bounds) : bounds_(bounds) {}

  // Moves from `item` only if the answer is kYes.
  Pushed Push(T& item, std::size_t bytes) {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return Pushed::kClosed;
      if (items_ >= bounds_.items || bytes > bounds_.bytes - bytes_) return Pushed::kFull;
      ++items_;
      bytes_ += bytes;
      waiting_.push_back({std::move(item), bytes});
    }
    ready_.notify_one();
    return Pushed::kYes;
  }

  struct Taken {
    std::vector<T> items;
    std::size_t bytes = 0;
  };

  // Waits for something and takes what there is, within `most`, but at least one item. Nothing: closed and empty.
  Taken Take(Bounds most) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    Taken taken;
    while (!waiting_.empty()) {
      Waiting& next = waiting_.front();
      if (!taken.items.empty() && (taken.items.size() >= most.items || taken.bytes + next.bytes > most.bytes)) break;
      taken.items.push_back(std::move(next.item));
      taken.bytes += next.bytes;
      waiting_.pop_front();
    }
    return taken;
  }

  void Release(std::size_t items, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    items_ -= items;
    bytes_ -= bytes;
  }

  // No more is pushed; what waits can still be taken.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

 private:
  struct Waiting {
    T item;
    std::size_t bytes;
  };

  const Bounds bounds_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Waiting> waiting_;
  std::size_t items_ = 0;  // waiting or taken, not released
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace cloudstate::journal
