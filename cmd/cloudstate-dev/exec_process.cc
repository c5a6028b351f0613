#include "cmd/cloudstate-dev/exec_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "emulator/userfunction/process.h"

namespace cloudstate::cli {
namespace {

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Between asking and forcing.
constexpr absl::Duration kForceAfter = absl::Seconds(5);

// The numbers that name the entries of a directory of /proc, in order.
std::vector<int> NumbersIn(const char* path) {
  std::vector<int> numbers;
  DIR* directory = opendir(path);
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory)) {
    int number = 0;
    if (absl::SimpleAtoi(entry->d_name, &number)) numbers.push_back(number);
  }
  closedir(directory);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// In order.
std::vector<int> OpenFiles() {
  std::vector<int> files = NumbersIn("/proc/self/fd");
  std::erase_if(files, [](int file) { return fcntl(file, F_GETFD) < 0; });  // the one that told them
  return files;
}

// Whether that process is a living child of ours in our process group.
bool IsChildInOurGroup(pid_t pid) {
  const std::optional<userfunction::ProcessStat> stat = userfunction::ReadProcessStat(pid);
  return stat.has_value() && stat->state != 'Z' && stat->parent == getpid() && stat->group == getpgrp();
}

bool HasChildInOurGroup() {
  siginfo_t info = {};
  return waitid(P_PGID, static_cast<id_t>(getpgrp()), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::vector<pid_t> ChildrenInOurGroup() {
  if (!HasChildInOurGroup()) return {};
  std::vector<pid_t> children = NumbersIn("/proc");
  std::erase_if(children, [](pid_t pid) { return !IsChildInOurGroup(pid); });
  return children;
}

bool IsIgnored(int signal_number) {
  struct sigaction action = {};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

struct sigaction Replace(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = handler;
  sigaction(signal_number, &action, &before);
  return before;
}

// The next of these signals; none once it is `until`.
std::optional<siginfo_t> NextSignal(const sigset_t& signals, absl::Time until) {
  for (;;) {
    siginfo_t received = {};
    const absl::Duration left = std::clamp(until - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
    const timespec time = absl::ToTimespec(left);
    if (sigtimedwait(&signals, &received, &time) > 0) return received;
    if (errno == EAGAIN && absl::Now() >= until) return std::nullopt;
  }
}

}  // namespace

TestProcess::TestProcess() : inherited_(OpenFiles()), had_before_(ChildrenInOurGroup()) {
  sigemptyset(&taken_);
  for (const int each : kPassedOn) {
    if (!IsIgnored(each)) sigaddset(&taken_, each);
  }
  sigaddset(&taken_, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &taken_, &before_);
  pipe_before_ = Replace(SIGPIPE, SIG_IGN);
  child_before_ = Replace(SIGCHLD, SIG_DFL);
  // What the command leaves behind becomes a child of ours, so that we know of it.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

TestProcess::~TestProcess() {
  // Those that came late have been heeded, or are too late: this process ends with its exit code, not by a signal.
  const timespec now = {};
  while (sigtimedwait(&taken_, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> TestProcess::PendingSignal() const {
  sigset_t pending;
  sigpending(&pending);
  for (const int each : kPassedOn) {
    if (sigismember(&taken_, each) == 1 && sigismember(&pending, each) == 1) return each;
  }
  return std::nullopt;
}

absl::StatusOr<TestEnd> TestProcess::Run(const std::vector<std::string>& command,
                                         const std::map<std::string, std::string>& environment,
                                         absl::Duration time_limit) {
  const absl::Time limit = absl::Now() + time_limit;
  const absl::StatusOr<pid_t> pid = Start(command, environment);
  if (!pid.ok()) return pid.status();
  WaitForEnd(*pid, limit);
  end_.how = userfunction::DescribeExit(status_);
  end_.exit_code = WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  EndLeftBehind(SIGTERM, absl::Seconds(2));
  EndLeftBehind(SIGKILL, absl::Seconds(2));
  return end_;
}

// Only what is safe between fork and exec.
void TestProcess::BecomeCommand(const char* program, char* const* arguments, char* const* environment,
                                pid_t parent) const {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it has gone before it could be watched
  sigaction(SIGPIPE, &pipe_before_, nullptr);
  sigaction(SIGCHLD, &child_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  // All files but those that we were given, such as those of a make above us.
  unsigned next = STDERR_FILENO + 1;
  for (const int each : inherited_) {
    const auto file = static_cast<unsigned>(each);
    if (file > next) close_range(next, file - 1, 0);
    next = std::max(next, file + 1);
  }
  close_range(next, ~0U, 0);
  execve(program, arguments, environment);
  _exit(127);
}

absl::StatusOr<pid_t> TestProcess::Start(const std::vector<std::string>& command,
                                         const std::map<std::string, std::string>& environment) const {
  const absl::StatusOr<std::string> program = userfunction::FindProgram(command.front());
  if (!program.ok()) return program.status();
  std::vector<std::string> argument_strings = command;
  std::vector<std::string> environment_strings = userfunction::MergedEnvironment(environment);
  const std::vector<char*> arguments = userfunction::PointersTo(argument_strings);
  const std::vector<char*> variables = userfunction::PointersTo(environment_strings);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeCommand(program->c_str(), arguments.data(), variables.data(), parent);
  if (pid < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot start ", command.front()));
  return pid;
}

void TestProcess::WaitForEnd(pid_t pid, absl::Time time_limit) {
  absl::Time force_at = absl::InfiniteFuture();
  while (!Reap(pid)) {
    const std::optional<siginfo_t> received = NextSignal(taken_, std::min(time_limit, force_at));
    if (received.has_value()) {
      if (received->si_signo != SIGCHLD) PassOn(pid, *received);
    } else if (absl::Now() >= force_at) {
      kill(pid, SIGKILL);
      force_at = absl::InfiniteFuture();
    } else {
      end_.timed_out = true;
      kill(pid, SIGTERM);
      force_at = absl::Now() + kForceAfter;
      time_limit = absl::InfiniteFuture();
    }
  }
}

void TestProcess::PassOn(pid_t pid, const siginfo_t& received) {
  end_.interrupted = true;
  const absl::Time now = absl::Now();
  if (now - passed_on_ >= kTheSameSignal) {
    kill(pid, SIGKILL);
    return;
  }
  passed_on_ = std::min(passed_on_, now);
  // A terminal tells all of the process group.
  if (received.si_code != SI_KERNEL) kill(pid, received.si_signo);
}

// By the group, since the user function's end is somebody else's to take.
bool TestProcess::Reap(pid_t pid) {
  bool ended = false;
  int status = 0;
  for (pid_t child; (child = waitpid(0, &status, WNOHANG)) > 0;) {
    if (child != pid) continue;
    ended = true;
    status_ = status;
  }
  return ended;
}

std::vector<pid_t> TestProcess::LeftBehind() const {
  std::vector<pid_t> left = ChildrenInOurGroup();
  std::erase_if(
      left, [this](pid_t pid) { return std::find(had_before_.begin(), had_before_.end(), pid) != had_before_.end(); });
  return left;
}

void TestProcess::EndLeftBehind(int signal, absl::Duration within) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  const absl::Time until = absl::Now() + within;
  std::set<pid_t> told;  // once: the second time many programs end at once
  std::vector<pid_t> left = LeftBehind();
  while (!left.empty() && absl::Now() < until) {
    for (const pid_t each : left) {
      if (told.insert(each).second) kill(each, signal);
    }
    NextSignal(ends, std::min(until, absl::Now() + absl::Milliseconds(100)));
    Reap(0);
    left = LeftBehind();
  }
}

}  // namespace cloudstate::cli
