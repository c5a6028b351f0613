#include "emulator/cluster/active_entities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using cloudstate::testing::FakeConnection;
using cloudstate::testing::MemoryJournal;
using cloudstate::testing::VirtualStrand;
using journal::Fence;
using journal::ShardId;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Fence kOne{ShardId{1}, 1};
constexpr Fence kTwo{ShardId{2}, 1};

class ActiveEntitiesTest : public ::testing::Test, public ActiveEntities::Observer {
 protected:
  ActiveEntitiesTest() {
    service_.name = "test.Counter";
    service_.persistence_id = "counter";
    journal_.Claim({{ShardId{1}, 0, 1, 1}, {ShardId{2}, 0, 1, 1}}, [](const auto&) {});
    Create({});
  }

  void Create(const ActiveEntities::Options& options) {
    entities_ = std::make_unique<ActiveEntities>(options, strand_, journal_, metrics_, load_, *this);
    entities_->Connect(connection_);
  }

  void ReportError(const std::string& text) override { seen_.push_back("error: " + text); }
  void OnFenced(Fence fence) override {
    seen_.push_back(absl::StrCat("fenced: ", static_cast<std::uint32_t>(fence.shard), " ", fence.epoch));
    if (retire_when_fenced_) Retire(fence.shard);
  }
  void OnRetired(ShardId shard) override {
    EXPECT_FALSE(retiring_) << "only after Retire has returned";
    seen_.push_back(absl::StrCat("retired: ", static_cast<std::uint32_t>(shard)));
  }

  entities::Command Command(const std::string& payload) {
    entities::Command command;
    command.service = service_.name;
    command.method = "Add";
    command.payload = {"type.googleapis.com/test.Text", payload};
    command.trace = std::make_shared<trace::Trace>();
    command.abandoned = std::make_shared<bool>(false);
    command.done = [this, payload](const absl::StatusOr<entities::Reply>& reply) {
      outcomes_.push_back(absl::StrCat(payload, ": ", reply.ok() ? "answered" : reply.status().ToString()));
    };
    return command;
  }

  void Deliver(Fence fence, const std::string& entity_id, const std::string& payload) {
    entities_->Deliver(fence, service_, entity_id, Command(payload));
    strand_.Run();
  }

  // Gives entities and payloads of what comes back.
  std::vector<std::string> Retire(ShardId shard) {
    std::vector<std::string> lines;
    retiring_ = true;
    for (auto& each : entities_->Retire(shard)) {
      lines.push_back(absl::StrCat(each.entity_id, " ", each.command.payload.value));
    }
    retiring_ = false;
    return lines;
  }

  // The entity's open stream; null without.
  std::shared_ptr<FakeConnection::OpenedStream> StreamOf(const std::string& entity_id) {
    for (const auto& stream : connection_->streams) {
      eventsourced::EventSourcedStreamIn in;
      EXPECT_TRUE(in.ParseFromString(stream->written.at(0)));
      if (!stream->destroyed && in.init().entity_id() == entity_id) return stream;
    }
    return nullptr;
  }

  void Answer(const std::string& entity_id, std::int64_t id, const std::optional<std::string>& event = std::nullopt) {
    Say(entity_id, id, event);
    strand_.Run();
  }

  // Without what it leads to later.
  void Say(const std::string& entity_id, std::int64_t id, const std::optional<std::string>& event = std::nullopt) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(id);
    out.mutable_reply()->mutable_client_action()->mutable_reply();
    if (event.has_value()) out.mutable_reply()->add_events()->set_value(*event);
    StreamOf(entity_id)->handler.on_message(out.SerializeAsString());
  }

  void End(const std::string& entity_id) {
    StreamOf(entity_id)->handler.on_closed(absl::OkStatus());
    strand_.Run();
  }

  VirtualStrand strand_;
  MemoryJournal journal_;
  trace::Metrics metrics_;
  trace::NodeLoad load_;
  std::shared_ptr<FakeConnection> connection_ = std::make_shared<FakeConnection>();
  userfunction::ServiceSpec service_;
  std::vector<std::string> outcomes_;  // in the order of their arrival
  std::vector<std::string> seen_;      // by the observer
  bool retire_when_fenced_ = false;
  bool retiring_ = false;
  std::unique_ptr<ActiveEntities> entities_;
};

