#include "emulator/runtime/scaled_user_functions.h"

#include <utility>

#include "emulator/base/real_strand.h"

namespace cloudstate::runtime {
ScaledUserFunctions::ScaledUserFunctions(const Settings& settings, const UserFunctionPlace& place, base::Strand& strand,
                                         cluster::Cluster& cluster, routing::Gateway& gateway,
                                         journal::SqliteJournal& journal, FaultBook& faults, Observer& observer)
    : settings_(settings),
      strand_(strand),
      cluster_(cluster),
      gateway_(gateway),
      observer_(observer),
      initial_(settings.scaling.InitialReplicas(static_cast<int>(settings.nodes))) {
  if (settings_.command.empty()) {
    ShareOne(place, journal, faults);
  } else {
    processes_ = std::make_unique<ProcessSupply>(settings_, strand_, journal, faults, observer_);
  }
}

void ScaledUserFunctions::ShareOne(const UserFunctionPlace& place, journal::SqliteJournal& journal, FaultBook& faults) {
  shared_ = std::make_unique<SharedSupply>(strand_, place.address, settings_.scaling.cold_start);
  link_ = std::make_unique<UserFunctionLink>(
      settings_, place, strand_, journal, faults, observer_,
      UserFunctionLink::Listener{.ready =
                                     [this](std::shared_ptr<userfunction::Connection> connection,
                                            std::shared_ptr<const userfunction::Specification> specification,
                                            entities::ReplayFrom replay_from) {
                                       // What is served is known from now on, so that calls wait for the first replica.
                                       gateway_.Serve(specification);
                                       gateway_.Suspend(absl::UnavailableError("no replica is ready yet"));
                                       shared_->Ready(std::move(connection), specification, replay_from);
                                       observer_.OnReady(*specification);
                                     },
                                 .lost = [this](const absl::Status& reason) { shared_->Lost(reason); }});
}

void ScaledUserFunctions::MakeNodes() {
  scaling::Supply& supply = processes_ != nullptr ? static_cast<scaling::Supply&>(*processes_) : *shared_;
  fleet_ = std::make_unique<scaling::ClusterFleet>(strand_, cluster_, gateway_, supply,
                                                   static_cast<std::size_t>(settings_.scaling.activator_queue));
  cluster_.StartEmpty(static_cast<std::size_t>(initial_));
  scaler_ = std::make_unique<scaling::Scaler>(settings_.scaling, initial_, processes_ != nullptr, strand_, *fleet_);
  scaler_->Watch([this](const dev::v1::ScalingEvent& event) { observer_.OnScaling(event); });
}

absl::Status ScaledUserFunctions::Start() { return processes_ != nullptr ? processes_->Open() : link_->Start(); }

void ScaledUserFunctions::Stop() {
  base::RunOn(strand_, [this] {
    scaler_ = nullptr;
    fleet_ = nullptr;
  });
  if (link_ != nullptr) link_->Stop();
  base::RunOn(strand_, [this] { shared_ = nullptr; });  // its timers are the strand's
  if (processes_ != nullptr) processes_->EndAll();
}

void ScaledUserFunctions::ReportError(const std::string& text) {
  if (link_ != nullptr) {
    link_->ReportError(text);
  } else {
    processes_->ReportError(text);
  }
}

dev::v1::UserFunction ScaledUserFunctions::Describe() const {
  return link_ != nullptr ? link_->Describe() : processes_->DescribeAny();
}

std::shared_ptr<const userfunction::Specification> ScaledUserFunctions::specification() const {
  return link_ != nullptr ? link_->specification() : processes_->specification();
}

}  // namespace cloudstate::runtime
