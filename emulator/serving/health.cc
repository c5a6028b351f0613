#include "emulator/serving/health.h"

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace cloudstate::serving {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// The backend does not tell when its services change, and watchers are few.
constexpr std::chrono::milliseconds kLookAgain{250};

HealthCheckResponse::ServingStatus StatusOf(const Backend& backend, const std::string& name) {
  const auto services = backend.CurrentServices();
  if (name.empty()) {
    return services->services.empty() ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING;
  }
  const bool known = std::any_of(services->services.begin(), services->services.end(),
                                 [&](const auto* service) { return service->full_name() == name; });
  return known ? HealthCheckResponse::SERVING : HealthCheckResponse::SERVICE_UNKNOWN;
}

// Either a write or an alarm is under way, so its callbacks never meet.
class Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(const Backend& backend, std::string name, std::shared_ptr<const std::atomic<bool>> stopped)
      : backend_(backend), name_(std::move(name)), stopped_(std::move(stopped)) {
    Write(StatusOf(backend_, name_));
  }

  void OnWriteDone(bool ok) override {
    if (!ok) cancelled_ = true;
    Wait();
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { std::unique_ptr<Watcher> last(this); }

 private:
  void Write(HealthCheckResponse::ServingStatus status) {
    response_.set_status(status);
    StartWrite(&response_);
  }

  // A new alarm each time, because the old one may be the caller.
  void Wait() {
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(std::chrono::system_clock::now() + kLookAgain, [this](bool) { LookAgain(); });
  }

  void LookAgain() {
    if (cancelled_) {
      Finish(grpc::Status::CANCELLED);
    } else if (*stopped_) {
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
    } else if (const auto status = StatusOf(backend_, name_); status != response_.status()) {
      Write(status);
    } else {
      Wait();
    }
  }

  const Backend& backend_;
  const std::string name_;
  const std::shared_ptr<const std::atomic<bool>> stopped_;  // shared with the service and the other watchers
  std::atomic<bool> cancelled_ = false;
  HealthCheckResponse response_;
  std::unique_ptr<grpc::Alarm> alarm_;
};

class Service final : public grpc::health::v1::Health::CallbackService {
 public:
  Service(const Backend& backend, std::shared_ptr<const std::atomic<bool>> stopped)
      : backend_(backend), stopped_(std::move(stopped)) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                  HealthCheckResponse* response) override {
    auto* reactor = context->DefaultReactor();
    response->set_status(StatusOf(backend_, request->service()));
    if (response->status() == HealthCheckResponse::SERVICE_UNKNOWN) {
      reactor->Finish(
          grpc::Status(grpc::StatusCode::NOT_FOUND, absl::StrCat("service ", request->service(), " is not known")));
    } else {
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }

  grpc::ServerWriteReactor<HealthCheckResponse>* Watch(grpc::CallbackServerContext*,
                                                       const HealthCheckRequest* request) override {
    return std::make_unique<Watcher>(backend_, request->service(), stopped_).release();
  }

 private:
  const Backend& backend_;
  const std::shared_ptr<const std::atomic<bool>> stopped_;
};

}  // namespace

Health HealthService(const Backend& backend) {
  auto stopped = std::make_shared<std::atomic<bool>>(false);
  return {std::make_unique<Service>(backend, stopped), [stopped] { *stopped = true; }};
}

}  // namespace cloudstate::serving
