#include "samples/cpp/workers.h"

#include <utility>

namespace cloudstate::samples {

Workers::Workers(Work work) : work_(std::move(work)) {
  if (work_.time != nullptr) thread_ = std::thread([this] { Run(); });
}

Workers::~Workers() {
  Hurry();
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Workers::Take(std::function<void()> done) {
  if (work_.time == nullptr) return done();
  {
    const std::lock_guard lock(mutex_);
    const bool has_limit = work_.workers > 0 && !hurries_;
    if (has_limit && under_way_.size() >= static_cast<std::size_t>(work_.workers)) {
      waiting_.push_back(std::move(done));
      return;
    }
    Begin(std::move(done));
  }
  changed_.notify_one();
}

void Workers::Hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurries_ = true;
  }
  changed_.notify_one();
}

void Workers::Begin(std::function<void()> done) {
  under_way_.push({Clock::now() + absl::ToChronoNanoseconds(work_.time()), std::move(done)});
}

void Workers::Run() {
  std::unique_lock lock(mutex_);
  while (!ends_ || !under_way_.empty()) {
    if (under_way_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point end = under_way_.top().end;
    if (!hurries_ && Clock::now() < end) {
      changed_.wait_until(lock, end);
      continue;
    }
    const std::function<void()> done = under_way_.top().done;
    under_way_.pop();
    if (!waiting_.empty()) {
      Begin(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    lock.unlock();
    done();
    lock.lock();
  }
}

}  // namespace cloudstate::samples
