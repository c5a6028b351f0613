#include "emulator/testing/test_file.h"

#include <initializer_list>
#include <string_view>

#include "absl/strings/str_split.h"
#include "emulator/base/printable.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::testing {
namespace {

using dev::v1::TestCheck;
using dev::v1::TestStep;

const simulation::YamlShape& TestFileShape() {
  static const simulation::YamlShape kShape{
      .inlined = {TestStep::descriptor()->FindFieldByNumber(TestStep::kSteerFieldNumber)},
      .shorthands = {dev::v1::ExpectedError::descriptor()->FindFieldByNumber(dev::v1::ExpectedError::kCodeFieldNumber),
                     dev::v1::ExpectedCommand::descriptor()->FindFieldByNumber(
                         dev::v1::ExpectedCommand::kCallFieldNumber),
                     dev::v1::Fault::descriptor()->FindFieldByNumber(dev::v1::Fault::kKindFieldNumber)},
      // An entity's id may be empty.
      .even_empty = {dev::v1::GivenEntity::descriptor()->FindFieldByNumber(dev::v1::GivenEntity::kEntityFieldNumber)}};
  return kShape;
}

// With these lists also where they are empty.
std::string TextWith(const google::protobuf::Descriptor& type, std::initializer_list<int> even_empty,
                     const dev::v1::TestFile& file) {
  simulation::YamlShape shape = TestFileShape();
  for (const int field : even_empty) shape.even_empty.push_back(type.FindFieldByNumber(field));
  return simulation::WriteYaml(file, shape);
}

// Reports could not show names that are not.
absl::Status CheckUtf8(absl::string_view yaml, const simulation::YamlPlaces& places) {
  int number = 0;
  for (const absl::string_view each : absl::StrSplit(yaml, '\n')) {
    ++number;
    std::string_view line(each.data(), each.size());
    if (userfunction::IsValidUtf8(line)) continue;
    int column = 1;
    for (std::size_t size = 0; (size = base::CharacterBytes(line)) > 0; ++column) line.remove_prefix(size);
    return places.Error({.line = number, .column = column}, "this is not UTF-8, as a test file has to be");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadTestFile(absl::string_view yaml, dev::v1::TestFile& file, simulation::YamlPlaces& places) {
  if (absl::Status status = CheckUtf8(yaml, places); !status.ok()) return status;
  return simulation::ReadYaml(yaml, TestFileShape(), file, places);
}

std::string TestFileText(const dev::v1::TestFile& file) { return simulation::WriteYaml(file, TestFileShape()); }

std::string RecordedTestFileText(const dev::v1::TestFile& file) {
  return TextWith(*TestStep::descriptor(), {TestStep::kEventsFieldNumber, TestStep::kEffectsFieldNumber}, file);
}

std::string FoundTestFileText(const dev::v1::TestFile& file) {
  return TextWith(*TestCheck::descriptor(), {TestCheck::kComplaintsFieldNumber}, file);
}

}  // namespace cloudstate::testing
