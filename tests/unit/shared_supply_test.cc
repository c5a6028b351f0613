#include "emulator/runtime/shared_supply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/fake_connection.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SharedSupplyTest : public ::testing::Test {
 protected:
  void Start(std::uint32_t node) {
    supply_.Start(cluster::NodeId{node}, {.ready = [this, node](auto, auto, auto) { ready_.push_back(node); },
                                          .lost = [this, node](const absl::Status&) { lost_.push_back(node); }});
  }
  void Ready() {
    supply_.Ready(std::make_shared<testing::FakeConnection>(), nullptr, entities::ReplayFrom::kNewestSnapshot);
  }
  void Lose() { supply_.Lost(absl::UnavailableError("it has crashed")); }

  testing::VirtualStrand strand_;
  SharedSupply supply_{strand_, "127.0.0.1:8080", absl::Seconds(2)};
  std::vector<std::uint32_t> ready_;
  std::vector<std::uint32_t> lost_;
};

TEST_F(SharedSupplyTest, AReplicaIsReadyAfterTheColdStart) {
  Ready();
  Start(1);
  strand_.Advance(absl::Milliseconds(1'999));
  EXPECT_THAT(ready_, IsEmpty());
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(ready_, ElementsAre(1));
}

TEST_F(SharedSupplyTest, AReplicaWaitsForTheUserFunction) {
  Start(1);
  strand_.Advance(absl::Seconds(5));
  EXPECT_THAT(ready_, IsEmpty());
  Ready();
  EXPECT_THAT(ready_, ElementsAre(1));
}

TEST_F(SharedSupplyTest, AllThatHaveStartedLoseTheUserFunctionAndGetItBack) {
  Ready();
  Start(1);
  Start(2);
  strand_.Advance(absl::Seconds(2));
  Start(3);
  Lose();
  EXPECT_THAT(lost_, ElementsAre(1, 2));
  ready_.clear();
  Ready();
  EXPECT_THAT(ready_, ElementsAre(1, 2));
}

TEST_F(SharedSupplyTest, AReplicaThatWasStoppedHearsNothingMore) {
  Ready();
  Start(1);
  supply_.Stop(cluster::NodeId{1});
  strand_.Advance(absl::Seconds(5));
  Lose();
  EXPECT_THAT(ready_, IsEmpty());
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(SharedSupplyTest, AReplicaThatIsStartedAgainTakesAsLongAgain) {
  Ready();
  Start(1);
  strand_.Advance(absl::Seconds(1));
  supply_.Stop(cluster::NodeId{1});
  Start(1);
  strand_.Advance(absl::Milliseconds(1'500));
  EXPECT_THAT(ready_, IsEmpty());
  strand_.Advance(absl::Milliseconds(500));
  EXPECT_THAT(ready_, ElementsAre(1));
}

}  // namespace
}  // namespace cloudstate::runtime
