#include "emulator/scaling/cluster_fleet.h"

#include <algorithm>
#include <ranges>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::scaling {
namespace {

// What could not be done is tried again when something happens, and at least after this time.
constexpr absl::Duration kTryAgain = absl::Milliseconds(500);

std::string Name(cluster::NodeId id) { return absl::StrCat("node ", ToString(id)); }

Usage Difference(const trace::LoadMeter::Reading& before, const trace::LoadMeter::Reading& after,
                 absl::Duration length) {
  return {.concurrency = absl::FDivDuration(after.integral - before.integral, length),
          .time = after.time - before.time,
          .count = after.ended - before.ended};
}

dev::v1::Usage ToProto(const Usage& usage) {
  dev::v1::Usage result;
  result.set_concurrency(usage.concurrency);
  result.set_count(usage.count);
  *result.mutable_time() = base::ToDuration(usage.time);
  return result;
}

dev::v1::NodeLoad ToProto(const NodeReport& report) {
  dev::v1::NodeLoad load;
  *load.mutable_length() = base::ToDuration(report.length);
  *load.mutable_requests() = ToProto(report.requests);
  *load.mutable_user_function() = ToProto(report.user_function);
  *load.mutable_journal() = ToProto(report.journal);
  return load;
}

}  // namespace

ClusterFleet::ClusterFleet(base::Strand& strand, cluster::Cluster& cluster, routing::Gateway& gateway, Supply& supply,
                           std::size_t most_held)
    : strand_(strand), cluster_(cluster), gateway_(gateway), supply_(supply) {
  gateway_.HoldCalls({.most = most_held, .changed = lifetime_.Guard([this](std::int64_t held) {
                        if (watcher_.held) watcher_.held(held);
                      })});
  activator_before_ = ReadActivator();
  watch_ = cluster_.events().Watch([this](const cluster::ClusterEvent& event) {
    if (event.kind == "state" || event.kind == "steered") Wake();
  });
}

ClusterFleet::~ClusterFleet() {
  cluster_.events().Unwatch(watch_);
  strand_.Cancel(again_);
}

// ---- more and fewer

void ClusterFleet::Resize(int wanted) {
  const int most = std::clamp(wanted, 0, static_cast<int>(cluster::Cluster::kMostNodes));
  auto staying =
      static_cast<int>(std::ranges::count_if(replicas_, [](const auto& each) { return !each.second.drains; }));
  for (; staying < most; ++staying) {
    if (!CallBack() && !StartOne()) break;
  }
  for (; staying > most; --staying) DropOne();
}

// One that was to go, and does not know yet.
bool ClusterFleet::CallBack() {
  const auto found = std::ranges::find_if(
      replicas_, [this](const auto& each) { return each.second.drains && !Leaves(each.first, each.second); });
  if (found == replicas_.end()) return false;
  found->second.drains = false;
  NoticeStage(found->first, found->second);
  return true;
}

bool ClusterFleet::StartOne() {
  const std::optional<NodeId> vacant = Vacant();
  if (!vacant.has_value() || !cluster_.MakeUpTo(*vacant).ok()) return false;
  Add(*vacant);
  return true;
}

// The lowest number without a life; from zero the one that left last, which knows most.
std::optional<cluster::NodeId> ClusterFleet::Vacant() const {
  const auto is_vacant = [this](NodeId id) { return !replicas_.contains(id) && !IsAlive(id); };
  const bool from_zero = std::ranges::all_of(replicas_, [](const auto& each) { return each.second.drains; });
  if (from_zero && left_last_ != NodeId::kNone && is_vacant(left_last_)) return left_last_;
  for (std::uint32_t number = 1; number <= cluster::Cluster::kMostNodes; ++number) {
    if (is_vacant(NodeId{number})) return NodeId{number};
  }
  return std::nullopt;
}

void ClusterFleet::Add(NodeId id) {
  replicas_[id] = {.decided = strand_.Now(), .since = strand_.WallTime()};
  Tell(id, "is starting");
  supply_.Start(id,
                {.ready = lifetime_.Guard([this, id](std::shared_ptr<userfunction::Connection> connection,
                                                     std::shared_ptr<const userfunction::Specification> specification,
                                                     entities::ReplayFrom replay_from) {
                   OnReady(id, std::move(connection), std::move(specification), replay_from);
                 }),
                 .lost = lifetime_.Guard([this, id](const absl::Status& reason) { OnLost(id, reason); })});
}

void ClusterFleet::DropOne() {
  const auto stays = [](const auto& each) { return !each.second.drains; };
  const auto youngest_first = std::views::reverse(replicas_);
  auto chosen =
      std::ranges::find_if(youngest_first, [&](const auto& each) { return stays(each) && !each.second.lived; });
  if (chosen != youngest_first.end()) {
    Remove(chosen->first, "is not needed any more; it had not become ready");
    return;
  }
  chosen = std::ranges::find_if(youngest_first, stays);
  chosen->second.drains = true;
  NoticeStage(chosen->first, chosen->second);
  Wake();
}

