#include "emulator/simulation/scenario_check.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/cluster/latency.h"
#include "emulator/cluster/shard_table.h"
#include "emulator/simulation/load_defaults.h"
#include "emulator/simulation/node_references.h"
#include "emulator/simulation/scaling_part.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/scenario_names.h"
#include "emulator/simulation/scenario_times.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::simulation {
namespace {

namespace v1 = dev::v1;

using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

template <typename Type>
const Type* As(const Message& message) {
  return google::protobuf::DynamicCastToGenerated<Type>(&message);
}

// Goes through all of it; the first complaint counts.
class Checker {
 public:
  Checker(const Scenario& scenario, const YamlPlaces& places) : scenario_(scenario), places_(places) {}

  absl::Status Check();

 private:
  void Complain(const Message& message, int field, const std::string& text);
  void CheckSteps();
  void CheckTime(const ScenarioStep& step, const ScenarioStep* before);
  void CheckNodeCount();
  void CheckScaling();
  void CheckScale(const v1::SetScalingRequest& scale);

  // The rules for values that hold wherever they stand.
  void Walk(const Message& message);
  void CheckField(const Message& message, const FieldDescriptor* field);
  void CheckNumber(const Message& message, const FieldDescriptor* field);
  void CheckDuration(const Message& message, const FieldDescriptor* field);
  void CheckName(const Message& message, const FieldDescriptor* field, const std::string& text);
  // The rules for one kind of message each.
  void CheckNotNone(const Message& message);
  void CheckNotZero(const Message& message, std::initializer_list<int> fields);
  void CheckStep(const ScenarioStep& step);
  void CheckCondition(const Message& message);
  void CheckSteering(const Message& message);
  void CheckPartition(const v1::Partition& partition);
  void CheckSettings(const Message& message);
  void CheckSum(const Message& message, double sum, absl::string_view of = "");

