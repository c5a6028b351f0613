#include "tests/conformance/client_call.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace cloudstate::kinds {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // What is not read holds the emulator up after 64 KiB, however fast the connection has been before.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

ClientCall::ClientCall(const std::shared_ptr<grpc::Channel>& channel, Kind kind, const CallOptions& options)
    : stub_(channel) {
  context_.set_deadline(absl::ToChronoTime(absl::Now() + options.deadline));
  for (const auto& [name, value] : options.headers) context_.AddMetadata(name, value);
  stub_.PrepareBidiStreamingCall(&context_, PathOf(kind), {}, this);
  // Until End, so that a test may write and read from outside of the callbacks.
  AddHold();
  StartCall();
}

ClientCall::~ClientCall() {
  Cancel();
  End();
}

bool ClientCall::Write(const Request& request) {
  request_ = request;
  StartWrite(&request_);
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::optional<bool>* written) { return written->has_value(); }, &written_));
  return *std::exchange(written_, std::nullopt);
}

void ClientCall::HalfClose() { StartWritesDone(); }

std::optional<std::string> ClientCall::Read() {
  if (read_to_the_end_) return std::nullopt;
  StartRead(&response_);
  bool ok = false;
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::optional<bool>* read) { return read->has_value(); }, &read_));
    ok = *std::exchange(read_, std::nullopt);
  }
  read_to_the_end_ = !ok;
  return ok ? std::optional(response_.text()) : std::nullopt;
}

grpc::Status ClientCall::End() {
  while (Read().has_value()) {
  }
  if (std::exchange(held_, false)) RemoveHold();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::optional<grpc::Status>* status) { return status->has_value(); }, &status_));
  return *status_;
}

std::multimap<std::string, std::string> ClientCall::headers() const {
  std::multimap<std::string, std::string> headers;
  for (const auto& [name, value] : context_.GetServerInitialMetadata()) {
    headers.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  return headers;
}

void ClientCall::OnReadDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  read_ = ok;
}

void ClientCall::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  written_ = ok;
}

void ClientCall::OnDone(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  status_ = status;
}

Outcome CallNow(const std::shared_ptr<grpc::Channel>& channel, Kind kind, const std::vector<Request>& requests,
                const CallOptions& options) {
  ClientCall call(channel, kind, options);
  for (const Request& request : requests) call.Write(request);
  call.HalfClose();
  Outcome outcome;
  while (auto text = call.Read()) outcome.texts.push_back(*std::move(text));
  outcome.status = call.End();
  outcome.headers = call.headers();
  return outcome;
}

std::future<Outcome> CallLater(const std::shared_ptr<grpc::Channel>& channel, Kind kind,
                               const std::vector<Request>& requests, const CallOptions& options) {
  return std::async(std::launch::async, [=] { return CallNow(channel, kind, requests, options); });
}

std::string ToString(const Outcome& outcome) {
  static constexpr std::array<const char*, 17> kCodes = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return absl::StrCat(absl::StrJoin(outcome.texts, ","), outcome.texts.empty() ? "" : " ",
                      kCodes.at(static_cast<std::size_t>(outcome.status.error_code())), outcome.status.ok() ? "" : " ",
                      outcome.status.error_message());
}

}  // namespace cloudstate::kinds
