#include "samples/cpp/event_sourced.h"

#include "cloudstate/event_sourced.pb.h"

namespace cloudstate::samples {

void EventSourcedContext::Emit(const google::protobuf::Message& event) {
  if (failed()) return;
  google::protobuf::Any& packed = *message().add_events();
  packed.PackFrom(event);
  emitted_ = true;
  apply_status_.Update(entity_.OnEvent(packed));
}

}  // namespace cloudstate::samples
