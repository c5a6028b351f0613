#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

// A call as the emulator saw it (CallTimes of scaling.proto).
struct RecordedCall {
  Nanoseconds at = 0;             // when it reached the emulator
  Nanoseconds total = 0;          // until it was answered
  Nanoseconds until_sent = 0;     // until its first command was in the hands of the user function
  Nanoseconds held = 0;           // by the activator, of this time
  Nanoseconds user_function = 0;  // in its hands
  Nanoseconds journal = 0;        // until what it stored was durable
  std::uint32_t node = 0;
  int code = 0;  // gRPC's

  bool operator==(const RecordedCall&) const = default;
};

struct Recording {
  std::vector<RecordedCall> calls;  // by `at`, the first at 0
  bool has_times = false;           // not just when calls came

  // When calls came, to be played again.
  Load ToLoad() const;
};

// A line that says what the columns are, and one for each call:
//
//   # anything
//   at_us,total_us,until_sent_us,held_us,user_function_us,journal_us,node,code
//   0,21800,300,0,20100,1100,1,0
//
// In microseconds, in any order. Of the columns only at_us must be there; those that others added are left out.
// INVALID_ARGUMENT says what is wrong in which line; `name` is what people call the input.
absl::StatusOr<Recording> ReadRecording(std::istream& input, const std::string& name);

void WriteRecordingHeader(std::ostream& output);
// `at` counts from wherever the caller likes.
void WriteRecordedCall(const RecordedCall& call, std::ostream& output);

}  // namespace cloudstate::capacity
