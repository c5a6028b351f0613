#include "emulator/routing/gateway.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::routing {

Gateway::Gateway(const Router::Options& options, cluster::Cluster& cluster, trace::Recorder& recorder,
                 ClientCall::Report report_error, std::function<void(cluster::Node&, Router&)> added)
    : options_(options),
      strand_(cluster.strand()),
      recorder_(recorder),
      report_error_(std::move(report_error)),
      added_(std::move(added)),
      suspended_(absl::UnavailableError("the user function has not been reached yet")) {
  cluster.WatchNodes([this](cluster::Node& node) { Add(node); });
}

Gateway::~Gateway() { EndHeldCalls(absl::UnavailableError("the emulator has ended")); }

void Gateway::Add(cluster::Node& node) {
  auto router = std::make_unique<Router>(options_, strand_, node, recorder_, report_error_);
  if (specification_ != nullptr) router->Serve(specification_);
  if (!suspended_.ok()) router->Suspend(suspended_);
  Router& added = *router;
  if (activator_ != nullptr) {
    added.ReturnTo(activator_);
    activator_->Add(added);
  }
  {
    std::lock_guard lock(mutex_);
    routers_.push_back(std::move(router));
  }
  if (added_) added_(node, added);
}

// ---- the user function

void Gateway::Serve(std::shared_ptr<const userfunction::Specification> specification) {
  specification_ = std::move(specification);
  suspended_ = absl::OkStatus();
  for (const auto& router : routers_) router->Serve(specification_);
}

void Gateway::Suspend(const absl::Status& reason) {
  suspended_ = reason;
  for (const auto& router : routers_) router->Suspend(reason);
}

void Gateway::Serve(cluster::NodeId node, std::shared_ptr<const userfunction::Specification> specification) {
  At(node).Serve(std::move(specification));
  std::lock_guard lock(mutex_);
  served_last_ = static_cast<std::size_t>(node) - 1;
}

void Gateway::Suspend(cluster::NodeId node, const absl::Status& reason) { At(node).Suspend(reason); }

// ---- the activator

void Gateway::HoldCalls(Holding holding) {
  Activator::Options options;
  options.most = holding.most;
  options.longest = options_.relay_timeout;
  options.changed = std::move(holding.changed);
  {
    std::lock_guard lock(mutex_);
    activator_ = std::make_shared<Activator>(strand_, std::move(options), held_);
  }
  for (const auto& router : routers_) {
    router->ReturnTo(activator_);
    activator_->Add(*router);
  }
}

void Gateway::EndHeldCalls(const absl::Status& reason) {
  if (activator_ != nullptr) activator_->End(reason);
}

void Gateway::SetDispatch(bool activator_in_path, int most_at_once) {
  activator_->SetDispatch(activator_in_path, most_at_once);
  std::lock_guard lock(mutex_);
  by_activator_ = activator_in_path || most_at_once > 0;
}

// ---- calls

std::shared_ptr<const serving::Services> Gateway::CurrentServices() const {
  std::lock_guard lock(mutex_);
  return KnownServices();
}

std::shared_ptr<const serving::Services> Gateway::KnownServices() const {
  static const auto* const kNone = new std::shared_ptr<const serving::Services>(std::make_shared<serving::Services>());
  return routers_.empty() ? *kNone : routers_[served_last_]->CurrentServices();
}

absl::Status Gateway::Availability() const {
  std::lock_guard lock(mutex_);
  if (activator_ != nullptr && !KnownServices()->services.empty()) return absl::OkStatus();
  for (const auto& router : routers_) {
    if (router->Availability().ok()) return absl::OkStatus();
  }
  return routers_.empty() ? absl::UnavailableError("there is no node yet") : routers_.front()->Availability();
}

void Gateway::Start(serving::Call call, std::shared_ptr<serving::Responder> responder) {
  const absl::StatusOr<Choice> choice = Choose(call);
  if (!choice.ok()) {
    responder->Finish(choice.status());
  } else if (choice->router == nullptr) {
    Hold(std::move(call), std::move(responder));
  } else if (choice->only_there) {
    choice->router->Start(std::move(call), std::move(responder));
  } else {
    choice->router->StartAnywhere(std::move(call), std::move(responder));
  }
}

void Gateway::Hold(serving::Call request, std::shared_ptr<serving::Responder> responder) {
  auto call = ClientCall::Make(strand_, nullptr, recorder_, report_error_, std::move(responder));
  strand_.Post([activator = activator_, call = std::move(call), request = std::move(request)]() mutable {
    activator->Take(std::move(call), std::move(request));
  });
}

absl::StatusOr<Gateway::Choice> Gateway::Choose(const serving::Call& call) {
  std::lock_guard lock(mutex_);
  for (const MetadataEntry& entry : call.metadata.entries()) {
    if (entry.key() != serving::kNodeHeader) continue;
    std::uint32_t node = 0;
    if (!absl::SimpleAtoi(entry.string_value(), &node) || node == 0 || node > routers_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(serving::kNodeHeader, ": there is no node '", entry.string_value(),
                                                     "'; there are nodes 1 to ", routers_.size()));
    }
    return Choice{.router = routers_[node - 1].get(), .only_there = true};
  }
  if (by_activator_) return Choice{};
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    Router& candidate = *routers_[next_++ % routers_.size()];
    if (routers_.size() == 1 || candidate.Availability().ok()) return Choice{.router = &candidate};
  }
  if (activator_ != nullptr) return Choice{};
  return Choice{.router = routers_[next_++ % routers_.size()].get()};  // it tells why it can't
}

}  // namespace cloudstate::routing
