#include "emulator/cluster/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr NodeId kThree{3};
constexpr NodeId kFour{4};

Latency Constant(absl::Duration time) { return {Latency::Kind::kConstant, time, {}}; }

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    for (NodeId node : {kOne, kTwo, kThree, kFour}) Attach(node);
    network_.Observe([this](NodeId from, NodeId to, absl::string_view fate, const std::string& bytes) {
      seen_.push_back(absl::StrCat(ToString(from), ">", ToString(to), " ", fate, " ", bytes));
    });
  }

  void Attach(NodeId node) {
    network_.Attach(node, [this, node](std::string bytes) {
      received_.push_back(absl::StrCat(ToString(node), " ", bytes, " ",
                                       absl::ToInt64Milliseconds(strand_.Now() - testing::VirtualStrand::Beginning())));
    });
  }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  Network network_{strand_, random_};
  std::vector<std::string> received_;  // node, message, milliseconds from the beginning
  std::vector<std::string> seen_;
};

TEST_F(NetworkTest, DeliversAfterTheLatency) {
  network_.SetDefault({.latency = Constant(absl::Milliseconds(5))});
  network_.Send(kOne, kTwo, "a");
  strand_.Advance(absl::Microseconds(4999));
  EXPECT_THAT(received_, IsEmpty());
  strand_.Advance(absl::Microseconds(1));
  EXPECT_THAT(received_, ElementsAre("2 a 5"));
}

TEST_F(NetworkTest, DeliversNothingBeforeSendReturns) {
  network_.Send(kOne, kTwo, "a");
  EXPECT_THAT(received_, IsEmpty());
  strand_.Run();
  EXPECT_THAT(received_, ElementsAre("2 a 0"));
}

TEST_F(NetworkTest, KeepsTheOrderOfALinkWhateverTheLatencies) {
  network_.SetDefault({.latency = *Latency::Parse("uniform(0ms, 50ms)")});
  std::vector<std::string> sent;
  std::vector<std::string> received;
  network_.Attach(kTwo, [&](std::string bytes) { received.push_back(std::move(bytes)); });
  for (int i = 0; i < 100; ++i) {
    sent.push_back(absl::StrCat(i));
    network_.Send(kOne, kTwo, sent.back());
    strand_.Advance(absl::Milliseconds(1));
  }
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(received, sent);
}

TEST_F(NetworkTest, KeepsTheOrderOfWhatArrivesAtOneInstant) {
  network_.SetDefault({.latency = Constant(absl::Milliseconds(10))});
  strand_.After(absl::Milliseconds(10), [&] {
    network_.SetDefault({});
    network_.Send(kOne, kTwo, "b");
  });
  network_.Send(kOne, kTwo, "a");
  strand_.Advance(absl::Milliseconds(10));
  EXPECT_THAT(received_, ElementsAre("2 a 10", "2 b 10"));
}

TEST_F(NetworkTest, HoldsBackTheShareThatReordersEvenWhereLatencyIsConstant) {
  network_.SetDefault({.latency = Constant(absl::Milliseconds(10)), .reorder = 0.3});
  for (int i = 0; i < 100; ++i) {
    network_.Send(kOne, kTwo, std::string(1, static_cast<char>(i)));
    strand_.Advance(absl::Milliseconds(1));
  }
  strand_.Advance(absl::Seconds(1));
  ASSERT_THAT(received_, SizeIs(100));
  std::vector<int> numbers;
  for (const std::string& each : received_) numbers.push_back(each[2]);
  int overtaken = 0;
  for (std::size_t i = 1; i < numbers.size(); ++i) overtaken += numbers[i] < numbers[i - 1] ? 1 : 0;
  EXPECT_GT(overtaken, 10);
  EXPECT_LT(overtaken, 40);
}

TEST_F(NetworkTest, WhatWasQueuedOnASlowLinkHoldsUpNothingOnceTheLinkIsHealed) {
  network_.Set(kOne, kTwo, {.bytes_per_second = 1});
  network_.Send(kOne, kTwo, "a message of a minute or so, at one byte a second");
  network_.Heal();
  network_.Send(kOne, kTwo, "quick");
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(received_, SizeIs(1));
  strand_.Advance(absl::Minutes(2));
  EXPECT_THAT(received_, SizeIs(2));
}

