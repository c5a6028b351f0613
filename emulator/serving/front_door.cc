#include "emulator/serving/front_door.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "emulator/serving/http_session.h"
#include "emulator/serving/http_site.h"
#include "emulator/serving/listener.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;

class ListeningFrontDoor final : public FrontDoor {
 public:
  explicit ListeningFrontDoor(const Options& options) : site_(options) {}

  ~ListeningFrontDoor() override { Shutdown(absl::ZeroDuration()); }

  absl::Status Open(const Options& options) {
    if (options.backend != nullptr) {
      GrpcDoor::Options grpc_options;
      grpc_options.max_message_bytes = site_.limits.message_bytes;
      grpc_options.max_header_bytes = site_.limits.header_bytes;
      grpc_options.handshake_within = site_.limits.first_bytes;
      grpc_options.policy = options.policy;
      grpc_ = GrpcDoor::Start(io_, std::move(grpc_options), *options.backend);
    }
    Listener::Options listening;
    listening.host = options.host;
    listening.port = options.port;
    listening.first_bytes_within = site_.limits.first_bytes;
    listening.max_waiting = site_.limits.waiting_connections;
    auto listener = Listener::Open(io_, std::move(listening), [this](WireProtocol protocol, Connection connection) {
      Welcome(protocol, std::move(connection));
    });
    if (!listener.ok()) return listener.status();
    listener_ = *std::move(listener);
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

  std::uint16_t port() const override { return listener_->port(); }

  void Shutdown(absl::Duration grace) override {
    if (std::exchange(shut_down_, true)) return;
    const absl::Time deadline = absl::Now() + grace;
    if (listener_ == nullptr) return;
    asio::post(io_, [this] {
      listener_->Close();
      for (const auto& [key, session] : Sessions()) session->Drain();
    });
    if (grpc_ != nullptr) grpc_->Shutdown(deadline);
    {
      std::unique_lock lock(mutex_);
      all_ended_.wait_until(lock, absl::ToChronoTime(deadline), [this] { return sessions_.empty(); });
    }
    asio::post(io_, [this] {
      for (const auto& [key, session] : Sessions()) session->Close();
    });
    work_.reset();
    thread_.join();
  }

 private:
  using SessionMap = std::unordered_map<HttpSession*, std::shared_ptr<HttpSession>>;

  void Welcome(WireProtocol protocol, Connection connection) {
    if (protocol == WireProtocol::kHttp2 && grpc_ != nullptr) return grpc_->Adopt(std::move(connection));
    auto session = StartHttpSession(io_, site_, std::move(connection), [this](HttpSession* ended) {
      std::lock_guard lock(mutex_);
      sessions_.erase(ended);
      if (sessions_.empty()) all_ended_.notify_all();
    });
    std::lock_guard lock(mutex_);
    sessions_.emplace(session.get(), session);
  }

  // A copy: a session that ends leaves the map.
  SessionMap Sessions() {
    std::lock_guard lock(mutex_);
    return sessions_;
  }

  HttpSite site_;
  asio::io_context io_{1};  // one thread
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<GrpcDoor> grpc_;
  std::shared_ptr<Listener> listener_;  // shared with its own pending operations
  std::mutex mutex_;
  std::condition_variable all_ended_;
  SessionMap sessions_;  // changed by the io thread only
  bool shut_down_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FrontDoor>> FrontDoor::Start(Options options) {
  auto door = std::make_unique<ListeningFrontDoor>(options);
  if (absl::Status opened = door->Open(options); !opened.ok()) return opened;
  return door;
}

}  // namespace cloudstate::serving
