#include "emulator/journal/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {

absl::Status MakeDurable(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (synced || error == EINVAL) return absl::OkStatus();  // some file systems keep directories without being asked
  return absl::ErrnoToStatus(error, absl::StrCat("cannot make ", path, " durable"));
}

}  // namespace cloudstate::journal