TEST_F(NetworkTest, LosesTheShareThatItIsTold) {
  network_.SetDefault({.loss = 0.3});
  for (int i = 0; i < 10'000; ++i) network_.Send(kOne, kTwo, "a");
  strand_.Run();
  const LinkCounters counters = network_.CountersOf(kOne, kTwo);
  EXPECT_NEAR(static_cast<double>(counters.lost), 3000, 150);
  EXPECT_EQ(counters.delivered + counters.lost, 10'000u);
  EXPECT_EQ(received_.size(), counters.delivered);
}

TEST_F(NetworkTest, DeliversTwiceWhatItDuplicatesEachAfterALatencyOfItsOwn) {
  network_.SetDefault({.latency = *Latency::Parse("uniform(1ms, 1s)"), .duplicate = 1});
  network_.Send(kOne, kTwo, "a");
  strand_.Advance(absl::Seconds(1));
  ASSERT_EQ(received_.size(), 2u);
  EXPECT_NE(received_[0], received_[1]);
  EXPECT_THAT(seen_, ElementsAre("1>2 sent a", "1>2 duplicated a", "1>2 delivered a", "1>2 delivered a"));
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).duplicated, 1u);
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).delivered, 2u);
}

TEST_F(NetworkTest, LetsMessagesWaitForTheirTurnWhereBandwidthIsLimited) {
  network_.SetDefault({.latency = Constant(absl::Milliseconds(3)), .bytes_per_second = 1000});
  network_.Send(kOne, kTwo, std::string(10, 'a'));
  network_.Send(kOne, kTwo, std::string(20, 'b'));
  network_.Send(kOne, kThree, std::string(10, 'c'));  // another link
  strand_.Advance(absl::Seconds(1));
  network_.Send(kOne, kTwo, "d");
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(received_, ElementsAre("2 aaaaaaaaaa 13", "3 cccccccccc 13", "2 bbbbbbbbbbbbbbbbbbbb 33", "2 d 1004"));
}

TEST_F(NetworkTest, CutsOneWayOnly) {
  network_.Cut(kOne, kTwo);
  network_.Send(kOne, kTwo, "a");
  network_.Send(kTwo, kOne, "b");
  strand_.Run();
  EXPECT_THAT(received_, ElementsAre("1 b 0"));
  EXPECT_THAT(seen_, ElementsAre("1>2 sent a", "1>2 cut a", "2>1 sent b", "2>1 delivered b"));
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).lost, 1u);
}

TEST_F(NetworkTest, DeliversWhatWasOnItsWayBeforeACut) {
  network_.SetDefault({.latency = Constant(absl::Milliseconds(5))});
  network_.Send(kOne, kTwo, "a");
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).in_flight, 1u);
  network_.Cut(kOne, kTwo);
  strand_.Advance(absl::Milliseconds(5));
  EXPECT_THAT(received_, ElementsAre("2 a 5"));
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).in_flight, 0u);
}

TEST_F(NetworkTest, SeparatesTheGroupsOfAPartitionAndThoseInNone) {
  network_.Partition({{kOne, kTwo}});
  EXPECT_FALSE(network_.IsCut(kOne, kTwo));
  EXPECT_TRUE(network_.IsCut(kTwo, kThree));
  EXPECT_TRUE(network_.IsCut(kThree, kTwo));
  EXPECT_FALSE(network_.IsCut(kThree, kFour));

  network_.Partition({{kOne}, {kTwo, kThree}});
  EXPECT_TRUE(network_.IsCut(kOne, kTwo));
  EXPECT_FALSE(network_.IsCut(kTwo, kThree));
  EXPECT_TRUE(network_.IsCut(kFour, kOne));

  network_.Partition({});
  EXPECT_FALSE(network_.IsCut(kOne, kTwo));
  EXPECT_FALSE(network_.IsCut(kFour, kOne));
}

