#include "emulator/serving/http_session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/view.h"
#include "emulator/serving/http_exchange.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/websocket_session.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadAhead = 16 * 1024;

// After an answer that leaves a part of the request unread: closing at once would reset the connection, and the client
// could lose the answer.
constexpr absl::Duration kLinger = absl::Seconds(1);

tcp ProtocolOf(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

// What to tell a client whose request cannot be read.
HttpError ReadFailure(const error_code& error, const FrontDoor::Limits& limits) {
  if (error == http::error::body_limit) {
    return {413, absl::StrCat("the request body is larger than ", limits.message_bytes, " bytes"), ""};
  }
  if (error == http::error::header_limit) {
    return {431, absl::StrCat("the request headers are larger than ", limits.header_bytes, " bytes"), ""};
  }
  return {400, absl::StrCat("malformed HTTP request: ", error.message()), ""};
}

class AsioHttpSession final : public HttpSession,
                              public HttpConnection,
                              public std::enable_shared_from_this<AsioHttpSession> {
 public:
  AsioHttpSession(asio::io_context& io, HttpSite& site, std::function<void(HttpSession*)> ended)
      : io_(io), site_(site), limits_(site.limits), ended_(std::move(ended)), socket_(io), timer_(io) {}

  void Begin(Connection connection) {
    error_code error;
    socket_.assign(ProtocolOf(connection.fd), connection.fd, error);
    if (error) {
      close(connection.fd);
      // Not now: whoever begins it has yet to note it among those that are to end.
      return asio::post(io_, [self = shared_from_this()] { self->Close(); });
    }
    socket_.set_option(tcp::no_delay(true), error);  // a stream's small messages are not to wait for each other
    peer_ = std::move(connection.peer);
    const auto space = buffer_.prepare(connection.received.size());
    std::memcpy(space.data(), connection.received.data(), connection.received.size());
    buffer_.commit(connection.received.size());
    NextRequest();
  }

  void Drain() override {
    draining_ = true;
    if (phase_ == Phase::kIdle) Close();
  }

  void Close() override {
    if (phase_ == Phase::kUpgraded) return websocket_->Close();  // which ends this session
    if (phase_ == Phase::kEnded) return;
    phase_ = Phase::kEnded;
    exchange_.reset();
    timer_.cancel();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    ended_(this);
  }

  void Write(std::string bytes, Then then) override {
    then_ = then;
    outgoing_ = std::move(bytes);
    if (then != Then::kMore) {
      phase_ = Phase::kFinishing;
      SetLimit(limits_.write);
    }
    asio::async_write(socket_, asio::buffer(outgoing_),
                      [self = shared_from_this()](const error_code& error, std::size_t) { self->OnWritten(error); });
  }

  void Upgrade(WebSocketOpening opening) override {
    if (buffer_.size() > 0) {
      return exchange_->Refuse({400, "a client has to wait for the answer to its WebSocket handshake", ""});
    }
    phase_ = Phase::kUpgraded;
    timer_.cancel();
    websocket_ = StartWebSocket(io_, std::move(socket_), site_, std::move(opening), [self = shared_from_this()] {
      self->phase_ = Phase::kEnded;
      self->websocket_ = nullptr;
      self->ended_(self.get());
    });
  }

  bool Persistent() const override { return keep_alive_ && !draining_ && !input_ended_; }

  void WakeAfter(absl::Duration delay) override { SetLimit(delay); }

  std::function<void()> Waker() override {
    // An answer that comes after the session finds nobody. The io_context outlives whoever can still call: an exchange
    // that ends takes its waker back.
    return [&io = io_, weak = weak_from_this()] {
      asio::post(io, [weak] {
        if (auto self = weak.lock(); self != nullptr && self->exchange_.has_value()) self->exchange_->NewsCame();
      });
    };
  }

 private:
  enum class Phase {
    kIdle,       // waits for the first byte of a request
    kReading,    // a request
    kAnswering,  // an exchange is at work; what the client sends meanwhile is read ahead
    kFinishing,  // the last write of an answer
    kLingering,  // said everything, and throws away what still comes
    kUpgraded,   // a WebSocket has the socket
    kEnded,
  };

  void NextRequest() {
    exchange_.reset();
    if (buffer_.size() > 0) {
      ReadHeader();
    } else if (draining_ || input_ended_) {
      Close();
    } else {
      phase_ = Phase::kIdle;
      SetLimit(limits_.idle);
      ReadAhead();
    }
  }

  // One read beside the exchange: it notices a client that goes away, or is the beginning of the next request. So there
  // is never more than one read under way, and none while there are bytes to be parsed.
  void ReadAhead() {
    if (reading_ahead_) return;
    reading_ahead_ = true;
    socket_.async_read_some(
        buffer_.prepare(kReadAhead),
        [self = shared_from_this()](const error_code& error, std::size_t count) { self->OnReadAhead(error, count); });
  }

  void OnReadAhead(const error_code& error, std::size_t count) {
    reading_ahead_ = false;
    if (phase_ == Phase::kEnded) return;
    buffer_.commit(count);
    if (phase_ == Phase::kLingering) {
      buffer_.consume(buffer_.size());
      return error ? Close() : ReadAhead();
    }
    if (error) {
      OnInputEnded(error);
    } else if (phase_ == Phase::kIdle) {
      ReadHeader();
    }
  }

  // A client that has ended its side may still want its answer, or have gone. A reset tells.
  void OnInputEnded(const error_code& error) {
    input_ended_ = true;
    if (phase_ == Phase::kFinishing) return;
    if (error != asio::error::eof || phase_ != Phase::kAnswering || !exchange_->ProbeClient()) return Close();
    socket_.async_wait(tcp::socket::wait_error, [weak = weak_from_this()](const error_code& failed) {
      if (auto self = weak.lock(); self != nullptr && !failed) self->Close();
    });
  }

  void ReadHeader() {
    phase_ = Phase::kReading;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser_->body_limit(limits_.message_bytes);
    SetLimit(limits_.request_header);
    http::async_read_header(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, std::size_t) { self->OnHeader(error); });
  }

  void OnHeader(const error_code& error) {
    if (phase_ == Phase::kEnded) return;
    if (error) return OnReadFailed(error);
    const auto& request = parser_->get();
    keep_alive_ = request.keep_alive();
    if (request.version() == 11 && request.count(http::field::host) != 1) {
      return Refuse({400, "an HTTP/1.1 request has one Host header", ""});
    }
    const auto expect = request[http::field::expect];
    if (expect.empty()) return ReadBody();
    if (!absl::EqualsIgnoreCase(base::ToAbsl(expect), "100-continue")) {
      return Refuse({417, "the only expectation that can be met is 100-continue", ""});
    }
    asio::async_write(socket_, asio::buffer(kContinue),
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        if (self->phase_ == Phase::kEnded) return;
                        if (failed) return self->Close();
                        self->ReadBody();
                      });
  }

  void ReadBody() {
    if (parser_->is_done()) return OnRequest();
    SetLimit(limits_.request_body);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](const error_code& error, std::size_t) {
      if (self->phase_ == Phase::kEnded) return;
      if (error) return self->OnReadFailed(error);
      self->OnRequest();
    });
  }

  void OnReadFailed(const error_code& error) {
    const bool malformed = error.category() == http::make_error_code(http::error::bad_method).category();
    if (!malformed || error == http::error::end_of_stream || error == http::error::partial_message) return Close();
    Refuse(ReadFailure(error, limits_));
  }

  void OnRequest() {
    request_whole_ = true;
    BeginExchange();
    exchange_->Start();
    if (phase_ == Phase::kUpgraded) {
      exchange_.reset();
    } else if (buffer_.size() == 0) {
      ReadAhead();
    }
  }

  void BeginExchange() {
    auto request = parser_->release();
    parser_.reset();
    HttpMessage message;
    message.method = std::string(request.method_string());
    message.target = std::string(request.target());
    message.http_1_0 = request.version() == 10;
    for (const auto& field : request) {
      message.headers.emplace_back(absl::AsciiStrToLower(base::ToAbsl(field.name_string())),
                                   std::string(field.value()));
    }
    message.body = std::move(request.body());
    message.peer = peer_;
    phase_ = Phase::kAnswering;
    ClearLimit();
    exchange_.emplace(site_, *this, std::move(message));
  }

  void OnWritten(const error_code& error) {
    if (phase_ == Phase::kEnded) return;
    if (error) return Close();
    if (then_ == Then::kMore) {
      exchange_->Written();
    } else if (then_ == Then::kNextRequest) {
      NextRequest();
    } else if (request_whole_ && buffer_.size() == 0) {
      Close();
    } else {
      Linger();
    }
  }

  // A request that cannot be read to its end. The connection cannot go on: where the next request begins is not known.
  void Refuse(const HttpError& error) {
    request_whole_ = false;
    keep_alive_ = false;
    BeginExchange();
    exchange_->Refuse(error);
  }

  void Linger() {
    exchange_.reset();
    phase_ = Phase::kLingering;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    buffer_.consume(buffer_.size());
    SetLimit(kLinger);
    ReadAhead();
  }

  void SetLimit(absl::Duration delay) {
    // A client may ask for more than the clock can count. Whoever set the limit looks again when it has passed.
    limit_ = Clock::now() + absl::ToChronoNanoseconds(std::min(delay, absl::Hours(24)));
    if (!armed_until_.has_value() || *limit_ < *armed_until_) Arm();
  }
  void ClearLimit() { limit_.reset(); }

  // The timer is left alone when a limit moves further away, as it does several times for each request; it looks again
  // when it fires.
  void Arm() {
    armed_until_ = limit_;
    timer_.expires_at(*limit_);
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (cancelled || self->phase_ == Phase::kEnded) return;
      self->armed_until_.reset();
      if (!self->limit_.has_value()) return;
      if (Clock::now() < *self->limit_) return self->Arm();
      self->limit_.reset();
      if (self->phase_ == Phase::kAnswering) {
        self->exchange_->TimeUp();
      } else {
        self->Close();
      }
    });
  }

  asio::io_context& io_;
  HttpSite& site_;
  const FrontDoor::Limits& limits_;
  const std::function<void(HttpSession*)> ended_;
  tcp::socket socket_;
  std::string peer_;
  Phase phase_ = Phase::kIdle;

  boost::beast::flat_buffer buffer_;  // read and not parsed
  std::optional<http::request_parser<http::string_body>> parser_;
  bool reading_ahead_ = false;
  bool keep_alive_ = false;
  bool draining_ = false;
  bool input_ended_ = false;

  std::optional<HttpExchange> exchange_;
  bool request_whole_ = false;                   // whether the exchange's request was read to its end
  std::shared_ptr<WebSocketSession> websocket_;  // shared with its own pending operations
  std::string outgoing_;
  Then then_ = Then::kMore;

  asio::steady_timer timer_;
  std::optional<Clock::time_point> limit_;
  std::optional<Clock::time_point> armed_until_;
};

}  // namespace

std::shared_ptr<HttpSession> StartHttpSession(asio::io_context& io, HttpSite& site, Connection connection,
                                              std::function<void(HttpSession*)> ended) {
  auto session = std::make_shared<AsioHttpSession>(io, site, std::move(ended));
  session->Begin(std::move(connection));
  return session;
}

}  // namespace cloudstate::serving
