#include "cmd/cloudstate-dev/write_file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace cloudstate::cli {

absl::Status WriteFile(const std::string& file, const std::string& text) {
  std::ofstream output(file, std::ios::binary | std::ios::trunc);
  output << text;
  output.close();
  if (output) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("The file ", file, " can't be written. Is its directory there, and yours?"));
}

absl::Status CheckMayWrite(const std::string& file, bool force) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return absl::InvalidArgumentError(absl::StrCat(file, " is a directory; name a file in it."));
  }
  if (!force && std::filesystem::exists(file, error)) {
    return absl::AlreadyExistsError(absl::StrCat(file, " is there already; --force overwrites it, or name another."));
  }
  const std::string parent = std::filesystem::path(file).parent_path().string();
  const std::string directory = parent.empty() ? "." : parent;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::NotFoundError(
        absl::StrCat("The directory ", directory, " for ", file, " is not there; make it first."));
  }
  const bool there = std::filesystem::exists(file, error);
  if (access(there ? file.c_str() : directory.c_str(), W_OK) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("The file ", file, " can't be written"));
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::cli
