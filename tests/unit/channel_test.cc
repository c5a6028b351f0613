#include "emulator/cluster/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/chance.h"
#include "emulator/base/random.h"
#include "emulator/cluster/latency.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

wire::Segment Content(std::uint64_t id) {
  wire::Segment segment;
  segment.mutable_command()->set_id(id);
  return segment;
}

wire::Segment Numbered(std::uint64_t sequence, std::uint64_t acknowledged = 0) {
  wire::Segment segment = Content(sequence);
  segment.set_sequence(sequence);
  segment.set_acknowledged(acknowledged);
  return segment;
}

wire::Segment Acknowledgement(std::uint64_t acknowledged) {
  wire::Segment segment;
  segment.set_acknowledged(acknowledged);
  return segment;
}

std::vector<std::uint64_t> UpTo(std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 1; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

// One channel, whose peer is the test.
class ChannelTest : public ::testing::Test {
 protected:
  struct Transmitted {
    std::uint64_t sequence;
    std::uint64_t acknowledged;
    std::int64_t at;  // milliseconds

    bool operator==(const Transmitted&) const = default;
    friend void PrintTo(const Transmitted& each, std::ostream* out) {
      *out << each.sequence << " acknowledging " << each.acknowledged << " at " << each.at;
    }
  };

  std::int64_t Time() const { return absl::ToInt64Milliseconds(strand_.Now() - testing::VirtualStrand::Beginning()); }

  void Make(Channel::Options options = {}) {
    channel_ = std::make_unique<Channel>(
        options, strand_,
        [this](const wire::Segment& segment) {
          transmitted_.push_back({segment.sequence(), segment.acknowledged(), Time()});
        },
        [this](wire::Segment segment) { received_.push_back(segment.command().id()); });
  }

  testing::VirtualStrand strand_;
  std::unique_ptr<Channel> channel_;
  std::vector<Transmitted> transmitted_;
  std::vector<std::uint64_t> received_;
};

TEST_F(ChannelTest, NumbersWhatItSendsFromOne) {
  Make();
  channel_->Send(Content(7));
  channel_->Send(Content(8));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 0, 0}, Transmitted{2, 0, 0}));
  EXPECT_EQ(channel_->unacknowledged(), 2u);
  channel_->OnSegment(Acknowledgement(2));
  EXPECT_EQ(channel_->unacknowledged(), 0u);
}

TEST_F(ChannelTest, AcknowledgesAloneOnlyAfterAWhile) {
  Make();
  channel_->OnSegment(Numbered(1));
  strand_.Advance(absl::Milliseconds(5));
  channel_->OnSegment(Numbered(2));
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{0, 2, 20}));
  EXPECT_THAT(received_, ElementsAre(1, 2));
}

TEST_F(ChannelTest, AcknowledgesWithWhatGoesTheOtherWay) {
  Make();
  channel_->OnSegment(Numbered(1));
  strand_.Advance(absl::Milliseconds(5));
  channel_->Send(Content(1));
  channel_->OnSegment(Acknowledgement(1));
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 1, 5}));
}

TEST_F(ChannelTest, GivesEachAcknowledgementItsWholeTime) {
  Make();
  channel_->OnSegment(Numbered(1));
  strand_.Advance(absl::Milliseconds(15));
  channel_->Send(Content(1));
  channel_->OnSegment(Numbered(2, 1));
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 1, 15}, Transmitted{0, 2, 35}));
}

TEST_F(ChannelTest, AcknowledgesAtOnceWhenThePeersWindowFillsUp) {
  Make({.window = 4});
  channel_->OnSegment(Numbered(1));
  strand_.Run();
  EXPECT_THAT(transmitted_, IsEmpty());
  channel_->OnSegment(Numbered(2));
  strand_.Advance(absl::ZeroDuration());
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{0, 2, 0}));
}

TEST_F(ChannelTest, AcknowledgesAgainWhatComesAgain) {
  Make();
  channel_->OnSegment(Numbered(1));
  strand_.Advance(absl::Milliseconds(100));
  channel_->OnSegment(Numbered(1));
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{0, 1, 20}, Transmitted{0, 1, 120}));
  EXPECT_THAT(received_, ElementsAre(1));
}

TEST_F(ChannelTest, DoesNotAnswerAnAcknowledgementAlone) {
  Make();
  channel_->OnSegment(Acknowledgement(0));
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(transmitted_, IsEmpty());
  EXPECT_THAT(received_, IsEmpty());
}

TEST_F(ChannelTest, RepeatsWhatIsNotAcknowledgedMoreAndMoreSeldom) {
  Make();
  channel_->Send(Content(1));
  strand_.Advance(absl::Milliseconds(9000));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 0, 0}, Transmitted{1, 0, 200}, Transmitted{1, 0, 600},
                                        Transmitted{1, 0, 1400}, Transmitted{1, 0, 3000}, Transmitted{1, 0, 5000},
                                        Transmitted{1, 0, 7000}, Transmitted{1, 0, 9000}));
  channel_->OnSegment(Acknowledgement(1));
  strand_.Advance(absl::Hours(1));
  EXPECT_EQ(transmitted_.size(), 8u);
}

