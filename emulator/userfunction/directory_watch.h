#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace cloudstate::userfunction {

// Tells when files in a directory, or below it, change, by inotify. Leaves out what builds and editors write all the
// time: hidden files and folders, node_modules, target, build, __pycache__.
class DirectoryWatch {
 public:
  enum class Depth { kDirectly, kAllBelow };
  // NOT_FOUND where there is no such directory.
  static absl::StatusOr<std::unique_ptr<DirectoryWatch>> Create(const std::string& directory,
                                                                Depth depth = Depth::kAllBelow);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Readable when there is something to take.
  int descriptor() const { return descriptor_; }

  // The path of one file that has changed since the last call, among those that count, or all; empty where only
  // left-out ones have.
  std::string TakeChange(const std::function<bool(const std::string& path)>& counts = nullptr);

 private:
  DirectoryWatch(int descriptor, Depth depth) : descriptor_(descriptor), depth_(depth) {}
  void Add(const std::string& directory);

  int descriptor_;
  const Depth depth_;
  std::map<int, std::string> directories_;  // by watch
};

}  // namespace cloudstate::userfunction
