#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace cloudstate::journal {

// A directory of our own under TMPDIR, removed with everything in it by the destructor. A killed process cannot do
// that, so each new one removes what such processes of this user have left behind.
class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> Make();

  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace cloudstate::journal
