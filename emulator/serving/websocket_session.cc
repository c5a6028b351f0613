#include "emulator/serving/websocket_session.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/serving/http_answer.h"
#include "emulator/serving/http_json.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/websocket_input.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// After everything is said, for what the client still sends: closing at once would reset the connection, and the client
// could lose the farewell.
constexpr absl::Duration kLinger = absl::Seconds(1);
constexpr std::size_t kLingerBytes = 16 * 1024;

// Codes from 4000 on are an application's own (RFC 6455, 7.4.2).
constexpr std::uint16_t kFirstOwnCode = 4000;
constexpr std::size_t kMostReasonBytes = 123;

websocket::close_reason ReasonFor(const absl::Status& status) {
  if (status.ok()) return websocket::close_code::normal;
  websocket::close_reason reason;
  reason.code = static_cast<std::uint16_t>(kFirstOwnCode + static_cast<int>(status.code()));
  reason.reason = Utf8Prefix(status.message(), kMostReasonBytes);
  return reason;
}

// A socket that Beast does not wait for: after a farewell, it would keep a failed call until the client closes its
// side.
class Socket : public asio::ip::tcp::socket {
 public:
  explicit Socket(asio::ip::tcp::socket socket) : asio::ip::tcp::socket(std::move(socket)) {}
};

