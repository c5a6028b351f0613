#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::journal {

// Where a running emulator is reached, HOST:PORT; empty while not known yet.
struct Addresses {
  std::string client;
  std::string admin;
};

struct LockHolder {
  pid_t pid = 0;
  Addresses addresses;
};

// Keeps a data directory to one emulator at a time. It is a lock of the operating system on the file `lock` in it, gone
// with the process that holds it, so that a killed emulator is no obstacle to the next one. The file says, for people
// and tools, who the holder is.
class DirectoryLock {
 public:
  // FAILED_PRECONDITION: another emulator has the directory. PERMISSION_DENIED, UNAVAILABLE: the file can't be made.
  static absl::StatusOr<DirectoryLock> Acquire(const std::string& directory, const Addresses& addresses);

  // Gives the lock back and removes its file.
  ~DirectoryLock();
  DirectoryLock(DirectoryLock&& other) noexcept
      : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;

  // Tells where this emulator is reached from now on.
  absl::Status SetAddresses(const Addresses& addresses);

 private:
  DirectoryLock(std::string file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}

  std::string file_;
  int descriptor_;
};

// The emulator that has the directory now; none if nobody does, even if a killed one left its file. Takes no lock
// itself.
absl::StatusOr<std::optional<LockHolder>> ReadLock(const std::string& directory);

}  // namespace cloudstate::journal
