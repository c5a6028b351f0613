#pragma once

#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"

namespace cloudstate::cli {

// Fields whose values differ by nature, such as times: "ItemAdded.time", "com.example.ItemAdded.by.name". A type by its
// full name or the last part of it, then names of fields as protobuf or JSON has them; within lists in each element.
using IgnoredFields = std::vector<std::string>;

// Messages for people and for comparing: each begins with its type, then a line for each field but the ignored ones.
std::vector<std::string> MessageLines(const std::vector<dev::v1::Payload>& messages, const IgnoredFields& ignored);

// Whether they are the same but for the ignored fields: of the same types, and of the same bytes or the same JSON.
bool SameMessages(const std::vector<dev::v1::Payload>& one, const std::vector<dev::v1::Payload>& other,
                  const IgnoredFields& ignored);

// The fields, as in IgnoredFields, in which messages differ that have the same types; none where types differ.
IgnoredFields DifferentFields(const std::vector<dev::v1::Payload>& one, const std::vector<dev::v1::Payload>& other);

}  // namespace cloudstate::cli
