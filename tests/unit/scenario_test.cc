#include "emulator/simulation/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/simulation/chaos.h"
#include "emulator/simulation/scenario_times.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Condition;
using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Scenario FromText(const std::string& text) {
  Scenario scenario;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &scenario)) << text;
  return scenario;
}

Scenario Parsed(const std::string& yaml) {
  const auto scenario = ParseScenario(yaml, "s.yaml");
  EXPECT_TRUE(scenario.ok()) << scenario.status() << "\n" << yaml;
  return scenario.value_or(Scenario());
}

std::string Difference(const Scenario& expected, const Scenario& actual) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string text;
  differencer.ReportDifferencesToString(&text);
  return differencer.Compare(expected, actual) ? "" : text;
}

// ---- what can be written

struct Form {
  std::string yaml;
  std::string same;  // in protobuf's text format
};

class ScenarioForm : public ::testing::TestWithParam<Form> {};

TEST_P(ScenarioForm, IsRead) {
  EXPECT_EQ(Difference(FromText(GetParam().same), Parsed(GetParam().yaml)), "") << GetParam().yaml;
}

Form Step(const std::string& yaml, const std::string& same) {
  return {absl::StrCat("steps: [{at: 1s, ", yaml, "}]"), absl::StrCat("steps { at { seconds: 1 } ", same, " }")};
}