void ClusterFleet::Remove(NodeId id, const std::string& text) {
  const absl::Status reason = absl::UnavailableError(absl::StrCat("the replica of ", Name(id), " has gone"));
  supply_.Stop(id);
  cluster_.Disconnect(id, reason);
  gateway_.Suspend(id, reason);
  if (replicas_.at(id).lived) left_last_ = id;
  replicas_.erase(id);
  Tell(id, text);
}

// ---- its user function

void ClusterFleet::OnReady(NodeId id, std::shared_ptr<userfunction::Connection> connection,
                           std::shared_ptr<const userfunction::Specification> specification,
                           entities::ReplayFrom replay_from) {
  replicas_.at(id).served = true;
  cluster_.Connect(id, std::move(connection), specification, replay_from);
  gateway_.Serve(id, std::move(specification));
  Wake();
}

void ClusterFleet::OnLost(NodeId id, const absl::Status& reason) {
  if (std::exchange(replicas_.at(id).served, false)) cluster_.Disconnect(id, reason);
  gateway_.Suspend(id, reason);
  Wake();
}

// ---- what becomes of them

// What is told comes from within nodes, which cannot be steered from there.
void ClusterFleet::Wake() {
  if (std::exchange(woken_, true)) return;
  strand_.Post(lifetime_.Guard([this] {
    woken_ = false;
    Look();
  }));
}

void ClusterFleet::Look() {
  for (const auto& [id, node] : cluster_.nodes()) {
    if (IsAlive(id) && !replicas_.contains(id)) Add(id);
  }
  std::vector<NodeId> ids;
  for (const auto& [id, replica] : replicas_) ids.push_back(id);
  for (const NodeId id : ids) Advance(id);
  // The youngest first, while the older ones are still there.
  for (auto& [id, replica] : std::views::reverse(replicas_)) {
    if (replica.drains && !Leaves(id, replica)) Leave(id, replica);
  }
}

void ClusterFleet::Advance(NodeId id) {
  Replica& replica = replicas_.at(id);
  const cluster::Node& node = *cluster_.Find(id);
  if (!IsAlive(id) && (replica.lived || replica.drains)) {
    Remove(id, replica.lived && node.state() == "stopped" ? "was killed" : "has gone");
    RestartJoining();
    return;
  }
  if (IsAlive(id)) replica.lived = true;
  if (node.state() == "leaving") {
    replica.drains = true;
    replica.leaving_life = node.incarnation();
  }
  if (node.state() == "removed" && replica.lived) Wake();  // its life ends in a task that is under way
  if (!replica.lived && replica.served) BeginLife(id);
  NoticeStage(id, replica);
}

void ClusterFleet::BeginLife(NodeId id) {
  const bool alone = !AnyOther(id, [this](NodeId other) { return IsAlive(other); });
  const auto begun = alone ? cluster_.StartAlone(id) : cluster_.StartAgain(id);
  if (!begun.ok()) return TryAgainLater();
  replicas_.at(id).lived = true;
}

// The last one stays until all others have gone: what they have still goes to it.
void ClusterFleet::Leave(NodeId id, Replica& replica) {
  if (!IsUp(id)) return;
  const bool others_up = AnyOther(id, [this](NodeId other) { return IsUp(other); });
  if (!others_up && AnyOther(id, [this](NodeId other) { return IsAlive(other); })) return;
  const auto begun = others_up ? cluster_.Drain(id) : cluster_.DrainLast(id);
  if (begun.ok()) {
    replica.leaving_life = cluster_.Find(id)->incarnation();
  } else {
    TryAgainLater();
  }
}

// A node that joins waits for a member to let it in, and the last of those may have left meanwhile.
void ClusterFleet::RestartJoining() {
  const auto is_joining = [this](NodeId id) { return IsAlive(id) && cluster_.Find(id)->state() == "joining"; };
  if (AnyOther(NodeId::kNone, [&](NodeId id) { return IsAlive(id) && !is_joining(id); })) return;
  for (auto& [id, replica] : replicas_) {
    if (!is_joining(id) || !cluster_.Kill(id).ok()) continue;
    replica.lived = false;
    Wake();
  }
}

void ClusterFleet::TryAgainLater() {
  if (again_ != base::TimerId::kNone) return;
  again_ = strand_.After(kTryAgain, [this] {
    again_ = base::TimerId::kNone;
    Wake();
  });
}

