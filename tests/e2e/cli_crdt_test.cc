// The commands that look at CRDT entities, against a running emulator with three nodes that a partition divides.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "tests/e2e/running_emulator.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::StartTool;
using support::ToolResult;
using ::testing::HasSubstr;

class CliCrdt : public RunningEmulator {
 protected:
  // For a minute a node that is cut off is taken for one that is slow, and so goes on.
  CliCrdt() : RunningEmulator({"--sample", "counters", "--nodes", "3", "--acceptable-pause", "1m", "--ephemeral"}) {}

  void Count(int by, const std::string& node) const {
    Output({"call", "Counters/Increment", absl::StrCat(R"({"name": "visits", "by": )", by, "}"), "--node", node});
  }
  dev::v1::CrdtDetail Visits() const {
    return FromJson<dev::v1::CrdtDetail>(Output({"crdt", "show", "visits", "--json"}));
  }
  bool EventuallyAllHave(const std::string& value) const {
    return Eventually([&] {
      const dev::v1::CrdtDetail detail = Visits();
      int have = 0;
      for (const dev::v1::CrdtReplica& replica : detail.replicas()) have += replica.value().text() == value ? 1 : 0;
      return have == 3 && detail.crdt().agreed();
    });
  }
};

TEST_F(CliCrdt, ShowsWhatAPartitionKeepsFromWhomAndThatAllAgreeAfterIt) {
  EXPECT_THAT(Tool({"crdt", "show", "visits"}).errors, HasSubstr("There is none so far"));
  auto watching = StartTool(WithAdmin({"crdt", "watch", "visits", "--json"}));
  ASSERT_TRUE(watching->WaitUntil(
      [](const std::string& output, const std::string&) { return absl::StrContains(output, "\"watching\""); },
      kPatience))
      << watching->errors();
  Count(1, "1");
  Count(1, "3");
  ASSERT_TRUE(EventuallyAllHave("2"));
  Output({"network", "partition", "1,2/3"});
  Count(2, "1");
  Count(10, "3");
  const dev::v1::CrdtDetail divided = Visits();
  EXPECT_FALSE(divided.crdt().agreed());
  bool told = false;
  for (const dev::v1::CrdtDifference& difference : divided.differences()) {
    if (difference.node() != 3 || difference.known_by() != 1) continue;
    told = true;
    EXPECT_EQ(difference.reasons(0).kind(), "partition");
    EXPECT_EQ(difference.missing(0).node(), 1);
    EXPECT_EQ(difference.missing(0).ranges(0).first(), 3);
  }
  EXPECT_TRUE(told) << divided.ShortDebugString();
  EXPECT_THAT(Output({"crdt", "show", "visits"}), HasSubstr("the network is parted"));
  EXPECT_THAT(Output({"crdt", "ls"}), HasSubstr("12 on node 3"));
  EXPECT_THAT(Output({"crdt", "show", "visits", "--node", "3"}),
              HasSubstr("Knows   writes 1-2 of node 1, writes 1-2 of node 3"));
  Output({"network", "heal"});
  EXPECT_TRUE(EventuallyAllHave("14"));
  EXPECT_TRUE(watching->WaitUntil(
      [](const std::string& output, const std::string&) {
        return absl::StrContains(output, "\"from node 3: +10 (") && absl::StrContains(output, "write 2 of node 3, ");
      },
      kPatience))
      << watching->errors();
}

TEST_F(CliCrdt, TellsWhatCannotBeShown) {
  Count(1, "1");
  const ToolResult unknown = Tool({"crdt", "show", "visit"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.errors,
              HasSubstr("No node knows of a CRDT entity 'visit'. There is com.example.counters.Counters|visits."));
  EXPECT_THAT(Tool({"crdt", "show", "visits", "--node", "9"}).errors, HasSubstr("there is no node 9"));
  EXPECT_EQ(Tool({"crdt", "watch", "--node", "9"}).exit_code, 1);
  EXPECT_EQ(Tool({"crdt", "ls", "--node", "9"}).exit_code, 1);
  EXPECT_EQ(RunTool({"crdt", "ls", "--admin", "127.0.0.1:1"}).exit_code, 3);
  EXPECT_THAT(Output({"crdt", "ls", "--service", "Counters"}), HasSubstr("visits"));
  EXPECT_THAT(Tool({"crdt", "ls", "--service", "Countres"}).errors, HasSubstr("did you mean 'Counters'?"));
  EXPECT_THAT(Output({"crdt", "ls", "--id-contains", "nothing"}),
              HasSubstr("No node knows of a CRDT entity that fits"));
}

}  // namespace
}  // namespace cloudstate