INSTANTIATE_TEST_SUITE_P(
    Scenario, ScenarioForm,
    ::testing::Values(
        Form{"{}", ""},
        Form{"name: split\nnodes: 5\nduration: 1.5s",
             "name: 'split' nodes: 5 duration { seconds: 1 nanos: 500000000 }"},
        Form{"duration: 2m", "duration { seconds: 120 }"}, Form{"name: 7", "name: '7'"}, Form{"name: \"\"", ""},
        Form{"description: |\n  a\n  b\n", "description: 'a\\nb\\n'"},
        Form{"network: {latency: 'uniform(1ms, 5ms)', loss: 0.25, bytes_per_second: 5000000000}",
             "network { latency: 'uniform(1ms, 5ms)' loss: 0.25 bytes_per_second: 5000000000 }"},
        Form{"chaos:", "chaos {}"}, Form{"chaos: {faults: [kill, cut]}", "chaos { faults: 'kill' faults: 'cut' }"},
        Form{"load: {calls_per_second: 0}", "load { calls_per_second: 0 }"},
        Form{"load: {effects: 0}", "load { effects: 0 }"},
        Form{"load: {phases: [{for: 5s, calls_per_second: 0}, {for: 1s, until: 2.5}]}",
             "load { phases { for { seconds: 5 } calls_per_second: 0 } phases { for { seconds: 1 } until: 2.5 } }"},
        Form{"scaling: {mode: manual}", "scaling { mode: 'manual' }"},
        Form{"scaling: {mode: knative, replicas: 2, failed_starts: 0.1, crashes_after: 5s}",
             "scaling { mode: 'knative' replicas: 2 failed_starts: 0.1 crashes_after { seconds: 5 } }"},
        Form{"scaling:\n  mode: knative\n  settings:\n    scale-target: 5\n    autoscaling.knative.dev/window: 30s",
             "scaling { mode: 'knative' settings { key: 'scale-target' value: '5' } "
             "settings { key: 'autoscaling.knative.dev/window' value: '30s' } }"},
        Form{"scaling: {mode: manual}\nsteps: [{at: 1s, scale: {replicas: 0}}]",
             "scaling { mode: 'manual' } steps { at { seconds: 1 } scale { replicas: 0 } }"},
        Form{"scaling: {mode: manual}\nsteps: [{at: 1s, scale: {mode: knative, settings: {min-scale: 1}}}]",
             "scaling { mode: 'manual' } "
             "steps { at { seconds: 1 } scale { mode: 'knative' settings { key: 'min-scale' value: '1' } } }"},
        Form{"scaling: {mode: manual}\nsteps: [{at: 1s, eventually: {replicas: {at_least: 2, at_most: 2}}}]",
             "scaling { mode: 'manual' } "
             "steps { at { seconds: 1 } eventually { replicas { at_least: 2 at_most: 2 } } }"},
        Form{"load: {}", "load {}"}, Step("kill: 2", "steer { kill { node: 2 } }"),
        Step("kill: {node: 2}", "steer { kill { node: 2 } }"), Step("steer: {kill: 2}", "steer { kill { node: 2 } }"),
        Step("drain: 1", "steer { drain { node: 1 } }"), Step("start: 1", "steer { start { node: 1 } }"),
        Step("resume: 3", "steer { resume { node: 3 } }"), Step("heal: ", "steer { heal {} }"),
        Step("heal: {}", "steer { heal {} }"), Step("crash_all: ", "steer { crash_all {} }"),
        Step("add_node: ", "steer { add_node {} }"), Step("note: why, heal: ", "note: 'why' steer { heal {} }"),
        Step("pause: {node: 2, for: 10s}", "steer { pause { node: 2 for { seconds: 10 } } }"),
        Step("skew: {node: 2, by: -1.5s}", "steer { skew { node: 2 by { seconds: -1 nanos: -500000000 } } }"),
        Step("partition: [[1, 2], [3]]", "steer { partition { groups { nodes: 1 nodes: 2 } groups { nodes: 3 } } }"),
        Step("partition: {groups: [{nodes: [1, 2]}, [3]]}",
             "steer { partition { groups { nodes: 1 nodes: 2 } groups { nodes: 3 } } }"),
        Step("cut: {from: 1, to: 2}", "steer { cut { from: 1 to: 2 } }"),
        Step("link: {from: 1, one_way: true, settings: {loss: 1}}",
             "steer { link { from: 1 one_way: true settings { loss: 1 } } }"),
        Step("move_shard: {shard: 7, to: 2}", "steer { move_shard { shard: 7 to: 2 } }"),
        Step("journal: {torn_writes: 0.5}", "steer { journal { torn_writes: 0.5 } }"),
        Step("load: {calls_per_second: 5}", "load { calls_per_second: 5 }"),
        Step("always: {nodes_up: 0}", "always { nodes_up: 0 }"),
        Step("always: {failed_calls: 0}", "always { failed_calls {} }"),
        Step("eventually: {converged: true}", "eventually { converged: true }"),
        Step("eventually: {not: {node_is: {node: 1, state: down}}}",
             "eventually { not { node_is { node: 1 state: 'down' } } }"),
        Step("eventually: {all_of: [{nodes_up: 3}, {answers: }, {answers: 2}]}",
             "eventually { all_of { conditions { nodes_up: 3 } conditions { answers {} } "
             "conditions { answers { node: 2 } } } }"),
        Step("within: {time: 5s, nodes_up: 3}", "within { time { seconds: 5 } that { nodes_up: 3 } }"),
        Step("within: {time: 5s, that: {nodes_up: 3}}", "within { time { seconds: 5 } that { nodes_up: 3 } }"),
        Step("throughout: {time: 5s, refuses: {node: 1, code: UNAVAILABLE}}",
             "throughout { time { seconds: 5 } that { refuses { node: 1 code: 'UNAVAILABLE' } } }"),
        Step("within: {time: 5s, shards: {node: 1, at_most: 0}}",
             "within { time { seconds: 5 } that { shards { node: 1 at_most: 0 } } }"),
        Step("within: {time: 5s, node_sees: {node: 1, peer: 2, as: unreachable}}",
             "within { time { seconds: 5 } that { node_sees { node: 1 peer: 2 as: 'unreachable' } } }")));

// ---- what can't

struct Mistake {
  std::string yaml;
  std::string error;  // all of it
};

class ScenarioMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(ScenarioMistake, IsToldWithItsPlace) {
  const auto scenario = ParseScenario(GetParam().yaml, "s.yaml");
  ASSERT_FALSE(scenario.ok()) << GetParam().yaml;
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(scenario.status().message()), GetParam().error) << GetParam().yaml;
}

