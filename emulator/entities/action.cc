#include "emulator/entities/action.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/entities/any_payload.h"

namespace cloudstate::entities {
namespace {

// Dialect 0.1. Messages of both dialects have the same fields under the same numbers.
bool IsFunction(const ActionCall::Request& request) { return request.dialect == userfunction::Dialect::k0_1; }

// What an action is called for is said once, ahead of the client's stream, and what follows has payloads only. The
// published library for functions takes each message of a stream as a whole command, so there it is said in each.
bool IsAnnounced(const ActionCall::Request& request) { return request.streams_in && !IsFunction(request); }

std::string Path(const ActionCall::Request& request) {
  return absl::StrCat(
      IsFunction(request) ? "/cloudstate.function.StatelessFunction/" : "/cloudstate.action.ActionProtocol/",
      request.streams_in ? (request.streams_out ? "handleStreamed" : "handleStreamedIn")
                         : (request.streams_out ? "handleStreamedOut" : "handleUnary"));
}

// Says what is called. Takes the metadata along, so that it comes with the first of them only.
action::ActionCommand NamedCommand(ActionCall::Request& request) {
  action::ActionCommand command;
  command.set_service_name(request.service);
  command.set_name(request.method);
  if (!IsFunction(request) && request.metadata.entries_size() > 0) {
    *command.mutable_metadata() = std::move(request.metadata);
  }
  return command;
}

}  // namespace

ActionCall::ActionCall(userfunction::Connection& connection, Request request, Handler handler)
    : request_(std::move(request)), handler_(std::move(handler)) {
  stream_ = connection.Open(Path(request_), request_.timeout,
                            {.on_message = [this](const std::string& message) { OnMessage(message); },
                             .on_closed = [this](const absl::Status& status) { OnClosed(status); },
                             .on_writable = [this] { handler_.on_writable(); }});
  if (IsAnnounced(request_)) stream_->Write(NamedCommand(request_).SerializeAsString());
}

void ActionCall::Send(journal::Payload payload) {
  if (stream_ == nullptr) return;
  action::ActionCommand command = IsAnnounced(request_) ? action::ActionCommand() : NamedCommand(request_);
  ToAny(std::move(payload), *command.mutable_payload());
  stream_->Write(command.SerializeAsString());
}

void ActionCall::HalfClose() {
  if (stream_ != nullptr) stream_->HalfClose();
}

std::size_t ActionCall::Unsent() const { return stream_ == nullptr ? 0 : stream_->Unsent(); }

void ActionCall::Pause() {
  if (stream_ != nullptr) stream_->Pause();
}

void ActionCall::Resume() {
  if (stream_ != nullptr) stream_->Resume();
}

void ActionCall::OnMessage(const std::string& message) {
  action::ActionResponse response;
  if (!response.ParseFromString(message)) {
    End(absl::UnknownError("Unexpected action message"));
  } else if (request_.streams_out) {
    handler_.on_response(std::move(response));
  } else if (held_.has_value()) {
    End(absl::UnknownError("Unexpected action message: a second response to a call that has one"));
  } else {
    held_ = std::move(response);
  }
}

void ActionCall::OnClosed(const absl::Status& status) {
  if (status.ok()) {
    if (!request_.streams_out && !held_.has_value()) {
      End(absl::UnknownError("Unexpected action termination: the call ended without a response"));
      return;
    }
    // What is done with the response may destroy this object.
    Handler handler = std::move(handler_);
    stream_ = nullptr;
    if (held_.has_value()) handler.on_response(*std::move(held_));
    handler.on_end(absl::OkStatus());
    return;
  }
  if (absl::IsDeadlineExceeded(status) && request_.timeout != absl::InfiniteDuration()) {
    End(absl::DeadlineExceededError(absl::StrCat("no reply to ", request_.service, ".", request_.method, " within ",
                                                 absl::FormatDuration(request_.timeout))));
  } else if (absl::IsUnavailable(status)) {
    End(status);
  } else {
    End(absl::UnknownError(absl::StrCat("Unexpected action termination: ", status.ToString())));
  }
}

void ActionCall::End(absl::Status status) {
  Handler handler = std::move(handler_);
  stream_ = nullptr;
  handler.on_end(std::move(status));
}

}  // namespace cloudstate::entities
