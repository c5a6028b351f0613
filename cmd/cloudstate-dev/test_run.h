#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/test_files.h"
#include "cmd/cloudstate-dev/test_player.h"
#include "emulator/testing/report.h"

namespace cloudstate::cli {

struct TestRunOptions {
  UserFunctionChoice user_function;
  int workers = 0;                             // 0: as many as there are processors, and one for each ten cases at most
  int nodes = 0;                               // of each emulator; 0: as each file says
  absl::Duration timeout = absl::Seconds(10);  // of a case
  absl::Duration start_up = absl::Seconds(30);  // how long the user function may take until it is there
  bool fail_fast = false;
  bool show_output = false;  // of the user function
};

// Ends a run early. Any thread.
class TestInterruption {
 public:
  void Interrupt();
  bool interrupted() const;

  // The player is interrupted as well, while it is among them.
  void Add(TestPlayer& player);
  void Remove(TestPlayer& player);

 private:
  mutable std::mutex mutex_;
  bool interrupted_ = false;
  std::set<TestPlayer*> players_;
};

// One case of one file.
struct ChosenCase {
  const LoadedTestFile* file = nullptr;
  int index = 0;
};

// Plays the cases, each on an emulator that was reset, by workers that have an emulator and a process of the user
// function each. `on_result` is called in the order of the cases, for one at a time, on any thread. Errors are those of
// the start, of the user function, and of names in files that it does not have (INVALID_ARGUMENT): then no case was
// played.
absl::StatusOr<testing::Report> RunTests(const std::vector<ChosenCase>& cases, const TestRunOptions& options,
                                         TestInterruption& interruption,
                                         const std::function<void(const testing::CaseResult&)>& on_result);

}  // namespace cloudstate::cli
