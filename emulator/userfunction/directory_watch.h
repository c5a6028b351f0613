#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace cloudstate::userfunction {

// Tells when files below a directory change, by inotify. Leaves out what builds and editors write all the time: hidden
// files and folders, node_modules, target, build, __pycache__.
class DirectoryWatch {
 public:
  static absl::StatusOr<std::unique_ptr<DirectoryWatch>> Create(const std::string& directory);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Readable when there is something to take.
  int descriptor() const { return descriptor_; }

  // The path of one file that has changed since the last call; empty where only left-out ones have.
  std::string TakeChange();

 private:
  explicit DirectoryWatch(int descriptor) : descriptor_(descriptor) {}
  void Add(const std::string& directory);

  int descriptor_;
  std::map<int, std::string> directories_;  // by watch
};

}  // namespace cloudstate::userfunction
