#include "emulator/simulation/chaos.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "emulator/base/chance.h"
#include "emulator/cluster/shard_table.h"
#include "emulator/simulation/scaling_part.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/scenario_times.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Chaos;
using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using dev::v1::Steering;

constexpr absl::Duration kEvery = absl::Seconds(5);
constexpr absl::Duration kLasting = absl::Seconds(4);
// What is shorter than a message's way is no fault.
constexpr absl::Duration kShortest = absl::Milliseconds(100);
// Where faults may overlap, this share of them begins while the one before it lasts.
constexpr double kOverlapping = 0.3;
constexpr int kMostAdded = 3;

// Replicas may be there or not: what is done to one that is not has no effect.
int MostNodesOf(const Scenario& scenario) {
  if (!scenario.has_scaling()) return NodesOf(scenario);
  const auto settings = ScalingSettingsOf(scenario.scaling());
  return settings.ok() ? settings->MaxScale() : 1;
}

// Makes up steps, from one fault to the next, and knows what is broken meanwhile.
class Writer {
 public:
  Writer(const Scenario& scenario, base::Random& random)
      : scenario_(scenario), random_(random), end_(DurationOf(scenario)), nodes_(MostNodesOf(scenario)) {
    for (const ScenarioStep& step : scenario.steps()) {
      if (step.steer().has_add_node()) ++added_by_steps_;
    }
  }

  std::vector<ScenarioStep> Write();

 private:
  using Fault = bool (Writer::*)();

  std::vector<Fault> Faults() const;
  // Each writes one fault that begins at `at_` and lasts until `until_`; false if there is none to have now.
  bool Kill() { return Stop(&Steering::mutable_kill); }
  bool Drain() { return Stop(&Steering::mutable_drain); }
  bool Stop(dev::v1::OneNode* (Steering::*action)());
  bool Pause();
  bool Partition();
  bool Cut();
  bool Slow();
  bool Lossy();
  bool Skew();
  bool Add();
  bool Move();
  bool Crash();
  bool Journal();

  // An average of it, sometimes much more: the times between what has nothing to do with each other.
  absl::Duration Exponential(absl::Duration mean) { return Rounded(-std::log(1 - base::Uniform(random_)) * mean); }
  // To whole milliseconds, which people can read.
  static absl::Duration Rounded(absl::Duration time) { return absl::Trunc(time, absl::Milliseconds(1)); }
  int AnyNode() { return 1 + static_cast<int>(base::Below(random_, static_cast<std::uint64_t>(nodes_))); }
  int AnyOtherNode(int node);
  double Share(double most) { return std::ceil(base::Uniform(random_) * most * 1000) / 1000; }
  // One of the running nodes, which counts as out of service until the fault has ended; 0 if a majority might be lost.
  int TakeNode();
  void SetLink(dev::v1::LinkSettings settings);

  Steering& StepAt(absl::Duration at, std::string note = "");

  const Scenario& scenario_;
  base::Random& random_;
  const absl::Duration end_;
  int nodes_;
  int added_ = 0;
  int added_by_steps_ = 0;
  absl::Duration at_;
  absl::Duration until_;
  std::map<int, absl::Duration> out_until_;  // nodes that are out of service
  absl::Duration journal_until_;
  absl::Duration crashed_until_;
  std::vector<ScenarioStep> steps_;
};

std::vector<ScenarioStep> Writer::Write() {
  const Chaos& chaos = scenario_.chaos();
  const absl::Duration every = chaos.has_every() ? base::FromDuration(chaos.every()) : kEvery;
  const absl::Duration lasting = chaos.has_lasting() ? base::FromDuration(chaos.lasting()) : kLasting;
  const std::vector<Fault> faults = Faults();
  const auto gap = [&] { return std::max(Exponential(every), absl::Milliseconds(1)); };
  at_ = gap();
  while (at_ + kShortest < end_) {
    until_ = std::min(end_, at_ + std::max(kShortest, Exponential(lasting)));
    const bool began = (this->*faults[base::Below(random_, faults.size())])();
    const bool overlaps = !began || base::Happens(random_, kOverlapping);
    at_ = (overlaps ? at_ : until_) + gap();
  }
  return std::move(steps_);
}