  const Scenario& scenario_;
  const YamlPlaces& places_;
  int nodes_ = 0;  // that there can be
  absl::Status complaint_;
};

void Checker::Complain(const Message& message, int field, const std::string& text) {
  if (complaint_.ok()) complaint_ = places_.Error(places_.Of(message, field), text);
}

absl::Status Checker::Check() {
  CheckNodeCount();
  CheckScaling();
  Walk(scenario_);
  CheckSteps();
  return complaint_;
}

void Checker::CheckNodeCount() {
  const int first = scenario_.nodes();
  if (first < 0 || first > kMostScenarioNodes ||
      (first == 0 && places_.IsGiven(scenario_, Scenario::kNodesFieldNumber))) {
    Complain(scenario_, Scenario::kNodesFieldNumber,
             absl::StrCat("there can be 1 to ", kMostScenarioNodes, " nodes, not ", first));
  }
  nodes_ = first == 0 ? kNodesUnlessGiven : first;
  for (const ScenarioStep& step : scenario_.steps()) {
    if (!step.steer().has_add_node()) continue;
    if (++nodes_ > kMostScenarioNodes) {
      Complain(step, ScenarioStep::kSteerFieldNumber,
               absl::StrCat("with this one there are ", nodes_, " nodes; there can be ", kMostScenarioNodes));
    }
  }
  const auto& faults = scenario_.chaos().faults();
  const bool chaos_adds =
      scenario_.has_chaos() && (faults.empty() || std::find(faults.begin(), faults.end(), "add") != faults.end());
  if (chaos_adds || scenario_.has_scaling()) nodes_ = kMostScenarioNodes;
}

void Checker::CheckScaling() {
  if (!scenario_.has_scaling()) return;
  const v1::ScalingPart& part = scenario_.scaling();
  const absl::StatusOr<scaling::Settings> settings = ScalingSettingsOf(part);
  if (places_.IsGiven(scenario_, Scenario::kNodesFieldNumber)) {
    Complain(scenario_, Scenario::kNodesFieldNumber,
             "with 'scaling' there are as many nodes as replicas; write 'replicas' in it instead");
  }
  if (!settings.ok()) return Complain(part, 0, std::string(settings.status().message()));
  if (settings->mode == scaling::Mode::kOff) {
    Complain(part, v1::ScalingPart::kModeFieldNumber, "leave 'scaling' out where there is to be none");
  }
  const int replicas = ReplicasOf(part, *settings);
  if (replicas < 1 || replicas > settings->MaxScale()) {
    Complain(part, v1::ScalingPart::kReplicasFieldNumber,
             absl::StrCat("there can be 1 to ", settings->MaxScale(), " replicas at the start, not ", replicas));
  }
}

// Whether it can be done is seen when it is: by then a step before it may have changed something.
void Checker::CheckScale(const v1::SetScalingRequest& scale) {
  if (!scenario_.has_scaling()) Complain(scale, 0, "'scale' is for scenarios with 'scaling'");
  scaling::Settings settings;
  if (!scale.mode().empty()) {
    const absl::Status mode = scaling::ParseMode(scale.mode(), settings.mode);
    if (!mode.ok()) Complain(scale, v1::SetScalingRequest::kModeFieldNumber, std::string(mode.message()));
  }
  for (const auto& [name, value] : scale.settings()) {
    const absl::Status set = scaling::Set(settings, name, value);
    if (!set.ok()) Complain(scale, v1::SetScalingRequest::kSettingsFieldNumber, std::string(set.message()));
  }
}

void Checker::CheckSteps() {
  const ScenarioStep* before = nullptr;
  for (const ScenarioStep& step : scenario_.steps()) {
    CheckTime(step, before);
    before = &step;
  }
}

void Checker::CheckTime(const ScenarioStep& step, const ScenarioStep* before) {
  if (!step.has_at()) return Complain(step, 0, "this step has no 'at'");
  const absl::Duration at = base::FromDuration(step.at());
  if (at > DurationOf(scenario_)) {
    Complain(step, ScenarioStep::kAtFieldNumber,
             absl::StrCat("this step is at ", absl::FormatDuration(at), ", after the end: 'duration' is ",
                          absl::FormatDuration(DurationOf(scenario_))));
  }
  if (before == nullptr || at >= base::FromDuration(before->at())) return;
  const int line = places_.Of(*before, ScenarioStep::kAtFieldNumber).line;
  Complain(step, ScenarioStep::kAtFieldNumber,
           absl::StrCat("steps are in the order of their times, but this one is at ", absl::FormatDuration(at),
                        " and the one before it", line == 0 ? "" : absl::StrCat(", in line ", line, ","), " at ",
                        absl::FormatDuration(base::FromDuration(before->at()))));
}

void Checker::Walk(const Message& message) {
  CheckNotNone(message);
  CheckCondition(message);
  CheckSteering(message);
  CheckSettings(message);
  if (const auto* step = As<ScenarioStep>(message)) CheckStep(*step);
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    CheckField(message, field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || IsDuration(field)) continue;
    if (!field->is_repeated()) {
      Walk(reflection->GetMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      Walk(reflection->GetRepeatedMessage(message, field, i));
    }
  }
}

void Checker::CheckField(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (IsDuration(field)) return CheckDuration(message, field);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return CheckNumber(message, field);
  if (!field->is_repeated()) return CheckName(message, field, reflection->GetString(message, field));
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    CheckName(message, field, reflection->GetRepeatedString(message, field, i));
  }
}

void Checker::CheckNumber(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (IsNodeReference(field)) {
    for (const int node : NodesIn(message, field)) {
      if (node >= 0 && node <= nodes_) continue;
      Complain(message, field->number(), absl::StrCat("there is no node ", node, ": there are 1 to ", nodes_));
    }
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    const double value = reflection->GetDouble(message, field);
    const bool share =
        field->name() != "phi_threshold" && field->name() != "calls_per_second" && field->name() != "until";
    if (share && !(value >= 0 && value <= 1)) {
      Complain(message, field->number(), absl::StrCat("'", field->name(), "' is a share, from 0 to 1, not ", value));
    }
    constexpr double kMost = 1e6;
    if (!share && !(value >= 0 && value <= kMost)) {
      Complain(message, field->number(), absl::StrCat("'", field->name(), "' is from 0 to 1000000, not ", value));
    }
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 && !field->is_repeated()) {
    const int value = reflection->GetInt32(message, field);
    constexpr int kMost = 10'000;
    if (value < 0 || value > kMost) {
      Complain(message, field->number(), absl::StrCat("'", field->name(), "' is from 0 to ", kMost, ", not ", value));
    }
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64 && reflection->GetInt64(message, field) < 0) {
    Complain(message, field->number(), absl::StrCat("'", field->name(), "' can't be negative"));
  }
}

