#include "emulator/tck/http_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/view.h"

namespace cloudstate::tck {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

// A request's connection, for as long as somebody may want to end it.
class Cancellable {
 public:
  Cancellable(asio::io_context& context, beast::tcp_stream& stream, HttpCancellation* cancellation)
      : cancellation_(cancellation) {
    if (cancellation_ == nullptr) return;
    cancellation_->SetHow([&context, &stream] { asio::post(context, [&stream] { stream.close(); }); });
  }
  ~Cancellable() {
    if (cancellation_ != nullptr) cancellation_->SetHow(nullptr);
  }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

  bool cancelled() const { return cancellation_ != nullptr && cancellation_->cancelled(); }

 private:
  HttpCancellation* const cancellation_;
};

// Lets what was started run to its end. DEADLINE_EXCEEDED when that takes too long.
absl::Status Finish(asio::io_context& context, const Cancellable& cancellable, const beast::error_code& error) {
  context.restart();
  context.run();
  if (cancellable.cancelled()) return absl::CancelledError("the request was cancelled");
  if (error == beast::error::timeout) return absl::DeadlineExceededError("no answer within the time of a case");
  return error ? absl::UnavailableError(error.message()) : absl::OkStatus();
}

http::request<http::string_body> ToBeast(const std::string& address, const HttpRequest& request) {
  http::request<http::string_body> message(http::string_to_verb(request.method), request.target, 11);
  message.set(http::field::host, address);
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

}  // namespace

void HttpCancellation::Cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (how_) how_();
}

void HttpCancellation::SetHow(std::function<void()> how) {
  std::lock_guard lock(mutex_);
  how_ = std::move(how);
  if (how_ && cancelled_) how_();
}

bool HttpCancellation::cancelled() const {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

absl::StatusOr<HttpAnswer> SendHttp(const std::string& address, const HttpRequest& request, absl::Time deadline,
                                    HttpCancellation* cancellation) {
  asio::io_context context;
  beast::tcp_stream stream(context);
  const Cancellable cancellable(context, stream, cancellation);
  beast::error_code error;
  const auto note = [&error](const beast::error_code& result, auto&&...) { error = result; };
  const std::size_t colon = address.rfind(':');
  const auto endpoints = asio::ip::tcp::resolver(context).resolve(address.substr(0, colon), address.substr(colon + 1),
                                                                  asio::ip::tcp::resolver::numeric_host, error);
  if (error) return absl::UnavailableError(error.message());
  stream.expires_after(absl::ToChronoMilliseconds(deadline - absl::Now()));
  stream.async_connect(endpoints, note);
  if (absl::Status status = Finish(context, cancellable, error); !status.ok()) return status;
  const auto message = ToBeast(address, request);
  http::async_write(stream, message, note);
  if (absl::Status status = Finish(context, cancellable, error); !status.ok()) return status;
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  http::async_read(stream, buffer, parser, note);
  absl::Status status = Finish(context, cancellable, error);
  const bool partial = request.takes_partial && parser.is_header_done() && error == http::error::partial_message;
  if (!status.ok() && !partial) return status;
  auto response = parser.release();
  HttpAnswer answer{.status = static_cast<int>(response.result_int()),
                    .body = std::move(response.body()),
                    .content_type = std::string(response[http::field::content_type])};
  answer.partial = partial;
  for (const auto& header : response) {
    const beast::string_view name = header.name_string();
    answer.headers[absl::AsciiStrToLower(base::ToAbsl(name))] = std::string(header.value());
  }
  return answer;
}

}  // namespace cloudstate::tck
