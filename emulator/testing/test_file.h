#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/simulation/yaml_message.h"

namespace cloudstate::testing {

// Reads a test file from YAML with the field names of cloudstate.dev.v1.TestFile into the empty `file`, and where its
// parts stand into `places`. INVALID_ARGUMENT, such as
//   carts.yaml:12:7: there is no 'inptu' in 'when'; did you mean 'input'?
absl::Status ReadTestFile(absl::string_view yaml, dev::v1::TestFile& file, simulation::YamlPlaces& places);

// In YAML, as a person would write it; ReadTestFile reads the same file back.
std::string TestFileText(const dev::v1::TestFile& file);
// The same of a recorded one, whose steps all are calls: where a call has stored nothing and had no effects, it expects
// that again, with `events: []` and `effects: []`.
std::string RecordedTestFileText(const dev::v1::TestFile& file);
// The same of one that a fuzzer made, whose checks expect that there are no complaints, with `complaints: []`.
std::string FoundTestFileText(const dev::v1::TestFile& file);

}  // namespace cloudstate::testing
