#include "emulator/journal/temporary_directory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "emulator/journal/directory_lock.h"

namespace cloudstate::journal {
namespace {

constexpr std::string_view kPrefix = "cloudstate-dev-ephemeral-";

// A file in each of them, so that a data directory which somebody gave such a name is never taken for one.
constexpr std::string_view kMark = "removed-at-exit";

bool IsOurs(const std::filesystem::path& path) {
  struct stat state = {};
  return lstat(path.c_str(), &state) == 0 && S_ISDIR(state.st_mode) && state.st_uid == geteuid();
}

// One that is being set up right now has no pid in its lock yet, so only those with one are taken for abandoned.
bool IsAbandoned(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path / kMark, error)) return false;
  const std::uintmax_t size = std::filesystem::file_size(path / "lock", error);
  if (error || size == 0) return false;
  const absl::StatusOr<std::optional<LockHolder>> holder = ReadLock(path.string());
  return holder.ok() && !holder->has_value();
}

// What can't be listed or removed is left alone: it is only a courtesy.
void RemoveAbandoned(const std::filesystem::path& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(kPrefix)) continue;
    std::error_code ignored;
    if (IsOurs(entry->path()) && IsAbandoned(entry->path())) std::filesystem::remove_all(entry->path(), ignored);
  }
}

}  // namespace

absl::StatusOr<TemporaryDirectory> TemporaryDirectory::Make() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) return absl::FailedPreconditionError("TMPDIR does not name a directory; set it to one");
  RemoveAbandoned(parent);
  std::string path = (parent / kPrefix).string() + "XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot make a directory in ", parent.string(), "; set TMPDIR to one that can be written"));
  }
  TemporaryDirectory directory(std::move(path));
  if (!std::ofstream(std::filesystem::path(directory.path()) / kMark)) {
    return absl::UnavailableError(
        absl::StrCat("cannot write in ", directory.path(), "; set TMPDIR to a directory with space"));
  }
  return directory;
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // the next one tries again
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace cloudstate::journal
