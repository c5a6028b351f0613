#pragma once

#include <string>

namespace cloudstate::testing {

// Descriptor files in text format, for tests of HTTP: a type with a field of every kind, and a service with every kind
// of rule.
inline const std::string kHttpTypes = R"(
  name: "types.proto" package: "t" syntax: "proto3"
  dependency: "google/protobuf/timestamp.proto" dependency: "google/protobuf/duration.proto"
  dependency: "google/protobuf/field_mask.proto" dependency: "google/protobuf/wrappers.proto"
  dependency: "google/protobuf/struct.proto" dependency: "google/protobuf/any.proto"
  dependency: "google/api/httpbody.proto"
  enum_type { name: "Color" value { name: "RED" number: 0 } value { name: "BLUE" number: 3 } }
  message_type {
    name: "All"
    field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "user_id" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "i32" number: 3 type: TYPE_INT32 label: LABEL_OPTIONAL }
    field { name: "i64" number: 4 type: TYPE_INT64 label: LABEL_OPTIONAL }
    field { name: "u32" number: 5 type: TYPE_UINT32 label: LABEL_OPTIONAL }
    field { name: "u64" number: 6 type: TYPE_UINT64 label: LABEL_OPTIONAL }
    field { name: "d" number: 7 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
    field { name: "f" number: 8 type: TYPE_FLOAT label: LABEL_OPTIONAL }
    field { name: "flag" number: 9 type: TYPE_BOOL label: LABEL_OPTIONAL }
    field { name: "color" number: 10 type: TYPE_ENUM type_name: ".t.Color" label: LABEL_OPTIONAL }
    field { name: "data" number: 11 type: TYPE_BYTES label: LABEL_OPTIONAL }
    field { name: "inner" number: 12 type: TYPE_MESSAGE type_name: ".t.All" label: LABEL_OPTIONAL }
    field { name: "tags" number: 13 type: TYPE_STRING label: LABEL_REPEATED }
    field { name: "numbers" number: 14 type: TYPE_INT64 label: LABEL_REPEATED }
    field { name: "items" number: 15 type: TYPE_MESSAGE type_name: ".t.Item" label: LABEL_REPEATED }
    field { name: "at" number: 16 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
    field { name: "for" number: 17 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL }
    field { name: "mask" number: 18 type: TYPE_MESSAGE type_name: ".google.protobuf.FieldMask" label: LABEL_OPTIONAL }
    field { name: "wrapped" number: 19 type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" label: LABEL_OPTIONAL }
    field { name: "one" number: 20 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
    field { name: "other" number: 21 type: TYPE_MESSAGE type_name: ".t.Item" label: LABEL_OPTIONAL oneof_index: 0 }
    field { name: "map" number: 22 type: TYPE_MESSAGE type_name: ".t.All.MapEntry" label: LABEL_REPEATED }
    field { name: "struct" number: 23 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL }
    field { name: "any" number: 24 type: TYPE_MESSAGE type_name: ".google.protobuf.Any" label: LABEL_OPTIONAL }
    field { name: "body" number: 25 type: TYPE_MESSAGE type_name: ".google.api.HttpBody" label: LABEL_OPTIONAL }
    field { name: "maybe" number: 26 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 1 proto3_optional: true }
    nested_type {
      name: "MapEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
    }
    oneof_decl { name: "choice" }
    oneof_decl { name: "_maybe" }
  }
  message_type {
    name: "Item"
    field { name: "product_id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "quantity" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
  }
  message_type { name: "Response" field { name: "message" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } })";

}  // namespace cloudstate::testing
