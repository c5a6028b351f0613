#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/entities/stored_entity.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::entities {
namespace {

using cloudstate::testing::FakeConnection;
using cloudstate::testing::MemoryJournal;
using cloudstate::testing::VirtualStrand;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using valueentity::ValueEntityReply;
using valueentity::ValueEntityStreamIn;
using valueentity::ValueEntityStreamOut;

constexpr char kDeleted[] = "type.googleapis.com/cloudstate.valueentity.ValueEntityDelete";

std::string Describe(const std::string& bytes) {
  ValueEntityStreamIn in;
  EXPECT_TRUE(in.ParseFromString(bytes));
  if (in.has_init()) {
    EXPECT_TRUE(in.init().has_state()) << "also where there is no value";
    const auto& state = in.init().state();
    return absl::StrCat("init ", in.init().service_name(), " ", in.init().entity_id(),
                        state.has_value() ? " value " : " empty", state.value().value());
  }
  return absl::StrCat("command ", in.command().id(), " ", in.command().name(), " ", in.command().payload().value());
}

class ValueEntityTest : public ::testing::Test, public StoredEntityHost {
 protected:
  void OnStopped() override { ++stopped_; }
  void OnIdle(bool) override {}
  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connection_; }
  void ReportError(const std::string& text) override { reports_.push_back(text); }
  void OnFenced() override { ++fenced_; }

  void Deliver(const std::string& payload) {
    const std::size_t index = outcomes_.size();
    outcomes_.push_back("pending");
    Command command;
    command.service = "test.Value";
    command.method = "Do";
    command.payload = {"type.googleapis.com/test.Text", payload};
    command.trace = std::make_shared<trace::Trace>();
    command.trace->id = absl::StrCat("trace-", index);
    command.abandoned = std::make_shared<bool>(false);
    command.done = [this, index](const absl::StatusOr<Reply>& reply) {
      outcomes_[index] = !reply.ok()                   ? reply.status().ToString()
                         : reply->action.has_failure() ? "failure: " + reply->action.failure().description()
                                                       : "reply: " + reply->action.reply().payload().value();
    };
    entity_.Deliver(std::move(command));
    strand_.Run();
  }

  std::vector<std::string> Sent(std::size_t stream) {
    std::vector<std::string> lines;
    for (const std::string& message : connection_->streams.at(stream)->written) lines.push_back(Describe(message));
    return lines;
  }

  void Answer(std::size_t stream, ValueEntityReply reply, std::int64_t id) {
    reply.set_command_id(id);
    ValueEntityStreamOut out;
    *out.mutable_reply() = std::move(reply);
    connection_->streams.at(stream)->handler.on_message(out.SerializeAsString());
    strand_.Run();
  }

  static ValueEntityReply Saying(const std::string& text) {
    ValueEntityReply reply;
    reply.mutable_client_action()->mutable_reply()->mutable_payload()->set_value(text);
    return reply;
  }

  static ValueEntityReply Update(const std::string& value) {
    ValueEntityReply reply = Saying("updated");
    auto& any = *reply.mutable_state_action()->mutable_update()->mutable_value();
    any.set_type_url("type.googleapis.com/test.Value");
    any.set_value(value);
    return reply;
  }

  static ValueEntityReply Delete() {
    ValueEntityReply reply = Saying("deleted");
    reply.mutable_state_action()->mutable_delete_();
    return reply;
  }

  // The stream ends, so that the next command opens another.
  void Passivate(std::size_t stream) {
    strand_.Advance(absl::Seconds(31));
    EXPECT_TRUE(connection_->streams.at(stream)->half_closed);
    connection_->streams.at(stream)->handler.on_closed(absl::OkStatus());
    strand_.Run();
  }

  bool Claim(std::uint64_t expected) {
    bool granted = false;
    journal_.Claim({{fence_.shard, expected, 1, 1}}, [&](const auto& holders) { granted = holders.ok(); });
    return granted;
  }

  std::vector<std::string> Versions() {
    std::vector<std::string> versions;
    for (const auto& event : journal_.entities[{"value", "a"}].events) {
      versions.push_back(event.payload.type_url == kDeleted ? "deleted" : event.payload.value);
    }
    return versions;
  }

  VirtualStrand strand_;
  MemoryJournal journal_;
  trace::EntityMetrics metrics_;
  trace::NodeLoad load_;
  std::shared_ptr<FakeConnection> connection_ = std::make_shared<FakeConnection>();
  std::vector<std::string> outcomes_;
  std::vector<std::string> reports_;
  int stopped_ = 0;
  int fenced_ = 0;
  journal::Fence fence_{journal::ShardId{3}, 1};
  bool claimed_ = Claim(0);  // before there is an entity
  StoredEntity entity_{ValueEntity(),
                       {"value", "a"},
                       "test.Value",
                       {strand_, journal_, metrics_, load_, {}, ReplayFrom::kNewestSnapshot, fence_},
                       *this};
};

TEST_F(ValueEntityTest, ANewOneBeginsWithAStateWithoutValue) {
  Deliver("x");
  EXPECT_EQ(connection_->streams.at(0)->method, "/cloudstate.valueentity.ValueEntity/handle");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Value a empty", "command 1 Do x"));
}

