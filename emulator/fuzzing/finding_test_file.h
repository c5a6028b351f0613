#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/fuzzing/finding.h"
#include "emulator/fuzzing/method.h"
#include "emulator/fuzzing/sequence.h"

namespace cloudstate::fuzzing {

// What a sequence led to when it was played.
struct Played {
  Sequence sequence;
  std::vector<int> codes;  // what its steps ended with, gRPC's; as many as were played
  Finding finding;
};

// Whether a test can show it. None sees how much memory a process has, a stream that stays open, or what comes of
// events that a snapshot stands for.
bool TestShows(const Finding& finding);

// A test with one case, which the user function fails, and which it would pass if it did what the finding expects. A
// call that takes longer than `deadline` fails it.
dev::v1::TestFile MakeTestFile(const Played& played, const std::vector<Method>& methods, absl::Duration deadline,
                               const std::string& name);

}  // namespace cloudstate::fuzzing
