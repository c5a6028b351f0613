#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::userfunction {
class MessageJson;
}  // namespace cloudstate::userfunction

namespace cloudstate::testing {

using Json = google::protobuf::Value;

// INVALID_ARGUMENT for what is no JSON.
absl::StatusOr<Json> ParseJson(absl::string_view text);

// Without white space, members in the order of their names.
std::string JsonText(const Json& value);
// The same, cut where it gets long: for a sentence.
std::string ShortJsonText(const Json& value);

// "productId" of "product_id": as protobuf's JSON names a field.
std::string JsonName(absl::string_view field);

Json TextValue(absl::string_view text);
Json NumberValue(double number);
// A number, or a text that is one, as protobuf's JSON writes those of 64 bits.
std::optional<double> NumberOf(const Json& value);

// Where in a value stand mappings by keys, those of maps and of google.protobuf.Struct. A key that is not there has no
// default, as a field has, and one spelling.
struct Keys {
  enum class Mapping {
    kFields,
    kKeys,
    kKeysThroughout,  // here and below
  };
  Mapping mapping = Mapping::kFields;
  std::map<std::string, Keys> members = {};
  std::vector<Keys> elements = {};
};

// What came: once with all fields, and once without those that have their default value. Lists have the same
// elements in both. Both are unset where nothing came.
struct Actual {
  Json full = {};
  Json brief = {};
  Keys keys = {};
};

// A message of any type. `factory` makes the contents of google.protobuf.Any. INVALID_ARGUMENT where it has no JSON: an
// Any of an unknown type, texts that are not UTF-8.
absl::StatusOr<Actual> ActualOf(const google::protobuf::Message& message, const userfunction::MessageJson& json,
                                google::protobuf::DynamicMessageFactory& factory);
// Something whose type is not known: what looks like a default value counts as one.
Actual ActualOf(Json value);
Actual ActualList(const std::vector<Actual>& elements);
// Puts what came into another's mapping.
void AddMember(Actual& mapping, const std::string& name, Actual member);

// Whether it is what JSON has for a field at its default: null, false, 0, "", [], {} or "0".
bool LooksLikeDefault(const Json& value);

}  // namespace cloudstate::testing
