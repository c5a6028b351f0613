#include "emulator/testing/test_file.h"

namespace cloudstate::testing {
namespace {

using dev::v1::TestStep;

const simulation::YamlShape& TestFileShape() {
  static const simulation::YamlShape kShape{
      .inlined = {TestStep::descriptor()->FindFieldByNumber(TestStep::kSteerFieldNumber)},
      .shorthands = {
          dev::v1::ExpectedError::descriptor()->FindFieldByNumber(dev::v1::ExpectedError::kCodeFieldNumber),
          dev::v1::ExpectedCommand::descriptor()->FindFieldByNumber(dev::v1::ExpectedCommand::kCallFieldNumber),
          dev::v1::Fault::descriptor()->FindFieldByNumber(dev::v1::Fault::kKindFieldNumber)}};
  return kShape;
}

const simulation::YamlShape& RecordedShape() {
  static const simulation::YamlShape kShape = [] {
    simulation::YamlShape shape = TestFileShape();
    for (const int field : {TestStep::kEventsFieldNumber, TestStep::kEffectsFieldNumber}) {
      shape.even_empty.push_back(TestStep::descriptor()->FindFieldByNumber(field));
    }
    return shape;
  }();
  return kShape;
}

}  // namespace

absl::Status ReadTestFile(absl::string_view yaml, dev::v1::TestFile& file, simulation::YamlPlaces& places) {
  return simulation::ReadYaml(yaml, TestFileShape(), file, places);
}

std::string TestFileText(const dev::v1::TestFile& file) { return simulation::WriteYaml(file, TestFileShape()); }

std::string RecordedTestFileText(const dev::v1::TestFile& file) { return simulation::WriteYaml(file, RecordedShape()); }

}  // namespace cloudstate::testing
