#include "emulator/serving/grpc_web_call.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "emulator/base/view.h"
#include "emulator/serving/grpc_status.h"

namespace cloudstate::serving {
namespace {

class GrpcWebForm final : public HttpForm {
 public:
  GrpcWebForm(GrpcWebEncoding encoding, std::shared_ptr<const KnownMethods> known)
      : encoding_(encoding), known_(std::move(known)) {}

  absl::StatusOr<Piece> Message(std::string_view payload) const override {
    return Piece{GrpcWebContentType(encoding_), GrpcWebMessage(base::ToAbsl(payload), encoding_)};
  }
  std::optional<std::string> ContentType() const override { return GrpcWebContentType(encoding_); }
  Ending End(const absl::Status& status) const override { return {GrpcWebTrailers(status, encoding_), true}; }
  // Trailers only, which then are headers.
  HttpResponse Failure(const absl::Status& status) const override {
    HttpResponse response;
    response.content_type = GrpcWebContentType(encoding_);
    response.headers = GrpcStatusHeaders(status);
    return response;
  }

 private:
  const GrpcWebEncoding encoding_;
  const std::shared_ptr<const KnownMethods> known_;  // keeps the method
};

GrpcWebEncoding AnswerEncoding(absl::string_view accept, GrpcWebEncoding request) {
  for (const absl::string_view range : absl::StrSplit(accept, ',')) {
    if (const auto encoding = GrpcWebEncodingOf(range); encoding.has_value()) return *encoding;
  }
  return request;
}

absl::StatusOr<const google::protobuf::MethodDescriptor*> FindMethod(const KnownMethods& known, const Backend& backend,
                                                                     const std::string& path) {
  if (known.by_path.empty()) return NothingToCall(backend);
  const auto found = known.by_path.find(path);
  if (found == known.by_path.end()) return UnknownMethod(known, path);
  if (found->second->client_streaming()) {
    return absl::UnimplementedError(
        absl::StrCat(found->second->full_name(),
                     " takes a stream of messages, which gRPC-Web cannot send; call it over a WebSocket or with gRPC"));
  }
  return found->second;
}

absl::StatusOr<std::string> ReadMessage(const HttpMessage& message, const HttpRequest& request,
                                        GrpcWebEncoding encoding) {
  const std::string& compression = message.Header("grpc-encoding");
  if (!compression.empty() && !absl::EqualsIgnoreCase(compression, "identity")) {
    return absl::UnimplementedError(
        absl::StrCat("messages compressed with ", compression, " are not taken over gRPC-Web; send them as they are"));
  }
  return ReadGrpcWebMessage(request.body, encoding);
}

}  // namespace

HttpCallOrRefusal ReadGrpcWebCall(HttpSite& site, const HttpMessage& message, const HttpRequest& request,
                                  GrpcWebEncoding encoding) {
  const std::string& accept = message.Header("accept");
  if (message.method != "POST") {
    return ErrorResponse(HttpError{.status = 405, .text = "a gRPC-Web call is a POST\n", .allow = "POST"}, accept);
  }
  const auto known = site.known_methods.Get(site.backend->CurrentServices());
  HttpCall call;
  call.protocol = "grpc-web";
  call.form = std::make_unique<GrpcWebForm>(AnswerEncoding(accept, encoding), known);
  const auto method = FindMethod(*known, *site.backend, request.path);
  if (!method.ok()) return call.form->Failure(method.status());
  auto payload = ReadMessage(message, request, encoding);
  if (!payload.ok()) {
    HttpResponse failure = call.form->Failure(payload.status());
    failure.headers.emplace_back("grpc-accept-encoding", "identity");
    return failure;
  }
  call.method = *method;
  call.payload = *std::move(payload);
  return call;
}

}  // namespace cloudstate::serving
