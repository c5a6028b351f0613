#include "emulator/simulation/simulator.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/cluster/cluster.h"
#include "emulator/routing/gateway.h"
#include "emulator/routing/steering.h"
#include "emulator/simulation/chaos.h"
#include "emulator/simulation/clients.h"
#include "emulator/simulation/conditions.h"
#include "emulator/simulation/scenario_settings.h"
#include "emulator/simulation/scenario_times.h"
#include "emulator/simulation/shared_history.h"
#include "emulator/simulation/simulated_journal.h"
#include "emulator/simulation/simulated_scaling.h"
#include "emulator/simulation/simulated_user_function.h"
#include "emulator/simulation/trace_log.h"
#include "emulator/simulation/virtual_strand.h"

namespace cloudstate::simulation {
namespace {

constexpr std::size_t kKeptTraces = 1;  // of calls; nobody looks at them
// How long a healed cluster has to become one again, on top of the time that a command may take.
constexpr absl::Duration kRecovery = absl::Seconds(120);
// A read of a healed cluster.
constexpr absl::Duration kReadDeadline = absl::Seconds(60);
// An entity lets so many commands wait, and more.
constexpr int kReadsAtOnce = 50;
constexpr std::size_t kMostComplaints = 20;

// Sources of chance that do not disturb each other: a client that calls once more does not change what the network
// does.
enum class Source : std::uint64_t { kNetwork = 1, kJournal, kUserFunction, kClients, kChaos, kSupply };

base::Random RandomFor(std::uint64_t seed, Source source) {
  return base::Random(NextDigest(seed, static_cast<std::uint64_t>(source)));
}

// One run, from the first node to the last check.
class Run {
 public:
  Run(const dev::v1::Scenario& scenario, std::uint64_t seed, std::ostream* trace)
      : scenario_(scenario),
        options_(NodeOptionsOf(scenario.cluster())),
        trace_(trace, strand_),
        network_random_(RandomFor(seed, Source::kNetwork)),
        journal_random_(RandomFor(seed, Source::kJournal)),
        user_function_random_(RandomFor(seed, Source::kUserFunction)),
        client_random_(RandomFor(seed, Source::kClients)),
        supply_random_(RandomFor(seed, Source::kSupply)) {
    if (trace_.on()) Observe();
    journal_.SetFaults(FaultsOf(scenario.journal()));
    cluster_.network().SetDefault(LinksOf(scenario.network()));
  }

