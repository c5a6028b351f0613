#include "emulator/serving/http_exchange.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"
#include "emulator/serving/known_methods.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

constexpr absl::string_view kPlainText = "text/plain; charset=utf-8";
constexpr absl::string_view kProblem = "application/problem+json";
constexpr absl::string_view kEventStream = "text/event-stream";

// An event stream without events is opened after this, so that the browser knows that it is connected. Until then an
// error can still be told by the status code.
constexpr absl::Duration kOpenEventsWithin = absl::Milliseconds(100);

// The path and the query of a target, which may be in absolute form (RFC 9112, 3.2).
std::pair<std::string, std::string> SplitTarget(absl::string_view target) {
  if (absl::StartsWith(target, "http://")) {
    target.remove_prefix(absl::string_view("http://").size());
    const std::size_t slash = target.find('/');
    target = slash == absl::string_view::npos ? "/" : target.substr(slash);
  }
  const std::size_t question = target.find('?');
  if (question == absl::string_view::npos) return {std::string(target), ""};
  return {std::string(target.substr(0, question)), std::string(target.substr(question + 1))};
}

std::string HttpDate() { return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()); }

bool IsHttpBody(const Route& route) {
  return route.response_body.empty() && route.method->output_type()->full_name() == "google.api.HttpBody";
}

}  // namespace

HttpSite::HttpSite(Backend* the_backend, AccessPolicy the_policy, std::map<std::string, HttpHandler> the_handlers,
                   absl::Duration heartbeat)
    : backend(the_backend),
      policy(std::move(the_policy)),
      handlers(std::move(the_handlers)),
      heartbeat_every(heartbeat),
      transcoders([](std::shared_ptr<const Services> services) {
        auto made = std::make_shared<const MadeTranscoder>(Transcoder::Create(std::move(services)));
        if (!made->ok()) base::LogWarning(absl::StrCat("no HTTP routes: ", made->status().message()));
        return made;
      }) {}

const std::string& HttpMessage::Header(absl::string_view name) const {
  static const std::string kNone;
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return each.first == name; });
  return found == headers.end() ? kNone : found->second;
}

HttpExchange::HttpExchange(HttpSite& site, HttpConnection& connection, HttpMessage request)
    : site_(site), connection_(connection), request_(std::move(request)) {}

HttpExchange::~HttpExchange() {
  if (answer_ != nullptr) answer_->Abandon();
}

void HttpExchange::Start() {
  if (site_.policy) {
    const auto refused = site_.policy(request_.Header("host"), request_.Header("origin"), request_.method);
    if (refused.has_value()) return Refuse(*refused);
  }
  HttpRequest request;
  // HEAD is GET without the body, which Reply leaves out.
  request.method = request_.method == "HEAD" ? "GET" : request_.method;
  std::tie(request.path, request.query) = SplitTarget(request_.target);
  request.content_type = request_.Header("content-type");
  request.body = std::move(request_.body);
  if (const auto handler = site_.handlers.find(request.path); handler != site_.handlers.end()) {
    const HttpResponse response = handler->second(request);
    return Reply(response.status, response.content_type, response.body, response.headers);
  }
  if (AnswerProbe()) return;
  if (site_.backend == nullptr) return Refuse({404, absl::StrCat("nothing is served at ", request.path), ""});
  StartCall(std::move(request));
}

bool HttpExchange::AnswerProbe() {
  const std::string& probe = request_.Header("k-network-probe");
  if (probe.empty()) return false;
  if (probe == "queue") {
    Reply(200, kPlainText, "queue", {});
  } else {
    Reply(400, kPlainText, absl::StrCat("unexpected probe header value: ", probe), {});
  }
  return true;
}

void HttpExchange::StartCall(HttpRequest request) {
  const auto services = site_.backend->CurrentServices();
  if (services->services.empty()) return Fail(NothingToCall(*site_.backend));
  transcoder_ = site_.transcoders.Get(services);
  if (!transcoder_->ok()) {
    return Fail(absl::InternalError(absl::StrCat("there are no HTTP routes: ", transcoder_->status().message())));
  }
  auto decoded = (**transcoder_)->Decode(request);
  if (const auto* error = std::get_if<HttpError>(&decoded)) return Refuse(*error);
  auto& transcoded = std::get<Transcoded>(decoded);
  route_ = transcoded.route;
  if (route_->method->client_streaming()) {
    return Refuse(
        {501, absl::StrCat(route_->method->full_name(), " takes a stream of requests: call it with gRPC"), ""});
  }
  const bool streamed = route_->method->server_streaming();
  if (streamed) {
    const bool events = Accepts(request_.Header("accept"), kEventStream);
    form_ = IsHttpBody(*route_) ? Form::kRaw : events ? Form::kEvents : Form::kLines;
    if (request_.method == "HEAD") return Reply(200, events ? kEventStream : "application/json", "", {});
  }
  auto call = MakeCall(std::move(transcoded.payload));
  if (!call.ok()) return Fail(call.status());
  deadline_ = call->deadline;
  answer_ = std::make_shared<HttpAnswer>(
      streamed ? HttpAnswer::Delivery::kAsItComes : HttpAnswer::Delivery::kWhenFinished, connection_.Waker());
  ScheduleWake(std::min(kOpenEventsWithin, site_.heartbeat_every));
  site_.backend->Start(*std::move(call), answer_);
}

