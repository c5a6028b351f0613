#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emulator/serving/backend.h"
#include "grpc/health/v1/health.pb.h"

namespace cloudstate::serving {

// grpc.health.v1 for a backend's services: a service is SERVING while it is known, the whole server ("") while any
// is. Check answers NOT_FOUND for other services, Watch SERVICE_UNKNOWN; a watcher hears of a change within a quarter
// of a second. On the io_context's one thread, but for cancellations.
class Health final : public Backend {
 public:
  // `watched` must outlive it.
  Health(boost::asio::io_context& io, const Backend& watched);

  std::shared_ptr<const Services> CurrentServices() const override { return services_; }
  absl::Status Availability() const override { return absl::OkStatus(); }
  void Start(Call call, std::shared_ptr<Responder> responder) override;

  // Ends the watchers' calls.
  void Stop();

 private:
  using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;
  struct Watcher {
    std::string name;
    ServingStatus told;
    std::shared_ptr<Responder> responder;
  };

  ServingStatus StatusOf(const std::string& name) const;
  void Check(const std::string& name, Responder& responder) const;
  void Watch(std::string name, std::shared_ptr<Responder> responder);
  void Wait();
  void LookAgain();

  const Backend& watched_;
  const std::shared_ptr<const Services> services_;
  boost::asio::steady_timer timer_;
  bool waiting_ = false;
  bool stopped_ = false;
  std::mutex mutex_;
  std::map<const Responder*, Watcher> watchers_;
};

}  // namespace cloudstate::serving
