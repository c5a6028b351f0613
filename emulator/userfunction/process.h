#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::userfunction {

// A child that leads a process group of its own. It is told to end should the thread that started it end.
struct ChildProcess {
  pid_t pid = 0;
  int ended = -1;   // a descriptor that is readable when the child has ended
  int output = -1;  // what it prints, standard output and error together
};

// Ends a process group should this process end and leave it there, however it ends: a parent's death is told to its
// children only, not to those that a shell starts for us. Nothing is guarded where there is no shell to do it.
class GroupGuard {
 public:
  explicit GroupGuard(pid_t group);
  ~GroupGuard();
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

 private:
  pid_t guard_ = -1;
  int lifeline_ = -1;  // the guard's standard input ends with us
};

// What execve takes: it points into the strings.
std::vector<char*> PointersTo(std::vector<std::string>& strings);

// Of a process, as /proc tells it. Nothing where there is none.
struct ProcessStat {
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
};
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// The file that `name` stands for, as execvp would find it. NOT_FOUND names it.
absl::StatusOr<std::string> FindProgram(const std::string& name);

// Our environment with `added` laid over it, each "NAME=VALUE", as execve takes it.
std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& added);

// The caller owns both descriptors and reaps the child.
absl::StatusOr<ChildProcess> Spawn(const std::vector<std::string>& command,
                                   const std::map<std::string, std::string>& environment);

// "exited with 3", "was killed by signal 9 (Killed)".
std::string DescribeExit(int wait_status);

}  // namespace cloudstate::userfunction