INSTANTIATE_TEST_SUITE_P(
    Reading, ScenarioMistake,
    ::testing::Values(
        Mistake{"", "s.yaml:1:1: there is nothing in this file"},
        Mistake{"nodes", "s.yaml:1:1: there are no names with values, such as 'nodes: 3', in this file"},
        Mistake{"nodes: 1\n---\nnodes: 2", "s.yaml:1:1: there is more than one document in this file"},
        Mistake{"name: x\nnetwork:\n  latncy: 5ms",
                "s.yaml:3:3: there is no 'latncy' in 'network'; did you mean 'latency'?"},
        Mistake{"nods: 3", "s.yaml:1:1: there is no 'nods' in a Scenario; did you mean 'nodes'?"},
        Mistake{"steps:\n- at: 1s\n  kil: 2", "s.yaml:3:3: there is no 'kil' in 'steps'; did you mean 'kill'?"},
        Mistake{"network: {qqqqqqqq: 1}",
                "s.yaml:1:11: there is no 'qqqqqqqq' in 'network'; there is latency, loss, "
                "duplicate, reorder, bytes_per_second"},
        Mistake{"nodes: 3\nname: x\nnodes: 4", "s.yaml:3:1: 'nodes' is there twice, first in line 1"},
        Mistake{"steps:\n- at: 1s\n  kill: 2\n  load: {}",
                "s.yaml:4:3: 'load' and 'kill' (line 3) exclude each other: 'steps' takes one of them"},
        Mistake{"steps:\n- at: 1s\n  kill: 2\n  drain: 1",
                "s.yaml:4:3: 'drain' and 'kill' (line 3) exclude each other: 'steps' takes one of them"},
        Mistake{"steps:\n- at: 1s\n  always: {nodes_up: 1, answers: 2}",
                "s.yaml:3:25: 'answers' and 'nodes_up' (line 3) exclude each other: 'always' takes one of them"},
        Mistake{"steps:\n- at: 1s\n  within: {time: 1s, nodes_up: 1, that: {nodes_up: 2}}",
                "s.yaml:3:35: 'that' and 'nodes_up' (line 3) exclude each other: 'within' takes one of them"},
        Mistake{"nodes: many", "s.yaml:1:8: 'many' is no number"},
        Mistake{"nodes: 2.5", "s.yaml:1:8: '2.5' is no whole number"},
        Mistake{"nodes: 1e30", "s.yaml:1:8: '1e30' is too large a number"},
        Mistake{"network: {loss: .nan}", "s.yaml:1:17: '.nan' is no number"},
        Mistake{"nodes:", "s.yaml:1:1: 'nodes' has no value"},
        Mistake{"nodes: [3]", "s.yaml:1:8: 'nodes' takes one value, no list"},
        Mistake{"name: {a: b}", "s.yaml:1:7: 'name' takes one value, no names with values"},
        Mistake{"network: 5ms",
                "s.yaml:1:10: 'network' has parts: latency, loss, duplicate, reorder, bytes_per_second"},
        Mistake{"steps: {at: 1s}", "s.yaml:1:8: 'steps' takes a list, such as [a, b] or lines with '- '"},
        Mistake{"steps: [{at: 1s, heal: 2}]", "s.yaml:1:24: 'heal' takes nothing"},
        Mistake{"steps: [{at: 1s, link: {one_way: yes}}]", "s.yaml:1:34: 'yes' is neither true nor false"},
        Mistake{"duration: 30", "s.yaml:1:11: '30' is no duration such as 500ms, 30s or 2m"},
        Mistake{"duration: inf", "s.yaml:1:11: 'inf' is no duration such as 500ms, 30s or 2m"},
        Mistake{"scaling:\n  settings: [a]", "s.yaml:2:13: 'settings' takes names with values, such as {name: value}"},
        Mistake{"scaling:\n  settings:\n    a: 1\n    b: 2\n    a: 3",
                "s.yaml:5:5: 'a' is there twice, first in line 3"},
        Mistake{"scaling:\n  settings: {a: [b]}", "s.yaml:2:17: 'value' takes one value, no list"},
        Mistake{"[a]: b", "s.yaml:1:1: there is no name of a part of a Scenario"}));

