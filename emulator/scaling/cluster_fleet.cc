#include "emulator/scaling/cluster_fleet.h"

#include <algorithm>
#include <ranges>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/scaling/node_report.h"

namespace cloudstate::scaling {
namespace {

// What could not be done is tried again when something happens, and at least after this time.
constexpr absl::Duration kTryAgain = absl::Milliseconds(500);

std::string Name(cluster::NodeId id) { return absl::StrCat("node ", ToString(id)); }

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
  if (ended_) return;
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
  const std::uint64_t up_life = replicas_.at(id).up_life;
  const bool was_up = up_life != 0 && up_life == cluster_.Find(id)->incarnation();
  if (was_up && IsAlone(NodeId::kNone)) left_last_ = id;
  replicas_.erase(id);
  Tell(id, text);
  Wake();  // others may have waited for it
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
  if (ended_) return;
  for (const auto& [id, node] : cluster_.nodes()) {
    if (IsAlive(id) && !replicas_.contains(id)) Add(id);
  }
  std::vector<NodeId> ids;
  for (const auto& [id, replica] : replicas_) ids.push_back(id);
  for (const NodeId id : ids) Advance(id);
  // The youngest first, while the older ones are still there.
  for (auto& [id, replica] : std::views::reverse(replicas_)) {
    if (!replica.drains) continue;
    if (!Leaves(id, replica)) {
      Leave(id, replica);
    } else if (replica.last_life != replica.leaving_life && cluster_.Find(id)->is_leaving() && IsAlone(id)) {
      LeaveAlone(id, replica);
    }
  }
  PreferLeftLast();
  RestartJoining();
}

void ClusterFleet::Advance(NodeId id) {
  Replica& replica = replicas_.at(id);
  const cluster::Node& node = *cluster_.Find(id);
  if (!IsAlive(id) && (replica.lived || replica.drains)) {
    Remove(id, replica.lived && node.state() == "stopped" ? "was killed" : "has gone");
    return;
  }
  if (IsAlive(id)) replica.lived = true;
  if (IsUp(id) || node.is_leaving()) replica.up_life = node.incarnation();
  if (node.is_leaving()) {
    replica.drains = true;
    replica.leaving_life = node.incarnation();
  }
  if (node.state() == "removed" && replica.lived) Wake();  // its life ends in a task that is under way
  if (!replica.lived && replica.served) BeginLife(id);
  NoticeStage(id, replica);
}

void ClusterFleet::BeginLife(NodeId id) {
  const bool alone = IsAlone(id);
  if (alone && id != left_last_ && replicas_.contains(left_last_)) return;  // that one first, which knows most
  const auto begun = alone ? cluster_.StartAlone(id) : cluster_.StartAgain(id);
  if (!begun.ok()) return TryAgainLater();
  replicas_.at(id).lived = true;
  if (alone) left_last_ = NodeId::kNone;
}

// The last one stays until all others have gone: what they have still goes to it. One that is joining has nothing that
// others need.
void ClusterFleet::Leave(NodeId id, Replica& replica) {
  const bool is_joining = cluster_.Find(id)->state() == "joining";
  if (!IsUp(id) && !is_joining) return;
  const bool others_stay = std::ranges::any_of(replicas_, [&](const auto& each) {
    return each.first != id && IsUp(each.first) && !Leaves(each.first, each.second);
  });
  if (!is_joining && !others_stay) {
    if (IsAlone(id)) LeaveAlone(id, replica);
    return;
  }
  if (!cluster_.Drain(id).ok()) return TryAgainLater();
  replica.leaving_life = cluster_.Find(id)->incarnation();
}

// It may be leaving already: then the others that it was to hand over to have gone.
void ClusterFleet::LeaveAlone(NodeId id, Replica& replica) {
  if (!cluster_.DrainLast(id).ok()) return TryAgainLater();
  replica.leaving_life = cluster_.Find(id)->incarnation();
  replica.last_life = replica.leaving_life;
}

// Where the last one has left while others were still starting, the youngest of those gives way to it: it knows most of
// CRDT entities.
void ClusterFleet::PreferLeftLast() {
  if (left_last_ == NodeId::kNone || replicas_.contains(left_last_) || !IsAlone(NodeId::kNone)) return;
  const auto youngest_first = std::views::reverse(replicas_);
  const auto chosen =
      std::ranges::find_if(youngest_first, [](const auto& each) { return !each.second.served && !each.second.drains; });
  if (chosen == youngest_first.end()) return;
  Remove(chosen->first, absl::StrCat("gives way to ", Name(left_last_), ", which left last"));
  Add(left_last_);
}

// A node that joins waits for a member to let it in, and the last of those may have gone meanwhile.
void ClusterFleet::RestartJoining() {
  const auto is_joining = [this](NodeId id) { return cluster_.Find(id)->state() == "joining"; };
  if (std::ranges::any_of(cluster_.nodes(),
                          [&](const auto& each) { return each.second->is_alive() && !is_joining(each.first); })) {
    return;
  }
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

void ClusterFleet::NoticeStage(NodeId id, Replica& replica) {
  const Stage stage = replica.drains    ? Stage::kDraining
                      : !replica.served ? Stage::kStarting
                      : IsUp(id)        ? Stage::kReady
                                        : Stage::kJoining;
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
  if (replica.cold_start.has_value()) return Tell(id, "is ready again", replica.cold_start);
  replica.cold_start = strand_.Now() - replica.decided;
  Tell(id,
       absl::StrCat("is ready, ", absl::FormatDuration(absl::Trunc(*replica.cold_start, absl::Milliseconds(1))),
                    " after it was asked for"),
       replica.cold_start);
}

void ClusterFleet::Tell(NodeId id, const std::string& text, std::optional<absl::Duration> cold_start) const {
  if (watcher_.replica) watcher_.replica(static_cast<std::uint32_t>(id), absl::StrCat(Name(id), " ", text), cold_start);
}

// ---- what there is

bool ClusterFleet::IsAlive(NodeId id) const {
  const cluster::Node* node = cluster_.Find(id);
  return node != nullptr && node->is_alive();
}

bool ClusterFleet::Leaves(NodeId id, const Replica& replica) const {
  const cluster::Node& node = *cluster_.Find(id);
  return replica.leaving_life == node.incarnation() && node.state() != "down";  // which begins anew
}

bool ClusterFleet::IsUp(NodeId id) const { return cluster_.Find(id)->state() == "up"; }

bool ClusterFleet::IsAlone(NodeId id) const {
  return std::ranges::none_of(cluster_.nodes(),
                              [id](const auto& each) { return each.first != id && each.second->is_alive(); });
}

Fleet::Counts ClusterFleet::counts() const {
  Counts counts;
  for (const auto& [id, replica] : replicas_) {
    ++(replica.stage == Stage::kReady      ? counts.ready
       : replica.stage == Stage::kDraining ? counts.draining
                                           : counts.starting);
  }
  return counts;
}

ClusterFleet::Readings ClusterFleet::Read(NodeId id) const {
  Readings readings{.at = strand_.Now(), .load = {}};
  readings.load = cluster_.Find(id)->load().Read(readings.at);
  // The published proxy has its limit within itself: what waits for a place is a request of it already.
  readings.load.requests.integral += gateway_.waiting(id).Read(readings.at).integral;
  return readings;
}

ClusterFleet::Readings ClusterFleet::ReadActivator() const {
  Readings readings{.at = strand_.Now(), .load = {}};
  readings.load.requests = gateway_.held().Read(readings.at);
  for (const auto& [id, node] : cluster_.nodes()) {
    readings.load.requests.integral -= gateway_.waiting(id).Read(readings.at).integral;
  }
  return readings;
}

std::vector<NodeReport> ClusterFleet::TakeReports() {
  std::vector<NodeReport> reports;
  const auto add = [&](std::uint32_t node, Readings& before, const Readings& after) {
    const absl::Duration length = after.at - before.at;
    if (length <= absl::ZeroDuration()) return false;
    reports.push_back(ReportOf(node, before.load, after.load, after.at, length));
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
    result.set_state(kStages[static_cast<std::size_t>(replica.stage)]);
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