absl::StatusOr<Call> HttpExchange::MakeCall(std::string payload) const {
  Call call;
  call.service = route_->method->service()->full_name();
  call.method = route_->method->name();
  call.payload = std::move(payload);
  call.peer = request_.peer;
  call.protocol = "http";
  for (const auto& [name, value] : request_.headers) {
    std::string bytes;
    if (!absl::EndsWith(name, "-bin")) {
      AddRequestHeader(name, value, HeaderKind::kText, call.metadata);
    } else if (absl::Base64Unescape(value, &bytes)) {
      AddRequestHeader(name, bytes, HeaderKind::kBytes, call.metadata);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("header ", name, " is not base64"));
    }
  }
  absl::StatusOr<absl::Duration> timeout = absl::InfiniteDuration();
  if (const std::string& grpc_timeout = request_.Header("grpc-timeout"); !grpc_timeout.empty()) {
    timeout = ParseGrpcTimeout(grpc_timeout);
  } else if (const std::string& seconds = request_.Header("x-server-timeout"); !seconds.empty()) {
    timeout = ParseServerTimeout(seconds);
  }
  if (!timeout.ok()) return timeout.status();
  if (*timeout != absl::InfiniteDuration()) call.deadline = absl::Now() + *timeout;
  return call;
}

// The exchange's one alarm is for what comes first, the deadline or a sign of life on an event stream.
void HttpExchange::ScheduleWake(absl::Duration heartbeat) {
  absl::Duration delay = form_ == Form::kEvents ? heartbeat : absl::InfiniteDuration();
  if (deadline_.has_value()) delay = std::min(delay, std::max(*deadline_ - absl::Now(), absl::ZeroDuration()));
  if (delay != absl::InfiniteDuration()) connection_.WakeAfter(delay);
}

void HttpExchange::TimeUp() {
  if (answer_ == nullptr || end_.has_value()) return;
  if (deadline_.has_value() && absl::Now() >= *deadline_) {
    answer_->Abandon();
    const auto late = absl::DeadlineExceededError("the deadline that the client set has passed");
    if (!opened_) return Fail(late);
    AppendEnd(late);
  } else if (form_ == Form::kEvents) {
    if (!opened_) Open(std::string(kEventStream));
    if (!writing_) absl::StrAppend(&pending_, kServerSentHeartbeat);
    ScheduleWake(site_.heartbeat_every);
  } else {
    ScheduleWake(site_.heartbeat_every);  // woken a moment too early
  }
  Flush();
}

void HttpExchange::NewsCame() {
  if (answer_ == nullptr || end_.has_value()) return;  // a note for the request before this one, or too late
  auto news = answer_->Take();
  if (news.headers.has_value()) answer_headers_ = *std::move(news.headers);
  if (form_ == Form::kUnary) {
    TakeUnary(std::move(news));
  } else {
    TakeStream(std::move(news));
  }
}

void HttpExchange::TakeUnary(HttpAnswer::News news) {
  if (!news.status.has_value()) return;
  if (!news.status->ok()) return Fail(*news.status);
  if (news.messages.size() != 1) {
    return Fail(absl::InternalError(absl::StrCat(route_->method->full_name(), " was answered with ",
                                                 news.messages.size(), " messages instead of one")));
  }
  const auto body = (**transcoder_)->Encode(*route_, news.messages.front());
  if (!body.ok()) return Fail(body.status());
  Reply(200, body->content_type, body->bytes, AnswerHeaders());
}

void HttpExchange::TakeStream(HttpAnswer::News news) {
  const bool opens = news.headers.has_value() && form_ != Form::kRaw;
  if (opens && !opened_) Open(form_ == Form::kEvents ? std::string(kEventStream) : "application/json");
  for (const std::string& payload : news.messages) {
    if (!end_.has_value()) AppendMessage(payload);
  }
  if (news.status.has_value() && !end_.has_value()) {
    if (!opened_ && !news.status->ok()) return Fail(*news.status);
    if (!opened_) Open(form_ == Form::kEvents ? std::string(kEventStream) : "application/json");
    AppendEnd(*news.status);
  }
  Flush();
}

