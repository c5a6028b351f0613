#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "emulator/serving/backend.h"
#include "emulator/userfunction/json_reader.h"
#include "emulator/userfunction/message_json.h"
#include "google/protobuf/dynamic_message.h"

namespace cloudstate::admin {

// The methods of a user function by name, and their messages as JSON. Any thread.
class MethodJson {
 public:
  explicit MethodJson(std::shared_ptr<const serving::Services> services);

  // NOT_FOUND names what there is.
  absl::StatusOr<const google::protobuf::MethodDescriptor*> Find(const std::string& service,
                                                                 const std::string& method) const;

  // JSON of an input message; an empty text is an empty message. INVALID_ARGUMENT names the place or the field.
  absl::StatusOr<std::string> DecodeInput(const google::protobuf::MethodDescriptor& method,
                                          const std::string& json) const;

  // INTERNAL: the user function's answer is no such message.
  absl::StatusOr<std::string> EncodeOutput(const google::protobuf::MethodDescriptor& method,
                                           std::string_view payload) const;

 private:
  const std::shared_ptr<const serving::Services> services_;
  mutable google::protobuf::DynamicMessageFactory factory_;  // locks by itself
  const userfunction::MessageJson json_;
  const userfunction::JsonReader reader_;
};

}  // namespace cloudstate::admin