std::vector<Writer::Fault> Writer::Faults() const {
  // In the order of ChaosFaults.
  static constexpr Fault kAll[] = {&Writer::Kill, &Writer::Pause, &Writer::Partition, &Writer::Cut,
                                   &Writer::Slow, &Writer::Lossy, &Writer::Skew,      &Writer::Drain,
                                   &Writer::Add,  &Writer::Move,  &Writer::Crash,     &Writer::Journal};
  const auto& chosen = scenario_.chaos().faults();
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < ChaosFaults().size(); ++i) {
    const bool wanted = chosen.empty() || std::find(chosen.begin(), chosen.end(), ChaosFaults()[i]) != chosen.end();
    if (wanted) faults.push_back(kAll[i]);
  }
  return faults;
}

Steering& Writer::StepAt(absl::Duration at, std::string note) {
  ScenarioStep& step = steps_.emplace_back();
  *step.mutable_at() = base::ToDuration(at);
  step.set_note(std::move(note));
  return *step.mutable_steer();
}

int Writer::AnyOtherNode(int node) {
  const int other = 1 + static_cast<int>(base::Below(random_, static_cast<std::uint64_t>(nodes_ - 1)));
  return other < node ? other : other + 1;
}

int Writer::TakeNode() {
  int out = 0;
  for (const auto& [node, until] : out_until_) out += until >= at_ ? 1 : 0;
  if (2 * (out + 1) >= nodes_) return 0;
  const int node = AnyNode();
  absl::Duration& until = out_until_.try_emplace(node, absl::ZeroDuration()).first->second;
  if (until >= at_) return 0;
  until = until_;
  return node;
}

bool Writer::Stop(dev::v1::OneNode* (Steering::*action)()) {
  const int node = TakeNode();
  if (node == 0) return false;
  (StepAt(at_).*action)()->set_node(node);
  StepAt(until_).mutable_start()->set_node(node);
  return true;
}

bool Writer::Pause() {
  const int node = TakeNode();
  if (node == 0) return false;
  auto& pause = *StepAt(at_).mutable_pause();
  pause.set_node(node);
  *pause.mutable_for_() = base::ToDuration(until_ - at_);
  return true;
}

bool Writer::Partition() {
  if (nodes_ < 2) return false;
  const std::uint64_t count = nodes_ > 2 && base::Happens(random_, 0.2) ? 3 : 2;
  std::vector<dev::v1::NodeGroup> groups(count);
  for (int node = 1; node <= nodes_; ++node) groups[base::Below(random_, count)].add_nodes(node);
  std::erase_if(groups, [](const dev::v1::NodeGroup& group) { return group.nodes().empty(); });
  if (groups.size() < 2) return false;
  auto& partition = *StepAt(at_).mutable_partition();
  for (dev::v1::NodeGroup& group : groups) *partition.add_groups() = std::move(group);
  StepAt(until_).mutable_heal();
  return true;
}

bool Writer::Cut() {
  if (nodes_ < 2) return false;
  auto& cut = *StepAt(at_).mutable_cut();
  cut.set_from(AnyNode());
  cut.set_to(AnyOtherNode(cut.from()));
  StepAt(until_).mutable_heal();
  return true;
}

// For all links, those of one node, or one link; afterwards as at the start.
void Writer::SetLink(dev::v1::LinkSettings settings) {
  dev::v1::SetLink link;
  const std::uint64_t which = nodes_ < 2 ? 0 : base::Below(random_, 3);
  if (which > 0) link.set_from(AnyNode());
  if (which > 1) link.set_to(AnyOtherNode(link.from()));
  link.set_one_way(which > 0 && base::Happens(random_, 0.5));
  *link.mutable_settings() = std::move(settings);
  *StepAt(at_).mutable_link() = link;
  *link.mutable_settings() = scenario_.network();
  *StepAt(until_).mutable_link() = std::move(link);
}