INSTANTIATE_TEST_SUITE_P(
    Sense, ScenarioMistake,
    ::testing::Values(
        Mistake{"nodes: 0", "s.yaml:1:1: there can be 1 to 100 nodes, not 0"},
        Mistake{"nodes: 101", "s.yaml:1:1: there can be 1 to 100 nodes, not 101"},
        Mistake{"nodes: 100\nsteps:\n- at: 1s\n  add_node:",
                "s.yaml:4:3: with this one there are 101 nodes; there can be 100"},
        Mistake{"duration: 0s", "s.yaml:1:1: 'duration' must be more than 0s"},
        Mistake{"duration: 25h", "s.yaml:1:1: 'duration' is 24h at most"},
        Mistake{"network: {loss: 1.5}", "s.yaml:1:11: 'loss' is a share, from 0 to 1, not 1.5"},
        Mistake{"network: {bytes_per_second: -1}", "s.yaml:1:11: 'bytes_per_second' can't be negative"},
        Mistake{"load: {clients: 0}", "s.yaml:1:8: 'clients' must be more than 0"},
        Mistake{"load: {clients: -1}", "s.yaml:1:8: 'clients' is from 0 to 10000, not -1"},
        Mistake{"load: {calls_per_second: -1}", "s.yaml:1:8: 'calls_per_second' is from 0 to 1000000, not -1"},
        Mistake{
            "load: {forwards: 0.6}",
            "s.yaml:1:7: the shares come to 1.3, together with those that are not given; they can't be more than 1"},
        Mistake{"load: {forwards: 0.6, effects: 0.6, value_writes: 0, event_sourced_writes: 0}",
                "s.yaml:1:7: the shares come to 1.2; they can't be more than 1"},
        Mistake{"user_function: {hangs: 0.6, failures: 0.6}",
                "s.yaml:1:16: the shares come to 1.2; they can't be more than 1"},
        Mistake{"chaos: {faults: [kil]}", "s.yaml:1:9: 'faults' is never 'kil'; did you mean 'kill'?"},
        Mistake{"steps:\n- kill: 2", "s.yaml:2:3: this step has no 'at'"},
        Mistake{"steps:\n- at: 1s",
                "s.yaml:2:3: this step does nothing; give it a 'kill', a 'load', an 'eventually' or "
                "the like"},
        Mistake{
            "steps:\n- at: 5s\n  heal:\n- at: 3s\n  heal:",
            "s.yaml:4:3: steps are in the order of their times, but this one is at 3s and the one before it, in line "
            "2, at 5s"},
        Mistake{"steps:\n- at: 31s\n  heal:", "s.yaml:2:3: this step is at 31s, after the end: 'duration' is 30s"},
        Mistake{"steps:\n- at: -1s\n  heal:", "s.yaml:2:3: 'at' must be 0s or more"},
        Mistake{"steps:\n- at: 1s\n  kill: 4", "s.yaml:3:9: there is no node 4: there are 1 to 3"},
        Mistake{"steps:\n- at: 1s\n  kill:", "s.yaml:3:3: there is no 'node' here"},
        Mistake{"steps:\n- at: 1s\n  cut: {from: 1}", "s.yaml:3:8: there is no 'to' here"},
        Mistake{"steps:\n- at: 1s\n  cut: {from: 1, to: 1}", "s.yaml:3:8: there is no link from a node to itself"},
        Mistake{"steps:\n- at: 1s\n  pause: {node: 1, for: 0s}", "s.yaml:3:20: 'for' must be more than 0s"},
        Mistake{"steps:\n- at: 1s\n  partition: []", "s.yaml:3:14: a partition has groups, such as [[1, 2], [3]]"},
        Mistake{"steps:\n- at: 1s\n  partition: [[1, 2], [2]]", "s.yaml:3:23: node 2 is named twice"},
        Mistake{"steps:\n- at: 1s\n  partition: [[1, 9]]", "s.yaml:3:15: there is no node 9: there are 1 to 3"},
        Mistake{"steps:\n- at: 1s\n  move_shard: {shard: 100, to: 1}", "s.yaml:3:16: shards are 0 to 99"},
        Mistake{"steps:\n- at: 1s\n  within: {nodes_up: 1}", "s.yaml:3:11: there is no 'time' here"},
        Mistake{"steps:\n- at: 1s\n  within: {time: 1s}",
                "s.yaml:3:11: there is no condition here, such as 'nodes_up: 3'"},
        Mistake{"nodes: 2\nsteps:\n- at: 1s\n  always: {nodes_up: 3}",
                "s.yaml:4:12: there are never 3 nodes: there are 1 to 2"},
        Mistake{"steps:\n- at: 1s\n  always: {}", "s.yaml:3:11: there is no condition here, such as 'nodes_up: 3'"},
        Mistake{"steps:\n- at: 1s\n  always: {all_of: []}", "s.yaml:3:20: 'all_of' takes at least one condition"},
        Mistake{"steps:\n- at: 1s\n  always: {converged: false}",
                "s.yaml:3:12: write `not: {converged: true}` instead"},
        Mistake{"steps:\n- at: 1s\n  always: {node_is: {node: 1, state: upp}}",
                "s.yaml:3:31: 'state' is never 'upp'; did you mean 'up'?"},
        Mistake{"steps:\n- at: 1s\n  always: {refuses: {node: 1, code: UNAVAILBLE}}",
                "s.yaml:3:31: 'code' is never 'UNAVAILBLE'; did you mean 'UNAVAILABLE'?"},
        Mistake{"steps:\n- at: 1s\n  always: {shards: {node: 1, at_least: 5, at_most: 4}}",
                "s.yaml:3:43: 'at_most' is less than 'at_least'"}));

