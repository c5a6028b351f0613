#include "emulator/userfunction/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "emulator/base/wake_event.h"
#include "emulator/userfunction/directory_watch.h"
#include "emulator/userfunction/process.h"

namespace cloudstate::userfunction {
namespace {

class SupervisorThread final : public Supervisor {
 public:
  SupervisorThread(Options options, Handler handler, std::unique_ptr<DirectoryWatch> watch)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        watch_(std::move(watch)),
        thread_([this] { Run(); }) {}

  ~SupervisorThread() override {
    Stop();
    thread_.join();
  }

  void Stop() override {
    stopping_ = true;
    wake_.Set();
  }

 private:
  void Run() {
    absl::Duration backoff = options_.first_backoff;
    for (int restarts = 0; !stopping_; ++restarts) {
      const absl::Time started = absl::Now();
      const std::string how = RunOnce(restarts);
      if (absl::Now() - started >= options_.stable_after) backoff = options_.first_backoff;
      const absl::Duration pause = changed_.has_value() ? absl::ZeroDuration() : backoff;
      handler_.on_ended(how, stopping_ ? absl::ZeroDuration() : pause);
      WaitForRestart(pause);
      // What was changed may have mended it.
      const bool changed = std::exchange(changed_, std::nullopt).has_value();
      backoff = changed ? options_.first_backoff : std::min(backoff * 2, options_.last_backoff);
    }
  }

  // Starts the child and sees to it until it has ended; says how.
  std::string RunOnce(int restarts) {
    auto child = Spawn(options_.command, options_.environment);
    if (!child.ok()) return std::string(child.status().message());
    const GroupGuard guard(child->pid);
    output_open_ = true;
    handler_.on_started(child->pid, restarts);
    std::string how = Attend(*child);
    // What the leader left of its group would hold the port and the output open.
    kill(-child->pid, SIGKILL);
    ForwardOutput(*child);
    if (!partial_line_.empty()) handler_.on_output(std::exchange(partial_line_, {}));
    close(child->output);
    if (child->ended >= 0) close(child->ended);
    return how;
  }

  std::string Attend(const ChildProcess& child) {
    absl::Time kill_at = absl::InfiniteFuture();
    absl::Time restart_at = absl::InfiniteFuture();
    bool asked = false;
    while (true) {
      int status = 0;
      if (waitpid(child.pid, &status, WNOHANG) == child.pid) return DescribeExit(status);
      if (stopping_ || absl::Now() >= restart_at) {
        if (!asked) {
          asked = true;
          kill(-child.pid, SIGTERM);
          kill_at = absl::Now() + options_.grace;
        }
        restart_at = absl::InfiniteFuture();
      }
      if (absl::Now() >= kill_at) {
        kill(-child.pid, SIGKILL);
        kill_at = absl::InfiniteFuture();
      }
      Poll(child, std::min(kill_at, restart_at));
      ForwardOutput(child);
      if (TakeChange()) restart_at = *changed_ + options_.settle;
    }
  }

  // Sleeps until something happens or `until`.
  void Poll(const ChildProcess& child, absl::Time until) {
    std::array<pollfd, 4> descriptors{{{wake_.descriptor(), POLLIN, 0},
                                       {watch_ == nullptr ? -1 : watch_->descriptor(), POLLIN, 0},
                                       {output_open_ ? child.output : -1, POLLIN, 0},
                                       {child.ended, POLLIN, 0}}};
    // Kernels without pidfds: look every now and then.
    const absl::Duration longest = child.ended >= 0 ? absl::Seconds(60) : absl::Milliseconds(50);
    const absl::Duration time = std::min(until - absl::Now(), longest);
    poll(descriptors.data(), descriptors.size(), base::PollTimeout(time));
    wake_.Clear();
  }

  bool TakeChange() {
    if (watch_ == nullptr) return false;
    const std::string path = watch_->TakeChange();
    if (path.empty()) return false;
    changed_ = absl::Now();
    handler_.on_changed(path);
    return true;
  }

  // A change ends the pause, once no further one follows it.
  void WaitForRestart(absl::Duration pause) {
    const absl::Time paused_until = absl::Now() + pause;
    const ChildProcess none;
    while (!stopping_) {
      const absl::Time until = changed_.has_value() ? *changed_ + options_.settle : paused_until;
      if (absl::Now() >= until) return;
      Poll(none, until);
      TakeChange();
    }
  }

  void ForwardOutput(const ChildProcess& child) {
    std::array<char, 16384> buffer;
    ssize_t size = -1;
    // Not until there is no more: a child that never stops writing would keep us from everything else.
    for (int reads = 0; reads < kReadsAtOnce && (size = read(child.output, buffer.data(), buffer.size())) > 0;
         ++reads) {
      for (const char* at = buffer.data(); at < buffer.data() + size; ++at) {
        if (*at != '\n') partial_line_ += *at;
        if (*at == '\n' || partial_line_.size() >= kLongestLine) handler_.on_output(std::exchange(partial_line_, {}));
      }
    }
    if (size == 0) output_open_ = false;  // it has closed its output but goes on
  }

  static constexpr std::size_t kLongestLine = 64 << 10;
  static constexpr int kReadsAtOnce = 16;

  const Options options_;
  const Handler handler_;
  const std::unique_ptr<DirectoryWatch> watch_;
  const base::WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  // The thread's own.
  std::optional<absl::Time> changed_;  // the last change since the child was started
  bool output_open_ = false;           // the child's
  std::string partial_line_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Start(Options options, Handler handler) {
  if (auto program = FindProgram(options.command.front()); !program.ok()) return program.status();
  std::unique_ptr<DirectoryWatch> watch;
  if (!options.watch_directory.empty()) {
    auto created = DirectoryWatch::Create(options.watch_directory);
    if (!created.ok()) return created.status();
    watch = *std::move(created);
  }
  return std::make_unique<SupervisorThread>(std::move(options), std::move(handler), std::move(watch));
}

}  // namespace cloudstate::userfunction
