#include "emulator/routing/gateway.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::routing {

Gateway::Gateway(const Router::Options& options, cluster::Cluster& cluster, trace::Recorder& recorder,
                 ClientCall::Report report_error, std::function<void(cluster::Node&, Router&)> added)
    : options_(options),
      recorder_(recorder),
      report_error_(std::move(report_error)),
      added_(std::move(added)),
      suspended_(absl::UnavailableError("the user function has not been reached yet")) {
  cluster.WatchNodes([this](cluster::Node& node) { Add(node); });
}

Gateway::~Gateway() = default;

void Gateway::Add(cluster::Node& node) {
  auto router = std::make_unique<Router>(options_, node, recorder_, report_error_);
  if (specification_ != nullptr) router->Serve(specification_);
  if (!suspended_.ok()) router->Suspend(suspended_);
  Router& added = *router;
  {
    std::lock_guard lock(mutex_);
    routers_.push_back(std::move(router));
  }
  if (added_) added_(node, added);
}

void Gateway::Serve(std::shared_ptr<const userfunction::Specification> specification) {
  specification_ = std::move(specification);
  suspended_ = absl::OkStatus();
  std::lock_guard lock(mutex_);
  for (const auto& router : routers_) router->Serve(specification_);
}

void Gateway::Suspend(const absl::Status& reason) {
  suspended_ = reason;
  std::lock_guard lock(mutex_);
  for (const auto& router : routers_) router->Suspend(reason);
}

std::shared_ptr<const serving::Services> Gateway::CurrentServices() const {
  std::lock_guard lock(mutex_);
  return routers_.front()->CurrentServices();
}

absl::Status Gateway::Availability() const {
  std::lock_guard lock(mutex_);
  for (const auto& router : routers_) {
    if (router->Availability().ok()) return absl::OkStatus();
  }
  return routers_.front()->Availability();
}

void Gateway::Start(serving::Call call, std::shared_ptr<serving::Responder> responder) {
  const absl::StatusOr<Router*> router = Pick(call);
  if (router.ok()) {
    (*router)->Start(std::move(call), std::move(responder));
  } else {
    responder->Finish(router.status());
  }
}

absl::StatusOr<Router*> Gateway::Pick(const serving::Call& call) {
  std::lock_guard lock(mutex_);
  for (const MetadataEntry& entry : call.metadata.entries()) {
    if (entry.key() != serving::kNodeHeader) continue;
    std::uint32_t node = 0;
    if (!absl::SimpleAtoi(entry.string_value(), &node) || node == 0 || node > routers_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(serving::kNodeHeader, ": there is no node '", entry.string_value(),
                                                     "'; there are nodes 1 to ", routers_.size()));
    }
    return routers_[node - 1].get();
  }
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    Router& candidate = *routers_[next_++ % routers_.size()];
    if (routers_.size() == 1 || candidate.Availability().ok()) return &candidate;
  }
  return routers_[next_++ % routers_.size()].get();  // it tells why it can't
}

}  // namespace cloudstate::routing
