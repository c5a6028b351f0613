#include "emulator/serving/http_exchange.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/serving/grpc_web_call.h"
#include "emulator/serving/http_json.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

// An event stream without events is opened after this, so that the browser knows that it is connected. Until then an
// error can still be told by the status code.
constexpr absl::Duration kOpenEventsWithin = absl::Milliseconds(100);

constexpr char kBytes[] = "application/octet-stream";
std::string HttpDate() { return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()); }

HttpHeaders ToHttpHeaders(const Metadata& metadata) {
  HttpHeaders headers;
  for (const ResponseHeader& each : ResponseHeaders(metadata)) {
    headers.emplace_back(each.name,
                         each.kind == HeaderKind::kBytes ? absl::Base64Escape(each.value) : std::string(each.value));
  }
  return headers;
}

}  // namespace

HttpExchange::HttpExchange(HttpSite& site, HttpConnection& connection, HttpMessage request)
    : site_(site), connection_(connection), request_(std::move(request)) {}

HttpExchange::~HttpExchange() {
  if (answer_ != nullptr) answer_->Abandon();
}

void HttpExchange::Start() {
  if (IsRefused()) return;
  const HttpRequest request = request_.TakeRequest();
  if (IsAnsweredBeside(request) || IsOfForeignPage()) return;
  const bool websocket = absl::EqualsIgnoreCase(request_.Header("upgrade"), "websocket");
  if (websocket && request_.method == "GET") return OpenWebSocket(request);
  StartCall(request);
}

bool HttpExchange::IsRefused() {
  if (!site_.policy) return false;
  const auto refused = site_.policy(request_.Header("host"), request_.Header("origin"), request_.method);
  if (refused.has_value()) Refuse(*refused);
  return refused.has_value();
}

// What is no call of the backend: preflights, pages, probes, and everything if there is no backend.
bool HttpExchange::IsAnsweredBeside(const HttpRequest& request) {
  std::optional<HttpResponse> response;
  if (site_.cors.has_value()) response = site_.cors->AnswerPreflight(request_);
  const std::string& probe = request_.Header("k-network-probe");
  const auto handler = site_.handlers.find(request.path);
  if (response.has_value()) {
    Reply(*response);
  } else if (handler != site_.handlers.end()) {
    Reply(handler->second(request));
  } else if (probe == "queue") {
    Reply({.body = probe, .headers = {}});
  } else if (!probe.empty()) {
    Reply({.status = 400, .body = absl::StrCat("unexpected probe header value: ", probe), .headers = {}});
  } else if (site_.backend == nullptr) {
    Refuse({404, absl::StrCat("nothing is served at ", request.path), ""});
  } else {
    return false;
  }
  return true;
}

// A browser asks beforehand for some requests only: not for a WebSocket, a GET or a POST without a body, which change
// things as well as others do.
bool HttpExchange::IsOfForeignPage() {
  const std::string& origin = request_.Header("origin");
  const bool own_page = origin == absl::StrCat("http://", request_.Header("host"));
  if (!site_.cors.has_value() || own_page || site_.cors->Allows(origin)) return false;
  Refuse({403, Cors::Refusal(origin), ""});
  return true;
}

void HttpExchange::OpenWebSocket(const HttpRequest& request) {
  auto transcoder = site_.CurrentTranscoder();
  if (!transcoder.ok()) return Reply(ErrorResponse(transcoder.status(), request_.Header("accept")));
  auto found = (*transcoder)->FindStream(request);
  if (const auto* error = std::get_if<HttpError>(&found)) return Refuse(*error);
  auto& target = std::get<MessageTarget>(found);
  auto call = MakeCall(request_, *target.route->method, "", "websocket");
  if (!call.ok()) return Reply(ErrorResponse(call.status(), request_.Header("accept")));
  connection_.Upgrade({std::move(request_), *std::move(call), std::move(target), *std::move(transcoder)});
}