TEST_F(ChannelTest, RepeatsAllThatHasBeenOnItsWayForTooLongAndNothingElse) {
  Make();
  channel_->Send(Content(1));
  channel_->Send(Content(2));
  channel_->Send(Content(3));
  strand_.Advance(absl::Milliseconds(150));
  channel_->Send(Content(4));
  channel_->OnSegment(Acknowledgement(0));  // old news
  strand_.Advance(absl::Milliseconds(50));
  transmitted_.erase(transmitted_.begin(), transmitted_.begin() + 4);
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 0, 200}, Transmitted{2, 0, 200}, Transmitted{3, 0, 200}));
}

TEST_F(ChannelTest, RepeatsQuicklyAgainOnceThePeerAnswersWhatWasSentAfterwards) {
  Make();
  channel_->Send(Content(1));
  strand_.Advance(absl::Seconds(10));
  channel_->OnSegment(Acknowledgement(1));
  channel_->Send(Content(2));
  strand_.Advance(absl::Milliseconds(10));
  channel_->OnSegment(Acknowledgement(2));
  transmitted_.clear();
  channel_->Send(Content(3));
  strand_.Advance(absl::Milliseconds(200));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{3, 0, 10'010}, Transmitted{3, 0, 10'210}));
}

TEST_F(ChannelTest, ComesToKnowASlowLinkAndDoesNotTakeItForALossyOne) {
  Make();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    channel_->Send(Content(i));
    strand_.Advance(absl::Milliseconds(600));
    channel_->OnSegment(Acknowledgement(i));
  }
  // Only those of the time when it did not know.
  EXPECT_LE(transmitted_.size(), 23u);
}

TEST_F(ChannelTest, LetsWhatDoesNotFitTheWindowWait) {
  Make({.window = 2});
  for (std::uint64_t i = 1; i <= 4; ++i) channel_->Send(Content(i));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 0, 0}, Transmitted{2, 0, 0}));
  EXPECT_EQ(channel_->unacknowledged(), 4u);
  channel_->OnSegment(Acknowledgement(1));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 0, 0}, Transmitted{2, 0, 0}, Transmitted{3, 0, 0}));
  EXPECT_EQ(channel_->unacknowledged(), 3u);
}

TEST_F(ChannelTest, KeepsWhatComesEarlyUntilTheGapIsFilled) {
  Make();
  channel_->OnSegment(Numbered(3));
  channel_->OnSegment(Numbered(2));
  channel_->OnSegment(Numbered(2));
  EXPECT_THAT(received_, IsEmpty());
  channel_->OnSegment(Numbered(1));
  EXPECT_THAT(received_, ElementsAre(1, 2, 3));
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{0, 3, 20}));
}

TEST_F(ChannelTest, KeepsNothingFromBeyondTheWindow) {
  Make({.window = 2});
  channel_->OnSegment(Numbered(3));
  channel_->OnSegment(Numbered(2));
  channel_->OnSegment(Numbered(1));
  EXPECT_THAT(received_, ElementsAre(1, 2));
  channel_->OnSegment(Numbered(4));
  channel_->OnSegment(Numbered(3));
  EXPECT_THAT(received_, ElementsAre(1, 2, 3, 4));
}

TEST_F(ChannelTest, MayBeEndedByWhoReceives) {
  std::vector<std::string> received;
  std::unique_ptr<Channel> channel;
  channel = std::make_unique<Channel>(
      Channel::Options(), strand_, [](const wire::Segment&) {},
      [&, text = std::string("long enough to be kept on the heap")](wire::Segment) {
        channel.reset();
        received.push_back(text);
      });
  channel->Send(Content(1));
  channel->OnSegment(Numbered(2));
  channel->OnSegment(Numbered(1));
  EXPECT_THAT(received, ElementsAre("long enough to be kept on the heap"));
  strand_.Advance(absl::Hours(1));
  EXPECT_EQ(strand_.ran(), 0u);
}

TEST_F(ChannelTest, LetsWhoReceivesSend) {
  std::unique_ptr<Channel> channel;
  channel = std::make_unique<Channel>(
      Channel::Options(), strand_,
      [this](const wire::Segment& segment) {
        transmitted_.push_back({segment.sequence(), segment.acknowledged(), Time()});
      },
      [&](wire::Segment segment) { channel->Send(std::move(segment)); });
  channel->OnSegment(Numbered(2));
  channel->OnSegment(Numbered(1));
  EXPECT_THAT(transmitted_, ElementsAre(Transmitted{1, 2, 0}, Transmitted{2, 2, 0}));
}

// ---- two channels

struct Pipe {
  double loss = 0;
  double duplicate = 0;
  Latency latency = {};  // each copy's own, so that they overtake each other
  bool cut = false;
};