TEST_F(ValueEntityTest, AnUpdateIsStoredBeforeTheClientHears) {
  journal_.hold_writes = true;
  Deliver("x");
  Answer(0, Update("one"), 1);
  EXPECT_THAT(outcomes_, ElementsAre("pending"));
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: updated"));
  EXPECT_EQ(journal_.causes.at(0).command.value, "x");
}

TEST_F(ValueEntityTest, EachUpdateIsAVersionAndTheLastOneIsWhatAStreamBeginsWith) {
  Deliver("x");
  Answer(0, Update("one"), 1);
  Deliver("y");
  Answer(0, Update("two"), 2);
  EXPECT_THAT(Versions(), ElementsAre("one", "two"));
  Passivate(0);
  Deliver("z");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Value a value two", "command 1 Do z"));
  Answer(1, Update("three"), 1);
  EXPECT_THAT(Versions(), ElementsAre("one", "two", "three"));
}

TEST_F(ValueEntityTest, AfterADeletionTheStreamGoesOnAndTheNextOneBeginsAnew) {
  Deliver("x");
  Answer(0, Update("one"), 1);
  Deliver("y");
  Answer(0, Delete(), 2);
  EXPECT_FALSE(connection_->streams.at(0)->half_closed);
  Deliver("z");
  Answer(0, Saying("still here"), 3);
  EXPECT_THAT(outcomes_, ElementsAre("reply: updated", "reply: deleted", "reply: still here"));
  Passivate(0);
  Deliver("again");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Value a empty", "command 1 Do again"));
  EXPECT_THAT(Versions(), ElementsAre("one", "deleted"));
}

TEST_F(ValueEntityTest, WithoutAStateActionNothingIsStored) {
  Deliver("x");
  Answer(0, Saying("hello"), 1);
  EXPECT_THAT(outcomes_, ElementsAre("reply: hello"));
  EXPECT_THAT(Versions(), IsEmpty());
}

TEST_F(ValueEntityTest, AFailureStoresNothingAndKeepsTheStream) {
  Deliver("x");
  ValueEntityReply reply = Update("never");
  reply.mutable_client_action()->mutable_failure()->set_description("no");
  Answer(0, std::move(reply), 1);
  EXPECT_THAT(outcomes_, ElementsAre("failure: no"));
  EXPECT_THAT(Versions(), IsEmpty());
  Deliver("y");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Value a empty", "command 1 Do x", "command 2 Do y"));
}

TEST_F(ValueEntityTest, AFailureWithRestartReopensTheStreamWithTheStoredValue) {
  Deliver("x");
  Answer(0, Update("one"), 1);
  Deliver("y");
  ValueEntityReply reply;
  reply.mutable_client_action()->mutable_failure()->set_restart(true);
  Answer(0, std::move(reply), 2);
  connection_->streams.at(0)->handler.on_closed(absl::OkStatus());
  strand_.Run();
  EXPECT_THAT(Sent(1), ElementsAre("init test.Value a value one"));
}

TEST_F(ValueEntityTest, AnUpdateWithoutAValueResetsTheStream) {
  Deliver("x");
  ValueEntityReply reply;
  reply.mutable_state_action()->mutable_update();
  Answer(0, std::move(reply), 1);
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected Value entity message"));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("to update it without a value")));
  EXPECT_THAT(Versions(), IsEmpty());
}

TEST_F(ValueEntityTest, WrongMessagesHaveTheirOwnTexts) {
  Deliver("x");
  Answer(0, Saying("hello"), 7);
  EXPECT_THAT(outcomes_.back(), "UNKNOWN: Unexpected Value entity reply");
  Deliver("x");
  connection_->streams.at(1)->handler.on_closed(absl::OkStatus());
  strand_.Run();
  EXPECT_THAT(outcomes_.back(), "UNKNOWN: Unexpected Value entity termination");
  Deliver("x");
  ValueEntityStreamOut failure;
  failure.mutable_failure()->set_command_id(1);
  connection_->streams.at(2)->handler.on_message(failure.SerializeAsString());
  strand_.Run();
  EXPECT_THAT(outcomes_.back(), HasSubstr("UNKNOWN: Unexpected Value entity failure"));
  Deliver("x");
  connection_->streams.at(3)->handler.on_message("");
  strand_.Run();
  EXPECT_THAT(outcomes_.back(), "UNKNOWN: Unexpected Value entity message");
}

TEST_F(ValueEntityTest, UnderALostFenceItStoresNothingAndTellsNoValue) {
  Deliver("x");
  Answer(0, Update("one"), 1);
  Deliver("y");
  Claim(1);
  Answer(0, Update("two"), 2);
  EXPECT_THAT(outcomes_.back(), "ABORTED: entity value|a of test.Value is held by another node now; try again");
  EXPECT_THAT(Versions(), ElementsAre("one"));
  EXPECT_THAT(reports_, IsEmpty());
  EXPECT_EQ(fenced_, 1);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(ValueEntityTest, AFailedWriteResetsTheStreamAndTheValueStaysAsItWas) {
  Deliver("x");
  Answer(0, Update("one"), 1);
  journal_.write_status = absl::ResourceExhaustedError("the disk is full");
  Deliver("y");
  Answer(0, Update("two"), 2);
  EXPECT_THAT(outcomes_.back(), "RESOURCE_EXHAUSTED: the disk is full");
  journal_.write_status = absl::OkStatus();
  Deliver("z");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Value a value one", "command 1 Do z"));
}

}  // namespace
}  // namespace cloudstate::entities