TEST_F(ActiveEntitiesTest, CountsTheEntitiesOfEachShard) {
  Deliver(kOne, "a", "1");
  Deliver(kOne, "b", "2");
  Deliver(kTwo, "c", "3");
  Deliver(kTwo, "c", "4");
  EXPECT_EQ(entities_->active_entities(), 3U);
  EXPECT_EQ(entities_->active_entities(ShardId{1}), 2U);
  EXPECT_EQ(entities_->active_entities(ShardId{2}), 1U);
  EXPECT_EQ(entities_->active_entities(ShardId{3}), 0U);
  EXPECT_EQ(entities_->waiting_commands(), 1U);
}

// ---- what is stored of an entity is deleted

TEST_F(ActiveEntitiesTest, ACommandThatIsOutstandingFailsWhenTheEntityIsDeletedAndTheNextFindsNothing) {
  Deliver(kOne, "a", "1");
  Answer("a", 1, "e1");
  Deliver(kOne, "a", "2");
  Deliver(kOne, "a", "3");
  journal_.entities.erase({"counter", "a"});
  entities_->Forget({"counter", "a"});
  strand_.Run();
  EXPECT_THAT(outcomes_.back(), AllOf(HasSubstr("2: ABORTED"), HasSubstr("counter|a"), HasSubstr("was deleted")));
  EXPECT_EQ(StreamOf("a")->written.size(), 2U) << "init and command 3, no event";
  Answer("a", 1, "n1");
  EXPECT_EQ(outcomes_.back(), "3: answered");
  EXPECT_EQ((journal_.entities[{"counter", "a"}].events.size()), 1U);
}

TEST_F(ActiveEntitiesTest, AnIdleStreamEndsInOrderWhenTheEntityIsDeleted) {
  Deliver(kOne, "a", "1");
  Answer("a", 1, "e1");
  journal_.entities.erase({"counter", "a"});
  entities_->Forget({"counter", "a"});
  EXPECT_TRUE(StreamOf("a")->half_closed);
  Deliver(kOne, "a", "2");
  End("a");
  EXPECT_EQ(StreamOf("a")->written.size(), 2U);
  entities_->Forget({"counter", "unknown"});
}

TEST_F(ActiveEntitiesTest, WhatIsBeingStoredGetsTheJournalsAnswerWhenTheEntityIsDeleted) {
  Deliver(kOne, "a", "1");
  Answer("a", 1, "e1");
  journal_.hold_writes = true;
  Deliver(kOne, "a", "2");
  Answer("a", 2, "e2");
  journal_.entities.erase({"counter", "a"});
  entities_->Forget({"counter", "a"});
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_.back(), AllOf(HasSubstr("2: ABORTED"), HasSubstr("was deleted")));
  EXPECT_THAT((journal_.entities[{"counter", "a"}].events), IsEmpty());
  EXPECT_THAT(seen_, IsEmpty()) << "nobody has made a mistake that the user function should hear of";
  EXPECT_EQ(metrics_.event_sourced["counter"].failed_entities, 0U);
}

TEST_F(ActiveEntitiesTest, AReplayWhoseRestIsDeletedBeginsAnew) {
  auto& stored = journal_.entities[{"counter", "a"}];
  for (int i = 1; i <= 3; ++i) stored.events.push_back({i, {"", std::string(1 << 20, 'x')}});
  connection_->unsent_at_open = 100;  // it asks for no other page yet
  Deliver(kOne, "a", "1");
  journal_.entities.erase({"counter", "a"});
  const auto stream = StreamOf("a");
  stream->unsent = 0;
  connection_->unsent_at_open = 0;
  stream->handler.on_writable();
  strand_.Run();
  EXPECT_TRUE(stream->destroyed);
  EXPECT_EQ(StreamOf("a")->written.size(), 2U) << "init and the command";
}

TEST_F(ActiveEntitiesTest, RetiresOneShardAndLeavesTheOtherAlone) {
  Deliver(kOne, "a", "1");
  Deliver(kTwo, "b", "2");
  EXPECT_THAT(Retire(ShardId{1}), IsEmpty());
  Answer("a", 1);
  Answer("b", 1);
  EXPECT_THAT(outcomes_, ElementsAre("1: answered", "2: answered"));
  EXPECT_TRUE(StreamOf("a")->half_closed);
  EXPECT_FALSE(StreamOf("b")->half_closed);
  End("a");
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
  EXPECT_EQ(entities_->active_entities(), 1U);
  Deliver(kTwo, "b", "3");
  Answer("b", 2);
  EXPECT_EQ(outcomes_.back(), "3: answered");
}

