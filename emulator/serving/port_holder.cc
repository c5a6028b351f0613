#include "emulator/serving/port_holder.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cloudstate::serving {
namespace {

namespace fs = std::filesystem;

constexpr char kListening[] = "0A";

// The inodes of the sockets that listen on `port`. A line of the table is: slot, local address:port, remote
// address:port, state, queues, timer, retransmits, user, timeout, inode…
void CollectListening(const char* table, std::uint16_t port, std::set<std::string>& links) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 10 || fields[3] != kListening) continue;
    const std::vector<std::string> address = absl::StrSplit(fields[1], ':');
    std::uint32_t local_port = 0;
    if (absl::SimpleHexAtoi(address.back(), &local_port) && local_port == port) {
      links.insert(absl::StrCat("socket:[", fields[9], "]"));
    }
  }
}

bool HoldsAny(const fs::path& process, const std::set<std::string>& links) {
  std::error_code error;
  for (fs::directory_iterator each(process / "fd", error), end; !error && each != end; each.increment(error)) {
    std::error_code unreadable;
    if (links.count(fs::read_symlink(each->path(), unreadable).string()) != 0) return true;
  }
  return false;
}

}  // namespace

std::string DescribePortHolder(std::uint16_t port) {
  std::set<std::string> links;
  CollectListening("/proc/net/tcp", port, links);
  CollectListening("/proc/net/tcp6", port, links);
  if (links.empty()) return "";
  std::error_code error;
  for (fs::directory_iterator each("/proc", error), end; !error && each != end; each.increment(error)) {
    const std::string pid = each->path().filename().string();
    std::uint32_t number = 0;
    if (!absl::SimpleAtoi(pid, &number) || !HoldsAny(each->path(), links)) continue;
    std::ifstream file(each->path() / "comm");
    std::string name;
    std::getline(file, name);
    return absl::StrCat(name.empty() ? "a process" : name, " (pid ", pid, ")");
  }
  return "";
}

}  // namespace cloudstate::serving
