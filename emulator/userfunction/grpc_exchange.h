#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "emulator/http2/grpc_framing.h"
#include "emulator/http2/outgoing_messages.h"
#include "emulator/userfunction/grpc_response.h"

namespace cloudstate::userfunction {

// The wire state of one call, pure: messages become bytes on one side, bytes become messages and an outcome on the
// other.
class GrpcExchange {
 public:
  explicit GrpcExchange(std::size_t max_message_bytes) : deframer_(max_message_bytes) {}

  http2::OutgoingMessages& outgoing() { return outgoing_; }
  const http2::OutgoingMessages& outgoing() const { return outgoing_; }

  // ---- incoming

  void OnHeader(std::string_view name, std::string_view value) { headers_.Add(name, value); }
  // The call has its outcome afterwards if the bytes were wrong.
  void OnData(std::string_view bytes);
  // The response has ended in order.
  void OnEnd();
  // The first outcome stays.
  void Finish(absl::Status outcome);
  bool finished() const { return outcome_.has_value(); }

  // The messages in their order.
  std::optional<std::string> NextMessage();
  // Drops those that were not taken. If there were any, this outcome replaces one that came before: what is not whole
  // did not end well.
  void DropMessages(absl::Status outcome);
  bool has_messages() const { return !incoming_.empty(); }
  // Present once and only when every message has been taken.
  std::optional<absl::Status> TakeOutcome();

  // How many bytes the sender may be allowed on top. While a message waits to be taken that is nothing: somebody who
  // doesn't take them holds the sender up. A message that has not come whole, however large, is let in.
  std::size_t TakeCredit();

 private:
  http2::OutgoingMessages outgoing_;
  ResponseHeaders headers_;
  http2::Deframer deframer_;
  std::list<std::string> incoming_;  // a list, because it is empty most of the time
  std::size_t credit_ = 0;
  std::optional<absl::Status> outcome_;
  bool outcome_taken_ = false;
};

}  // namespace cloudstate::userfunction