INSTANTIATE_TEST_SUITE_P(
    Scaling, ScenarioMistake,
    ::testing::Values(
        Mistake{"scaling: {replicas: 2}",
                "s.yaml:1:10: '' is no way to scale; there are off, manual, cloudstate and knative"},
        Mistake{"scaling: {mode: auto}",
                "s.yaml:1:10: 'auto' is no way to scale; there are off, manual, cloudstate and knative"},
        Mistake{"scaling: {mode: off}", "s.yaml:1:11: leave 'scaling' out where there is to be none"},
        Mistake{"scaling: {mode: manual, replicas: 0}",
                "s.yaml:1:25: there can be 1 to 100 replicas at the start, not 0"},
        Mistake{"scaling: {mode: manual, replicas: 4, settings: {max-scale: 3}}",
                "s.yaml:1:25: there can be 1 to 3 replicas at the start, not 4"},
        Mistake{"scaling: {mode: manual, failed_starts: 1.5}",
                "s.yaml:1:25: 'failed_starts' is a share, from 0 to 1, not 1.5"},
        Mistake{"scaling: {mode: knative, settings: {scale-targt: 3}}",
                "s.yaml:1:10: scaling has no setting 'scale-targt'; did you mean 'scale-target'?"},
        Mistake{"scaling: {mode: knative, settings: {stable-window: 10s}}",
                "s.yaml:1:10: the panic window is 1s, shorter than a tick of 2s; raise stable-window or "
                "panic-window-percentage, or make scale-tick shorter"},
        Mistake{"nodes: 3\nscaling: {mode: manual}",
                "s.yaml:1:1: with 'scaling' there are as many nodes as replicas; write 'replicas' in it instead"},
        Mistake{"steps:\n- at: 1s\n  scale: {replicas: 1}", "s.yaml:3:10: 'scale' is for scenarios with 'scaling'"},
        Mistake{"steps:\n- at: 1s\n  always: {replicas: {at_least: 1}}",
                "s.yaml:3:22: 'replicas' is for scenarios with 'scaling'"},
        Mistake{"scaling: {mode: manual}\nsteps:\n- at: 1s\n  always: {replicas: {at_least: 2, at_most: 1}}",
                "s.yaml:4:36: 'at_most' is less than 'at_least'"},
        Mistake{"scaling: {mode: manual}\nsteps:\n- at: 1s\n  scale: {mode: manul}",
                "s.yaml:4:11: 'manul' is no way to scale; there are off, manual, cloudstate and knative"},
        Mistake{"scaling: {mode: manual}\nsteps:\n- at: 1s\n  scale: {settings: {min-scale: x}}",
                "s.yaml:4:11: 'x' is not a whole number that is small enough; min-scale takes a whole number from 0 to "
                "100"},
        Mistake{"load: {phases: [{calls_per_second: 3}]}", "s.yaml:1:17: there is no 'for' here"},
        Mistake{"load: {phases: [{for: 0s}]}", "s.yaml:1:18: 'for' must be more than 0s"},
        Mistake{"load: {phases: [{for: 1s, until: -1}]}", "s.yaml:1:27: 'until' is from 0 to 1000000, not -1"},
        Mistake{"load: {calls_per_second: 3, phases: [{for: 1s}]}",
                "s.yaml:1:8: the 'phases' say how many calls there are"}));

TEST(Scenario, WhatIsNoYamlIsToldWithItsPlace) {
  EXPECT_THAT(std::string(ParseScenario("nodes: 3\nname: [a", "s.yaml").status().message()), StartsWith("s.yaml:2:"));
  EXPECT_THAT(std::string(ParseScenario("a:\n\t- b: *nobody", "s.yaml").status().message()), StartsWith("s.yaml:"));
}

