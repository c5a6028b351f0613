#include "emulator/cluster/node_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_connection.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using ::testing::ElementsAre;
using testing::FakeConnection;
using ::testing::IsEmpty;

class NodeConnectionTest : public ::testing::Test {
 protected:
  userfunction::StreamHandler Listen() {
    return {.on_message = [this](std::string message) { heard_.push_back(std::move(message)); },
            .on_closed = [this](absl::Status status) { heard_.push_back("closed: " + std::string(status.message())); },
            .on_writable = [this] { heard_.push_back("writable"); }};
  }

  std::unique_ptr<userfunction::Stream> Open(userfunction::StreamHandler handler) {
    return connection_->Open("/method", absl::Seconds(3), std::move(handler));
  }

  FakeConnection::OpenedStream& inner() { return *shared_connection_->streams.back(); }

  testing::VirtualStrand shared_strand_;
  NodeStrand strand_{shared_strand_};
  std::shared_ptr<FakeConnection> shared_connection_ = std::make_shared<FakeConnection>();
  std::unique_ptr<NodeConnection> connection_ = std::make_unique<NodeConnection>(strand_, shared_connection_);
  std::vector<std::string> heard_;
};

TEST_F(NodeConnectionTest, PassesOnWhatIsSaidEitherWay) {
  auto stream = Open(Listen());
  EXPECT_EQ(inner().method, "/method");
  EXPECT_EQ(inner().timeout, absl::Seconds(3));
  stream->Write("to the user function");
  stream->HalfClose();
  EXPECT_THAT(inner().written, ElementsAre("to the user function"));
  EXPECT_TRUE(inner().half_closed);
  inner().unsent = 4;
  EXPECT_EQ(stream->Unsent(), 4u);
  stream->Pause();
  EXPECT_TRUE(inner().paused);
  stream->Resume();
  EXPECT_FALSE(inner().paused);

  inner().handler.on_message("from it");
  inner().handler.on_writable();
  inner().handler.on_closed(absl::InternalError("broken"));
  EXPECT_THAT(heard_, ElementsAre("from it", "writable", "closed: broken"));
}

TEST_F(NodeConnectionTest, AsksForNoWritableWhereNobodyWantsIt) {
  auto stream = Open({.on_message = [](std::string) {}, .on_closed = [](absl::Status) {}, .on_writable = {}});
  EXPECT_FALSE(inner().handler.on_writable);
}

TEST_F(NodeConnectionTest, HoldsWhatIsSaidDuringAPauseAndTheStreamWithIt) {
  auto stream = Open(Listen());
  strand_.Pause();
  inner().handler.on_message("1");
  EXPECT_TRUE(inner().paused);
  inner().handler.on_message("2");
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());

  strand_.Resume();
  inner().handler.on_message("3");
  shared_strand_.Run();
  EXPECT_THAT(heard_, ElementsAre("1", "2", "3"));
  EXPECT_FALSE(inner().paused);
}

TEST_F(NodeConnectionTest, LeavesAStreamPausedThatItsOwnerPaused) {
  auto stream = Open(Listen());
  strand_.Pause();
  inner().handler.on_message("1");
  stream->Pause();
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_THAT(heard_, ElementsAre("1"));
  EXPECT_TRUE(inner().paused);
  stream->Resume();
  EXPECT_FALSE(inner().paused);
}

TEST_F(NodeConnectionTest, DoesNotResumeAStreamForItsOwnerDuringThePause) {
  auto stream = Open(Listen());
  stream->Pause();
  strand_.Pause();
  inner().handler.on_message("1");
  stream->Resume();
  EXPECT_TRUE(inner().paused);
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_FALSE(inner().paused);
}