TEST_F(NetworkTest, HealsAllButTheDefault) {
  const LinkSettings slow{.latency = Constant(absl::Seconds(1))};
  network_.SetDefault({.latency = Constant(absl::Milliseconds(1))});
  network_.Set(kOne, kTwo, slow);
  network_.Cut(kOne, kTwo);
  network_.Partition({{kOne}});
  EXPECT_EQ(network_.SettingsOf(kOne, kTwo), slow);
  EXPECT_EQ(network_.SettingsOf(kTwo, kOne), network_.default_settings());

  network_.Heal();
  EXPECT_FALSE(network_.IsCut(kOne, kTwo));
  EXPECT_THAT(network_.links_set(), IsEmpty());
  EXPECT_THAT(network_.cuts(), IsEmpty());
  EXPECT_THAT(network_.partition(), IsEmpty());
  network_.Send(kOne, kTwo, "a");
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(received_, ElementsAre("2 a 1"));
}

TEST_F(NetworkTest, DropsOnArrivalWhatNobodyIsThereFor) {
  network_.Send(kOne, kTwo, "a");
  network_.Detach(kTwo);
  strand_.Run();
  EXPECT_THAT(received_, IsEmpty());
  EXPECT_THAT(seen_, ElementsAre("1>2 sent a", "1>2 unreceived a"));
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).delivered, 0u);
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).in_flight, 0u);

  Attach(kTwo);
  network_.Send(kOne, kTwo, "b");
  strand_.Run();
  EXPECT_THAT(received_, ElementsAre("2 b 0"));
}

TEST_F(NetworkTest, LetsAReceiverDetachItself) {
  network_.Attach(kTwo, [this, text = std::string("long enough to be kept on the heap")](std::string) {
    network_.Detach(kTwo);
    received_.push_back(text);
  });
  network_.Send(kOne, kTwo, "a");
  network_.Send(kOne, kTwo, "b");
  strand_.Run();
  EXPECT_THAT(received_, ElementsAre("long enough to be kept on the heap"));
}

TEST_F(NetworkTest, TakesNothingFromChanceForWhatIsOff) {
  const base::Random before = random_;
  network_.SetDefault({.latency = Constant(absl::Milliseconds(1)), .bytes_per_second = 1'000'000});
  network_.Send(kOne, kTwo, "a");
  network_.SetDefault({.loss = 1});
  network_.Send(kOne, kTwo, "a");
  EXPECT_EQ(random_, before);
}

TEST_F(NetworkTest, DoesTheSameForTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    testing::VirtualStrand strand;
    base::Random random(seed);
    Network network(strand, random);
    network.SetDefault({.latency = *Latency::Parse("normal(5ms, 2ms)"), .loss = 0.2, .duplicate = 0.2, .reorder = 0.5});
    std::string trace;
    network.Observe([&](NodeId, NodeId, absl::string_view fate, const std::string& bytes) {
      absl::StrAppend(&trace, absl::ToUnixNanos(strand.Now()), " ", fate, " ", bytes, "\n");
    });
    network.Attach(kTwo, [](std::string) {});
    for (int i = 0; i < 100; ++i) network.Send(kOne, kTwo, absl::StrCat(i));
    strand.Advance(absl::Seconds(1));
    return trace;
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

TEST_F(NetworkTest, CountsBytesAsSent) {
  network_.Send(kOne, kTwo, "abc");
  network_.Send(kOne, kTwo, "de");
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).sent, 2u);
  EXPECT_EQ(network_.CountersOf(kOne, kTwo).sent_bytes, 5u);
  EXPECT_EQ(network_.CountersOf(kTwo, kOne).sent, 0u);
}

TEST_F(NetworkTest, LeavesNothingBehindThatRunsAfterIt) {
  int received = 0;
  {
    Network network(strand_, random_);
    network.Attach(kTwo, [&](std::string) { ++received; });
    network.Send(kOne, kTwo, "a");
  }
  strand_.Run();
  EXPECT_EQ(received, 0);
}

TEST(NetworkDeathTest, CarriesNothingFromANodeToItself) {
  testing::VirtualStrand strand;
  base::Random random(1);
  Network network(strand, random);
  EXPECT_DEATH(network.Send(kOne, kOne, "a"), "node 1 sends to itself");
}

}  // namespace
}  // namespace cloudstate::cluster