TEST(Scenario, WhatIsWrongWithALatencyIsToldWithItsPlace) {
  const std::string error(ParseScenario("network:\n  latency: soon", "s.yaml").status().message());
  EXPECT_THAT(error, StartsWith("s.yaml:2:3: "));
  EXPECT_THAT(error, HasSubstr("soon"));
}

TEST(Scenario, AliasesThatMakeMuchOutOfLittleAreRefused) {
  std::string yaml = "steps:\n- at: 1s\n  always: {all_of: &a0 [{nodes_up: 1}, {nodes_up: 1}]}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = absl::StrCat("{all_of: *a", i - 1, "}");
    absl::StrAppend(&yaml, "- at: 1s\n  always: {all_of: &a", i, " [", before, ", ", before, "]}\n");
  }
  EXPECT_THAT(std::string(ParseScenario(yaml, "s.yaml").status().message()), HasSubstr("too"));
}

TEST(Scenario, DeepNestingIsRefused) {
  std::string yaml = "steps: [{at: 1s, always: ";
  for (int i = 0; i < 200; ++i) yaml += "{not: ";
  EXPECT_FALSE(ParseScenario(yaml + std::string(200, '}') + "}]", "s.yaml").ok());
}

TEST(Scenario, NodesThatStepsOrChaosAddCanBeNamed) {
  Parsed("nodes: 2\nsteps:\n- at: 1s\n  add_node:\n- at: 2s\n  kill: 3");
  Parsed("nodes: 2\nchaos: {faults: [add]}\nsteps:\n- at: 2s\n  kill: 3");
  EXPECT_FALSE(ParseScenario("nodes: 2\nchaos: {faults: [kill]}\nsteps:\n- at: 2s\n  kill: 3", "s.yaml").ok());
}

TEST(Scenario, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadScenario("/no/such/file.yaml").status().code(), absl::StatusCode::kNotFound);
}

TEST(Scenario, WhatWasChangedCanBeCheckedAgain) {
  Scenario scenario = Parsed("nodes: 5\nsteps:\n- at: 1s\n  kill: 5");
  EXPECT_TRUE(CheckScenario(scenario, "five").ok());
  scenario.set_nodes(3);
  EXPECT_EQ(std::string(CheckScenario(scenario, "five").message()), "five: there is no node 5: there are 1 to 3");
}

// ---- as a person would write it

TEST(ScenarioText, IsWhatAPersonWouldWrite) {
  const std::string yaml = R"yaml(name: split
description: |
  One line.

  Another: line.
nodes: 5
duration: 2m
network:
  latency: "uniform(1ms, 5ms)"
  loss: 0.01
steps:
  - at: 0s
    note: the network breaks
    partition: [[1, 2], [3, 4, 5]]
  - at: 5s
    within: {time: 4s, nodes_up: 3}
  - at: 5.5s
    kill: 2
  - at: 6s
    heal:
  - at: 7s
    eventually:
      all_of:
        - node_is: {node: 1, state: up}
        - refuses: {node: 2, code: UNAVAILABLE}
        - not: {node_sees: {node: 3, peer: 4, as: unreachable}}
  - at: 8s
    always: {failed_calls: 0}
chaos: {}
)yaml";
  EXPECT_EQ(ScenarioText(Parsed(yaml)), yaml);
  EXPECT_EQ(ScenarioText(Scenario()), "{}\n");
}

TEST(ScenarioText, AConditionIsOneLine) {
  const Scenario scenario = Parsed(
      "steps:\n- at: 1s\n  always:\n    not:\n      all_of: [{answers: 1}, {node_is: {node: 2, state: up}}, {answers: "
      "}]");
  EXPECT_EQ(ConditionText(scenario.steps(0).always()),
            "not: {all_of: [{answers: 1}, {node_is: {node: 2, state: up}}, {answers: 0}]}");
}

TEST(ScenarioText, OddTextsComeBack) {
  for (const std::string text :
       {"",       "true",  "null",   "~",     "7",    "- a", "a: b",     "a #b",  "'",     "\"",
        "\\",     "a\nb",  "a\nb\n", "\n",    "\n\n", " a",  "a ",       "a\n b", " a\nb", "a\n \nb",
        "a\n\nb", "a\n\n", "a\tb",   "\x01",  "[",    "*a",  "ü → 日本", "a:",    "%",     "a,b",
        "---\na", "\r\n",  "a\rb\n", "#a\nb", "|",    "yes", "NO"}) {
    Scenario scenario;
    scenario.set_name(text);
    scenario.mutable_steps()->Add()->set_note(text);
    scenario.mutable_steps(0)->mutable_at();
    scenario.mutable_steps(0)->mutable_steer()->mutable_heal();
    EXPECT_EQ(Difference(scenario, Parsed(ScenarioText(scenario))), "") << ScenarioText(scenario);
  }
}