// Beast finds this by its argument.
template <class Handler>
void async_teardown(boost::beast::role_type, Socket& socket, Handler&& handler) {
  error_code ignored;
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
  asio::post(socket.get_executor(), boost::beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
}

class BeastWebSocket final : public WebSocketSession, public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(asio::io_context& io, asio::ip::tcp::socket socket, HttpSite& site, WebSocketOpening opening,
                 std::function<void()> ended)
      : io_(io),
        site_(site),
        transcoder_(std::move(opening.transcoder)),
        target_(std::move(opening.target)),
        call_(std::move(opening.call)),
        ended_(std::move(ended)),
        timer_(io),
        socket_(Socket(std::move(socket))) {}

  void Begin(const HttpMessage& request) {
    socket_.read_message_max(site_.limits.message_bytes);
    socket_.auto_fragment(false);
    // Without it, who vanishes while nothing is sent would never be missed.
    error_code ignored;
    socket_.next_layer().set_option(asio::socket_base::keep_alive(true), ignored);
    handshake_.method(http::verb::get);
    handshake_.target(request.target);
    handshake_.version(request.http_1_0 ? 10 : 11);
    for (const auto& [name, value] : request.headers) handshake_.insert(name, value);
    CloseAfter(site_.limits.write, [this] { Close(); });
    socket_.async_accept(handshake_, [self = shared_from_this()](const error_code& error) { self->OnOpened(error); });
  }

  void Close() override {
    if (std::exchange(phase_, Phase::kEnded) == Phase::kEnded) return;
    const auto self = shared_from_this();  // ended_ gives up the owner's share
    timer_.cancel();
    error_code ignored;
    socket_.next_layer().close(ignored);
    Abandon();
    ended_();
  }

 private:
  enum class Phase {
    kOpen,       // the call is or may be under way
    kClosing,    // it has ended, and what is left to be said is being sent
    kLingering,  // all is said
    kEnded,
  };
  struct Frame {
    bool text = true;
    std::string bytes;
    bool is_message = false;  // of the answer
  };

  void OnOpened(const error_code& error) {
    if (phase_ == Phase::kEnded) return;
    if (error) return Close();
    timer_.cancel();
    if (call_.deadline.has_value()) {
      CloseAfter(*call_.deadline - absl::Now(), [this] {
        if (phase_ == Phase::kOpen) Fail(absl::DeadlineExceededError("the deadline that the client set has passed"));
      });
    }
    if (target_.route->method->client_streaming()) {
      input_ = std::make_shared<WebSocketInput>(Waker());
      call_.requests = input_;
      StartCall();
    }
    ReadNext();
  }

  void StartCall() {
    answer_ = std::make_shared<HttpAnswer>(HttpAnswer::Delivery::kAsItComes, Waker());
    site_.backend->Start(std::move(call_), answer_);
  }

  // As in HttpSession: a note that comes after the end finds nobody, and whoever leaves notes is stopped before that.
  std::function<void()> Waker() {
    return [&io = io_, weak = weak_from_this()] {
      asio::post(io, [weak] {
        if (auto self = weak.lock(); self != nullptr && self->phase_ == Phase::kOpen) self->NewsCame();
      });
    };
  }

  void NewsCame() {
    Deliver();
    if (phase_ != Phase::kOpen || answer_ == nullptr) return;
    auto news = answer_->Take();
    for (const std::string& payload : news.messages) {
      const auto body = transcoder_->Encode(*target_.route, payload);
      if (!body.ok()) return Fail(body.status());
      outgoing_.push_back({!target_.route->raw_response, body->bytes, true});
    }
    if (news.status.has_value()) return Finish(*news.status);
    WriteNext();
  }

  // --- from the client

  // One message is read ahead of what the backend asks for: a client's farewell is seen only by reading.
  void ReadNext() {
    if (reading_ || phase_ != Phase::kOpen || read_ahead_.has_value()) return;
    reading_ = true;
    incoming_.clear();
    socket_.async_read(incoming_,
                       [self = shared_from_this()](const error_code& error, std::size_t) { self->OnRead(error); });
  }

  void OnRead(const error_code& error) {
    reading_ = false;
    if (phase_ != Phase::kOpen) return;
    if (error) return Linger();  // Beast has said why
    const std::string frame = boost::beast::buffers_to_string(incoming_.data());
    if (const absl::Status taken = Take(frame); !taken.ok()) return Fail(taken);
    Deliver();
    ReadNext();
  }

  absl::Status Take(const std::string& frame) {
    const std::string& method = target_.route->method->full_name();
    if (half_closed_ && frame.empty()) return absl::OkStatus();  // said again, or after the one message of a call
    if (half_closed_) {
      return absl::InvalidArgumentError(
          absl::StrCat("a message for ", method,
                       input_ == nullptr ? ", which takes only one" : " after the client said that it has no more"));
    }
    if (frame.empty()) {
      half_closed_ = true;
      if (input_ != nullptr) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("the client sent no request message for ", method));
    }
    if (!socket_.got_text()) return absl::InvalidArgumentError("a binary frame; messages are JSON in text frames");
    auto message = transcoder_->DecodeMessage(target_, frame);
    if (!message.ok()) return message.status();
    if (input_ != nullptr) {
      read_ahead_ = *std::move(message);
    } else {
      half_closed_ = true;
      call_.payload = *std::move(message);
      StartCall();
    }
    return absl::OkStatus();
  }

  // Brings together what has come and who asks for it.
  void Deliver() {
    if (input_ == nullptr || (!read_ahead_.has_value() && !half_closed_)) return;
    auto reader = input_->TakeReader();
    if (!reader) return;
    reader(std::exchange(read_ahead_, std::nullopt));
    ReadNext();
  }

  // --- to the client

  void Fail(const absl::Status& status) {
    Abandon();
    Finish(status);
  }

  void Finish(const absl::Status& status) {
    phase_ = Phase::kClosing;
    if (input_ != nullptr) input_->End();
    if (!status.ok()) outgoing_.push_back({true, StreamErrorJson(status), false});
    farewell_ = ReasonFor(status);
    CloseAfter(site_.limits.write, [this] { Close(); });
    WriteNext();
  }

  void WriteNext() {
    if (writing_) return;
    if (!outgoing_.empty()) {
      writing_ = true;
      socket_.text(outgoing_.front().text);
      socket_.async_write(
          asio::buffer(outgoing_.front().bytes),
          [self = shared_from_this()](const error_code& error, std::size_t) { self->OnWritten(error); });
    } else if (phase_ == Phase::kClosing) {
      writing_ = true;
      socket_.async_close(farewell_, [self = shared_from_this()](const error_code&) { self->Close(); });
    }
  }

  void OnWritten(const error_code& error) {
    if (phase_ != Phase::kOpen && phase_ != Phase::kClosing) return;
    if (error) return Close();
    writing_ = false;
    const bool is_message = outgoing_.front().is_message;
    outgoing_.pop_front();
    if (is_message && answer_ != nullptr) answer_->Sent(1);
    WriteNext();
  }

  // The client has closed, or must be left because of what it sent.
  void Linger() {
    phase_ = Phase::kLingering;
    Abandon();
    CloseAfter(kLinger, [this] { Close(); });
    Discard();
  }

  void Discard() {
    incoming_.clear();
    socket_.next_layer().async_read_some(incoming_.prepare(kLingerBytes),
                                         [self = shared_from_this()](const error_code& error, std::size_t) {
                                           if (self->phase_ == Phase::kEnded) return;
                                           return error ? self->Close() : self->Discard();
                                         });
  }

  void CloseAfter(absl::Duration delay, std::function<void()> act) {
    timer_.expires_after(absl::ToChronoNanoseconds(std::max(delay, absl::ZeroDuration())));
    timer_.async_wait([self = shared_from_this(), act = std::move(act)](const error_code& cancelled) {
      if (!cancelled && self->phase_ != Phase::kEnded) act();
    });
  }

  // Nobody waits for the call any more.
  void Abandon() {
    if (input_ != nullptr) input_->End();
    if (answer_ != nullptr) answer_->Abandon();
  }

  asio::io_context& io_;
  HttpSite& site_;
  const std::shared_ptr<const Transcoder> transcoder_;
  const MessageTarget target_;
  Call call_;  // until it is started
  const std::function<void()> ended_;
  Phase phase_ = Phase::kOpen;
  asio::steady_timer timer_;
  http::request<http::empty_body> handshake_;
  websocket::stream<Socket> socket_;

  boost::beast::flat_buffer incoming_;
  bool reading_ = false;
  std::shared_ptr<WebSocketInput> input_;  // of a client-streamed method
  std::optional<std::string> read_ahead_;  // a message that nobody has asked for yet
  bool half_closed_ = false;               // no more messages come

  std::shared_ptr<HttpAnswer> answer_;  // once the call is started
  std::deque<Frame> outgoing_;          // the first one is being written if writing_
  bool writing_ = false;
  websocket::close_reason farewell_;
};

}  // namespace

std::shared_ptr<WebSocketSession> StartWebSocket(asio::io_context& io, asio::ip::tcp::socket socket, HttpSite& site,
                                                 WebSocketOpening opening, std::function<void()> ended) {
  const HttpMessage request = std::move(opening.request);
  auto session = std::make_shared<BeastWebSocket>(io, std::move(socket), site, std::move(opening), std::move(ended));
  session->Begin(request);
  return session;
}

}  // namespace cloudstate::serving
