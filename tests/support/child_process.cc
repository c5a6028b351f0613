#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 forgets to say so itself.
extern "C" {
#include <sys/pidfd.h>
}

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"

namespace cloudstate::support {
namespace {

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  std::array<int, 2> ends;
};

std::vector<std::string> Environment(const std::map<std::string, std::string>& given) {
  std::vector<std::string> result;
  for (const char* name : {"PATH", "HOME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && !given.contains(name)) result.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : given) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

class Child final : public ChildProcess {
 public:
  Child(std::vector<std::string> command, std::vector<std::string> environment) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out_.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err_.ends[1], STDERR_FILENO);
    const int error = posix_spawnp(&pid_, command.front().c_str(), &files, nullptr, Pointers(command).data(),
                                   Pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      std::cerr << "cannot start " << command.front() << ": " << std::strerror(error) << "\n";
      std::abort();
    }
    close(out_.ends[1]);
    close(err_.ends[1]);
    pidfd_ = pidfd_open(pid_, 0);
    reader_ = std::thread([this] { Read(); });
  }

  ~Child() override {
    Signal(SIGKILL);
    reader_.join();
    for (const int each : {out_.ends[0], err_.ends[0], pidfd_}) close(each);
  }

  pid_t pid() const override { return pid_; }

  std::string output() const override {
    absl::MutexLock lock(&mutex_);
    return output_;
  }

  std::string errors() const override {
    absl::MutexLock lock(&mutex_);
    return errors_;
  }

  bool WaitUntil(const std::function<bool(const std::string&, const std::string&)>& condition,
                 absl::Duration timeout) const override {
    bool held = false;
    const auto over = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      held = condition(output_, errors_);
      return held || exit_code_.has_value();
    };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&over), timeout);
    return held;
  }

  void Signal(int signal) override {
    absl::MutexLock lock(&mutex_);
    if (!reaped_) kill(pid_, signal);
  }

  int WaitForExit(absl::Duration timeout) override {
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return exit_code_.has_value(); };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&ended), timeout) ? *exit_code_ : -1;
  }

 private:
  // Until the program has ended. What its own children, if they live on, write later is nobody's business.
  void Read() {
    std::array<pollfd, 3> watched = {pollfd{pidfd_, POLLIN, 0}, {out_.ends[0], POLLIN, 0}, {err_.ends[0], POLLIN, 0}};
    while (true) {
      poll(watched.data(), watched.size(), -1);
      const bool ended = watched[0].revents != 0;
      int code = 0;
      if (ended) {
        absl::MutexLock lock(&mutex_);
        int status = 0;
        waitpid(pid_, &status, 0);
        reaped_ = true;
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      if (!Drain(out_.ends[0], output_)) watched[1].fd = -1;
      if (!Drain(err_.ends[0], errors_)) watched[2].fd = -1;
      if (!ended) continue;
      absl::MutexLock lock(&mutex_);
      exit_code_ = code;
      return;
    }
  }

  // Takes what is there; false at the end.
  bool Drain(int pipe, std::string& text) {
    std::array<char, 65536> buffer;
    while (true) {
      const ssize_t count = read(pipe, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count < 0 && errno == EAGAIN;
      absl::MutexLock lock(&mutex_);
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  Pipe out_;
  Pipe err_;
  pid_t pid_ = 0;
  int pidfd_ = -1;
  mutable absl::Mutex mutex_;
  std::string output_;
  std::string errors_;
  bool reaped_ = false;
  std::optional<int> exit_code_;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& command,
                                                  const std::map<std::string, std::string>& environment) {
  return std::make_unique<Child>(command, Environment(environment));
}

}  // namespace cloudstate::support
