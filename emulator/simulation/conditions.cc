#include "emulator/simulation/conditions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/scenario_times.h"
#include "emulator/simulation/virtual_strand.h"

namespace cloudstate::simulation {
namespace {

constexpr absl::Duration kProbeDeadline = absl::Seconds(5);

std::string Seconds(absl::Duration time) { return absl::StrCat(absl::ToDoubleSeconds(time), " s"); }

}  // namespace

void Conditions::Add(const dev::v1::ScenarioStep& step) {
  Watched watched;
  watched.since = strand_.Now();
  watched.until = absl::InfiniteFuture();
  watched.first_operation = clients_.operations().size();
  switch (step.what_case()) {
    case dev::v1::ScenarioStep::kAlways:
      watched.condition = step.always();
      break;
    case dev::v1::ScenarioStep::kEventually:
      watched.kind = Kind::kEventually;
      watched.condition = step.eventually();
      break;
    case dev::v1::ScenarioStep::kWithin:
      watched.kind = Kind::kEventually;
      watched.condition = step.within().that();
      watched.until = watched.since + base::FromDuration(step.within().time());
      break;
    case dev::v1::ScenarioStep::kThroughout:
      watched.kind = Kind::kThroughout;
      watched.condition = step.throughout().that();
      watched.until = watched.since + base::FromDuration(step.throughout().time());
      break;
    case dev::v1::ScenarioStep::kSteer:
    case dev::v1::ScenarioStep::kLoad:
    case dev::v1::ScenarioStep::kScale:
    case dev::v1::ScenarioStep::WHAT_NOT_SET:
      return;
  }
  watched_.push_back(std::move(watched));
  Check(watched_.back());
}

void Conditions::Check() {
  for (Watched& each : watched_) Check(each);
}

void Conditions::Check(Watched& watched) {
  if (watched.done) return;
  if (watched.kind == Kind::kThroughout && strand_.Now() >= watched.until) watched.last_look = true;
  const std::optional<bool> holds = Holds(watched, watched.condition);
  if (watched.kind == Kind::kEventually) {
    watched.done = holds == true;
    if (!watched.done && strand_.Now() >= watched.until) {
      Violated(watched, absl::StrCat("did not come true within ", Seconds(watched.until - watched.since), " of"));
    }
    return;
  }
  if (holds == false) {
    Violated(watched, absl::StrCat("did not hold ", Seconds(strand_.Now() - watched.since), " after"));
  } else if (watched.last_look && !Asks(watched)) {
    watched.done = true;
  }
}

bool Conditions::Asks(const Watched& watched) {
  return std::ranges::any_of(watched.probes, [](const auto& each) { return each.second.open; });
}

bool Conditions::asking() const {
  return std::ranges::any_of(watched_, [](const Watched& each) { return !each.done && Asks(each); });
}

bool Conditions::waiting() const {
  return std::ranges::any_of(watched_,
                             [](const Watched& each) { return each.kind == Kind::kEventually && !each.done; });
}

void Conditions::End() {
  for (Watched& each : watched_) each.last_look = true;
  Check();
  for (Watched& each : watched_) {
    if (each.kind == Kind::kEventually && !each.done) Violated(each, "never came true after");
  }
}

std::optional<bool> Conditions::Holds(Watched& watched, const dev::v1::Condition& condition) {
  const auto find = [&](int node) { return cluster_.Find(static_cast<cluster::NodeId>(node)); };
  switch (condition.kind_case()) {
    case dev::v1::Condition::kNodeIs: {
      const cluster::Node* node = find(condition.node_is().node());
      return node != nullptr && node->state() == condition.node_is().state();
    }
    case dev::v1::Condition::kNodesUp:
      return std::ranges::count_if(cluster_.nodes(), [](const auto& each) { return each.second->state() == "up"; }) ==
             condition.nodes_up();
    case dev::v1::Condition::kConverged:
      return cluster_.Converged() == condition.converged();
    case dev::v1::Condition::kNodeSees:
      return Sees(condition.node_sees());
    case dev::v1::Condition::kAnswers: {
      const auto status = Ask(watched, condition, condition.answers().node());
      return status.has_value() ? std::optional(status->ok()) : std::nullopt;
    }
    case dev::v1::Condition::kRefuses: {
      const auto status = Ask(watched, condition, condition.refuses().node());
      if (!status.has_value()) return std::nullopt;
      return absl::StatusCodeToString(status->code()) == condition.refuses().code();
    }
    case dev::v1::Condition::kShards: {
      const cluster::Node* node = find(condition.shards().node());
      const int owned = node == nullptr ? 0 : static_cast<int>(node->owned_shards().size());
      return owned >= condition.shards().at_least() &&
             (!condition.shards().has_at_most() || owned <= condition.shards().at_most());
    }
    case dev::v1::Condition::kAllOf:
      return HoldsAll(watched, condition.all_of());
    case dev::v1::Condition::kNot: {
      const std::optional<bool> holds = Holds(watched, condition.not_());
      return holds.has_value() ? std::optional(!*holds) : std::nullopt;
    }
    case dev::v1::Condition::kFailedCalls:
      return FailedCalls(watched.first_operation) <= condition.failed_calls().at_most();
    case dev::v1::Condition::kReplicas: {
      const dev::v1::ReadyReplicas& replicas = condition.replicas();
      const int ready = ready_();
      return ready >= replicas.at_least() && (!replicas.has_at_most() || ready <= replicas.at_most());
    }
    case dev::v1::Condition::KIND_NOT_SET:
      return true;
  }
  return true;
}

std::optional<bool> Conditions::HoldsAll(Watched& watched, const dev::v1::AllOf& all) {
  std::optional<bool> result = true;
  for (const dev::v1::Condition& each : all.conditions()) {
    const std::optional<bool> holds = Holds(watched, each);
    if (holds == false) return false;
    if (!holds.has_value()) result = std::nullopt;
  }
  return result;
}

// What the last read was answered; the look after its answer begins the next one.
std::optional<absl::Status> Conditions::Ask(Watched& watched, const dev::v1::Condition& condition, int node) {
  Probe& probe = watched.probes[&condition];
  if (!probe.open && (!watched.last_look || !probe.last.has_value())) {
    probe.open = true;
    clients_.Probe(static_cast<std::uint32_t>(node), kProbeDeadline, [&probe](absl::Status status) {
      probe.open = false;
      probe.last = std::move(status);
    });
  }
  return probe.last;
}

bool Conditions::Sees(const dev::v1::NodeSees& sees) const {
  const cluster::Node* node = cluster_.Find(static_cast<cluster::NodeId>(sees.node()));
  const auto peer = static_cast<cluster::NodeId>(sees.peer());
  if (node == nullptr || node->membership() == nullptr) return false;
  const auto record = node->membership()->view().find(peer);
  if (record == node->membership()->view().end()) return false;
  if (sees.as() == "reachable") return node->membership()->IsReachable(peer);
  if (sees.as() == "unreachable") return !node->membership()->IsReachable(peer);
  return StateName(record->second.state) == sees.as();
}

// A side effect has no answer of its own, and client 0 is the probes'.
int Conditions::FailedCalls(std::size_t first_operation) const {
  int failed = 0;
  for (std::size_t i = first_operation; i < clients_.operations().size(); ++i) {
    const Operation& operation = clients_.operations()[i];
    const bool ended =
        operation.outcome == Operation::Outcome::kFailed || operation.outcome == Operation::Outcome::kUnknown;
    if (ended && operation.has_version && operation.client != 0) ++failed;
  }
  return failed;
}

void Conditions::Violated(Watched& watched, const std::string& how) {
  watched.done = true;
  violations_.push_back(
      {"condition", absl::StrCat(ConditionText(watched.condition), " ", how, " ",
                                 Seconds(watched.since - VirtualStrand::Beginning()), ", when it was asked for")});
}

}  // namespace cloudstate::simulation