void HttpExchange::StartCall(const HttpRequest& request) {
  const auto grpc_web = GrpcWebEncodingOf(request.content_type);
  auto read = grpc_web.has_value() ? ReadGrpcWebCall(site_, request_, request, *grpc_web)
                                   : ReadJsonCall(site_, request_, request);
  if (const auto* refusal = std::get_if<HttpResponse>(&read)) return Reply(*refusal);
  auto& reading = std::get<HttpCall>(read);
  form_ = std::move(reading.form);
  method_ = reading.method;
  const bool streamed = method_->server_streaming();
  if (streamed && request_.method == "HEAD") {
    return Reply({.content_type = form_->ContentType().value_or(kBytes), .body = "", .headers = {}});
  }
  auto call = MakeCall(request_, *method_, std::move(reading.payload), reading.protocol);
  if (!call.ok()) return Reply(form_->Failure(call.status()));
  deadline_ = call->deadline;
  answer_ = std::make_shared<HttpAnswer>(
      streamed ? HttpAnswer::Delivery::kAsItComes : HttpAnswer::Delivery::kWhenFinished, connection_.Waker());
  ScheduleWake(std::min(kOpenEventsWithin, site_.limits.heartbeat));
  site_.backend->Start(*std::move(call), answer_);
}

// The exchange's one alarm is for what comes first, the deadline or a sign of life on an event stream.
void HttpExchange::ScheduleWake(absl::Duration heartbeat) {
  absl::Duration delay = form_->HasHeartbeat() ? heartbeat : absl::InfiniteDuration();
  if (deadline_.has_value()) delay = std::min(delay, std::max(*deadline_ - absl::Now(), absl::ZeroDuration()));
  if (delay != absl::InfiniteDuration()) connection_.WakeAfter(delay);
}

void HttpExchange::TimeUp() {
  if (answer_ == nullptr || end_.has_value()) return;
  if (deadline_.has_value() && absl::Now() >= *deadline_) {
    answer_->Abandon();
    AppendEnd(absl::DeadlineExceededError("the deadline that the client set has passed"));
    return Flush();
  }
  if (form_->HasHeartbeat()) {
    if (!opened_) Open(*form_->ContentType());
    if (!writing_) absl::StrAppend(&body_, form_->Filler());
    Flush();
  }
  ScheduleWake(site_.limits.heartbeat);
}

bool HttpExchange::ProbeClient() {
  if (answer_ == nullptr || end_.has_value() || writing_) return true;  // a write is or was under way, which tells
  if (request_.http_1_0 || (opened_ && form_->Filler().empty())) return false;
  absl::StrAppend(opened_ ? &body_ : &raw_, opened_ ? form_->Filler() : kContinue);
  Flush();
  return true;
}

void HttpExchange::NewsCame() {
  if (answer_ == nullptr || end_.has_value()) return;  // a note for the request before this one, or too late
  auto news = answer_->Take();
  if (news.headers.has_value()) answer_headers_ = *news.headers;
  if (method_->server_streaming()) {
    ContinueStream(std::move(news));
  } else if (news.status.has_value()) {
    AnswerUnary(std::move(news));
  }
}

void HttpExchange::AnswerUnary(HttpAnswer::News news) {
  if (!news.status->ok()) return Reply(form_->Failure(*news.status));
  if (news.messages.size() != 1) {
    return Reply(form_->Failure(absl::InternalError(
        absl::StrCat(method_->full_name(), " was answered with ", news.messages.size(), " messages instead of one"))));
  }
  auto piece = form_->Message(news.messages.front());
  if (!piece.ok()) return Reply(form_->Failure(piece.status()));
  HttpResponse response;
  response.content_type = std::move(piece->content_type);
  response.body = std::move(piece->bytes) + form_->End(absl::OkStatus()).bytes;
  Reply(response);
}