void HttpExchange::AppendMessage(const std::string& payload) {
  const auto body = (**transcoder_)->Encode(*route_, payload);
  if (!body.ok()) {
    answer_->Abandon();
    if (!opened_) Open("application/json");
    return AppendEnd(body.status());
  }
  if (!opened_) Open(form_ == Form::kEvents ? std::string(kEventStream) : body->content_type);
  if (form_ == Form::kEvents) {
    pending_ += ServerSentEvent("", body->bytes);
  } else {
    pending_ += body->bytes;
    if (form_ == Form::kLines) pending_ += '\n';
  }
  ++pending_messages_;
}

void HttpExchange::Open(const std::string& content_type) {
  opened_ = true;
  HttpHeaders headers = AnswerHeaders();
  headers.emplace_back("Content-Type", content_type);
  headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("Date", HttpDate());
  if (!request_.http_1_0) headers.emplace_back("Transfer-Encoding", "chunked");
  if (!connection_.Persistent() || request_.http_1_0) headers.emplace_back("Connection", "close");
  head_ = ResponseHead(200, headers);
}

// After an error in the middle, the reason is the last event or line. A body of lines is then left without its end, so
// that a client that does not look at the lines notices as well.
void HttpExchange::AppendEnd(const absl::Status& status) {
  whole_ = status.ok() || form_ == Form::kEvents;
  if (!status.ok() && form_ != Form::kRaw) {
    const std::string problem = ProblemJson(HttpStatus(status.code()), status);
    pending_ +=
        form_ == Form::kEvents ? ServerSentEvent("error", problem) : absl::StrCat("{\"error\":", problem, "}\n");
  }
  const bool persistent = whole_ && connection_.Persistent() && !request_.http_1_0;
  end_ = persistent ? HttpConnection::Then::kNextRequest : HttpConnection::Then::kClose;
}

void HttpExchange::Flush() {
  if (writing_ || !opened_ || (head_.empty() && pending_.empty() && !end_.has_value())) return;
  std::string bytes = std::exchange(head_, {});
  if (request_.http_1_0) {
    bytes += pending_;
  } else {
    bytes += Chunk(pending_);
    if (end_.has_value() && whole_) absl::StrAppend(&bytes, kLastChunk);
  }
  pending_.clear();
  written_messages_ = std::exchange(pending_messages_, 0);
  writing_ = true;
  connection_.Write(std::move(bytes), end_.value_or(HttpConnection::Then::kMore));
}

void HttpExchange::Written() {
  writing_ = false;
  answer_->Sent(written_messages_);
  Flush();
}

void HttpExchange::Refuse(const HttpError& error) {
  HttpHeaders headers;
  if (!error.allow.empty()) headers.emplace_back("Allow", error.allow);
  if (Accepts(request_.Header("accept"), kProblem)) {
    Reply(error.status, kProblem, ProblemJson(error.status, error.text), std::move(headers));
  } else {
    Reply(error.status, kPlainText, error.text, std::move(headers));
  }
}

void HttpExchange::Fail(const absl::Status& status) {
  const int http_status = HttpStatus(status.code());
  if (Accepts(request_.Header("accept"), kProblem)) {
    Reply(http_status, kProblem, ProblemJson(http_status, status), AnswerHeaders());
  } else {
    Reply(http_status, kPlainText, status.message(), AnswerHeaders());
  }
}

void HttpExchange::Reply(int status, absl::string_view content_type, absl::string_view body, HttpHeaders headers) {
  const bool persistent = connection_.Persistent();
  headers.emplace_back("Content-Type", std::string(content_type));
  headers.emplace_back("Content-Length", std::to_string(body.size()));
  headers.emplace_back("Date", HttpDate());
  if (!persistent) {
    headers.emplace_back("Connection", "close");
  } else if (request_.http_1_0) {
    headers.emplace_back("Connection", "keep-alive");
  }
  std::string bytes = ResponseHead(status, headers);
  if (request_.method != "HEAD") absl::StrAppend(&bytes, body);
  end_ = persistent ? HttpConnection::Then::kNextRequest : HttpConnection::Then::kClose;
  connection_.Write(std::move(bytes), *end_);
}

HttpHeaders HttpExchange::AnswerHeaders() const {
  HttpHeaders headers;
  for (const ResponseHeader& each : ResponseHeaders(answer_headers_)) {
    headers.emplace_back(each.name,
                         each.kind == HeaderKind::kBytes ? absl::Base64Escape(each.value) : std::string(each.value));
  }
  return headers;
}

}  // namespace cloudstate::serving
