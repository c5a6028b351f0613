#include "emulator/simulation/yaml_value.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/json_members.h"
#include "emulator/simulation/yaml_text.h"

namespace cloudstate::simulation {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;
using Place = YamlPlaces::Place;

// Below it a double holds every whole number.
constexpr double kWholeBelow = 9007199254740992;

std::size_t SkipDigits(const std::string& text, std::size_t from) {
  while (from < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

// As JSON writes numbers: 01, 0x1 and +1 are none.
bool IsJsonNumber(const std::string& text) {
  const std::size_t begin = !text.empty() && text[0] == '-' ? 1 : 0;
  std::size_t at = SkipDigits(text, begin);
  if (at == begin || (text[begin] == '0' && at > begin + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t digits = SkipDigits(text, at + 1);
    if (digits == at + 1) return false;
    at = digits;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t digits = SkipDigits(text, at);
    if (digits == at) return false;
    at = digits;
  }
  return at == text.size();
}

void ReadScalarValue(const YAML::Node& node, Value& value) {
  const std::string& text = node.Scalar();
  const bool quoted = node.Tag() == "!";
  double number = 0;
  if (!quoted && (text == "true" || text == "false")) {
    value.set_bool_value(text == "true");
  } else if (!quoted && IsJsonNumber(text) && absl::SimpleAtod(text, &number) && std::isfinite(number) &&
             std::abs(number) < kWholeBelow) {
    value.set_number_value(number);
  } else {
    value.set_string_value(text);
  }
}

class ValueReader {
 public:
  ValueReader(YamlPlaces& places, int& most) : places_(places), most_(most) {}

  absl::Status Read(const YAML::Node& node, Place place, int level, Value& value) {
    if (--most_ < 0) return places_.Error(place, "there is too much in this file");
    if (level > kMostYamlLevels) return places_.Error(place, "too many levels, one within the other");
    places_.Note(value, 0, place);
    if (node.IsNull()) {
      value.set_null_value(google::protobuf::NULL_VALUE);
      return absl::OkStatus();
    }
    if (node.IsScalar()) {
      ReadScalarValue(node, value);
      return absl::OkStatus();
    }
    return node.IsMap() ? ReadMembers(node, place, level, *value.mutable_struct_value())
                        : ReadElements(node, place, level, *value.mutable_list_value());
  }

 private:
  absl::Status ReadMembers(const YAML::Node& node, Place place, int level, Struct& members) {
    std::map<std::string, Place> given;
    for (const auto& entry : node) {
      const Place here = PlaceOf(entry.first, place);
      if (!entry.first.IsScalar()) return places_.Error(here, "there is no name of a value");
      const std::string& name = entry.first.Scalar();
      const auto [before, first] = given.try_emplace(name, here);
      if (!first) {
        return places_.Error(here, absl::StrCat("'", name, "' is there twice, first in line ", before->second.line));
      }
      Value& value = (*members.mutable_fields())[name];
      if (absl::Status status = Read(entry.second, here, level + 1, value); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status ReadElements(const YAML::Node& node, Place place, int level, ListValue& elements) {
    for (const auto& element : node) {
      if (absl::Status status = Read(element, PlaceOf(element, place), level + 1, *elements.add_values());
          !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  YamlPlaces& places_;
  int& most_;
};

// Members or elements below each other; nothing for a value that has none.
std::string MemberLines(const Value& value, const std::string& indent) {
  std::string lines;
  if (value.has_struct_value()) {
    for (const auto& [name, member] : base::MembersByName(value)) {
      const std::string start = absl::StrCat(indent, YamlScalar(name), ":");
      absl::StrAppend(&lines, start, WriteYamlValue(*member, indent + "  ", start.size()));
    }
  } else if (value.has_list_value()) {
    for (const Value& element : value.list_value().values()) {
      std::string text = WriteYamlValue(element, indent + "  ", indent.size() + 1);
      // What would begin a line of its own begins behind the dash.
      if (text.front() == '\n') text = text.substr(indent.size() + 2);
      absl::StrAppend(&lines, indent, "-", text);
    }
  }
  return lines;
}

}  // namespace

Place PlaceOf(const YAML::Node& node, Place otherwise) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() || node.IsNull() ? otherwise : Place{mark.line + 1, mark.column + 1};
}

absl::Status ReadYamlValue(const YAML::Node& node, Place place, YamlPlaces& places, int& most, Value& value) {
  return ValueReader(places, most).Read(node, place, 0, value);
}

std::string WriteYamlValueInOneLine(const Value& value) {
  switch (value.kind_case()) {
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case Value::kNumberValue:
      return YamlNumber(value.number_value());
    case Value::kStringValue:
      return YamlScalar(value.string_value());
    case Value::kStructValue: {
      std::vector<std::string> members;
      for (const auto& [name, member] : base::MembersByName(value)) {
        members.push_back(absl::StrCat(YamlScalar(name), ": ", WriteYamlValueInOneLine(*member)));
      }
      return absl::StrCat("{", absl::StrJoin(members, ", "), "}");
    }
    case Value::kListValue: {
      std::vector<std::string> elements;
      for (const Value& element : value.list_value().values()) elements.push_back(WriteYamlValueInOneLine(element));
      return absl::StrCat("[", absl::StrJoin(elements, ", "), "]");
    }
    default:
      return "null";
  }
}

std::string WriteYamlValue(const Value& value, const std::string& indent, std::size_t before) {
  const std::string line = WriteYamlValueInOneLine(value);
  if (before + 1 + line.size() > kYamlWidth) {
    const std::string lines = MemberLines(value, indent);
    if (!lines.empty()) return "\n" + lines;
  }
  return absl::StrCat(" ", line, "\n");
}

}  // namespace cloudstate::simulation
