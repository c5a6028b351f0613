#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace cloudstate::simulation {

// Protobuf messages as YAML that people write:
//
// - A message is a mapping with the names of its fields, a duration a text such as "1.5s".
// - A message with one field only may be written as that field's value: `kill: 2` for `kill: {node: 2}`.
// - Where nothing is written, as in `heal:`, stands a message without fields set.
// - The fields of a message field that is named in `inlined` may stand beside it, in its place: so a step has `kill: 2`
//   instead of `steer: {kill: 2}`.
// - A message that has a field named in `shorthands` may be written as that field's value, as if it had no other.
// - Lists that are named in `even_empty` are written where they are empty, too, as [].
// - An enum value is its name, in any case; a google.protobuf.Value is any YAML (yaml_value.h).
struct YamlShape {
  std::vector<const google::protobuf::FieldDescriptor*> inlined;
  std::vector<const google::protobuf::FieldDescriptor*> shorthands = {};
  std::vector<const google::protobuf::FieldDescriptor*> even_empty = {};

  bool IsInlined(const google::protobuf::FieldDescriptor* field) const;
  bool IsWrittenEmpty(const google::protobuf::FieldDescriptor* field) const;
  // The field as whose value a message of this type may be written; null for none.
  const google::protobuf::FieldDescriptor* ShortFor(const google::protobuf::Descriptor* type) const;
};

// Where in a file what a message says was read. Messages are known by their addresses: those in the message that
// was read, as long as it is not changed.
class YamlPlaces {
 public:
  struct Place {
    int line = 0;  // from 1; 0 where nothing was read
    int column = 0;
  };

  explicit YamlPlaces(std::string file) : file_(std::move(file)) {}

  void Note(const google::protobuf::Message& message, int field, Place place) { places_[{&message, field}] = place; }
  // Of a field, by its number; of the whole message for 0, or if the field was not given.
  Place Of(const google::protobuf::Message& message, int field = 0) const;
  bool IsGiven(const google::protobuf::Message& message, int field) const {
    return places_.count({&message, field}) > 0;
  }
  // "FILE:LINE:COLUMN", or the file alone.
  std::string Text(Place place) const;
  // INVALID_ARGUMENT: "FILE:LINE:COLUMN: text".
  absl::Status Error(Place place, const std::string& text) const;

 private:
  std::string file_;
  std::map<std::pair<const google::protobuf::Message*, int>, Place> places_;
};

// Reads `yaml` into the empty `message`, and where its parts stand into `places`. INVALID_ARGUMENT, with the place, for
// what is no YAML, and for fields that there are not, are given twice, exclude each other or have values of another
// type.
absl::Status ReadYaml(absl::string_view yaml, const YamlShape& shape, google::protobuf::Message& message,
                      YamlPlaces& places);

// ReadYaml reads the same message back.
std::string WriteYaml(const google::protobuf::Message& message, const YamlShape& shape);
// The same in one line, without the braces around it.
std::string WriteYamlInOneLine(const google::protobuf::Message& message, const YamlShape& shape);

bool IsDuration(const google::protobuf::FieldDescriptor* field);
// Whether any YAML may stand there.
bool IsAnyValue(const google::protobuf::FieldDescriptor* field);

}  // namespace cloudstate::simulation
