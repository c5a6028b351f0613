#include "emulator/serving/grpc_connection.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/time/clock.h"
#include "emulator/base/turn.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

GrpcConnection::GrpcConnection(asio::io_context& io, Ended ended)
    : io_(io),
      ended_(std::move(ended)),
      socket_(io),
      handshake_(io),
      deadline_(io),
      bytes_(std::make_unique_for_overwrite<char[]>(kReadBytes)) {}

void GrpcConnection::Start(Connection accepted, GrpcSession::Options options, absl::Duration handshake_within) {
  options.wake = [&io = io_, weak = weak_from_this()] {
    asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->Look();
    });
  };
  session_ = std::make_shared<GrpcSession>(accepted.fd, std::move(options));
  error_code error;
  socket_.assign(asio::ip::tcp::v4(), accepted.fd, error);  // nobody asks it for an address
  if (error) return Close(absl::InternalError(error.message()));
  handshake_.expires_after(absl::ToChronoMicroseconds(handshake_within));
  handshake_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled && !self->session_->state().ready) self->Close(absl::UnavailableError("the client says nothing"));
  });
  {
    const base::Turn turn;
    session_->Receive(accepted.received);
  }
  Look();
  Read();
}

void GrpcConnection::Close(const absl::Status& reason) {
  if (!ended_) return;
  handshake_.cancel();
  deadline_.cancel();
  error_code ignored;
  if (socket_.is_open()) socket_.release(ignored);  // the session closes it
  session_->Close(reason);
  std::exchange(ended_, nullptr)(this);
}

void GrpcConnection::Read() {
  if (!ended_) return;
  socket_.async_read_some(asio::buffer(bytes_.get(), kReadBytes),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (!self->ended_) return;
                            if (error) return self->Close(absl::CancelledError("the client has gone"));
                            self->Received(size);
                          });
}

// All that comes at once is one turn: it goes on, and is answered, together.
void GrpcConnection::Received(std::size_t size) {
  {
    const base::Turn turn;
    session_->Receive({bytes_.get(), size});
  }
  Look();
  Read();
}

void GrpcConnection::Look() {
  if (!ended_) return;
  const GrpcSession::State state = session_->state();
  if (state.ended) return Close(absl::CancelledError("the client has ended the connection"));
  if (state.blocked && !awaits_room_) AwaitRoom();
  if (state.deadline < awaited_) AwaitDeadline(state.deadline);
}

void GrpcConnection::AwaitRoom() {
  awaits_room_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](const error_code& error) {
    self->awaits_room_ = false;
    if (error || !self->ended_) return;
    self->session_->Writable();
    self->Look();
  });
}

// A deadline is seldom reached: a timer that finds nothing is cheaper than one for each call.
void GrpcConnection::AwaitDeadline(absl::Time deadline) {
  awaited_ = deadline;
  const absl::Duration delay = std::min(deadline - absl::Now(), absl::Hours(24));  // the clock cannot count them all
  deadline_.expires_after(absl::ToChronoMicroseconds(absl::Ceil(delay, absl::Milliseconds(1))));
  deadline_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (cancelled || !self->ended_) return;
    self->awaited_ = absl::InfiniteFuture();
    self->session_->Expire();
    self->Look();
  });
}

}  // namespace cloudstate::serving