// Makes up scenarios that make sense.
class Generator {
 public:
  explicit Generator(base::Random& random) : random_(random) {}

  Scenario Make() {
    Scenario scenario;
    if (Coin()) scenario.set_name("made up");
    if (Coin()) scenario.set_description("Lines\n  of: text,\n\nand - more");
    scales_ = Coin();
    if (scales_) *scenario.mutable_scaling() = Scaling();
    if (!scales_ && Coin()) scenario.set_nodes(kNodes);
    *scenario.mutable_duration() = base::ToDuration(absl::Seconds(100));
    if (Coin()) *scenario.mutable_cluster()->mutable_heartbeat_interval() = Time();
    if (Coin()) scenario.mutable_cluster()->set_phi_threshold(1 + base::Uniform(random_));
    if (Coin()) *scenario.mutable_network() = Settings();
    if (Coin()) scenario.mutable_journal()->set_write_failures(base::Uniform(random_));
    if (Coin()) scenario.mutable_user_function()->set_hangs(base::Uniform(random_));
    if (Coin()) *scenario.mutable_load() = Load();
    const int steps = Number(0, 8);
    for (int i = 0; i < steps; ++i) *scenario.add_steps() = Step(absl::Seconds(i) + absl::Nanoseconds(Number(0, 999)));
    if (Coin()) {
      scenario.mutable_chaos();
      if (Coin()) *scenario.mutable_chaos()->mutable_every() = Time();
      if (Coin()) scenario.mutable_chaos()->add_faults(ChaosFaults()[base::Below(random_, ChaosFaults().size())]);
    }
    return scenario;
  }

 private:
  static constexpr int kNodes = 3;

  bool Coin() { return base::Happens(random_, 0.5); }
  int Number(int least, int most) {
    return least + static_cast<int>(base::Below(random_, static_cast<std::uint64_t>(most - least + 1)));
  }
  int Node() { return Number(1, kNodes); }
  google::protobuf::Duration Time() {
    return base::ToDuration(absl::Nanoseconds(base::Below(random_, 1'000'000'000'000) + 1));
  }

  dev::v1::LinkSettings Settings() {
    dev::v1::LinkSettings settings;
    if (Coin()) settings.set_latency("normal(10ms, 3ms)");
    if (Coin()) settings.set_loss(base::Uniform(random_));
    if (Coin()) settings.set_bytes_per_second(static_cast<std::int64_t>(random_() >> 1));
    return settings;
  }

  dev::v1::ScalingPart Scaling() {
    dev::v1::ScalingPart scaling;
    scaling.set_mode(Coin() ? "manual" : "cloudstate");
    if (Coin()) (*scaling.mutable_settings())["cold-start"] = "2s";
    if (Coin()) (*scaling.mutable_settings())["autoscaling.knative.dev/target"] = "7";
    if (Coin()) (*scaling.mutable_settings())["spec: containerConcurrency"] = "5";
    if (Coin()) scaling.set_replicas(Number(1, 100));
    if (Coin()) scaling.set_failed_starts(base::Uniform(random_));
    if (Coin()) *scaling.mutable_crashes_after() = Time();
    return scaling;
  }

  dev::v1::SetScalingRequest Scale() {
    dev::v1::SetScalingRequest scale;
    if (Coin()) scale.set_mode("knative");
    if (Coin()) scale.set_replicas(Number(0, 3));
    if (Coin()) (*scale.mutable_settings())["min-scale"] = "3";
    return scale;
  }

  dev::v1::LoadPhase Phase() {
    dev::v1::LoadPhase phase;
    *phase.mutable_for_() = Time();
    if (Coin()) phase.set_calls_per_second(Number(0, 5));
    if (Coin()) phase.set_until(Number(0, 5));
    return phase;
  }

