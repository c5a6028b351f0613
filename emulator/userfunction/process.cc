#include "emulator/userfunction/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "emulator/base/log.h"

namespace cloudstate::userfunction {
namespace {

bool Executable(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

// Only what is safe between fork and exec.
[[noreturn]] void BecomeChild(const char* program, char* const* arguments, char* const* environment, int output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // open ports would stay open with whatever the child leaves behind
  execve(program, arguments, environment);
  _exit(127);
}

// With the group as its argument. A signal of a terminal is not for it: it has a group of its own.
constexpr char kGuardScript[] = R"(read -r _; kill -TERM "-$1"; sleep 2; kill -KILL "-$1")";

// Only what is safe between fork and exec.
[[noreturn]] void BecomeGuard(char* const* arguments, int input) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_WRONLY);
  dup2(input, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // the other end of the lifeline first of all
  execve(arguments[0], arguments, environ);
  _exit(127);
}

void WarnOfNoGuard(pid_t group) {
  base::LogWarning(
      absl::StrCat("nothing will end process group ", group, " should this process be killed: ", std::strerror(errno)));
}

}  // namespace

GroupGuard::GroupGuard(pid_t group) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    WarnOfNoGuard(group);
    return;
  }
  std::vector<std::string> words = {"/bin/sh", "-c", kGuardScript, "sh", absl::StrCat(group)};
  const std::vector<char*> arguments = PointersTo(words);
  guard_ = fork();
  if (guard_ == 0) BecomeGuard(arguments.data(), ends[0]);
  if (guard_ < 0) WarnOfNoGuard(group);
  if (guard_ > 0) setpgid(guard_, guard_);  // in both processes, as of the child
  close(ends[0]);
  lifeline_ = ends[1];
}

GroupGuard::~GroupGuard() {
  if (guard_ > 0) {
    kill(guard_, SIGKILL);
    waitpid(guard_, nullptr, 0);
  }
  if (lifeline_ >= 0) close(lifeline_);
}

std::vector<char*> PointersTo(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& each : strings) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(')');  // the name may have anything in it
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  ProcessStat stat;
  rest >> stat.state >> stat.parent >> stat.group;
  return stat;
}

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (Executable(name)) return name;
    return absl::NotFoundError(absl::StrCat(name, " is not there, or is not a program"));
  }
  const char* path = std::getenv("PATH");
  for (const auto directory : absl::StrSplit(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path, ':')) {
    const std::string candidate = absl::StrCat(directory.empty() ? "." : directory, "/", name);
    if (Executable(candidate)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("there is no program '", name, "' in PATH"));
}

std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string entry = *each;
    if (!added.contains(entry.substr(0, entry.find('=')))) merged.push_back(entry);
  }
  for (const auto& [name, value] : added) merged.push_back(absl::StrCat(name, "=", value));
  return merged;
}

absl::StatusOr<ChildProcess> Spawn(const std::vector<std::string>& command,
                                   const std::map<std::string, std::string>& environment) {
  const auto program = FindProgram(command.front());
  if (!program.ok()) return program.status();
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "no pipe for the user function's output");
  std::vector<std::string> argument_strings = command;
  std::vector<std::string> environment_strings = MergedEnvironment(environment);
  const std::vector<char*> arguments = PointersTo(argument_strings);
  const std::vector<char*> variables = PointersTo(environment_strings);
  const pid_t pid = fork();
  if (pid == 0) BecomeChild(program->c_str(), arguments.data(), variables.data(), pipe_ends[1]);
  close(pipe_ends[1]);
  if (pid < 0) {
    close(pipe_ends[0]);
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot start ", command.front()));
  }
  setpgid(pid, pid);  // in both processes, so that neither has to wait for the other
  fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
  return ChildProcess{pid, static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), pipe_ends[0]};
}

std::string DescribeExit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal_number = WTERMSIG(wait_status);
    return absl::StrCat("was killed by signal ", signal_number, " (", strsignal(signal_number), ")");
  }
  return absl::StrCat("exited with ", WEXITSTATUS(wait_status));
}

}  // namespace cloudstate::userfunction
