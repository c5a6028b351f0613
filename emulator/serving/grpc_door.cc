#include "emulator/serving/grpc_door.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "emulator/serving/grpc_connection.h"
#include "emulator/serving/health.h"
#include "emulator/serving/known_methods.h"
#include "emulator/serving/per_services.h"
#include "emulator/serving/reflection.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;

class NghttpGrpcDoor final : public GrpcDoor {
 public:
  NghttpGrpcDoor(asio::io_context& io, Options options, Backend& backend)
      : io_(io),
        options_(std::move(options)),
        backend_(backend),
        known_([](std::shared_ptr<const Services> services) {
          return std::make_shared<const KnownMethods>(std::move(services));
        }),
        health_(io, backend),
        reflection_(ReflectionBackend(backend)) {
    for (Backend* own : {static_cast<Backend*>(&health_), reflection_.get()}) {
      const KnownMethods methods(own->CurrentServices());
      for (const auto& [path, method] : methods.by_path) own_.emplace(path, GrpcTarget{own, methods.services, method});
    }
  }

  void Adopt(Connection accepted) override {
    if (draining_) {
      close(accepted.fd);
      return;
    }
    auto connection = std::make_shared<GrpcConnection>(io_, [this](GrpcConnection* ended) {
      std::lock_guard lock(mutex_);
      connections_.erase(ended);
      if (connections_.empty()) all_ended_.notify_all();
    });
    {
      std::lock_guard lock(mutex_);
      connections_.emplace(connection.get(), connection);
    }
    GrpcSession::Options session;
    session.max_message_bytes = options_.max_message_bytes;
    session.max_header_bytes = options_.max_header_bytes;
    session.peer = accepted.peer;
    session.find = [this](const GrpcRequest& request) { return Find(request); };
    connection->Start(std::move(accepted), std::move(session), options_.handshake_within);
  }

  void Shutdown(absl::Time deadline) override {
    asio::post(io_, [this] {
      draining_ = true;
      health_.Stop();
      for (const auto& [key, connection] : Connections()) connection->Drain();
      AllDrained();
    });
    std::unique_lock lock(mutex_);
    const auto ended = [this] { return drained_ && connections_.empty(); };
    if (all_ended_.wait_until(lock, absl::ToChronoTime(deadline), ended)) return;
    lock.unlock();
    asio::post(io_, [this] {
      for (const auto& [key, connection] : Connections()) {
        connection->Close(absl::UnavailableError("the server is shutting down"));
      }
    });
    lock.lock();
    all_ended_.wait(lock, ended);
  }

 private:
  using ConnectionMap = std::unordered_map<GrpcConnection*, std::shared_ptr<GrpcConnection>>;

  std::variant<GrpcTarget, absl::Status> Find(const GrpcRequest& request) {
    if (options_.policy) {
      if (auto refused = options_.policy(request.host(), "", "POST")) {
        return absl::PermissionDeniedError(refused->text);
      }
    }
    if (const auto own = own_.find(request.path()); own != own_.end()) return own->second;
    const auto known = known_.Get(backend_.CurrentServices());
    const auto found = known->by_path.find(request.path());
    if (found != known->by_path.end()) return GrpcTarget{&backend_, known->services, found->second};
    return known->by_path.empty() ? NothingToCall(backend_) : UnknownMethod(*known, request.path());
  }

  // A copy: a connection that ends leaves the map.
  ConnectionMap Connections() {
    std::lock_guard lock(mutex_);
    return connections_;
  }

  void AllDrained() {
    std::lock_guard lock(mutex_);
    drained_ = true;
    all_ended_.notify_all();
  }

  asio::io_context& io_;
  const Options options_;
  Backend& backend_;
  PerServices<KnownMethods> known_;
  Health health_;
  const std::unique_ptr<Backend> reflection_;
  absl::flat_hash_map<std::string, GrpcTarget> own_;  // by path
  bool draining_ = false;                             // the io thread's
  std::mutex mutex_;
  std::condition_variable all_ended_;
  ConnectionMap connections_;  // changed by the io thread only
  bool drained_ = false;       // all connections know of the shutdown
};

}  // namespace

std::unique_ptr<GrpcDoor> GrpcDoor::Start(asio::io_context& io, Options options, Backend& backend) {
  return std::make_unique<NghttpGrpcDoor>(io, std::move(options), backend);
}

}  // namespace cloudstate::serving
