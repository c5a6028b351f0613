#pragma once

#include <string>
#include <vector>

#include "emulator/userfunction/specification.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::fuzzing {

using Kind = userfunction::EntityKind;

// A method of the user function, as far as calling it goes.
struct Method {
  std::string service;  // full name
  std::string name;
  Kind kind = Kind::kAction;
  std::string persistence_id;                           // empty for actions
  const google::protobuf::Descriptor* input = nullptr;  // of a pool that outlives this
  std::vector<std::string> key_fields;                  // names, in the order of the id's parts
  bool takes_stream = false;
  bool answers_with_stream = false;

  // As a step of a test calls it.
  std::string FullName() const { return service + "." + name; }
  // Its entities have a journal, which can be replayed.
  bool IsStored() const { return kind == Kind::kEventSourced || kind == Kind::kValueEntity; }
  bool IsUnary() const { return !takes_stream && !answers_with_stream; }
};

// The method that a step calls; null where there is none.
inline const Method* FindMethod(const std::vector<Method>& methods, const std::string& full_name) {
  for (const Method& method : methods) {
    if (method.FullName() == full_name) return &method;
  }
  return nullptr;
}

}  // namespace cloudstate::fuzzing
