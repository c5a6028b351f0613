#include "emulator/admin/reader_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::admin {

ReaderPool::ReaderPool(OpenJournal open_journal, std::vector<std::string> descriptor_sets, int threads)
    : open_journal_(std::move(open_journal)), descriptor_sets_(std::move(descriptor_sets)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

absl::Status ReaderPool::TryPost(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || tasks_.size() >= kMaxRequests) {
      return absl::ResourceExhaustedError("Too many requests wait for the journal. Try again later.");
    }
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return absl::OkStatus();
}

void ReaderPool::Post(Task task, absl::Duration delay) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (delay > absl::ZeroDuration()) {
      later_.push_back({absl::Now() + delay, std::move(task)});
    } else {
      tasks_.push_back(std::move(task));
    }
  }
  changed_.notify_one();
}

void ReaderPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // Outside the lock: what a task holds may post when it goes.
  std::deque<Task> dropped = std::exchange(tasks_, {});
  std::vector<Waiting> dropped_later = std::exchange(later_, {});
}

ReaderPool::Task ReaderPool::Take() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (stopped_) return nullptr;
    const auto earliest =
        std::min_element(later_.begin(), later_.end(), [](const auto& a, const auto& b) { return a.due < b.due; });
    const absl::Time due = earliest == later_.end() ? absl::InfiniteFuture() : earliest->due;
    if (due <= absl::Now()) {
      Task task = std::move(earliest->task);
      later_.erase(earliest);
      return task;
    }
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      return task;
    }
    if (due == absl::InfiniteFuture()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, absl::ToChronoNanoseconds(due - absl::Now()));
    }
  }
}

void ReaderPool::Run() {
  PayloadDecoder decoder;
  bool types_added = false;  // with the first task: most runs never need them
  std::unique_ptr<journal::Browser> browser;
  std::unique_ptr<Views> views;
  while (Task task = Take()) {
    if (!std::exchange(types_added, true)) {
      for (const std::string& set : descriptor_sets_) {
        if (absl::Status status = decoder.Add(set); !status.ok()) {
          base::LogWarning(absl::StrCat("types for the journal can't be used: ", status.message()));
        }
      }
    }
    absl::StatusOr<Views*> opened = views.get();
    if (views == nullptr) {
      absl::StatusOr<std::unique_ptr<journal::Browser>> journal = open_journal_();
      if (journal.ok()) {
        browser = *std::move(journal);
        views = std::make_unique<Views>(*browser, decoder);
        opened = views.get();
      } else {
        opened = journal.status();
      }
    }
    task(opened);
    task = nullptr;
  }
}

}  // namespace cloudstate::admin
