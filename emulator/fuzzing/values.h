#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "emulator/base/random.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::fuzzing {

// Makes messages by chance, as their JSON: with edges where code rarely goes (nothing, zero, the largest number, long
// and strange texts, enum numbers without a name), often plain values that get past checks, and often values that
// fields of the same name had before, so that a product that was added is removed as well.
class ValueMaker {
 public:
  // The same `random` makes the same messages.
  explicit ValueMaker(base::Random& random) : random_(random) {}

  google::protobuf::Value Message(const google::protobuf::Descriptor& type);

 private:
  google::protobuf::Value MessageAt(const google::protobuf::Descriptor& type, int depth);
  // With a JSON form of its own; whether it has one.
  bool WellKnown(const google::protobuf::Descriptor& type, google::protobuf::Value& value);
  void AddField(const google::protobuf::FieldDescriptor& field, int depth, google::protobuf::Struct& fields);
  google::protobuf::Value Map(const google::protobuf::FieldDescriptor& field, int depth);
  // One value of the field, repeated or not.
  google::protobuf::Value One(const google::protobuf::FieldDescriptor& field, int depth);
  google::protobuf::Value Scalar(const google::protobuf::FieldDescriptor& field);
  google::protobuf::Value Enum(const google::protobuf::FieldDescriptor& field);
  std::string Text();
  std::string MapKey(const google::protobuf::FieldDescriptor& key);

  // From 0 to below `count`.
  std::size_t Below(std::size_t count);
  bool Chance(std::size_t percent) { return Below(100) < percent; }

  base::Random& random_;
  std::map<std::string, std::vector<google::protobuf::Value>> seen_;  // by the field's name and type
};

}  // namespace cloudstate::fuzzing
