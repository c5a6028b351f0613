#include "emulator/simulation/shrink.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "emulator/simulation/delta_debugging.h"
#include "emulator/simulation/load_defaults.h"
#include "emulator/simulation/node_references.h"
#include "emulator/simulation/scenario_times.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Steps = std::vector<ScenarioStep>;

class Shrinker {
 public:
  Shrinker(Scenario scenario, const std::function<bool(const Scenario&)>& fails, int most_runs)
      : best_(std::move(scenario)), fails_(fails), runs_(most_runs) {}

  Scenario Run();

 private:
  // Takes the candidate if it is another scenario, and fails as well.
  bool Try(const Scenario& candidate);
  bool TrySteps(const Steps& steps);

  void DropSteps();
  void DropFaults();
  void ShortenDuration();
  void LessenNodes();
  void LessenLoad();
  // Makes what `get` gives less, first by as much as can be, down to `least`.
  template <typename Get, typename Set>
  void Lessen(int least, const Get& get, const Set& set);

  Scenario best_;
  const std::function<bool(const Scenario&)>& fails_;
  int runs_;  // that are left
};

bool Shrinker::Try(const Scenario& candidate) {
  if (runs_ <= 0 || google::protobuf::util::MessageDifferencer::Equals(candidate, best_)) return false;
  --runs_;
  if (!fails_(candidate)) return false;
  best_ = candidate;
  return true;
}

bool Shrinker::TrySteps(const Steps& steps) {
  Scenario candidate = best_;
  candidate.mutable_steps()->Assign(steps.begin(), steps.end());
  return Try(candidate);
}

void Shrinker::DropSteps() {
  DropItems(
      Steps(best_.steps().begin(), best_.steps().end()), [this](const Steps& steps) { return TrySteps(steps); },
      [this] { return runs_ > 0; });
}

// Each section of faults as a whole, and if it is needed, what in it is not.
void Shrinker::DropFaults() {
  for (const int number :
       {Scenario::kChaosFieldNumber, Scenario::kJournalFieldNumber, Scenario::kUserFunctionFieldNumber,
        Scenario::kNetworkFieldNumber, Scenario::kClusterFieldNumber}) {
    const FieldDescriptor* section = Scenario::descriptor()->FindFieldByNumber(number);
    const auto* reflection = best_.GetReflection();
    if (!reflection->HasField(best_, section)) continue;
    Scenario candidate = best_;
    reflection->ClearField(&candidate, section);
    if (Try(candidate)) continue;
    std::vector<const FieldDescriptor*> fields;
    const Message& part = reflection->GetMessage(best_, section);
    part.GetReflection()->ListFields(part, &fields);
    for (const FieldDescriptor* field : fields) {
      candidate = best_;
      Message* lessened = reflection->MutableMessage(&candidate, section);
      lessened->GetReflection()->ClearField(lessened, field);
      Try(candidate);
    }
  }
}

template <typename Get, typename Set>
void Shrinker::Lessen(int least, const Get& get, const Set& set) {
  for (int by = get(best_) - least; by > 0;) {
    Scenario candidate = best_;
    set(candidate, get(best_) - by);
    by = Try(candidate) ? std::min(by, get(best_) - least) : by / 2;
  }
}

void Shrinker::ShortenDuration() {
  const absl::Duration last =
      best_.steps().empty() ? absl::ZeroDuration() : base::FromDuration(best_.steps(best_.steps_size() - 1).at());
  const auto seconds = [](absl::Duration time) {
    return static_cast<int>(absl::ToInt64Seconds(absl::Ceil(time, absl::Seconds(1))));
  };
  Lessen(
      std::max(1, seconds(last)), [&](const Scenario& scenario) { return seconds(DurationOf(scenario)); },
      [](Scenario& scenario, int value) { *scenario.mutable_duration() = base::ToDuration(absl::Seconds(value)); });
}

void Shrinker::LessenNodes() {
  // Those that are added get the numbers after the first ones: with fewer of these, others would be meant.
  const bool adds = std::any_of(best_.steps().begin(), best_.steps().end(),
                                [](const ScenarioStep& step) { return step.steer().has_add_node(); });
  const int needed = NodesNeeded(best_);
  if (best_.has_scaling()) return;  // nobody has said how many there are
  if (adds && needed > NodesOf(best_)) return;
  Lessen(needed, NodesOf, [](Scenario& scenario, int value) { scenario.set_nodes(value); });
}

void Shrinker::LessenLoad() {
  Scenario without_crdts = best_;
  without_crdts.mutable_load()->clear_crdts();
  Try(without_crdts);
  Lessen(
      1, [](const Scenario& scenario) { return WithDefaults(scenario.load()).clients(); },
      [](Scenario& scenario, int value) { scenario.mutable_load()->set_clients(value); });
  Lessen(
      1, [](const Scenario& scenario) { return WithDefaults(scenario.load()).entities(); },
      [](Scenario& scenario, int value) { scenario.mutable_load()->set_entities(value); });
  if (best_.load().phases_size() > 0) return;
  Lessen(
      0, [](const Scenario& scenario) { return static_cast<int>(WithDefaults(scenario.load()).calls_per_second()); },
      [](Scenario& scenario, int value) { scenario.mutable_load()->set_calls_per_second(value); });
}

Scenario Shrinker::Run() {
  Scenario before;
  do {
    before = best_;
    DropSteps();
    DropFaults();
    ShortenDuration();
    LessenNodes();
    LessenLoad();
  } while (runs_ > 0 && !google::protobuf::util::MessageDifferencer::Equals(before, best_));
  return std::move(best_);
}

}  // namespace

Scenario Shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails, int most_runs) {
  return Shrinker(std::move(scenario), fails, most_runs).Run();
}

}  // namespace cloudstate::simulation
