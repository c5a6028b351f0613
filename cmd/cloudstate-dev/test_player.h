#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/case_result.h"

namespace cloudstate::cli {

// Plays the cases of test files against one emulator, one after the other, by its two addresses. Keeps its connections.
// For one thread, but for Interrupt.
class TestPlayer {
 public:
  struct Addresses {
    std::string client;  // HOST:PORT
    std::string admin;
  };

  // Learns the services and types of the user function. UNAVAILABLE where there is no emulator, or no user function
  // with it.
  static absl::StatusOr<std::unique_ptr<TestPlayer>> Connect(const Addresses& addresses);
  virtual ~TestPlayer() = default;

  // Whether the file's services, methods, types and fields are there, before any of its cases is played.
  // INVALID_ARGUMENT with the place. `places` may be empty for a file that nobody has written.
  virtual absl::Status Check(const dev::v1::TestFile& file, const simulation::YamlPlaces& places) = 0;

  // Resets the emulator and plays the case of this index, at most for `timeout`. Of a file that Check has passed.
  virtual testing::CaseResult Play(const dev::v1::TestFile& file, const simulation::YamlPlaces& places, int index,
                                   absl::Duration timeout) = 0;

  // For an emulator that is left as it is: stores what a case gives, and plays one of its steps, or of the file's.
  virtual absl::Status Give(const dev::v1::TestFile& file, const simulation::YamlPlaces& places, int index) = 0;
  virtual std::optional<testing::CaseFailure> PlayStep(const dev::v1::TestFile& file,
                                                       const simulation::YamlPlaces& places, int index,
                                                       const dev::v1::TestStep& step, absl::Duration timeout) = 0;

  // Those of the user function, for coverage.
  virtual const dev::v1::ListServicesResponse& services() const = 0;

  // Ends the case that is being played, and makes every further one not run. Any thread.
  virtual void Interrupt() = 0;
};

}  // namespace cloudstate::cli