TEST_F(NodeConnectionTest, CancelsAStreamThatIsDestroyedAndLetsItHearOfNothing) {
  auto stream = Open(Listen());
  strand_.Pause();
  inner().handler.on_message("held");
  stream.reset();
  EXPECT_TRUE(inner().destroyed);
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(NodeConnectionTest, LetsAHandlerDestroyItsStream) {
  std::unique_ptr<userfunction::Stream> stream;
  stream = Open({.on_message =
                     [&, text = std::string("long enough to be kept on the heap")](std::string) {
                       stream.reset();
                       heard_.push_back(text);
                     },
                 .on_closed = [](absl::Status) {},
                 .on_writable = {}});
  inner().handler.on_message("1");
  EXPECT_TRUE(inner().destroyed);
  EXPECT_THAT(heard_, ElementsAre("long enough to be kept on the heap"));
}

TEST_F(NodeConnectionTest, LetsAStreamOutliveIt) {
  auto stream = Open(Listen());
  connection_.reset();
  EXPECT_TRUE(inner().destroyed);
  stream->Write("nobody hears this");
  stream->HalfClose();
  stream->Pause();
  stream->Resume();
  EXPECT_EQ(stream->Unsent(), 0u);
  EXPECT_THAT(inner().written, IsEmpty());
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(NodeConnectionTest, DropsHandlersWithoutCallingThemWhenSevered) {
  auto owned = std::make_shared<int>(1);
  auto stream = Open({.on_message = [owned](std::string) {}, .on_closed = [](absl::Status) {}, .on_writable = {}});
  auto listening = Open(Listen());
  strand_.Pause();
  inner().handler.on_message("held");
  connection_->Sever();
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_TRUE(shared_connection_->streams[0]->destroyed);
  EXPECT_TRUE(shared_connection_->streams[1]->destroyed);
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(NodeConnectionTest, EndsAnOwnerThatOnlyItsOwnHandlerHolds) {
  struct Owner {
    std::unique_ptr<userfunction::Stream> stream;
    std::unique_ptr<userfunction::Stream> other;
  };
  auto owner = std::make_shared<Owner>();
  const std::weak_ptr<Owner> weak = owner;
  owner->stream = Open({.on_message = [owner](std::string) {}, .on_closed = [](absl::Status) {}, .on_writable = {}});
  owner->other = Open({.on_message = [owner](std::string) {}, .on_closed = [](absl::Status) {}, .on_writable = {}});
  owner.reset();
  EXPECT_FALSE(weak.expired());
  connection_.reset();
  EXPECT_TRUE(weak.expired());
}

TEST_F(NodeConnectionTest, MayBeDestroyedFromWithinAHandlerWhichStaysWholeUntilItReturns) {
  auto stream = Open({.on_message =
                          [&, text = std::string("long enough to be kept on the heap")](std::string) {
                            connection_.reset();
                            heard_.push_back(text);
                          },
                      .on_closed = [](absl::Status) {},
                      .on_writable = {}});
  auto other = Open(Listen());
  shared_connection_->streams[0]->handler.on_message("1");
  EXPECT_TRUE(shared_connection_->streams[0]->destroyed);
  EXPECT_TRUE(shared_connection_->streams[1]->destroyed);
  EXPECT_THAT(heard_, ElementsAre("long enough to be kept on the heap"));
}

TEST_F(NodeConnectionTest, OpensDeadStreamsOnceSevered) {
  connection_->Sever();
  auto stream = Open(Listen());
  stream->Write("nobody hears this");
  EXPECT_THAT(shared_connection_->streams, IsEmpty());
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());
}

class NodeConnectionCallTest : public NodeConnectionTest {
 protected:
  void Call() {
    connection_->Call("/unary", "request", absl::Seconds(3),
                      [this, owned = owned_](absl::StatusOr<std::string> answer) {
                        heard_.push_back(answer.ok() ? *answer : std::string(answer.status().message()));
                      });
  }
  void Answer(absl::StatusOr<std::string> answer) { shared_connection_->calls.back().done(std::move(answer)); }

  std::shared_ptr<int> owned_ = std::make_shared<int>(1);
};

TEST_F(NodeConnectionCallTest, PassesOnAnAnswer) {
  Call();
  EXPECT_EQ(shared_connection_->calls.back().method, "/unary");
  EXPECT_EQ(shared_connection_->calls.back().request, "request");
  EXPECT_EQ(shared_connection_->calls.back().timeout, absl::Seconds(3));
  Answer("answer");
  EXPECT_THAT(heard_, ElementsAre("answer"));
  EXPECT_EQ(owned_.use_count(), 1);
}

TEST_F(NodeConnectionCallTest, HoldsAnAnswerDuringAPause) {
  Call();
  strand_.Pause();
  Answer(absl::InternalError("broken"));
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_THAT(heard_, ElementsAre("broken"));
}

TEST_F(NodeConnectionCallTest, DropsTheHandlerOfACallWhenItEnds) {
  Call();
  connection_.reset();
  EXPECT_EQ(owned_.use_count(), 1);
  Answer("answer");
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(NodeConnectionCallTest, DropsAnAnswerThatIsHeldWhenItEnds) {
  Call();
  strand_.Pause();
  Answer("answer");
  connection_.reset();
  strand_.Resume();
  shared_strand_.Run();
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(NodeConnectionCallTest, CallsNobodyOnceSevered) {
  connection_->Sever();
  Call();
  EXPECT_THAT(shared_connection_->calls, IsEmpty());
  EXPECT_EQ(owned_.use_count(), 1);
}

}  // namespace
}  // namespace cloudstate::cluster