TEST_F(ActiveEntitiesTest, TellsOfARetirementWhenTheLastEntityHasGone) {
  for (const char* id : {"a", "b", "c"}) Deliver(kOne, id, id);
  Retire(ShardId{1});
  for (const char* id : {"c", "a", "b"}) {
    EXPECT_THAT(seen_, IsEmpty());
    Answer(id, 1);
    End(id);
  }
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
}

TEST_F(ActiveEntitiesTest, TellsOfTheRetirementOfAnEmptyShardAfterwards) {
  EXPECT_THAT(Retire(ShardId{1}), IsEmpty());
  EXPECT_THAT(seen_, IsEmpty());
  strand_.Run();
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
}

TEST_F(ActiveEntitiesTest, TellsOfTheRetirementOfEntitiesThatStopAtOnceAfterwards) {
  entities_->Deliver(kOne, service_, "a", Command("1"));  // its first page is on its way
  EXPECT_THAT(Retire(ShardId{1}), ElementsAre("a 1"));
  EXPECT_THAT(seen_, IsEmpty());
  strand_.Run();
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
}

TEST_F(ActiveEntitiesTest, RetiringAgainChangesNothing) {
  Deliver(kOne, "a", "1");
  Deliver(kOne, "a", "2");
  EXPECT_THAT(Retire(ShardId{1}), ElementsAre("a 2"));
  EXPECT_THAT(Retire(ShardId{1}), IsEmpty());
  strand_.Run();
  EXPECT_THAT(seen_, IsEmpty());
  Answer("a", 1);
  End("a");
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
}

TEST_F(ActiveEntitiesTest, AShardThatIsBeingRetiredTakesNothing) {
  Deliver(kOne, "a", "1");
  Retire(ShardId{1});
  Deliver(kOne, "b", "2");
  EXPECT_THAT(outcomes_, ElementsAre(HasSubstr("2: UNAVAILABLE: shard 1 is about to move to another node")));
}

TEST_F(ActiveEntitiesTest, AShardThatComesBackIsServedUnderItsNewFence) {
  Deliver(kOne, "a", "1");
  Answer("a", 1, "e1");
  Retire(ShardId{1});
  End("a");
  journal_.Claim({{ShardId{1}, 1, 1, 1}}, [](const auto&) {});
  Deliver({ShardId{1}, 2}, "a", "2");
  Answer("a", 1, "e2");
  EXPECT_THAT(outcomes_, ElementsAre("1: answered", "2: answered"));
}

TEST_F(ActiveEntitiesTest, GivesBackWhatWasNotSeenByEntityAndInTheOrderOfArrival) {
  for (int i = 0; i < 3; ++i) {
    for (const char* id : {"d", "b", "a", "c"}) Deliver(kOne, id, absl::StrCat(i));
  }
  EXPECT_THAT(Retire(ShardId{1}), ElementsAre("a 1", "a 2", "b 1", "b 2", "c 1", "c 2", "d 1", "d 2"));
  EXPECT_EQ(entities_->waiting_commands(), 0U);
}

TEST_F(ActiveEntitiesTest, GivesBackWhatWaitsForRoom) {
  Create({.max_active_entities = 1});
  Deliver(kOne, "a", "1");
  Deliver(kOne, "c", "2");
  Deliver(kTwo, "d", "3");
  Deliver(kOne, "b", "4");
  Deliver(kOne, "c", "5");
  Deliver(kOne, "a", "6");
  EXPECT_EQ(entities_->waiting_commands(), 5U);
  EXPECT_THAT(Retire(ShardId{1}), ElementsAre("a 6", "c 2", "c 5", "b 4"));
  EXPECT_EQ(entities_->waiting_commands(), 1U);
  Answer("a", 1);
  End("a");
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
  ASSERT_NE(StreamOf("d"), nullptr) << "there is room now";
  Answer("d", 1);
  EXPECT_EQ(outcomes_.back(), "3: answered");
}

TEST_F(ActiveEntitiesTest, CommandsThatWaitedForRoomKeepTheirOrder) {
  Create({.max_active_entities = 1});
  Deliver(kOne, "a", "1");
  Deliver(kOne, "b", "2");
  Deliver(kOne, "c", "3");
  Deliver(kOne, "b", "4");
  Answer("a", 1);
  End("a");
  Deliver(kOne, "b", "5");
  for (int id = 1; id <= 3; ++id) Answer("b", id);
  EXPECT_THAT(outcomes_, ElementsAre("1: answered", "2: answered", "4: answered", "5: answered"));
}

