#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cloudstate/value_entity.pb.h"
#include "samples/cpp/value_entity.h"

namespace cloudstate::samples {

// One entity between the opening and the end of its stream.
class ValueEntitySession {
 public:
  using In = valueentity::ValueEntityStreamIn;
  using Out = valueentity::ValueEntityStreamOut;

  // `services` outlives the session.
  explicit ValueEntitySession(const std::vector<ValueEntityService>& services) : services_(services) {}

  // Takes a message of the proxy and writes the answer to the empty `out`, when there is one. Another status than OK
  // ends the stream.
  absl::Status Handle(const In& in, Out& out);

 private:
  absl::Status HandleInit(const valueentity::ValueEntityInit& init);
  absl::Status HandleCommand(const Command& command, valueentity::ValueEntityReply& reply);

  const std::vector<ValueEntityService>& services_;
  const ValueEntityService* service_ = nullptr;
  std::string entity_id_;
  std::optional<google::protobuf::Any> state_;
};

}  // namespace cloudstate::samples