class Peers {
 public:
  Peers(std::uint64_t seed, const Pipe& pipe, const Channel::Options& options) : pipe_(pipe), random_(seed) {
    for (std::size_t i : {0u, 1u}) {
      channels_[i] = std::make_unique<Channel>(
          options, strand_, [this, i](const wire::Segment& segment) { Carry(1 - i, segment); },
          [this, i](wire::Segment segment) { received_[i].push_back(segment.command().id()); });
    }
  }

  testing::VirtualStrand& strand() { return strand_; }
  Pipe& pipe() { return pipe_; }
  Channel& channel(std::size_t side) { return *channels_[side]; }
  void End(std::size_t side) { channels_[side].reset(); }
  const std::vector<std::uint64_t>& received(std::size_t side) const { return received_[side]; }
  std::uint64_t carried() const { return carried_; }

 private:
  void Carry(std::size_t to, const wire::Segment& segment) {
    ++carried_;
    if (pipe_.cut || base::Uniform(random_) < pipe_.loss) return;
    const int copies = base::Uniform(random_) < pipe_.duplicate ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      strand_.After(pipe_.latency.Draw(random_), [this, to, segment] {
        if (channels_[to] != nullptr) channels_[to]->OnSegment(segment);
      });
    }
  }

  Pipe pipe_;
  base::Random random_;
  testing::VirtualStrand strand_;
  std::unique_ptr<Channel> channels_[2];
  std::vector<std::uint64_t> received_[2];
  std::uint64_t carried_ = 0;
};

TEST(ChannelPeers, ReceiveEverythingOnceAndInOrderWhateverThePipeDoes) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    const Pipe pipe{.loss = 0.5 * base::Uniform(random),
                    .duplicate = 0.5 * base::Uniform(random),
                    .latency = {Latency::Kind::kExponential, absl::ZeroDuration(),
                                absl::Milliseconds(100) * base::Uniform(random)}};
    Peers peers(seed, pipe, {.window = 1 + static_cast<std::size_t>(random() % 20)});
    std::uint64_t sent[2] = {0, 0};
    for (int i = 0; i < 100; ++i) {
      const std::size_t side = random() % 2;
      peers.channel(side).Send(Content(++sent[side]));
      peers.strand().Advance(absl::Milliseconds(20) * base::Uniform(random));
    }
    ASSERT_TRUE(peers.strand().RunUntil(
        [&] { return peers.channel(0).unacknowledged() + peers.channel(1).unacknowledged() == 0; }, absl::Minutes(10)));
    EXPECT_EQ(peers.received(1), UpTo(sent[0]));
    EXPECT_EQ(peers.received(0), UpTo(sent[1]));
  }
}

TEST(ChannelPeers, FallSilentWhenAllHasArrived) {
  Peers peers(1, {.loss = 0.3, .duplicate = 0.3, .latency = {}}, {});
  for (std::uint64_t i = 1; i <= 50; ++i) peers.channel(0).Send(Content(i));
  peers.strand().Advance(absl::Minutes(10));
  const std::uint64_t carried = peers.carried();
  peers.strand().Advance(absl::Hours(1));
  EXPECT_EQ(peers.carried(), carried);
  EXPECT_EQ(peers.strand().next_timer(), absl::InfiniteFuture());
}

TEST(ChannelPeers, CatchUpSoonAfterAPartition) {
  Peers peers(1, {.latency = {Latency::Kind::kConstant, absl::Milliseconds(2), {}}, .cut = true}, {});
  for (std::uint64_t i = 1; i <= 200; ++i) peers.channel(0).Send(Content(i));
  peers.strand().Advance(absl::Seconds(30));
  EXPECT_THAT(peers.received(1), IsEmpty());
  peers.pipe().cut = false;
  peers.strand().Advance(absl::Milliseconds(2002));
  EXPECT_EQ(peers.received(1), UpTo(200));
}

TEST(ChannelPeers, SendToOneThatHasGoneAtTheSlowestPaceOnly) {
  Peers peers(1, {}, {.window = 4});
  peers.End(1);
  for (std::uint64_t i = 1; i <= 10; ++i) peers.channel(0).Send(Content(i));
  peers.strand().Advance(absl::Minutes(1));
  const std::uint64_t carried = peers.carried();
  peers.strand().Advance(absl::Minutes(1));
  EXPECT_EQ(peers.carried() - carried, 30u * 4);
}

TEST(ChannelPeers, NeedNoSegmentsOfTheirOwnToAcknowledgeAConversation) {
  Peers peers(1, {.latency = {Latency::Kind::kConstant, absl::Milliseconds(1), {}}}, {});
  for (std::uint64_t i = 1; i <= 100; ++i) {
    peers.channel(0).Send(Content(i));
    peers.strand().Advance(absl::Milliseconds(1));
    peers.channel(1).Send(Content(i));
    peers.strand().Advance(absl::Milliseconds(1));
  }
  peers.strand().Advance(absl::Seconds(10));
  EXPECT_EQ(peers.carried(), 201u);  // the last is acknowledged alone
}

}  // namespace
}  // namespace cloudstate::cluster
