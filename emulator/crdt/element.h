#pragma once

#include <string>

#include "google/protobuf/any.pb.h"

namespace cloudstate::crdt {

// Elements of sets and keys of maps are the same when type URL and bytes are. As a key of ours they are one string: the
// type URL, which holds no NUL, a NUL, and the bytes.
inline std::string KeyOf(const google::protobuf::Any& any) {
  std::string key;
  key.reserve(any.type_url().size() + 1 + any.value().size());
  key.append(any.type_url().c_str()).push_back('\0');  // a type URL with a NUL in it would end there
  return key.append(any.value());
}

inline google::protobuf::Any AnyOf(const std::string& key) {
  google::protobuf::Any any;
  const std::size_t end = key.find('\0');
  any.set_type_url(key.substr(0, end));
  any.set_value(key.substr(end + 1));
  return any;
}

}  // namespace cloudstate::crdt