void Checker::CheckDuration(const Message& message, const FieldDescriptor* field) {
  constexpr absl::Duration kMost = absl::Hours(24);
  const auto& part = message.GetReflection()->GetMessage(message, field);
  const absl::Duration time = base::FromDuration(static_cast<const google::protobuf::Duration&>(part));
  if (field->containing_type() == v1::SkewNode::descriptor()) {
    if (absl::AbsDuration(time) > kMost) Complain(message, field->number(), "a clock is wrong by 24h at most");
    return;
  }
  const bool may_be_none = field->containing_type() == ScenarioStep::descriptor();
  if (time < absl::ZeroDuration() || (time == absl::ZeroDuration() && !may_be_none)) {
    Complain(message, field->number(),
             absl::StrCat("'", field->name(), "' must be ", may_be_none ? "0s or more" : "more than 0s"));
  }
  if (time > kMost) Complain(message, field->number(), absl::StrCat("'", field->name(), "' is 24h at most"));
}

void Checker::CheckName(const Message& message, const FieldDescriptor* field, const std::string& text) {
  if (absl::EndsWith(field->name(), "latency")) {
    const auto latency = cluster::Latency::Parse(text);
    if (!text.empty() && !latency.ok()) Complain(message, field->number(), std::string(latency.status().message()));
    return;
  }
  const std::vector<std::string>* names = nullptr;
  if (field->name() == "state") names = &States();
  if (field->name() == "as") names = &Sights();
  if (field->name() == "code") names = &Codes();
  if (field->name() == "faults") names = &ChaosFaults();
  if (names == nullptr || std::find(names->begin(), names->end(), text) != names->end()) return;
  std::string hint = base::DidYouMean(text, *names);
  if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(*names, ", "));
  Complain(message, field->number(), absl::StrCat("'", field->name(), "' is never '", text, "'", hint));
}

void Checker::CheckNotNone(const Message& message) {
  struct Needed {
    const google::protobuf::Descriptor* type;
    std::vector<int> fields;
  };
  static const auto* const needed = new std::vector<Needed>{
      {v1::OneNode::descriptor(), {v1::OneNode::kNodeFieldNumber}},
      {v1::PauseNode::descriptor(), {v1::PauseNode::kNodeFieldNumber}},
      {v1::SkewNode::descriptor(), {v1::SkewNode::kNodeFieldNumber, v1::SkewNode::kByFieldNumber}},
      {v1::OneWay::descriptor(), {v1::OneWay::kFromFieldNumber, v1::OneWay::kToFieldNumber}},
      {v1::MoveShard::descriptor(), {v1::MoveShard::kToFieldNumber}},
      {v1::NodeIs::descriptor(), {v1::NodeIs::kNodeFieldNumber, v1::NodeIs::kStateFieldNumber}},
      {v1::NodeSees::descriptor(),
       {v1::NodeSees::kNodeFieldNumber, v1::NodeSees::kPeerFieldNumber, v1::NodeSees::kAsFieldNumber}},
      {v1::NodeRefuses::descriptor(), {v1::NodeRefuses::kNodeFieldNumber, v1::NodeRefuses::kCodeFieldNumber}},
      {v1::ShardsOf::descriptor(), {v1::ShardsOf::kNodeFieldNumber}},
      {v1::Within::descriptor(), {v1::Within::kTimeFieldNumber}},
      {v1::ScalingPart::descriptor(), {v1::ScalingPart::kModeFieldNumber}},
      {v1::LoadPhase::descriptor(), {v1::LoadPhase::kForFieldNumber}},
  };
  for (const Needed& each : *needed) {
    if (each.type != message.GetDescriptor()) continue;
    for (const int number : each.fields) {
      const FieldDescriptor* field = each.type->FindFieldByNumber(number);
      if (message.GetReflection()->HasField(message, field)) continue;
      Complain(message, number, absl::StrCat("there is no '", field->name(), "' here"));
    }
  }
}

// Of 0, which means something else there, as of a number that was written.
void Checker::CheckNotZero(const Message& message, std::initializer_list<int> fields) {
  for (const int number : fields) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByNumber(number);
    if (!places_.IsGiven(message, number) || message.GetReflection()->HasField(message, field)) continue;
    Complain(message, number, absl::StrCat("'", field->name(), "' must be more than 0"));
  }
}

void Checker::CheckStep(const ScenarioStep& step) {
  const bool nothing = step.what_case() == ScenarioStep::WHAT_NOT_SET ||
                       (step.has_steer() && step.steer().action_case() == v1::Steering::ACTION_NOT_SET);
  if (nothing) Complain(step, 0, "this step does nothing; give it a 'kill', a 'load', an 'eventually' or the like");
}

