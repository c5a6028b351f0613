#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "emulator/userfunction/grpc_framing.h"

namespace cloudstate::userfunction {

// The wire state of one call, pure: messages become bytes on one side, bytes become messages and an outcome on the
// other.
class GrpcExchange {
 public:
  explicit GrpcExchange(std::size_t max_message_bytes) : deframer_(max_message_bytes) {}

  // ---- outgoing

  void Write(std::string message) { outgoing_.push_back(std::move(message)); }
  void HalfClose() { half_closed_ = true; }
  // Messages of which something has not been sent.
  std::size_t unsent() const { return outgoing_.size(); }
  std::size_t SendableBytes(std::size_t at_most) const;
  // All has been sent but these bytes, and nothing will follow.
  bool EndsWith(std::size_t bytes) const;
  // Appends the next `count` bytes, of those that are sendable, to `output`.
  void Send(std::size_t count, std::string& output);

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
  void DropMessages() { incoming_.clear(); }
  bool has_messages() const { return !incoming_.empty(); }
  // Present once and only when every message has been taken.
  std::optional<absl::Status> TakeOutcome();

  // How many bytes the sender may be allowed on top. While a message waits to be taken that is nothing: somebody who
  // doesn't take them holds the sender up. A message that has not come whole, however large, is let in.
  std::size_t TakeCredit();

 private:
  std::list<std::string> outgoing_;  // lists, because most of them are empty most of the time
  std::size_t sent_ = 0;             // of the first one, with its prefix
  bool half_closed_ = false;

  ResponseHeaders headers_;
  Deframer deframer_;
  std::list<std::string> incoming_;
  std::size_t credit_ = 0;
  std::optional<absl::Status> outcome_;
  bool outcome_taken_ = false;
};

}  // namespace cloudstate::userfunction
