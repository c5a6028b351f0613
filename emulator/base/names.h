#pragma once

#include <string>
#include <string_view>

namespace cloudstate::base {

// "com.example.ItemAdded" of "type.googleapis.com/com.example.ItemAdded"; all of what has no host.
inline std::string TypeName(std::string_view type_url) {
  return std::string(type_url.substr(type_url.rfind('/') + 1));  // npos + 1 is 0
}

// "ItemAdded" of "com.example.ItemAdded".
inline std::string LastPart(std::string_view full_name) {
  return std::string(full_name.substr(full_name.rfind('.') + 1));
}

}  // namespace cloudstate::base