  // What tasks hold may need what they were made by.
  ~Run() {
    cluster_.Stop();
    strand_.Clear();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void Play() {
    if (scenario_.has_scaling()) {
      scaling_.emplace(scenario_.scaling(), strand_, supply_random_, cluster_, gateway_, user_function_.connection(),
                       SimulatedUserFunction::Specification(), Tracer("scaling"));
    } else {
      StartNodes();
    }
    for (const dev::v1::ScenarioStep& step : scenario_.steps()) {
      strand_.After(base::FromDuration(step.at()), [this, &step] { Do(step); });
    }
    clients_.SetLoad(scenario_.load());
    Look();
    strand_.Advance(DurationOf(scenario_));
    Recover();
  }

  void StartNodes() {
    cluster_.Start(static_cast<std::size_t>(NodesOf(scenario_)));
    const auto specification = SimulatedUserFunction::Specification();
    cluster_.Connect(user_function_.connection(), specification, entities::ReplayFrom::kNewestSnapshot);
    gateway_.Serve(specification);
  }

  std::vector<Violation> Violations() {
    History history;
    for (const Operation& each : clients_.operations()) {
      if (each.entity.persistence_id != kShared) history.operations.push_back(each);
    }
    history.journal = journal_.Contents();
    history.served = journal_.served();
    std::vector<Violation> violations = Check(history, &IdOf);
    const std::vector<Violation> of_shared = CheckShared(TakeSharedHistory());
    for (const std::vector<Violation>* more : {&of_shared, &clients_.violations(), &user_function_.violations(),
                                               &conditions_.violations(), &std::as_const(violations_)}) {
      violations.insert(violations.end(), more->begin(), more->end());
    }
    for (const Violation& each : violations) trace_.Line(absl::StrCat("VIOLATED ", each.invariant, ": ", each.text));
    return violations;
  }

  Summary Describe() const {
    Summary summary;
    summary.simulated = strand_.Now() - VirtualStrand::Beginning();
    for (const Operation& operation : clients_.operations()) {
      if (!operation.has_version || operation.client == 0) continue;  // a side effect, or none of the load
      ++summary.calls;
      if (operation.outcome == Operation::Outcome::kOk) ++summary.ok;
      if (operation.outcome == Operation::Outcome::kFailed) ++summary.failed;
      if (operation.outcome == Operation::Outcome::kUnknown) ++summary.unknown;
    }
    summary.events = journal_.stored_events();
    for (const auto& [from, sender] : cluster_.nodes()) {
      for (const auto& [to, receiver] : cluster_.nodes())
        summary.messages += cluster_.network().CountersOf(from, to).sent;
    }
    summary.steps = static_cast<std::uint64_t>(scenario_.steps_size());
    return summary;
  }

 private:
  std::optional<SharedCalls::Sight> SightOf(std::uint32_t number) const {
    const cluster::Node* node = cluster_.Find(static_cast<cluster::NodeId>(number));
    if (node == nullptr) return std::nullopt;
    SharedCalls::Sight sight;
    if (node->replicas() == nullptr) return sight;
    sight.life = node->incarnation();
    sight.up = node->replicas()->up();
    return sight;
  }

  // With the nodes that were called last.
  std::map<base::EntityKey, std::uint32_t> SharedEntities() const {
    std::map<base::EntityKey, std::uint32_t> entities;
    for (const SharedOperation& each : clients_.shared_calls().shared()) {
      const Operation& operation = clients_.operations()[each.operation];
      entities[operation.entity] = operation.node;
    }
    return entities;
  }

  SharedHistory TakeSharedHistory() const {
    const SharedCalls& calls = clients_.shared_calls();
    SharedHistory history{clients_.operations(), calls.shared(), calls.sightings()};
    const std::map<base::EntityKey, std::uint32_t> entities = SharedEntities();
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->state() != "up") continue;
      const auto number = static_cast<std::uint32_t>(id);
      const crdt::ReplicaId life{number, node->incarnation()};
      history.alive.insert(life);
      const crdt::Voters& up = node->replicas()->up();
      for (const auto& [key, called] : entities) {
        Sighting& sighting = history.replicas[key].emplace_back();
        sighting.asked = sighting.seen = strand_.Now();
        sighting.life = life;
        sighting.votes = sighting.last = true;
        const crdt::State* state = node->replicas()->Find(key);
        if (state == nullptr) continue;
        sighting.deleted = state->deleted();
        sighting.value = crdt::ValueOf(*state, life, up);
      }
    }
    return history;
  }

  // Null where there is no trace.
  std::function<void(const std::string&)> Tracer(const std::string& who) const {
    if (!trace_.on()) return nullptr;
    return [this, who](const std::string& line) { trace_.Line(absl::StrCat(who, " ", line)); };
  }

  void Observe() {
    cluster_.network().Observe(
        [this](cluster::NodeId from, cluster::NodeId to, absl::string_view fate, const std::string& bytes) {
          trace_.Line(DescribeMessage(from, to, fate, bytes));
        });
    cluster_.events().Watch([this](const cluster::ClusterEvent& event) {
      const std::string who =
          event.node == cluster::NodeId::kNone ? "" : absl::StrCat("node ", ToString(event.node), " ");
      trace_.Line(absl::StrCat("cluster ", who, event.kind, ": ", event.text));
    });
    journal_.Observe([this](const std::string& line) { trace_.Line(absl::StrCat("journal ", line)); });
  }

  // Conditions, as long as the run goes on.
  void Look() {
    NotePauses();
    conditions_.Check();
    strand_.After(Conditions::kInterval, [this] { Look(); });
  }

