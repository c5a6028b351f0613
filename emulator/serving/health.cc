#include "emulator/serving/health.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace cloudstate::serving {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// The backend does not tell when its services change, and watchers are few.
constexpr std::chrono::milliseconds kLookAgain{250};

std::shared_ptr<const Services> OwnServices() {
  const auto* file = HealthCheckRequest::descriptor()->file();
  return std::make_shared<const Services>(Services{file->pool(), {file->service(0)}});
}

void Tell(HealthCheckResponse::ServingStatus status, Responder& responder) {
  HealthCheckResponse response;
  response.set_status(status);
  responder.Message(response.SerializeAsString());
}

}  // namespace

Health::Health(boost::asio::io_context& io, const Backend& watched)
    : watched_(watched), services_(OwnServices()), timer_(io) {}

void Health::Start(Call call, std::shared_ptr<Responder> responder) {
  HealthCheckRequest request;
  if (!request.ParseFromString(call.payload)) {
    return responder->Finish(absl::InvalidArgumentError("the request is no grpc.health.v1.HealthCheckRequest"));
  }
  if (call.method == "Check") {
    Check(request.service(), *responder);
  } else {
    Watch(request.service(), std::move(responder));
  }
}

Health::ServingStatus Health::StatusOf(const std::string& name) const {
  const auto services = watched_.CurrentServices();
  if (name.empty()) {
    return services->services.empty() ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING;
  }
  const bool known = std::any_of(services->services.begin(), services->services.end(),
                                 [&](const auto* service) { return service->full_name() == name; });
  return known ? HealthCheckResponse::SERVING : HealthCheckResponse::SERVICE_UNKNOWN;
}

void Health::Check(const std::string& name, Responder& responder) const {
  const ServingStatus status = StatusOf(name);
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    return responder.Finish(absl::NotFoundError(absl::StrCat("service ", name, " is not known")));
  }
  Tell(status, responder);
  responder.Finish(absl::OkStatus());
}

void Health::Watch(std::string name, std::shared_ptr<Responder> responder) {
  if (stopped_) return responder->Finish(absl::UnavailableError("the server is shutting down"));
  const ServingStatus status = StatusOf(name);
  const Responder* key = responder.get();
  {
    std::lock_guard lock(mutex_);
    watchers_.emplace(key, Watcher{std::move(name), status, responder});
  }
  responder->OnCancel([this, key] {
    std::lock_guard lock(mutex_);
    watchers_.erase(key);
  });
  Tell(status, *responder);
  if (!std::exchange(waiting_, true)) Wait();
}

void Health::Wait() {
  timer_.expires_after(kLookAgain);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) LookAgain();
  });
}

void Health::LookAgain() {
  std::vector<std::pair<ServingStatus, std::shared_ptr<Responder>>> changed;
  {
    std::lock_guard lock(mutex_);
    for (auto& [key, watcher] : watchers_) {
      const ServingStatus status = StatusOf(watcher.name);
      if (std::exchange(watcher.told, status) != status) changed.emplace_back(status, watcher.responder);
    }
    waiting_ = !watchers_.empty();
  }
  for (const auto& [status, responder] : changed) Tell(status, *responder);
  if (waiting_) Wait();
}

void Health::Stop() {
  stopped_ = true;
  timer_.cancel();
  std::map<const Responder*, Watcher> watchers;
  {
    std::lock_guard lock(mutex_);
    watchers = std::exchange(watchers_, {});
  }
  for (const auto& [key, watcher] : watchers) {
    watcher.responder->Finish(absl::UnavailableError("the server is shutting down"));
  }
}

}  // namespace cloudstate::serving
