#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/userfunction/wire_reader.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::userfunction {

// Whether a field of the message is marked as (part of) the entity key, in either dialect's way.
bool HasEntityKey(const google::protobuf::Descriptor& message);

// Reads the entity id out of serialized commands of one type. One scan over the top-level fields; the message is not
// parsed.
//
// The id is the key field's value as text, or those of several key fields in declaration order joined by "-": strings
// as they are, numbers in decimal, booleans as true and false, enums by name (unknown numbers in decimal). An absent
// field has its default value. Of a field that occurs twice the last one counts.
class EntityIdExtractor {
 public:
  // INVALID_ARGUMENT, naming the field, if no field is marked, or one that cannot be a key: repeated, bytes, message or
  // floating point. `message` must outlive the extractor.
  static absl::StatusOr<EntityIdExtractor> Create(const google::protobuf::Descriptor& message);

  // Any thread. INVALID_ARGUMENT for bytes that are no message and for keys that are not UTF-8.
  absl::StatusOr<std::string> Extract(std::string_view serialized) const;

  // Names of the fields that make up the key, in declaration order.
  std::vector<std::string> KeyFields() const;

 private:
  explicit EntityIdExtractor(std::vector<const google::protobuf::FieldDescriptor*> keys);

  struct Key {
    const google::protobuf::FieldDescriptor* field = nullptr;
    int number = 0;
    WireField::Type wire_type = WireField::Type::kVarint;
    std::string absent;  // the default value's text
  };
  struct Value {
    bool present = false;
    std::uint64_t number = 0;
    std::string_view bytes;
  };

  absl::Status Append(const Key& key, const Value& value, std::string& id) const;

  std::vector<Key> keys_;
};

}  // namespace cloudstate::userfunction