TEST_F(ActiveEntitiesTest, RefusesWhatWouldWaitForRoomBeyondTheLimit) {
  Create({.max_active_entities = 1, .max_waiting_for_room = 2});
  Deliver(kOne, "a", "1");
  Deliver(kOne, "b", "2");
  Deliver(kOne, "b", "3");
  Deliver(kOne, "b", "4");
  EXPECT_THAT(outcomes_, ElementsAre(HasSubstr("4: RESOURCE_EXHAUSTED: all 1 entities")));
  Retire(ShardId{1});
  Deliver(kTwo, "d", "5");
  EXPECT_EQ(outcomes_.size(), 1U) << "those that went made room for others to wait";
}

TEST_F(ActiveEntitiesTest, TellsThatAShardIsHeldElsewhereAndGivesBackWhatWaits) {
  Deliver(kOne, "a", "1");
  Deliver(kOne, "a", "2");
  journal_.Claim({{ShardId{1}, 1, 2, 2}}, [](const auto&) {});
  Answer("a", 1, "e1");
  EXPECT_THAT(outcomes_, ElementsAre(HasSubstr("1: ABORTED: entity counter|a")));
  EXPECT_THAT(seen_, ElementsAre("fenced: 1 1"));
  EXPECT_THAT(Retire(ShardId{1}), ElementsAre("a 2"));
  strand_.Run();
  EXPECT_THAT(seen_, ElementsAre("fenced: 1 1", "retired: 1"));
  EXPECT_EQ(entities_->active_entities(), 0U);
}

TEST_F(ActiveEntitiesTest, AShardCanBeRetiredWhereItIsToldThatItIsHeldElsewhere) {
  retire_when_fenced_ = true;
  Deliver(kOne, "a", "1");
  Deliver(kOne, "b", "2");
  journal_.Claim({{ShardId{1}, 1, 2, 2}}, [](const auto&) {});
  Say("a", 1);
  Say("b", 1);
  strand_.Run();
  EXPECT_THAT(seen_, ElementsAre("fenced: 1 1", "retired: 1")) << "b's loss is known when the shard is being retired";
}

TEST_F(ActiveEntitiesTest, ADisconnectFailsEverythingInTheSameOrderInEveryRun) {
  Create({.max_active_entities = 4});
  for (const char* id : {"d", "b", "a", "c", "f", "e"}) Deliver(kOne, id, id);
  entities_->Disconnect(absl::UnavailableError("gone"));
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("f: UNAVAILABLE: gone", "e: UNAVAILABLE: gone", "a: UNAVAILABLE: gone",
                                     "b: UNAVAILABLE: gone", "c: UNAVAILABLE: gone", "d: UNAVAILABLE: gone"));
  EXPECT_EQ(entities_->active_entities(), 0U);
  EXPECT_EQ(entities_->waiting_commands(), 0U);
}

TEST_F(ActiveEntitiesTest, ADisconnectEndsARetirement) {
  Deliver(kOne, "a", "1");
  Retire(ShardId{1});
  entities_->Disconnect(absl::UnavailableError("gone"));
  strand_.Run();
  EXPECT_THAT(seen_, ElementsAre("retired: 1"));
}

TEST_F(ActiveEntitiesTest, DestroyedInTheMiddleOfEverythingItCallsNobody) {
  Create({.max_active_entities = 6});
  Deliver(kOne, "idle", "1");
  Answer("idle", 1);
  Deliver(kOne, "closing", "2");
  Answer("closing", 1);
  for (const char* id : {"busy", "storing"}) Deliver(kTwo, id, id);
  Deliver(kTwo, "storing", "waits");
  Retire(ShardId{1});
  journal_.hold_writes = true;
  Answer("storing", 1, "e1");
  entities_->Deliver(kTwo, service_, "loading", Command("loading"));
  entities_->Deliver(kTwo, service_, "last", Command("last"));
  entities_->Deliver(kTwo, service_, "no room", Command("no room"));
  Retire(ShardId{3});
  outcomes_.clear();
  entities_ = nullptr;
  journal_.Release();
  strand_.Advance(absl::Minutes(10));
  EXPECT_THAT(outcomes_, IsEmpty());
  EXPECT_THAT(seen_, IsEmpty());
  for (const auto& stream : connection_->streams) EXPECT_TRUE(stream->destroyed);
  EXPECT_EQ((journal_.entities[{"counter", "storing"}].events.size()), 1U) << "what was asked for is done";
}

}  // namespace
}  // namespace cloudstate::cluster
