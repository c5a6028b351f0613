#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/base/wake_event.h"
#include "emulator/userfunction/directory_watch.h"

namespace cloudstate::cli {

// Tells when tests are to be run again: when a test file changes, or a *.yaml directly in a directory of them, or any
// file below one more directory. For one thread.
class TestWatch {
 public:
  struct Options {
    std::vector<std::string> files;  // and directories of test files
    std::string directory = {};      // all below it counts; may be empty
    std::string left_out = {};       // a file that the tests write themselves; may be empty
  };
  // NOT_FOUND for a directory that is not there.
  static absl::StatusOr<TestWatch> Start(const Options& options);

  // The file that has changed; empty when `stop` is set.
  std::string AwaitChange(const base::WakeEvent& stop);

  // What has changed so far below the directory does not count: the user function may have written there as it ran.
  void ForgetDirectory();

 private:
  struct Watched {
    std::unique_ptr<userfunction::DirectoryWatch> watch;
    std::function<bool(const std::string& path)> counts;
  };

  std::vector<Watched> watched_;
  userfunction::DirectoryWatch* directory_ = nullptr;  // among those
};

}  // namespace cloudstate::cli
