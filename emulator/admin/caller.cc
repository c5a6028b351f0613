#include "emulator/admin/caller.h"

#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {
namespace {

// What an answer may hold; a stream without end is cut there.
constexpr int kMaxReplies = 1'000;
constexpr std::size_t kMaxReplyBytes = 8 << 20;

using OwnedTranscoder = absl::StatusOr<std::unique_ptr<serving::Transcoder>>;

// Gathers the answer to one call for the client of the admin port.
class Collector final : public serving::Responder {
 public:
  Collector(std::shared_ptr<const OwnedTranscoder> transcoder, const serving::Route* route,
            std::shared_ptr<serving::Responder> client)
      : transcoder_(std::move(transcoder)), route_(route), client_(std::move(client)) {}

  void Headers(const Metadata& headers) override {
    for (const MetadataEntry& entry : headers.entries()) {
      if (entry.key() == serving::kTraceHeader) response_.set_trace_id(entry.string_value());
    }
  }

  void Message(std::string payload) override {
    if (client_ == nullptr) return;
    absl::StatusOr<serving::Transcoder::Body> body = (**transcoder_)->Encode(*route_, payload);
    if (!body.ok()) {
      Finish(body.status());
      return;
    }
    bytes_ += body->bytes.size();
    if (response_.replies_size() < kMaxReplies && bytes_ <= kMaxReplyBytes) {
      response_.add_replies(AsJson(*std::move(body)));
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

  void OnCancel(absl::AnyInvocable<void()> cancelled) override {
    std::lock_guard lock(mutex_);
    cancelled_ = std::move(cancelled);
  }

  void Cancel() {
    absl::AnyInvocable<void()> cancelled;
    {
      std::lock_guard lock(mutex_);
      cancelled = std::exchange(cancelled_, nullptr);
    }
    if (cancelled) cancelled();
  }

 private:
  // A method that answers with a google.api.HttpBody has any kind of bytes: they are shown as that message.
  static std::string AsJson(serving::Transcoder::Body body) {
    if (absl::StartsWith(body.content_type, "application/json")) return std::move(body.bytes);
    return absl::StrCat("{\"contentType\":\"", absl::CHexEscape(body.content_type), "\",\"data\":\"",
                        absl::Base64Escape(body.bytes), "\"}");
  }

  const std::shared_ptr<const OwnedTranscoder> transcoder_;
  const serving::Route* const route_;
  const absl::Time started_ = absl::Now();
  std::shared_ptr<serving::Responder> client_;  // null once answered
  dev::v1::CallResponse response_;
  std::size_t bytes_ = 0;
  std::mutex mutex_;
  absl::AnyInvocable<void()> cancelled_;
};

absl::StatusOr<const google::protobuf::MethodDescriptor*> FindMethod(const serving::Services& services,
                                                                     const std::string& service,
                                                                     const std::string& method) {
  for (const google::protobuf::ServiceDescriptor* each : services.services) {
    if (each->full_name() != service) continue;
    if (const auto* found = each->FindMethodByName(method)) return found;
    std::vector<std::string> names;
    for (int i = 0; i < each->method_count(); ++i) names.push_back(each->method(i)->name());
    return absl::NotFoundError(
        absl::StrCat(service, " has no method '", method, "'. It has ", absl::StrJoin(names, ", "), "."));
  }
  std::vector<std::string> names;
  for (const auto* each : services.services) names.push_back(each->full_name());
  return absl::NotFoundError(
      absl::StrCat("There is no service '", service, "'. The user function has ", absl::StrJoin(names, ", "), "."));
}

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

Caller::Caller(serving::Backend& user_function)
    : user_function_(user_function), transcoders_([](std::shared_ptr<const serving::Services> services) {
        return std::make_shared<const Made>(serving::Transcoder::Create(std::move(services)));
      }) {}

void Caller::Call(const dev::v1::CallRequest& request, std::string peer, std::shared_ptr<serving::Responder> client) {
  auto fail = [&](absl::Status status) { client->Finish(std::move(status)); };
  std::shared_ptr<const serving::Services> services = user_function_.CurrentServices();
  if (services->services.empty()) return fail(user_function_.Availability());
  absl::StatusOr<const google::protobuf::MethodDescriptor*> method =
      FindMethod(*services, request.service(), request.method());
  if (!method.ok()) return fail(method.status());
  absl::StatusOr<Metadata> metadata = ToMetadata(request.headers());
  if (!metadata.ok()) return fail(metadata.status());

  // The way of an HTTP request to the route that every method has.
  std::shared_ptr<const Made> transcoder = transcoders_.Get(services);
  if (!transcoder->ok()) return fail(transcoder->status());
  const serving::HttpRequest http{.method = "POST",
                                  .path = absl::StrCat("/", request.service(), "/", request.method()),
                                  .query = "",
                                  .content_type = "application/json",
                                  .body = request.json().empty() ? "{}" : request.json()};
  std::variant<serving::Transcoded, serving::HttpError> decoded = (**transcoder)->Decode(http);
  if (auto* error = std::get_if<serving::HttpError>(&decoded)) return fail(absl::InvalidArgumentError(error->text));
  auto& transcoded = std::get<serving::Transcoded>(decoded);

  serving::Call call{.service = request.service(),
                     .method = request.method(),
                     .payload = std::move(transcoded.payload),
                     .metadata = *std::move(metadata),
                     .deadline = std::nullopt,
                     .peer = std::move(peer)};
  call.protocol = "admin";
  if (request.has_deadline()) call.deadline = absl::Now() + FromDuration(request.deadline());
  auto collector = std::make_shared<Collector>(std::move(transcoder), transcoded.route, client);
  client->OnCancel([weak = std::weak_ptr(collector)] {
    if (auto waiting = weak.lock()) waiting->Cancel();
  });
  user_function_.Start(std::move(call), std::move(collector));
}

}  // namespace cloudstate::admin