void HttpExchange::ContinueStream(HttpAnswer::News news) {
  if (news.headers.has_value() && !opened_) {
    if (const auto content_type = form_->ContentType(); content_type.has_value()) Open(*content_type);
  }
  for (const std::string& payload : news.messages) {
    if (!end_.has_value()) AppendMessage(payload);
  }
  if (news.status.has_value() && !end_.has_value()) AppendEnd(*news.status);
  Flush();
}

void HttpExchange::AppendMessage(const std::string& payload) {
  const auto piece = form_->Message(payload);
  if (!piece.ok()) {
    answer_->Abandon();
    return AppendEnd(piece.status());
  }
  if (!opened_) Open(piece->content_type);
  body_ += piece->bytes;
  ++body_messages_;
}

void HttpExchange::AppendEnd(const absl::Status& status) {
  if (!opened_ && !status.ok()) return Reply(form_->Failure(status));
  if (!opened_) Open(form_->ContentType().value_or(kBytes));
  const HttpForm::Ending ending = form_->End(status);
  body_ += ending.bytes;
  whole_ = ending.whole;
  const bool persistent = whole_ && connection_.Persistent() && !request_.http_1_0;
  end_ = persistent ? HttpConnection::Then::kNextRequest : HttpConnection::Then::kClose;
}

void HttpExchange::Open(const std::string& content_type) {
  opened_ = true;
  chunked_ = !request_.http_1_0;
  HttpHeaders headers = CommonHeaders();
  headers.emplace_back("Content-Type", content_type);
  headers.emplace_back("Cache-Control", "no-cache");
  if (chunked_) headers.emplace_back("Transfer-Encoding", "chunked");
  if (!connection_.Persistent() || request_.http_1_0) headers.emplace_back("Connection", "close");
  raw_ += ResponseHead(200, headers);
}

void HttpExchange::Refuse(const HttpError& error) { Reply(ErrorResponse(error, request_.Header("accept"))); }

void HttpExchange::Reply(const HttpResponse& response) {
  opened_ = true;
  const bool persistent = connection_.Persistent();
  HttpHeaders headers = CommonHeaders();
  headers.insert(headers.end(), response.headers.begin(), response.headers.end());
  if (response.status != 204) {
    headers.emplace_back("Content-Type", response.content_type);
    headers.emplace_back("Content-Length", std::to_string(response.body.size()));
  }
  if (!persistent) {
    headers.emplace_back("Connection", "close");
  } else if (request_.http_1_0) {
    headers.emplace_back("Connection", "keep-alive");
  }
  raw_ += ResponseHead(response.status, headers);
  if (request_.method != "HEAD") raw_ += response.body;
  end_ = persistent ? HttpConnection::Then::kNextRequest : HttpConnection::Then::kClose;
  Flush();
}

HttpHeaders HttpExchange::CommonHeaders() const {
  HttpHeaders headers = ToHttpHeaders(answer_headers_);
  if (site_.cors.has_value()) {
    HttpHeaders cors = site_.cors->HeadersFor(request_.Header("origin"), headers);
    headers.insert(headers.end(), cors.begin(), cors.end());
  }
  headers.emplace_back("Date", HttpDate());
  return headers;
}

void HttpExchange::Flush() {
  if (writing_ || (raw_.empty() && body_.empty() && !end_.has_value())) return;
  std::string bytes = std::exchange(raw_, {});
  if (chunked_) {
    bytes += Chunk(body_);
    if (end_.has_value() && whole_) absl::StrAppend(&bytes, kLastChunk);
  } else {
    bytes += body_;
  }
  body_.clear();
  written_messages_ = std::exchange(body_messages_, 0);
  writing_ = true;
  connection_.Write(std::move(bytes), end_.value_or(HttpConnection::Then::kMore));
}

void HttpExchange::Written() {
  writing_ = false;
  answer_->Sent(written_messages_);
  Flush();
}

}  // namespace cloudstate::serving