void Checker::CheckCondition(const Message& message) {
  if (const auto* within = As<v1::Within>(message); within != nullptr && !within->has_that()) {
    Complain(message, 0, "there is no condition here, such as 'nodes_up: 3'");
  }
  if (const auto* condition = As<v1::Condition>(message)) {
    if (condition->kind_case() == v1::Condition::KIND_NOT_SET) {
      Complain(message, 0, "there is no condition here, such as 'nodes_up: 3'");
    }
    if (condition->nodes_up() > nodes_) {
      Complain(message, v1::Condition::kNodesUpFieldNumber,
               absl::StrCat("there are never ", condition->nodes_up(), " nodes: there are 1 to ", nodes_));
    }
    if (condition->has_converged() && !condition->converged()) {
      Complain(message, v1::Condition::kConvergedFieldNumber, "write `not: {converged: true}` instead");
    }
  }
  if (const auto* all = As<v1::AllOf>(message); all != nullptr && all->conditions().empty()) {
    Complain(message, 0, "'all_of' takes at least one condition");
  }
  const auto* shards = As<v1::ShardsOf>(message);
  if (shards != nullptr && shards->has_at_most() && shards->at_most() < shards->at_least()) {
    Complain(message, v1::ShardsOf::kAtMostFieldNumber, "'at_most' is less than 'at_least'");
  }
  const auto* replicas = As<v1::ReadyReplicas>(message);
  if (replicas == nullptr) return;
  if (!scenario_.has_scaling()) Complain(message, 0, "'replicas' is for scenarios with 'scaling'");
  if (replicas->has_at_most() && replicas->at_most() < replicas->at_least()) {
    Complain(message, v1::ReadyReplicas::kAtMostFieldNumber, "'at_most' is less than 'at_least'");
  }
}

void Checker::CheckSteering(const Message& message) {
  if (const auto* partition = As<v1::Partition>(message)) CheckPartition(*partition);
  const auto* cut = As<v1::OneWay>(message);
  const auto* link = As<v1::SetLink>(message);
  const bool to_itself = (cut != nullptr && cut->from() == cut->to() && cut->from() != 0) ||
                         (link != nullptr && link->from() == link->to() && link->from() != 0);
  if (to_itself) Complain(message, 0, "there is no link from a node to itself");
  const auto* move = As<v1::MoveShard>(message);
  if (move != nullptr && move->shard() >= static_cast<int>(cluster::kShards)) {
    Complain(message, v1::MoveShard::kShardFieldNumber, absl::StrCat("shards are 0 to ", cluster::kShards - 1));
  }
}

void Checker::CheckPartition(const v1::Partition& partition) {
  if (partition.groups().empty()) Complain(partition, 0, "a partition has groups, such as [[1, 2], [3]]");
  std::set<int> seen;
  for (const v1::NodeGroup& group : partition.groups()) {
    if (group.nodes().empty()) Complain(group, 0, "there is no node in this group");
    for (const int node : group.nodes()) {
      if (node == 0) Complain(group, 0, absl::StrCat("there is no node 0: there are 1 to ", nodes_));
      if (!seen.insert(node).second) Complain(group, 0, absl::StrCat("node ", node, " is named twice"));
    }
  }
}

void Checker::CheckSettings(const Message& message) {
  if (const auto* load = As<v1::Load>(message)) {
    CheckNotZero(message, {v1::Load::kClientsFieldNumber, v1::Load::kEntitiesFieldNumber});
    const bool whole =
        load->has_event_sourced_writes() && load->has_value_writes() && load->has_forwards() && load->has_effects();
    CheckSum(message, SharesOf(*load), whole ? "" : ", together with those that are not given");
    if (load->has_calls_per_second() && load->phases_size() > 0) {
      Complain(message, v1::Load::kCallsPerSecondFieldNumber, "the 'phases' say how many calls there are");
    }
  }
  if (const auto* user_function = As<v1::UserFunctionSettings>(message)) {
    CheckSum(message, user_function->failures() + user_function->broken_streams() + user_function->hangs());
  }
  if (const auto* scale = As<v1::SetScalingRequest>(message)) CheckScale(*scale);
  if (As<v1::ClusterSettings>(message) != nullptr) {
    CheckNotZero(message, {v1::ClusterSettings::kPhiThresholdFieldNumber});
  }
}

void Checker::CheckSum(const Message& message, double sum, absl::string_view of) {
  constexpr double kRounding = 1e-9;
  if (sum <= 1 + kRounding) return;
  Complain(message, 0, absl::StrCat("the shares come to ", sum, of, "; they can't be more than 1"));
}

}  // namespace

absl::Status CheckScenario(const Scenario& scenario, const YamlPlaces& places) {
  return Checker(scenario, places).Check();
}

}  // namespace cloudstate::simulation
