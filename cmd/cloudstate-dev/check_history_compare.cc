#include "cmd/cloudstate-dev/check_history_compare.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "emulator/base/line_diff.h"
#include "emulator/base/names.h"
#include "emulator/testing/json_value.h"

namespace cloudstate::cli {
namespace {

using testing::Json;

void Remove(Json& value, const std::vector<std::string>& path, std::size_t depth) {
  if (value.has_list_value()) {
    for (Json& element : *value.mutable_list_value()->mutable_values()) Remove(element, path, depth);
    return;
  }
  if (!value.has_struct_value()) return;
  auto& fields = *value.mutable_struct_value()->mutable_fields();
  const std::string name = testing::JsonName(path[depth]);
  if (depth + 1 == path.size()) {
    fields.erase(name);
  } else if (auto field = fields.find(name); field != fields.end()) {
    Remove(field->second, path, depth + 1);
  }
}

void RemoveIgnored(const dev::v1::Payload& message, const IgnoredFields& ignored, Json& value) {
  for (const std::string& field : ignored) {
    absl::string_view path = field;
    if (!absl::ConsumePrefix(&path, base::TypeName(message.type_url()) + ".") &&
        !absl::ConsumePrefix(&path, ShortType(message.type_url()) + ".")) {
      continue;
    }
    Remove(value, absl::StrSplit(path, '.'), 0);
  }
}

// What is no JSON, which nobody but a broken emulator tells, stays as it is.
std::string MeaningOf(const dev::v1::Payload& message, const IgnoredFields& ignored) {
  absl::StatusOr<Json> value = testing::ParseJson(message.json());
  if (!value.ok()) return message.json();
  RemoveIgnored(message, ignored, *value);
  return testing::JsonText(*value);
}

void AddDifferences(const Json& one, const Json& other, const std::string& path, std::set<std::string>& found) {
  if (one.has_struct_value() && other.has_struct_value()) {
    std::set<std::string> names;
    for (const auto& field : one.struct_value().fields()) names.insert(field.first);
    for (const auto& field : other.struct_value().fields()) names.insert(field.first);
    for (const std::string& name : names) {
      const auto& fields = one.struct_value().fields();
      const auto& others = other.struct_value().fields();
      const auto field = fields.find(name);
      const auto counterpart = others.find(name);
      const std::string inner = absl::StrCat(path, ".", name);
      if (field == fields.end() || counterpart == others.end()) {
        found.insert(inner);
      } else {
        AddDifferences(field->second, counterpart->second, inner, found);
      }
    }
    return;
  }
  if (one.has_list_value() && other.has_list_value() &&
      one.list_value().values_size() == other.list_value().values_size()) {
    for (int i = 0; i < one.list_value().values_size(); ++i) {
      AddDifferences(one.list_value().values(i), other.list_value().values(i), path, found);
    }
    return;
  }
  if (testing::JsonText(one) != testing::JsonText(other)) found.insert(path);
}

bool SameTypes(const std::vector<dev::v1::Payload>& one, const std::vector<dev::v1::Payload>& other) {
  return std::ranges::equal(
      one, other, [](const dev::v1::Payload& a, const dev::v1::Payload& b) { return a.type_url() == b.type_url(); });
}

}  // namespace

std::vector<std::string> MessageLines(const std::vector<dev::v1::Payload>& messages, const IgnoredFields& ignored) {
  std::vector<std::string> lines;
  for (const dev::v1::Payload& message : messages) {
    std::vector<std::string> fields = base::JsonLines(MeaningOf(message, ignored));
    fields.front() = absl::StrCat(base::TypeName(message.type_url()), " ", fields.front());
    lines.insert(lines.end(), fields.begin(), fields.end());
  }
  return lines;
}

bool SameMessages(const std::vector<dev::v1::Payload>& one, const std::vector<dev::v1::Payload>& other,
                  const IgnoredFields& ignored) {
  if (!SameTypes(one, other)) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i].value() == other[i].value()) continue;
    if (MeaningOf(one[i], ignored) != MeaningOf(other[i], ignored)) return false;
  }
  return true;
}

IgnoredFields DifferentFields(const std::vector<dev::v1::Payload>& one, const std::vector<dev::v1::Payload>& other) {
  if (!SameTypes(one, other)) return {};
  std::set<std::string> found;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const absl::StatusOr<Json> before = testing::ParseJson(one[i].json());
    const absl::StatusOr<Json> after = testing::ParseJson(other[i].json());
    if (before.ok() && after.ok()) AddDifferences(*before, *after, ShortType(one[i].type_url()), found);
  }
  return {found.begin(), found.end()};
}

}  // namespace cloudstate::cli
