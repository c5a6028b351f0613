#include "emulator/runtime/sampler.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/base/proto_time.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::runtime {
namespace {

using base::FromDuration;

class SamplerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    nodes_[1];
    sampler_ = std::make_unique<Sampler>(
        strand_, recorder_, Sampler::Sources{.nodes = [this] { return Nodes(); }, .process = [this] { return use_; }});
  }

  std::vector<SampledNode> Nodes() {
    std::vector<SampledNode> all;
    for (auto& [number, metrics] : nodes_) {
      SampledNode& node = all.emplace_back();
      node.figures.set_node(number);
      node.figures.set_active_entities(10 * number);
      node.metrics = &metrics;
      node.load = &loads_[number];
    }
    return all;
  }

  void EndCall(const std::string& service, absl::Duration duration, absl::Status outcome = absl::OkStatus()) {
    auto trace = std::make_shared<trace::Trace>();
    trace->service = service;
    trace->duration = duration;
    trace->outcome = std::move(outcome);
    recorder_.End(std::move(trace));
  }

  dev::v1::Sample NextSample() {
    strand_.Advance(absl::Seconds(1));
    return *sampler_->Newest(1).at(0);
  }

  testing::VirtualStrand strand_;
  trace::Recorder recorder_{10};
  std::map<std::int32_t, trace::Metrics> nodes_;
  std::map<std::int32_t, trace::NodeLoad> loads_;
  trace::ProcessUse use_{absl::Seconds(5), 1'000};
  std::unique_ptr<Sampler> sampler_;
};

TEST_F(SamplerTest, CountsTheCallsOfEachSecondAlone) {
  EndCall("shop.Cart", absl::Milliseconds(1));
  EndCall("shop.Cart", absl::Milliseconds(10), absl::UnknownError("no"));
  EndCall("shop.Stock", absl::Milliseconds(100));
  dev::v1::Sample sample = NextSample();
  EXPECT_EQ(sample.calls().calls(), 3);
  EXPECT_EQ(sample.calls().failed(), 1);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(FromDuration(sample.calls().p50())), 10, 1);
  EXPECT_EQ(FromDuration(sample.calls().longest()), absl::Milliseconds(100));
  EXPECT_EQ(sample.services().at("shop.Cart").calls(), 2);
  EXPECT_EQ(sample.services().at("shop.Cart").failed(), 1);
  EXPECT_EQ(sample.services().at("shop.Stock").calls(), 1);
  EXPECT_EQ(FromDuration(sample.length()), absl::Seconds(1));

  EndCall("shop.Cart", absl::Milliseconds(1));
  sample = NextSample();
  EXPECT_EQ(sample.calls().calls(), 1);
  EXPECT_EQ(sample.calls().failed(), 0);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(FromDuration(sample.calls().longest())), 1, 0.1);
  EXPECT_EQ(sample.services_size(), 1);

  sample = NextSample();
  EXPECT_EQ(sample.calls().calls(), 0);
  EXPECT_FALSE(sample.calls().has_p50());
  EXPECT_EQ(sample.services_size(), 0);
}

TEST_F(SamplerTest, TakesTheDifferencesOfWhatNodesCountOverAllNodes) {
  trace::EntityMetrics& one = nodes_[1].event_sourced["carts"];
  trace::EntityMetrics& two = nodes_[2].event_sourced["carts"];
  one.completed_commands = 5;
  one.persisted_events = 7;
  one.persist_time.Add(absl::Milliseconds(30));
  two.completed_commands = 1;
  two.failed_commands = 1;
  two.command_processing_time.Add(absl::Milliseconds(2));
  nodes_[1].actions["shop.Mail"].completed_commands = 2;
  dev::v1::Sample sample = NextSample();
  const dev::v1::EntityFigures carts = sample.entities().at("carts");
  EXPECT_EQ(carts.kind(), "event sourced");
  EXPECT_EQ(carts.commands(), 6);
  EXPECT_EQ(carts.failed_commands(), 1);
  EXPECT_EQ(carts.events(), 7);
  EXPECT_EQ(FromDuration(carts.storing()), absl::Milliseconds(30));
  EXPECT_EQ(FromDuration(carts.processing()), absl::Milliseconds(2));
  EXPECT_EQ(sample.entities().at("shop.Mail").kind(), "action");
  ASSERT_EQ(sample.nodes_size(), 2);
  EXPECT_EQ(sample.nodes(1).active_entities(), 20);

  one.completed_commands += 3;
  sample = NextSample();
  EXPECT_EQ(sample.entities().at("carts").commands(), 3);
  EXPECT_EQ(sample.entities().at("carts").events(), 0);
  EXPECT_FALSE(sample.entities().contains("shop.Mail"));
}

