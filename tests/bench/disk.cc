#include "tests/bench/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/bench/load.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::bench {

absl::StatusOr<absl::Duration> MedianSyncTime(int times) {
  const testing::TemporaryDirectory directory;
  const int file = open((directory.path() / "page").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot make a file to measure the disk with");
  const std::string page(4096, 'p');
  std::vector<absl::Duration> taken;
  absl::Status outcome;
  for (int i = 0; i < times && outcome.ok(); ++i) {
    const absl::Time began = absl::Now();
    if (write(file, page.data(), page.size()) < 0 || fdatasync(file) != 0) {
      outcome = absl::ErrnoToStatus(errno, "cannot write to measure the disk");
    }
    taken.push_back(absl::Now() - began);
  }
  close(file);
  if (!outcome.ok()) return outcome;
  return Percentile(std::move(taken), 0.5);
}

}  // namespace cloudstate::bench
