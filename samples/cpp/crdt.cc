#include "samples/cpp/crdt.h"

#include "cloudstate/crdt.pb.h"

namespace cloudstate::samples {

Crdt& CrdtState::Change() {
  if (!before_) before_ = value_;
  return *value_;
}

void CrdtState::Undo() {
  if (before_) value_ = std::exchange(before_, std::nullopt);
}

void CrdtChangeContext::EndStream() {
  if (!failed()) message().set_end_stream(true);
}

void CrdtCancelContext::Effect(Method method, const google::protobuf::Message& command, EffectMode mode) {
  WriteEffect(method, command, mode, *response_.add_side_effects());
}

void CrdtContext::Delete() {
  if (!failed()) deleted_ = true;
}

}  // namespace cloudstate::samples
