#include "samples/cpp/value_entity.h"

#include "cloudstate/value_entity.pb.h"

namespace cloudstate::samples {

void ValueEntityContext::Update(const google::protobuf::Message& value) {
  if (failed()) return;
  google::protobuf::Any& updated = *message().mutable_state_action()->mutable_update()->mutable_value();
  updated.PackFrom(value);
  state_ = &updated;
}

void ValueEntityContext::Delete() {
  if (failed()) return;
  message().mutable_state_action()->mutable_delete_();
  state_ = nullptr;
}

}  // namespace cloudstate::samples
