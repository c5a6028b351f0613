#include "emulator/admin/call_stream.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {

using dev::v1::CallStreamRequest;
using dev::v1::CallStreamResponse;

CallStream::CallStream(serving::Backend& user_function, std::shared_ptr<serving::RequestStream> requests,
                       std::shared_ptr<serving::Responder> client)
    : user_function_(user_function), requests_(std::move(requests)), client_(std::move(client)) {}

void CallStream::Begin(Prepare prepare) {
  client_->OnCancel([weak = weak_from_this()] {
    if (auto waiting = weak.lock()) waiting->cancellation_.Cancel();
  });
  requests_->Read([self = shared_from_this(), prepare = std::move(prepare)](std::optional<std::string> first) mutable {
    CallStreamRequest request;
    if (!first.has_value() || !request.ParseFromString(*first) || !request.has_start()) {
      return self->Fail(absl::InvalidArgumentError("The first request has to start the call: set `start`."));
    }
    self->Start(request.start(), prepare);
  });
}

void CallStream::Start(const dev::v1::CallStart& start, Prepare& prepare) {
  absl::StatusOr<PreparedCall> prepared = prepare(start);
  if (!prepared.ok()) return Fail(prepared.status());
  prepared_ = *std::move(prepared);
  if (!prepared_.method->client_streaming()) return TakeOnlyMessage();
  prepared_.call.requests = shared_from_this();
  user_function_.Start(std::move(prepared_.call), shared_from_this());
}

void CallStream::TakeOnlyMessage() {
  Read([self = shared_from_this()](std::optional<std::string> payload) {
    if (payload.has_value()) return self->TakeHalfClose(*std::move(payload));
    self->Fail(absl::InvalidArgumentError(
        absl::StrCat(self->prepared_.method->full_name(), " takes one message, and none was sent.")));
  });
}

void CallStream::TakeHalfClose(std::string payload) {
  prepared_.call.payload = std::move(payload);
  requests_->Read([self = shared_from_this()](std::optional<std::string> second) {
    if (second.has_value()) {
      return self->Fail(absl::InvalidArgumentError(
          absl::StrCat(self->prepared_.method->full_name(), " takes one message, and a second one was sent.")));
    }
    self->user_function_.Start(std::move(self->prepared_.call), self);
  });
}

void CallStream::Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) {
  requests_->Read([self = shared_from_this(), taken = std::move(taken)](std::optional<std::string> request) mutable {
    if (!request.has_value()) return taken(std::nullopt);
    absl::StatusOr<std::string> payload = self->Decode(*request);
    if (!payload.ok()) return self->Fail(payload.status());
    taken(*std::move(payload));
  });
}

absl::StatusOr<std::string> CallStream::Decode(const std::string& serialized) {
  ++messages_;
  CallStreamRequest request;
  if (!request.ParseFromString(serialized) || request.kind_case() != CallStreamRequest::kJson) {
    return absl::InvalidArgumentError(absl::StrCat("message ", messages_, ": set `json` and nothing else."));
  }
  absl::StatusOr<std::string> payload = prepared_.json->DecodeInput(*prepared_.method, request.json());
  if (payload.ok()) return payload;
  const std::string label = request.label().empty() ? absl::StrCat("message ", messages_) : request.label();
  return absl::InvalidArgumentError(absl::StrCat(label, ": ", payload.status().message()));
}

void CallStream::Headers(const Metadata& headers) {
  CallStreamResponse response;
  dev::v1::CallHeaders& shown = *response.mutable_headers();
  for (const MetadataEntry& entry : headers.entries()) {
    if (entry.key() == serving::kTraceHeader) {
      trace_id_ = entry.string_value();
    } else {
      (*shown.mutable_headers())[entry.key()] = entry.value_case() == MetadataEntry::kBytesValue
                                                    ? absl::Base64Escape(entry.bytes_value())
                                                    : entry.string_value();
    }
  }
  shown.set_trace_id(trace_id_);
  Send(response);
}

void CallStream::Message(std::string payload) {
  absl::StatusOr<std::string> json = prepared_.json->EncodeOutput(*prepared_.method, payload);
  if (!json.ok()) {
    Finish(json.status());
    cancellation_.Cancel();
    return;
  }
  CallStreamResponse response;
  response.set_json(*std::move(json));
  Send(response);
}

void CallStream::Finish(absl::Status status) {
  CallStreamResponse response;
  dev::v1::CallEnd& end = *response.mutable_end();
  end.set_code(static_cast<int>(status.code()));
  end.set_message(std::string(status.message()));
  *end.mutable_duration() = ToDuration(absl::Now() - started_);
  end.set_trace_id(trace_id_);
  std::lock_guard lock(mutex_);
  if (client_ == nullptr) return;
  client_->Message(response.SerializeAsString());
  std::exchange(client_, nullptr)->Finish(absl::OkStatus());
}

std::size_t CallStream::Unsent() const {
  const auto waiting = client();
  return waiting == nullptr ? 0 : waiting->Unsent();
}

void CallStream::WhenWritable(absl::AnyInvocable<void()> writable) {
  // Not under the lock: it may run at once, and write.
  if (const auto waiting = client(); waiting != nullptr) waiting->WhenWritable(std::move(writable));
}

void CallStream::OnCancel(absl::AnyInvocable<void()> cancelled) { cancellation_.Set(std::move(cancelled)); }

void CallStream::Send(const CallStreamResponse& response) {
  std::lock_guard lock(mutex_);
  if (client_ != nullptr) client_->Message(response.SerializeAsString());
}

void CallStream::Fail(const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (client_ != nullptr) std::exchange(client_, nullptr)->Finish(status);
  }
  cancellation_.Cancel();
}

std::shared_ptr<serving::Responder> CallStream::client() const {
  std::lock_guard lock(mutex_);
  return client_;
}

}  // namespace cloudstate::admin
