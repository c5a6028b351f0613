#include "emulator/admin/caller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/admin/call_stream.h"
#include "emulator/admin/cancellation.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {
namespace {

// What an answer may hold; a stream without end is cut there.
constexpr int kMaxReplies = 1'000;
constexpr std::size_t kMaxReplyBytes = 8 << 20;

// Gathers the answer to one call for the client of the admin port.
class Collector final : public serving::Responder {
 public:
  Collector(std::shared_ptr<const MethodJson> json, const google::protobuf::MethodDescriptor& method,
            std::shared_ptr<serving::Responder> client)
      : json_(std::move(json)), method_(method), client_(std::move(client)) {}

  void Headers(const Metadata& headers) override {
    for (const MetadataEntry& entry : headers.entries()) {
      if (entry.key() == serving::kTraceHeader) response_.set_trace_id(entry.string_value());
    }
  }

  void Message(std::string payload) override {
    if (client_ == nullptr) return;
    absl::StatusOr<std::string> json = json_->EncodeOutput(method_, payload);
    if (!json.ok()) {
      Finish(json.status());
      return;
    }
    bytes_ += json->size();
    if (response_.replies_size() < kMaxReplies && bytes_ <= kMaxReplyBytes) {
      response_.add_replies(*std::move(json));
      return;
    }
    Finish(absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMaxReplies, " replies or ", kMaxReplyBytes, " bytes; the call was cancelled")));
    Cancel();
  }

  void Finish(absl::Status status) override {
    if (client_ == nullptr) return;
    response_.set_code(static_cast<int>(status.code()));
    response_.set_message(std::string(status.message()));
    *response_.mutable_duration() = ToDuration(absl::Now() - started_);
    client_->Message(response_.SerializeAsString());
    std::exchange(client_, nullptr)->Finish(absl::OkStatus());
  }

  std::size_t Unsent() const override { return 0; }
  void WhenWritable(absl::AnyInvocable<void()> writable) override { writable(); }

  void OnCancel(absl::AnyInvocable<void()> cancelled) override { cancellation_.Set(std::move(cancelled)); }
  void Cancel() { cancellation_.Cancel(); }

 private:
  const std::shared_ptr<const MethodJson> json_;  // keeps method_
  const google::protobuf::MethodDescriptor& method_;
  const absl::Time started_ = absl::Now();
  std::shared_ptr<serving::Responder> client_;  // null once answered
  dev::v1::CallResponse response_;
  std::size_t bytes_ = 0;
  Cancellation cancellation_;
};

absl::StatusOr<Metadata> ToMetadata(const google::protobuf::Map<std::string, std::string>& headers) {
  Metadata metadata;
  for (const auto& [name, value] : headers) {
    MetadataEntry& entry = *metadata.add_entries();
    entry.set_key(absl::AsciiStrToLower(name));
    if (!absl::EndsWith(entry.key(), "-bin")) {
      entry.set_string_value(value);
    } else if (!absl::Base64Unescape(value, entry.mutable_bytes_value())) {
      return absl::InvalidArgumentError(absl::StrCat("The value of the header ", name, " is not base64."));
    }
  }
  return metadata;
}

}  // namespace

absl::StatusOr<PreparedCall> Prepare(const dev::v1::CallStart& start, std::string peer, serving::Backend& user_function,
                                     serving::PerServices<MethodJson>& methods) {
  std::shared_ptr<const serving::Services> services = user_function.CurrentServices();
  if (services->services.empty()) return user_function.Availability();
  PreparedCall prepared{.json = methods.Get(services)};
  absl::StatusOr<const google::protobuf::MethodDescriptor*> method =
      prepared.json->Find(start.service(), start.method());
  if (!method.ok()) return method.status();
  prepared.method = *method;
  absl::StatusOr<Metadata> metadata = ToMetadata(start.headers());
  if (!metadata.ok()) return metadata.status();
  prepared.call.service = start.service();
  prepared.call.method = start.method();
  prepared.call.metadata = *std::move(metadata);
  if (start.has_deadline()) prepared.call.deadline = absl::Now() + FromDuration(start.deadline());
  prepared.call.peer = std::move(peer);
  prepared.call.protocol = "admin";
  return prepared;
}

Caller::Caller(serving::Backend& user_function)
    : user_function_(user_function), methods_([](std::shared_ptr<const serving::Services> services) {
        return std::make_shared<const MethodJson>(std::move(services));
      }) {}

void Caller::Call(const dev::v1::CallRequest& request, std::string peer, std::shared_ptr<serving::Responder> client) {
  dev::v1::CallStart start;
  start.set_service(request.service());
  start.set_method(request.method());
  *start.mutable_headers() = request.headers();
  if (request.has_deadline()) *start.mutable_deadline() = request.deadline();
  absl::StatusOr<PreparedCall> prepared = Prepare(start, std::move(peer), user_function_, methods_);
  if (!prepared.ok()) return client->Finish(prepared.status());
  const google::protobuf::MethodDescriptor& method = *prepared->method;
  if (method.client_streaming()) {
    return client->Finish(absl::InvalidArgumentError(
        absl::StrCat(method.full_name(), " takes a stream of messages: call it with CallStream.")));
  }
  absl::StatusOr<std::string> payload = prepared->json->DecodeInput(method, request.json());
  if (!payload.ok()) return client->Finish(payload.status());
  prepared->call.payload = *std::move(payload);
  auto collector = std::make_shared<Collector>(prepared->json, method, client);
  client->OnCancel([weak = std::weak_ptr(collector)] {
    if (auto waiting = weak.lock()) waiting->Cancel();
  });
  user_function_.Start(std::move(prepared->call), std::move(collector));
}

void Caller::CallStream(std::shared_ptr<serving::RequestStream> requests, std::string peer, StartCheck check,
                        std::shared_ptr<serving::Responder> client) {
  auto stream = std::make_shared<admin::CallStream>(user_function_, std::move(requests), std::move(client));
  stream->Begin([this, peer = std::move(peer),
                 check = std::move(check)](const dev::v1::CallStart& start) -> absl::StatusOr<PreparedCall> {
    if (absl::Status status = check ? check(start) : absl::OkStatus(); !status.ok()) return status;
    return Prepare(start, peer, user_function_, methods_);
  });
}

}  // namespace cloudstate::admin
