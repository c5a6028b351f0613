#pragma once

#include <signal.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::cli {

// How a test command ended.
struct TestEnd {
  int exit_code = 0;         // of a shell's kind: 128 and the signal's number after a signal
  std::string how;           // "exited with 1", "was killed by signal 9 (Killed)"
  bool timed_out = false;    // and was ended for that
  bool interrupted = false;  // by a signal that was passed on to it
};

// Runs one command in the place of this process: in its process group, with its terminal, standard streams and
// inherited files. Of the main thread, and made before there are others: while it lives, signals that would end this
// process are blocked, and passed on to the command instead. What the command leaves running in this process group ends
// with it; what has made itself a session or a group of its own, as daemons do, is left alone.
class TestProcess {
 public:
  TestProcess();
  ~TestProcess();
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;

  // The signal that came before Run and waits to be taken. Any thread.
  std::optional<int> PendingSignal() const;

  // Once. A second signal, unless it comes at once after the first, ends the command without asking; so does what is
  // still there some seconds after the time limit. NOT_FOUND where there is no such program.
  absl::StatusOr<TestEnd> Run(const std::vector<std::string>& command,
                              const std::map<std::string, std::string>& environment, absl::Duration time_limit);

 private:
  [[noreturn]] void BecomeCommand(const char* program, char* const* arguments, char* const* environment,
                                  pid_t parent) const;
  absl::StatusOr<pid_t> Start(const std::vector<std::string>& command,
                              const std::map<std::string, std::string>& environment) const;
  void WaitForEnd(pid_t pid, absl::Time time_limit);
  void PassOn(pid_t pid, const siginfo_t& received);
  // Takes the ends of children; whether that of `pid` was among them.
  bool Reap(pid_t pid);
  // The children in our process group that were not there before.
  std::vector<pid_t> LeftBehind() const;
  void EndLeftBehind(int signal, absl::Duration within);

  sigset_t taken_;   // signals that are waited for
  sigset_t before_;  // what was blocked
  struct sigaction pipe_before_ = {};
  struct sigaction child_before_ = {};
  std::vector<int> inherited_;                     // files, in order
  std::vector<pid_t> had_before_;                  // children
  absl::Time passed_on_ = absl::InfiniteFuture();  // the first signal
  int status_ = 0;
  TestEnd end_;
};

}  // namespace cloudstate::cli
