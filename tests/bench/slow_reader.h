#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace cloudstate::bench {

// A client of the model's bidirectional action that writes as fast as it is let, 4 KiB at a time, and reads nothing
// until it is told to. Each message asks for an answer of 4 KiB.
class SlowReader {
 public:
  static std::unique_ptr<SlowReader> Start(const std::string& address);
  virtual ~SlowReader() = default;

  // Messages that it has got rid of.
  virtual std::uint64_t written() const = 0;

  // Stops writing, reads to the end and returns the number of answers: as many as were written, or it is an error.
  virtual absl::StatusOr<std::uint64_t> ReadAll() = 0;
};

}  // namespace cloudstate::bench