  dev::v1::Load Load() {
    dev::v1::Load load;
    if (Coin()) load.set_clients(Number(1, 100));
    if (Coin()) {
      load.set_calls_per_second(Number(0, 2));
    } else {
      for (int i = Number(0, 3); i > 0; --i) *load.add_phases() = Phase();
    }
    if (Coin()) load.set_forwards(Number(0, 3) / 10.0);
    if (Coin()) load.set_effects(0);
    if (Coin()) load.set_node(Node());
    return load;
  }

  dev::v1::Steering Steering() {
    dev::v1::Steering steer;
    switch (Number(1, 9)) {
      case 1:
        steer.mutable_kill()->set_node(Node());
        break;
      case 2:
        steer.mutable_heal();
        break;
      case 3:
        steer.mutable_partition()->add_groups()->add_nodes(Node());
        break;
      case 4:
        steer.mutable_pause()->set_node(Node());
        break;
      case 5:
        *steer.mutable_link()->mutable_settings() = Settings();
        break;
      case 6:
        steer.mutable_skew()->set_node(Node());
        *steer.mutable_skew()->mutable_by() = Time();
        break;
      case 7:
        steer.mutable_move_shard()->set_shard(Number(0, 99));
        steer.mutable_move_shard()->set_to(Node());
        break;
      case 8:
        steer.mutable_journal();
        break;
      default:
        steer.mutable_crash_all();
        break;
    }
    return steer;
  }

  Condition MakeCondition(int depth) {
    Condition condition;
    switch (Number(depth > 3 ? 3 : 1, scales_ ? 10 : 9)) {
      case 10:
        condition.mutable_replicas()->set_at_least(Number(0, 3));
        if (Coin()) condition.mutable_replicas()->set_at_most(Number(3, 5));
        break;
      case 1:
        *condition.mutable_not_() = MakeCondition(depth + 1);
        break;
      case 2:
        for (int i = Number(1, 4); i > 0; --i) {
          *condition.mutable_all_of()->add_conditions() = MakeCondition(depth + 1);
        }
        break;
      case 3:
        condition.set_nodes_up(Number(0, kNodes));
        break;
      case 4:
        condition.set_converged(true);
        break;
      case 5:
        condition.mutable_answers()->set_node(Number(0, kNodes));
        break;
      case 6:
        condition.mutable_failed_calls()->set_at_most(Number(0, 3));
        break;
      case 7:
        condition.mutable_shards()->set_node(Node());
        if (Coin()) condition.mutable_shards()->set_at_most(Number(0, 5));
        break;
      case 8:
        condition.mutable_node_sees()->set_node(Node());
        condition.mutable_node_sees()->set_peer(Node());
        condition.mutable_node_sees()->set_as("unreachable");
        break;
      default:
        condition.mutable_refuses()->set_node(Node());
        condition.mutable_refuses()->set_code("UNAVAILABLE");
        break;
    }
    return condition;
  }

  ScenarioStep Step(absl::Duration at) {
    ScenarioStep step;
    *step.mutable_at() = base::ToDuration(at);
    if (Coin()) step.set_note("why: because, \"so\"");
    switch (Number(scales_ ? 0 : 1, 6)) {
      case 0:
        *step.mutable_scale() = Scale();
        break;
      case 1:
        *step.mutable_load() = Load();
        break;
      case 2:
        *step.mutable_always() = MakeCondition(0);
        break;
      case 3:
        *step.mutable_eventually() = MakeCondition(0);
        break;
      case 4:
        *step.mutable_within()->mutable_time() = Time();
        *step.mutable_within()->mutable_that() = MakeCondition(0);
        break;
      default:
        *step.mutable_steer() = Steering();
        break;
    }
    return step;
  }

  base::Random& random_;
  bool scales_ = false;  // the scenario that is being made
};

TEST(ScenarioText, AnyScenarioIsReadBackAsItWas) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    base::Random random(seed);
    const Scenario scenario = Generator(random).Make();
    ASSERT_EQ(Difference(scenario, Parsed(ScenarioText(scenario))), "") << "seed " << seed << "\n"
                                                                        << ScenarioText(scenario);
    const Scenario written_out = WriteOutChaos(scenario, random);
    ASSERT_EQ(Difference(written_out, Parsed(ScenarioText(written_out))), "") << "seed " << seed << "\n"
                                                                              << ScenarioText(written_out);
  }
}

}  // namespace
}  // namespace cloudstate::simulation
