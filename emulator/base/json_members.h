#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/struct.pb.h"

namespace cloudstate::base {

// The members of a JSON object by name: in a protobuf map they have another order in each run. None of another value.
inline std::vector<std::pair<std::string, const google::protobuf::Value*>> MembersByName(
    const google::protobuf::Value& object) {
  std::vector<std::pair<std::string, const google::protobuf::Value*>> members;
  for (const auto& [name, value] : object.struct_value().fields()) members.emplace_back(name, &value);
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace cloudstate::base
