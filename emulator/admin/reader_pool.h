#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {

// A few threads that look into the journal, each through a browser of its own, so that neither the node nor gRPC waits
// for the disk. Any thread may post.
class ReaderPool {
 public:
  // Runs on one of the threads, with the journal or with why it can't be read.
  using Task = absl::AnyInvocable<void(const absl::StatusOr<Views*>&)>;
  using OpenJournal = std::function<absl::StatusOr<std::unique_ptr<journal::Browser>>()>;

  // `descriptor_sets` are types besides the journal's own; those that can't be used are passed over.
  ReaderPool(OpenJournal open_journal, std::vector<std::string> descriptor_sets, int threads);
  ~ReaderPool() { Stop(); }

  // RESOURCE_EXHAUSTED, and the task is dropped, when too many are waiting or the pool has stopped. For requests.
  absl::Status TryPost(Task task);

  // Always taken until the pool stops, and run no earlier than `delay` from now. For those that have one task at a
  // time.
  void Post(Task task, absl::Duration delay = absl::ZeroDuration());

  // Ends the threads after the tasks that run now; what waits is dropped. Not from a task.
  void Stop();

 private:
  struct Waiting {
    absl::Time due;
    Task task;
  };
  static constexpr std::size_t kMaxRequests = 1'024;

  void Run();
  // The next task that is due, or null at the end.
  Task Take();

  const OpenJournal open_journal_;
  const std::vector<std::string> descriptor_sets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::vector<Waiting> later_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloudstate::admin
