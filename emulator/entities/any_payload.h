#pragma once

#include <utility>

#include "emulator/journal/journal.h"
#include "google/protobuf/any.pb.h"

namespace cloudstate::entities {

// Type URL and bytes, moved from one form to the other unchanged.
inline void ToAny(journal::Payload payload, google::protobuf::Any& any) {
  any.set_type_url(std::move(payload.type_url));
  any.set_value(std::move(payload.value));
}

inline journal::Payload FromAny(google::protobuf::Any& any) {
  return {std::move(*any.mutable_type_url()), std::move(*any.mutable_value())};
}

}  // namespace cloudstate::entities