ClusterFleet::Stage ClusterFleet::StageOf(NodeId id, const Replica& replica) const {
  if (replica.drains) return Stage::kDraining;
  if (!replica.served) return Stage::kStarting;
  return IsUp(id) ? Stage::kReady : Stage::kJoining;
}

void ClusterFleet::NoticeStage(NodeId id, Replica& replica) {
  const Stage stage = StageOf(id, replica);
  if (stage == replica.stage) return;
  replica.stage = stage;
  replica.since = strand_.WallTime();
  switch (stage) {
    case Stage::kStarting:
      return Tell(id, "has lost its user function");
    case Stage::kJoining:
      return Tell(id, "is joining");
    case Stage::kDraining:
      return Tell(id, "is draining");
    case Stage::kReady:
      break;
  }
  replica.before = Read(id);
  if (replica.cold_start.has_value()) return Tell(id, "is ready again");
  replica.cold_start = strand_.Now() - replica.decided;
  Tell(id, absl::StrCat("is ready, ", absl::FormatDuration(absl::Trunc(*replica.cold_start, absl::Milliseconds(1))),
                        " after it was asked for"));
}

void ClusterFleet::Tell(NodeId id, const std::string& text) const {
  if (watcher_.replica) watcher_.replica(static_cast<std::uint32_t>(id), absl::StrCat(Name(id), " ", text));
}

// ---- what there is

// Or about to begin another life by itself.
bool ClusterFleet::IsAlive(NodeId id) const {
  const cluster::Node* node = cluster_.Find(id);
  return node != nullptr && (node->membership() != nullptr || node->state() == "down");
}

bool ClusterFleet::Leaves(NodeId id, const Replica& replica) const {
  return replica.leaving_life == cluster_.Find(id)->incarnation();
}

bool ClusterFleet::IsUp(NodeId id) const { return cluster_.Find(id)->state() == "up"; }

template <typename Fits>
bool ClusterFleet::AnyOther(NodeId id, Fits fits) const {
  return std::ranges::any_of(cluster_.nodes(), [&](const auto& each) { return each.first != id && fits(each.first); });
}

Fleet::Counts ClusterFleet::counts() const {
  Counts counts;
  for (const auto& [id, replica] : replicas_) {
    const Stage stage = StageOf(id, replica);
    ++(stage == Stage::kReady ? counts.ready : stage == Stage::kDraining ? counts.draining : counts.starting);
  }
  return counts;
}

ClusterFleet::Readings ClusterFleet::Read(NodeId id) const {
  const absl::Time now = strand_.Now();
  return {.at = now, .load = cluster_.Find(id)->load().Read(now)};
}

ClusterFleet::Readings ClusterFleet::ReadActivator() const {
  Readings readings{.at = strand_.Now(), .load = {}};
  readings.load.requests = gateway_.held().Read(readings.at);
  return readings;
}

std::vector<NodeReport> ClusterFleet::TakeReports() {
  std::vector<NodeReport> reports;
  const auto add = [&](std::uint32_t node, Readings& before, const Readings& after) {
    const absl::Duration length = after.at - before.at;
    if (length <= absl::ZeroDuration()) return false;
    reports.push_back({.node = node,
                       .end = after.at,
                       .length = length,
                       .requests = Difference(before.load.requests, after.load.requests, length),
                       .user_function = Difference(before.load.user_function, after.load.user_function, length),
                       .journal = Difference(before.load.journal, after.load.journal, length)});
    before = after;
    return true;
  };
  for (auto& [id, replica] : replicas_) {
    if (replica.stage != Stage::kReady) continue;
    if (add(static_cast<std::uint32_t>(id), replica.before, Read(id))) replica.report = reports.back();
  }
  add(0, activator_before_, ReadActivator());
  return reports;
}

std::vector<dev::v1::Replica> ClusterFleet::Describe() const {
  static constexpr const char* kStages[] = {"starting", "joining", "ready", "draining"};
  std::vector<dev::v1::Replica> described;
  for (const auto& [id, replica] : replicas_) {
    dev::v1::Replica& result = described.emplace_back();
    result.set_node(static_cast<std::int32_t>(id));
    result.set_state(kStages[static_cast<std::size_t>(StageOf(id, replica))]);
    *result.mutable_since() = base::ToTimestamp(replica.since);
    const Supply::Process process = supply_.Describe(id);
    result.set_pid(process.pid);
    result.set_user_function_address(process.address);
    if (replica.cold_start.has_value()) *result.mutable_cold_start() = base::ToDuration(*replica.cold_start);
    result.set_open_calls(static_cast<std::int64_t>(cluster_.Find(id)->open_calls()));
    if (replica.report.has_value()) *result.mutable_load() = ToProto(*replica.report);
  }
  return described;
}

}  // namespace cloudstate::scaling
