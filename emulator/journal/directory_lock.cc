#include "emulator/journal/directory_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "emulator/base/view.h"

namespace cloudstate::journal {
namespace {

std::string FileIn(const std::string& directory) { return directory + "/lock"; }

absl::Status SystemError(std::string_view doing, const std::string& file) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", base::ToAbsl(doing), " ", file,
                                                 "; choose another data directory, or mend its permissions"));
}

// A lock of the open file, not of the process: it is held against a second journal in this process as well, and unlike
// flock's it can be asked about without being taken.
struct flock WholeFile() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool TryLock(int descriptor) {
  struct flock lock = WholeFile();
  return fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}

absl::StatusOr<bool> IsLocked(int descriptor, const std::string& file) {
  struct flock lock = WholeFile();
  if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) return SystemError("ask about", file);
  return lock.l_type != F_UNLCK;
}

// Whether the open file is still the one under that name: its last holder may have removed it just before we locked it.
bool IsStillThere(int descriptor, const std::string& file) {
  struct stat opened = {};
  struct stat named = {};
  return fstat(descriptor, &opened) == 0 && stat(file.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

std::string ReadAll(int descriptor) {
  char buffer[1024];
  const ssize_t count = pread(descriptor, buffer, sizeof buffer, 0);
  return count <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(count));
}

// Lines of "key value". A key counts where it stands first, and others are left for later versions.
LockHolder Parse(std::string_view text) {
  LockHolder holder;
  for (absl::string_view line : absl::StrSplit(base::ToAbsl(text), '\n')) {
    if (absl::ConsumePrefix(&line, "pid ")) {
      int pid = 0;
      if (holder.pid == 0 && absl::SimpleAtoi(line, &pid)) holder.pid = pid;
    } else if (absl::ConsumePrefix(&line, "client ")) {
      if (holder.addresses.client.empty()) holder.addresses.client = std::string(line);
    } else if (absl::ConsumePrefix(&line, "admin ")) {
      if (holder.addresses.admin.empty()) holder.addresses.admin = std::string(line);
    }
  }
  return holder;
}

absl::Status InUse(const std::string& directory, const LockHolder& holder) {
  std::string text = absl::StrCat(directory, " is in use by the emulator with process id ", holder.pid);
  if (!holder.addresses.admin.empty()) absl::StrAppend(&text, ", whose admin address is ", holder.addresses.admin);
  absl::StrAppend(&text, ". Use that one, end it with `kill ", holder.pid, "`, or choose another data directory.");
  return absl::FailedPreconditionError(text);
}

}  // namespace

absl::StatusOr<DirectoryLock> DirectoryLock::Acquire(const std::string& directory, const Addresses& addresses) {
  const std::string file = FileIn(directory);
  for (;;) {
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return SystemError("open", file);
    if (!TryLock(descriptor)) {
      const int error = errno;
      const LockHolder holder = Parse(ReadAll(descriptor));
      close(descriptor);
      if (error == EAGAIN || error == EACCES) return InUse(directory, holder);
      errno = error;
      return SystemError("lock", file);
    }
    if (!IsStillThere(descriptor, file)) {
      close(descriptor);
      continue;
    }
    DirectoryLock lock(file, descriptor);
    if (absl::Status status = lock.SetAddresses(addresses); !status.ok()) return status;
    return lock;
  }
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ < 0) return;
  unlink(file_.c_str());  // a file that stays is no obstacle
  close(descriptor_);
}

absl::Status DirectoryLock::SetAddresses(const Addresses& addresses) {
  std::string text = absl::StrCat("pid ", getpid(), "\n");
  if (!addresses.client.empty()) absl::StrAppend(&text, "client ", addresses.client, "\n");
  if (!addresses.admin.empty()) absl::StrAppend(&text, "admin ", addresses.admin, "\n");
  // Written over the old text and cut afterwards: whoever reads in between finds the new lines first.
  const bool written = pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
                       ftruncate(descriptor_, static_cast<off_t>(text.size())) == 0;
  return written ? absl::OkStatus() : SystemError("write", file_);
}

absl::StatusOr<std::optional<LockHolder>> ReadLock(const std::string& directory) {
  const std::string file = FileIn(directory);
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return SystemError("open", file);
  }
  absl::StatusOr<bool> locked = IsLocked(descriptor, file);
  const std::string text = ReadAll(descriptor);
  close(descriptor);
  if (!locked.ok()) return locked.status();
  if (!*locked) return std::nullopt;
  return Parse(text);
}

}  // namespace cloudstate::journal
