#include "emulator/serving/listener.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/serving/port_holder.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// What every HTTP/2 client says first (RFC 9113, 3.4).
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// When there are no descriptors or buffers left, accepting again at once would only burn a processor.
constexpr std::chrono::milliseconds kPauseAfterFailedAccept{50};

struct Waiting {
  explicit Waiting(tcp::socket accepted) : socket(std::move(accepted)) {}
  tcp::socket socket;
  std::string peer;
  std::chrono::steady_clock::time_point until;
  std::array<char, 4096> bytes{};
  std::size_t received = 0;
};

std::string Describe(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", address, "]:", endpoint.port())
                                    : absl::StrCat(address, ":", endpoint.port());
}

class AsioListener final : public Listener, public std::enable_shared_from_this<AsioListener> {
 public:
  AsioListener(asio::io_context& io, Options options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), acceptor_(io), timer_(io), pause_(io) {}

  absl::Status Bind() {
    error_code error;
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found = resolver.resolve(options_.host, std::to_string(options_.port), tcp::resolver::passive, error);
    if (error || found.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot listen on host '", options_.host, "': ", error ? error.message() : "no address"));
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return BindFailed(error);
    port_ = acceptor_.local_endpoint(error).port();
    Accept();
    return absl::OkStatus();
  }

  std::uint16_t port() const override { return port_; }

  void Close() override {
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    pause_.cancel();
    for (const auto& waiting : waiting_) waiting->socket.close(ignored);
    waiting_.clear();
    handler_ = nullptr;
  }

 private:
  absl::Status BindFailed(const error_code& error) const {
    if (error == asio::error::address_in_use) {
      const std::string holder = DescribePortHolder(options_.port);
      return absl::AlreadyExistsError(absl::StrCat("port ", options_.port, " on ", options_.host, " is in use by ",
                                                   holder.empty() ? "another process" : holder));
    }
    const std::string text =
        absl::StrCat("cannot listen on ", options_.host, ":", options_.port, ": ", error.message());
    if (error == asio::error::access_denied) return absl::PermissionDeniedError(text);
    if (error == boost::system::errc::address_not_available) return absl::InvalidArgumentError(text);
    return absl::UnavailableError(text);
  }

  void Accept() {
    acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (error && error != asio::error::connection_aborted) {
        self->pause_.expires_after(kPauseAfterFailedAccept);
        self->pause_.async_wait([self](const error_code& cancelled) {
          if (!cancelled && self->acceptor_.is_open()) self->Accept();
        });
        return;
      }
      if (!error) self->Welcome(std::move(socket));
      self->Accept();
    });
  }

  void Welcome(tcp::socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::keep_alive(true), error);
    auto waiting = std::make_shared<Waiting>(std::move(socket));
    waiting->peer = Describe(peer);
    waiting->until = std::chrono::steady_clock::now() + absl::ToChronoMicroseconds(options_.first_bytes_within);
    if (waiting_.size() >= options_.max_waiting) DropOldest();
    waiting_.push_back(waiting);
    if (waiting_.size() == 1) WatchOldest();
    Read(std::move(waiting));
  }

  void Read(std::shared_ptr<Waiting> waiting) {
    Waiting& state = *waiting;
    state.socket.async_read_some(
        asio::buffer(state.bytes.data() + state.received, state.bytes.size() - state.received),
        [self = shared_from_this(), waiting = std::move(waiting)](const error_code& error, std::size_t count) {
          if (!waiting->socket.is_open()) return;  // dropped meanwhile
          if (error) {
            self->Forget(waiting);
            return;
          }
          waiting->received += count;
          self->Decide(waiting);
        });
  }

  void Decide(const std::shared_ptr<Waiting>& waiting) {
    const std::string_view received(waiting->bytes.data(), waiting->received);
    if (received.substr(0, kPreface.size()) != kPreface.substr(0, received.size())) {
      HandOver(WireProtocol::kHttp1, waiting);
    } else if (received.size() >= kPreface.size()) {
      HandOver(WireProtocol::kHttp2, waiting);
    } else {
      Read(waiting);
    }
  }

  // The next owner gets the bytes with the descriptor: leaving them in the kernel would make a client that trickles its
  // preface readable all the time.
  void HandOver(WireProtocol protocol, const std::shared_ptr<Waiting>& waiting) {
    Forget(waiting);
    error_code error;
    Connection connection;
    connection.fd = waiting->socket.release(error);
    if (error) return;
    fcntl(connection.fd, F_SETFL, fcntl(connection.fd, F_GETFL) | O_NONBLOCK);
    connection.received.assign(waiting->bytes.data(), waiting->received);
    connection.peer = std::move(waiting->peer);
    handler_(protocol, std::move(connection));
  }

  void Forget(const std::shared_ptr<Waiting>& waiting) { waiting_.remove(waiting); }

  void DropOldest() {
    error_code ignored;
    waiting_.front()->socket.close(ignored);
    waiting_.pop_front();
  }

  // All wait equally long, so the oldest one is the next to run out of time.
  void WatchOldest() {
    timer_.expires_at(waiting_.front()->until);
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (cancelled) return;
      const auto now = std::chrono::steady_clock::now();
      while (!self->waiting_.empty() && self->waiting_.front()->until <= now) self->DropOldest();
      if (!self->waiting_.empty()) self->WatchOldest();
    });
  }

  const Options options_;
  Handler handler_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::list<std::shared_ptr<Waiting>> waiting_;  // oldest first; the pending reads share them
};

}  // namespace

absl::StatusOr<std::shared_ptr<Listener>> Listener::Open(asio::io_context& io, Options options, Handler handler) {
  auto listener = std::make_shared<AsioListener>(io, std::move(options), std::move(handler));
  if (absl::Status bound = listener->Bind(); !bound.ok()) return bound;
  return listener;
}

}  // namespace cloudstate::serving