  void NotePauses() {
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->strand().holding()) last_pause_ = strand_.Now();
    }
  }

  // A pause that is shorter than what is between two looks makes nobody wait for long.
  bool WasPausedSince(absl::Time begun) {
    NotePauses();
    return last_pause_ >= begun;
  }

  void Do(const dev::v1::ScenarioStep& step) {
    if (!step.note().empty()) trace_.Line(absl::StrCat("note    ", step.note()));
    if (step.has_steer()) {
      Steer(step.steer());
    } else if (step.has_load()) {
      clients_.SetLoad(step.load());
    } else if (step.has_scale()) {
      Scale(step.scale());
    } else {
      conditions_.Add(step);
    }
  }

  // What a scenario asks for may be impossible by then: the node has gone already, or there is nothing to resume.
  void Steer(const dev::v1::Steering& steering) {
    if (steering.has_journal()) {
      journal_.SetFaults(FaultsOf(steering.journal()));
      trace_.Line("steered the journal's faults change");
    } else if (steering.has_crash_all()) {
      journal_.Crash();
      cluster_.CrashAll().IgnoreError();  // cannot fail
    } else if (const auto done = routing::Steer(cluster_, steering); !done.ok()) {
      trace_.Line(absl::StrCat("steered nothing: ", done.status().message()));
    }
  }

  void Scale(const dev::v1::SetScalingRequest& request) {
    if (!scaling_.has_value()) return;
    const absl::Status set = scaling_->Set(request);
    if (!set.ok()) trace_.Line(absl::StrCat("scaling set nothing: ", set.message()));
  }

  // Ends the load and all faults, and waits until the cluster is one and every call has ended.
  void Recover() {
    trace_.Line("note    the end of the scenario: no more load, all is healed");
    dev::v1::Load none;
    none.set_calls_per_second(0);
    clients_.SetLoad(none);
    journal_.SetFaults({});
    user_function_.EndFaults();
    cluster_.network().SetDefault(LinksOf(scenario_.network()));
    cluster_.Heal().IgnoreError();  // cannot fail
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->strand().paused()) cluster_.Resume(id).IgnoreError();
      if (node->strand().skew() != absl::ZeroDuration()) cluster_.Skew(id, absl::ZeroDuration()).IgnoreError();
      if (node->state() == "stopped" && !scaling_.has_value()) cluster_.StartAgain(id).IgnoreError();
    }
    if (scaling_.has_value()) scaling_->Settle();
    const auto quiet = [this] {
      return (!scaling_.has_value() || scaling_->IsSettled()) && cluster_.Converged() && IsIdle() &&
             !conditions_.waiting();
    };
    const absl::Duration longest = options_.entities.limits.relay_timeout + kRecovery;
    if (!strand_.RunUntil(quiet, longest)) NoteWhatIsNotQuiet(longest);
    ReadEverywhere();
    strand_.RunUntil([this] { return !conditions_.asking(); }, kReadDeadline);
    conditions_.End();
  }

  bool IsIdle() const {
    if (clients_.open_calls() > 0 || user_function_.hanging() > 0 || user_function_.visits() > 0) return false;
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->open_calls() > 0) return false;
    }
    return !user_function_.is_speaking();
  }

  void NoteWhatIsNotQuiet(absl::Duration waited) {
    if (scaling_.has_value() && !scaling_->IsSettled()) {
      violations_.push_back(
          {"convergence", absl::StrCat("there are not the replicas that are wanted ", absl::FormatDuration(waited),
                                       " after all was healed: ", scaling_->ready(), " are ready")});
    }
    if (!cluster_.Converged()) {
      std::string states;
      for (const auto& [id, node] : cluster_.nodes()) absl::StrAppend(&states, " ", ToString(id), " ", node->state());
      violations_.push_back({"convergence", absl::StrCat("the nodes do not agree ", absl::FormatDuration(waited),
                                                         " after all was healed:", states)});
    }
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->open_calls() == 0) continue;
      violations_.push_back({"open-call", absl::StrCat("node ", ToString(id), " has ", node->open_calls(),
                                                       " calls that nobody answers")});
    }
    if (user_function_.hanging() > 0) {
      violations_.push_back({"open-call", absl::StrCat(user_function_.hanging(), " entities wait for ever for answers",
                                                       " of the user function")});
    }
    if (user_function_.visits() > 0) {
      violations_.push_back({"open-call", absl::StrCat(user_function_.visits(), " clients have gone whose streams the",
                                                       " user function takes for open")});
    }
  }

  // Now every node that is up has to answer for every stored entity. What it answers is part of the history that is
  // checked.
  void ReadEverywhere() {
    std::set<base::EntityKey> entities;
    for (const Operation& operation : clients_.operations()) {
      if (operation.entity.persistence_id != kShared) entities.insert(operation.entity);
    }
    const auto read = [this] { return clients_.open_calls() == 0; };
    int nodes = 0;
    for (const auto& [id, node] : cluster_.nodes()) {
      if (node->state() != "up") continue;
      for (const base::EntityKey& entity : entities) ReadAt(id, entity);
      if (++nodes % kReadsAtOnce == 0) strand_.RunUntil(read, 2 * kReadDeadline);
    }
    // What replicas have is seen without asking. Where somebody called last, the user function has its copy.
    for (const auto& [entity, called] : SharedEntities()) {
      const cluster::Node* node = cluster_.Find(static_cast<cluster::NodeId>(called));
      if (node != nullptr && node->state() == "up") ReadAt(node->id(), entity);
    }
    strand_.RunUntil(read, 2 * kReadDeadline);
  }

  void ReadAt(cluster::NodeId node, const base::EntityKey& entity) {
    clients_.Probe(entity, static_cast<std::uint32_t>(node), kReadDeadline,
                   [this, node, entity](const absl::Status& status) {
                     if (status.ok() || ++unavailable_ > kMostComplaints) return;
                     violations_.push_back(
                         {"unavailable-after-heal", absl::StrCat("a read of ", entity.ToString(), " at node ",
                                                                 ToString(node), " ended with ", status.ToString())});
                   });
  }

  const dev::v1::Scenario& scenario_;
  const cluster::Node::Options options_;
  VirtualStrand strand_;
  const TraceLog trace_;
  base::Random network_random_;
  base::Random journal_random_;
  base::Random user_function_random_;
  base::Random client_random_;
  base::Random supply_random_;
  std::vector<Violation> violations_;
  std::size_t unavailable_ = 0;
  absl::Time last_pause_ = absl::InfinitePast();  // of any node, as far as somebody looked
  SimulatedJournal journal_{strand_, journal_random_};
  SimulatedUserFunction user_function_{strand_, user_function_random_, BehaviourOf(scenario_.user_function())};
  trace::Recorder recorder_{kKeptTraces};
  cluster::Cluster cluster_{options_, strand_, network_random_, journal_,
                            [this](const std::string& text) { trace_.Line(absl::StrCat("error   ", text)); }};
  routing::Gateway gateway_{RouterOptionsOf(options_), cluster_, recorder_,
                            [this](const std::string& text) { trace_.Line(absl::StrCat("error   ", text)); }};
  std::optional<SimulatedScaling> scaling_;
  Clients clients_{strand_,
                   client_random_,
                   gateway_,
                   Tracer("client "),
                   [this](absl::Time begun) { return WasPausedSince(begun); },
                   [this](std::uint32_t node) { return SightOf(node); }};
  Conditions conditions_{strand_, cluster_, clients_, [this] { return scaling_.has_value() ? scaling_->ready() : 0; }};
};

}  // namespace

Outcome Simulate(const dev::v1::Scenario& scenario, std::uint64_t seed, std::ostream* trace) {
  Outcome outcome;
  outcome.seed = seed;
  base::Random chaos = RandomFor(seed, Source::kChaos);
  outcome.played = WriteOutChaos(scenario, chaos);
  Run run(outcome.played, seed, trace);
  run.Play();
  outcome.violations = run.Violations();
  outcome.summary = run.Describe();
  return outcome;
}

}  // namespace cloudstate::simulation
