#include "emulator/runtime/cluster_metrics.h"

#include <gmock/gmock.h>

#include "tests/unit/cluster_fixture.h"

namespace cloudstate::cluster {
namespace {

using ::testing::HasSubstr;

class ClusterMetricsTest : public ClusterFixture {
 protected:
  ClusterMetricsTest() : ClusterFixture(2) {}
};

TEST_F(ClusterMetricsTest, TellsEachNodesLoad) {
  trace::LoadMeter& meter = node(2).load().user_function;
  meter.Begin(strand_.Now());
  meter.Begin(strand_.Now());
  strand_.Advance(absl::Milliseconds(1'500));
  meter.End(strand_.Now(), absl::Milliseconds(1'500));
  const std::string text = runtime::ClusterMetricsText(cluster_);
  EXPECT_THAT(text, HasSubstr("cloudstate_node_load_open{node=\"2\",load=\"user_function\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("cloudstate_node_load_integral_seconds_total{node=\"2\",load=\"user_function\"} 3.000000\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_node_load_seconds_sum{node=\"2\",load=\"user_function\"} 1.500000\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_node_load_seconds_count{node=\"2\",load=\"user_function\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_node_load_open{node=\"1\",load=\"user_function\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_node_load_open{node=\"2\",load=\"requests\"} 0\n"));
  meter.End(strand_.Now(), absl::Milliseconds(1'500));
}

TEST(ScalingMetricsTest, TellsReplicasByTheirStateAndWhatWaitsForThem) {
  dev::v1::ScalingState state;
  for (const char* each : {"ready", "draining", "ready"}) state.add_replicas()->set_state(each);
  state.set_wanted(2);
  state.set_held_calls(7);
  const std::string text = runtime::ScalingMetricsText(state);
  EXPECT_THAT(text, HasSubstr("cloudstate_scaling_replicas{state=\"ready\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_scaling_replicas{state=\"draining\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_scaling_replicas{state=\"starting\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_scaling_wanted 2\n"));
  EXPECT_THAT(text, HasSubstr("cloudstate_activator_held_calls 7\n"));
}

}  // namespace
}  // namespace cloudstate::cluster
