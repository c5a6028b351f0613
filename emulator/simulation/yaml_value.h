#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "emulator/simulation/yaml_message.h"
#include "google/protobuf/struct.pb.h"

namespace YAML {
class Node;
}  // namespace YAML

namespace cloudstate::simulation {

// So many levels may stand one within the other.
inline constexpr int kMostYamlLevels = 64;
// A value that would be longer goes over several lines.
inline constexpr std::size_t kYamlWidth = 100;

// Where nothing is written, yaml-cpp tells where the next thing is.
YamlPlaces::Place PlaceOf(const YAML::Node& node, YamlPlaces::Place otherwise);

// Any YAML as a google.protobuf.Value: what has quotation marks is a text, as is what JSON would not take for a number.
// Whole numbers that a double can't hold stay texts, which is how protobuf's JSON writes them anyway. Notes where each
// value stands; that of a member, where its name stands. `most` is how many more values may be read.
absl::Status ReadYamlValue(const YAML::Node& node, YamlPlaces::Place place, YamlPlaces& places, int& most,
                           google::protobuf::Value& value);

// {a: 1, b: [x, "2"]}, members in the order of their names.
std::string WriteYamlValueInOneLine(const google::protobuf::Value& value);

// What stands behind "name:" or "-", with its end: the value in one line where that is short enough behind `before`
// characters, else lines with this indentation.
std::string WriteYamlValue(const google::protobuf::Value& value, const std::string& indent, std::size_t before);

}  // namespace cloudstate::simulation
