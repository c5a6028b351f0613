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

// Whether people who write `written` may mean what has this full name: it is that, or its last parts, also as a type
// URL.
inline bool MeansName(std::string_view written, std::string_view full_name) {
  const std::string_view name = written.substr(written.rfind('/') + 1);
  if (!full_name.ends_with(name)) return false;
  return full_name.size() == name.size() || full_name[full_name.size() - name.size() - 1] == '.';
}

}  // namespace cloudstate::base
