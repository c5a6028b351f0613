#include "emulator/userfunction/grpc_exchange.h"

#include <algorithm>
#include <utility>

namespace cloudstate::userfunction {

std::size_t GrpcExchange::SendableBytes(std::size_t at_most) const {
  std::size_t bytes = 0;
  for (const std::string& message : outgoing_) {
    bytes += kPrefixBytes + message.size();
    if (bytes >= at_most + sent_) return at_most;
  }
  return bytes - sent_;
}

bool GrpcExchange::EndsWith(std::size_t bytes) const { return half_closed_ && SendableBytes(bytes + 1) <= bytes; }

void GrpcExchange::Send(std::size_t count, std::string& output) {
  while (count > 0) {
    const std::string& message = outgoing_.front();
    if (sent_ < kPrefixBytes) {
      const auto prefix = MessagePrefix(message.size());
      const std::size_t part = std::min(count, kPrefixBytes - sent_);
      output.append(prefix.data() + sent_, part);
      sent_ += part;
      count -= part;
    }
    const std::size_t done = sent_ - std::min(sent_, kPrefixBytes);
    const std::size_t part = std::min(count, message.size() - done);
    output.append(message, done, part);
    sent_ += part;
    count -= part;
    if (sent_ < kPrefixBytes + message.size()) continue;
    outgoing_.pop_front();
    sent_ = 0;
  }
}

void GrpcExchange::OnData(std::string_view bytes) {
  if (finished()) return;
  credit_ += bytes.size();
  if (!headers_.has_messages()) return;
  absl::Status status = deframer_.Feed(bytes, [this](std::string message) { incoming_.push_back(std::move(message)); });
  if (!status.ok()) Finish(std::move(status));
}

void GrpcExchange::OnEnd() {
  absl::Status outcome = OutcomeOf(headers_);
  if (outcome.ok() && !deframer_.between_messages()) outcome = absl::InternalError("the last message is not whole");
  Finish(std::move(outcome));
}

void GrpcExchange::Finish(absl::Status outcome) {
  if (finished()) return;
  outcome_ = std::move(outcome);
  outgoing_.clear();
  sent_ = 0;
}

std::optional<std::string> GrpcExchange::NextMessage() {
  if (incoming_.empty()) return std::nullopt;
  std::string message = std::move(incoming_.front());
  incoming_.pop_front();
  return message;
}

std::optional<absl::Status> GrpcExchange::TakeOutcome() {
  if (!finished() || outcome_taken_ || !incoming_.empty()) return std::nullopt;
  outcome_taken_ = true;
  return outcome_;
}

std::size_t GrpcExchange::TakeCredit() { return incoming_.empty() ? std::exchange(credit_, 0) : 0; }

}  // namespace cloudstate::userfunction
