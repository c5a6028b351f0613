#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/serving/grpc_session.h"
#include "emulator/serving/listener.h"

namespace cloudstate::serving {

// Waits for a session: for bytes, for room in the socket, for deadlines. On the io_context's one thread.
class GrpcConnection final : public std::enable_shared_from_this<GrpcConnection> {
 public:
  using Ended = std::function<void(GrpcConnection*)>;

  // `ended` runs once, last.
  GrpcConnection(boost::asio::io_context& io, Ended ended);

  // The client has to speak HTTP/2 within this time.
  void Start(Connection accepted, GrpcSession::Options options, absl::Duration handshake_within);
  // Ends when its calls have.
  void Drain() { session_->Drain(); }
  // Ends its calls, and itself, now.
  void Close(const absl::Status& reason);

 private:
  void Read();
  void Received(std::size_t size);
  void Look();
  void AwaitRoom();
  void AwaitDeadline(absl::Time deadline);

  boost::asio::io_context& io_;
  Ended ended_;  // empty once it has ended
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer handshake_;
  boost::asio::steady_timer deadline_;
  absl::Time awaited_ = absl::InfiniteFuture();
  bool awaits_room_ = false;
  std::unique_ptr<char[]> bytes_;
  std::shared_ptr<GrpcSession> session_;
};

}  // namespace cloudstate::serving