bool Writer::Slow() {
  dev::v1::LinkSettings settings = scenario_.network();
  const std::uint64_t least = 1 + base::Below(random_, 100);
  const std::uint64_t mean = 10 + base::Below(random_, 500);
  settings.set_latency(absl::StrCat("exponential(", least, "ms, ", mean, "ms)"));
  SetLink(std::move(settings));
  return true;
}

bool Writer::Lossy() {
  dev::v1::LinkSettings settings = scenario_.network();
  settings.set_loss(Share(0.3));
  if (base::Happens(random_, 0.5)) settings.set_duplicate(Share(0.3));
  if (base::Happens(random_, 0.5)) settings.set_reorder(Share(0.5));
  SetLink(std::move(settings));
  return true;
}

bool Writer::Skew() {
  constexpr std::uint64_t kMostMilliseconds = 60'000;
  auto& skew = *StepAt(at_).mutable_skew();
  skew.set_node(AnyNode());
  const int node = skew.node();
  const auto by = absl::Milliseconds(1 + base::Below(random_, kMostMilliseconds));
  *skew.mutable_by() = base::ToDuration(base::Happens(random_, 0.5) ? by : -by);
  auto& back = *StepAt(until_).mutable_skew();
  back.set_node(node);
  back.mutable_by();
  return true;
}

bool Writer::Add() {
  if (added_ >= kMostAdded || nodes_ + added_by_steps_ >= kMostScenarioNodes) return false;
  StepAt(at_).mutable_add_node();
  ++added_;
  // Where the scenario's own steps add nodes as well, it is not known which number the new one gets.
  if (added_by_steps_ == 0) ++nodes_;
  until_ = at_;
  return true;
}

bool Writer::Move() {
  auto& move = *StepAt(at_).mutable_move_shard();
  move.set_shard(static_cast<int>(base::Below(random_, cluster::kShards)));
  move.set_to(AnyNode());
  until_ = at_;
  return true;
}

bool Writer::Crash() {
  // A cluster that crashes again before it has come up shows nothing new.
  if (at_ < crashed_until_) return false;
  crashed_until_ = at_ + absl::Seconds(5);
  StepAt(at_).mutable_crash_all();
  until_ = at_;
  return true;
}

bool Writer::Journal() {
  if (at_ <= journal_until_) return false;
  journal_until_ = until_;
  dev::v1::JournalFaults faults = scenario_.journal();
  if (base::Happens(random_, 0.5)) {
    faults.set_write_failures(Share(0.5));
    if (base::Happens(random_, 0.3)) faults.set_read_failures(Share(0.2));
  } else {
    faults.set_write_latency(absl::StrCat("uniform(1ms, ", 10 + base::Below(random_, 1000), "ms)"));
  }
  *StepAt(at_).mutable_journal() = std::move(faults);
  *StepAt(until_).mutable_journal() = scenario_.journal();
  return true;
}

}  // namespace

Scenario WriteOutChaos(Scenario scenario, base::Random& random) {
  if (!scenario.has_chaos()) return scenario;
  std::vector<ScenarioStep> steps(scenario.steps().begin(), scenario.steps().end());
  for (ScenarioStep& step : Writer(scenario, random).Write()) steps.push_back(std::move(step));
  std::stable_sort(steps.begin(), steps.end(), [](const ScenarioStep& one, const ScenarioStep& other) {
    return base::FromDuration(one.at()) < base::FromDuration(other.at());
  });
  scenario.clear_chaos();
  scenario.mutable_steps()->Assign(steps.begin(), steps.end());
  return scenario;
}

}  // namespace cloudstate::simulation
