#include "emulator/serving/http_json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/serving/http_text.h"

namespace cloudstate::serving {
namespace {

constexpr char kJson[] = "application/json";
constexpr char kEventStream[] = "text/event-stream";

// What the JSON forms have in common.
class JsonForm : public HttpForm {
 public:
  JsonForm(std::shared_ptr<const Transcoder> transcoder, const Route& route, std::string accept)
      : transcoder_(std::move(transcoder)), route_(route), accept_(std::move(accept)) {}

  absl::StatusOr<Piece> Message(std::string_view payload) const override {
    auto body = transcoder_->Encode(route_, payload);
    if (!body.ok()) return body.status();
    return Piece{std::move(body->content_type), std::move(body->bytes)};
  }
  std::optional<std::string> ContentType() const override { return kJson; }
  Ending End(const absl::Status&) const override { return {}; }
  HttpResponse Failure(const absl::Status& status) const override { return ErrorResponse(status, accept_); }

 private:
  const std::shared_ptr<const Transcoder> transcoder_;
  const Route& route_;  // the transcoder's
  const std::string accept_;
};

class LinesForm final : public JsonForm {
 public:
  using JsonForm::JsonForm;
  absl::StatusOr<Piece> Message(std::string_view payload) const override {
    auto piece = JsonForm::Message(payload);
    if (piece.ok()) piece->bytes += '\n';
    return piece;
  }
  Ending End(const absl::Status& status) const override {
    if (status.ok()) return {};
    return {StreamErrorJson(status) + "\n", false};
  }
  absl::string_view Filler() const override { return "\n"; }
};

class EventsForm final : public JsonForm {
 public:
  using JsonForm::JsonForm;
  absl::StatusOr<Piece> Message(std::string_view payload) const override {
    auto piece = JsonForm::Message(payload);
    if (!piece.ok()) return piece;
    return Piece{kEventStream, ServerSentEvent("", piece->bytes)};
  }
  std::optional<std::string> ContentType() const override { return kEventStream; }
  Ending End(const absl::Status& status) const override {
    if (status.ok()) return {};
    return {ServerSentEvent("error", ProblemJson(HttpStatus(status.code()), status)), true};
  }
  absl::string_view Filler() const override { return kServerSentHeartbeat; }
  bool HasHeartbeat() const override { return true; }
};

// An HttpBody's bytes, chunk by chunk.
class RawForm final : public JsonForm {
 public:
  using JsonForm::JsonForm;
  std::optional<std::string> ContentType() const override { return std::nullopt; }
  Ending End(const absl::Status& status) const override { return {"", status.ok()}; }
};

std::unique_ptr<HttpForm> MakeForm(std::shared_ptr<const Transcoder> transcoder, const Route& route,
                                   std::string accept) {
  if (!route.method->server_streaming()) {
    return std::make_unique<JsonForm>(std::move(transcoder), route, std::move(accept));
  }
  if (route.raw_response) return std::make_unique<RawForm>(std::move(transcoder), route, std::move(accept));
  if (Accepts(accept, kEventStream)) {
    return std::make_unique<EventsForm>(std::move(transcoder), route, std::move(accept));
  }
  return std::make_unique<LinesForm>(std::move(transcoder), route, std::move(accept));
}

}  // namespace

HttpCallOrRefusal ReadJsonCall(HttpSite& site, const HttpMessage& message, const HttpRequest& request) {
  const std::string& accept = message.Header("accept");
  auto transcoder = site.CurrentTranscoder();
  if (!transcoder.ok()) return ErrorResponse(transcoder.status(), accept);
  auto decoded = (*transcoder)->Decode(request);
  if (const auto* error = std::get_if<HttpError>(&decoded)) return ErrorResponse(*error, accept);
  auto& transcoded = std::get<Transcoded>(decoded);
  HttpCall call;
  call.method = transcoded.route->method;
  call.payload = std::move(transcoded.payload);
  call.protocol = "http";
  call.form = MakeForm(*std::move(transcoder), *transcoded.route, accept);
  return call;
}

std::string StreamErrorJson(const absl::Status& status) {
  return absl::StrCat("{\"error\":", ProblemJson(HttpStatus(status.code()), status), "}");
}

}  // namespace cloudstate::serving