TEST_F(SamplerTest, LeavesOutWhatWasCountedBeforeItBegan) {
  nodes_[1].value_entities["carts"].completed_commands = 100;
  sampler_ = std::make_unique<Sampler>(
      strand_, recorder_, Sampler::Sources{.nodes = [this] { return Nodes(); }, .process = [this] { return use_; }});
  nodes_[1].value_entities["carts"].completed_commands = 101;
  EXPECT_EQ(NextSample().entities().at("carts").commands(), 1);
}

TEST_F(SamplerTest, TellsTheLoadOfEachNodeInEachSecondAlone) {
  NextSample();
  trace::LoadMeter& meter = loads_[1].user_function;
  meter.Begin(strand_.Now());
  meter.Begin(strand_.Now());
  strand_.Advance(absl::Milliseconds(500));
  meter.End(strand_.Now(), absl::Milliseconds(500));
  strand_.Advance(absl::Milliseconds(500));
  dev::v1::NodeLoad load = sampler_->Newest(1).at(0)->nodes(0).load();
  EXPECT_EQ(FromDuration(load.length()), absl::Seconds(1));
  EXPECT_NEAR(load.user_function().concurrency(), 1.5, 1e-9);
  EXPECT_EQ(load.user_function().count(), 1);
  EXPECT_EQ(FromDuration(load.user_function().time()), absl::Milliseconds(500));
  EXPECT_EQ(load.requests().concurrency(), 0);
  EXPECT_EQ(load.journal().concurrency(), 0);

  load = NextSample().nodes(0).load();
  EXPECT_NEAR(load.user_function().concurrency(), 1, 1e-9);
  EXPECT_EQ(load.user_function().count(), 0);
}

TEST_F(SamplerTest, TellsEachLoadByItsName) {
  loads_[1].requests.Begin(strand_.Now());
  loads_[1].journal.Begin(strand_.Now());
  loads_[1].journal.End(strand_.Now(), absl::Seconds(3));
  const dev::v1::NodeLoad load = NextSample().nodes(0).load();
  EXPECT_NEAR(load.requests().concurrency(), 1, 1e-9);
  EXPECT_EQ(FromDuration(load.journal().time()), absl::Seconds(3));
}

TEST_F(SamplerTest, LeavesOutTheLoadFromBeforeItBegan) {
  loads_[1].requests.Begin(strand_.Now());
  strand_.Advance(absl::Seconds(10));
  sampler_ = std::make_unique<Sampler>(
      strand_, recorder_, Sampler::Sources{.nodes = [this] { return Nodes(); }, .process = [this] { return use_; }});
  EXPECT_NEAR(NextSample().nodes(0).load().requests().concurrency(), 1, 1e-9);
}

TEST_F(SamplerTest, TellsOfASecondInWhichCommandsWereOnlyRefused) {
  nodes_[1].event_sourced["carts"].failed_commands = 2;
  const dev::v1::Sample sample = NextSample();
  ASSERT_TRUE(sample.entities().contains("carts"));
  EXPECT_EQ(sample.entities().at("carts").failed_commands(), 2);
  EXPECT_EQ(sample.entities().at("carts").commands(), 0);
}

TEST_F(SamplerTest, TellsWhatTheProcessUses) {
  use_ = {absl::Seconds(5) + absl::Milliseconds(1'500), 2'000};
  const dev::v1::Sample sample = NextSample();
  EXPECT_NEAR(sample.processors(), 1.5, 1e-9);
  EXPECT_EQ(sample.resident_bytes(), 2'000);
}

TEST_F(SamplerTest, KeepsABoundedNumberAndTellsThoseWhoWatch) {
  int told = 0;
  const std::uint64_t watch = sampler_->Watch([&](const Sampler::Sample&) { ++told; });
  strand_.Advance(absl::Seconds(Sampler::kMostKept + 5));
  EXPECT_EQ(told, static_cast<int>(Sampler::kMostKept) + 5);
  const std::vector<Sampler::Sample> kept = sampler_->Newest(100'000);
  ASSERT_EQ(kept.size(), Sampler::kMostKept);
  EXPECT_EQ(kept.back()->time().seconds() - kept.front()->time().seconds(),
            static_cast<std::int64_t>(Sampler::kMostKept) - 1);
  sampler_->Unwatch(watch);
  NextSample();
  EXPECT_EQ(told, static_cast<int>(Sampler::kMostKept) + 5);
}

TEST_F(SamplerTest, EndsWithNothingLeftBehind) {
  sampler_ = nullptr;
  EndCall("shop.Cart", absl::Milliseconds(1));
  EXPECT_EQ(strand_.next_timer(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace cloudstate::runtime
