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
