#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
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

// The file that `name` stands for, as execvp would find it. NOT_FOUND names it.
absl::StatusOr<std::string> FindProgram(const std::string& name);

// Our environment with `added` laid over it, each "NAME=VALUE", as execve takes it.
std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& added);

// The caller owns both descriptors and reaps the child.
absl::StatusOr<ChildProcess> Spawn(const std::vector<std::string>& command,
                                   const std::map<std::string, std::string>& environment);

// A port of the loopback that nobody listens on now, for a child that is to listen there. UNAVAILABLE if there is none.
absl::StatusOr<std::uint16_t> FreePort();

// "exited with 3", "was killed by signal 9 (Killed)".
std::string DescribeExit(int wait_status);

}  // namespace cloudstate::userfunction
