#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"

namespace cloudstate::userfunction {

// What support libraries store without a message of their own has a type URL that begins with one of these.
inline constexpr std::string_view kJsonPrefix = "json.cloudstate.io/";
inline constexpr std::string_view kPrimitivePrefix = "p.cloudstate.io/";

// Of a primitive, which follows the prefix in its type URL: a message whose field 1 is the value, and whose JSON is
// that value alone. Null for what is none.
const google::protobuf::Descriptor* PrimitiveType(std::string_view name);

struct PayloadJson {
  std::string json;        // always one valid JSON value
  bool described = false;  // by its type's descriptor or by its type URL; false: guessed from the bytes alone
};

// A stored payload as JSON for people. Never fails; what does not parse is shown as base64.
//
//   a type that the pool knows     proto3 JSON, defaults included
//   json.cloudstate.io/…           field 1 is JSON text, shown as it is
//   p.cloudstate.io/string, int32, int64, bool, bytes, float, double    field 1 is the value
//   anything else                  an object of field numbers: strings where they are printable, messages where they
//   parse,
//                                  base64 otherwise; numbers beyond 2^53 as strings; a number that repeats as an array
//
// `pool` may be null. `factory` is used for the pool's types. Any thread.
PayloadJson DecodePayload(std::string_view type_url, std::string_view payload,
                          const google::protobuf::DescriptorPool* pool,
                          google::protobuf::DynamicMessageFactory& factory);

// A message of the type with a placeholder in every field, for a person to fill in. Of a oneof only the first member;
// types within themselves are empty.
std::string ExampleJson(const google::protobuf::Descriptor& message);

}  // namespace cloudstate::userfunction
