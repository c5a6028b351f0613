#include "tests/bench/processor_time.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace cloudstate::bench {
namespace {

// See proc(5): after the program's name, which is in parentheses, come eleven fields, then the ticks in user and in
// system mode.
double Ticks(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return user + system;
}

}  // namespace

absl::Duration ProcessorTime(const std::vector<pid_t>& pids) {
  double ticks = 0;
  for (const pid_t pid : pids) ticks += Ticks(pid);
  return absl::Seconds(ticks / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

}  // namespace cloudstate::bench
