#include "emulator/testing/test_file.h"

namespace cloudstate::testing {
namespace {

const simulation::YamlShape& TestFileShape() {
  static const simulation::YamlShape kShape{
      .inlined = {dev::v1::TestStep::descriptor()->FindFieldByNumber(dev::v1::TestStep::kSteerFieldNumber)},
      .shorthands = {
          dev::v1::ExpectedError::descriptor()->FindFieldByNumber(dev::v1::ExpectedError::kCodeFieldNumber),
          dev::v1::ExpectedCommand::descriptor()->FindFieldByNumber(dev::v1::ExpectedCommand::kCallFieldNumber),
          dev::v1::Fault::descriptor()->FindFieldByNumber(dev::v1::Fault::kKindFieldNumber)}};
  return kShape;
}

}  // namespace

absl::Status ReadTestFile(absl::string_view yaml, dev::v1::TestFile& file, simulation::YamlPlaces& places) {
  return simulation::ReadYaml(yaml, TestFileShape(), file, places);
}

std::string TestFileText(const dev::v1::TestFile& file) { return simulation::WriteYaml(file, TestFileShape()); }

}  // namespace cloudstate::testing
