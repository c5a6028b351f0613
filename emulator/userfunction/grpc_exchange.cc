#include "emulator/userfunction/grpc_exchange.h"

#include <utility>

namespace cloudstate::userfunction {

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
  outgoing_.Clear();
}

std::optional<std::string> GrpcExchange::NextMessage() {
  if (incoming_.empty()) return std::nullopt;
  std::string message = std::move(incoming_.front());
  incoming_.pop_front();
  return message;
}

void GrpcExchange::DropMessages(absl::Status outcome) {
  if (incoming_.empty()) return;
  incoming_.clear();
  outcome_.reset();
  Finish(std::move(outcome));
}

std::optional<absl::Status> GrpcExchange::TakeOutcome() {
  if (!finished() || outcome_taken_ || !incoming_.empty()) return std::nullopt;
  outcome_taken_ = true;
  return outcome_;
}

std::size_t GrpcExchange::TakeCredit() { return incoming_.empty() ? std::exchange(credit_, 0) : 0; }

}  // namespace cloudstate::userfunction
