// Marks, and what has happened since one.

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

class AdminSince : public AdminBackendTest {
 protected:
  void AddCommand(const std::string& id) {
    auto trace = std::make_shared<trace::Trace>();
    trace->id = id;
    live_.traces.insert(live_.traces.begin(), std::move(trace));
  }

  dev::v1::ListSinceResponse Since(const dev::v1::ListSinceRequest& request) {
    auto responder = Start("ListSince", request, true, nullptr, "cloudstate.dev.v1.Testing");
    EXPECT_TRUE(responder->WaitForEnd().ok());
    return responder->WaitForMessages<dev::v1::ListSinceResponse>(1)[0];
  }
  absl::StatusCode Refusal(const dev::v1::ListSinceRequest& request) {
    return Start("ListSince", request, true, nullptr, "cloudstate.dev.v1.Testing")->WaitForEnd().code();
  }
};

TEST_F(AdminSince, AMarkSaysHowFarTheJournalIsToo) {
  Store("a");
  Store("a");
  AddCommand("1");
  const auto mark = Start("GetMark", dev::v1::GetMarkRequest(), true, nullptr, "cloudstate.dev.v1.Testing")
                        ->WaitForMessages<dev::v1::Mark>(1)[0];
  EXPECT_EQ(mark.position(), 2);
  EXPECT_EQ(mark.commands(), 1);
}

TEST_F(AdminSince, ListsEventsAndCommandsOldestFirst) {
  for (const char* id : {"a", "b", "c"}) Store(id);
  for (const char* id : {"1", "2"}) AddCommand(id);
  dev::v1::ListSinceRequest request;
  request.mutable_mark()->set_position(1);
  const auto since = Since(request);
  ASSERT_EQ(since.events_size(), 2);
  EXPECT_EQ(since.events(0).entity_id(), "b");
  EXPECT_EQ(since.events(1).entity_id(), "c");
  ASSERT_EQ(since.commands_size(), 2);
  EXPECT_EQ(since.commands(0).trace_id(), "1");
  EXPECT_EQ(since.mark().position(), 3);
  EXPECT_EQ(since.missed(), 0);
}

TEST_F(AdminSince, CountsWhatIsBeyondTheLimitOfEachKind) {
  for (const char* id : {"a", "b", "c"}) Store(id);
  live_.missed_since = 7;
  dev::v1::ListSinceRequest request;
  request.set_limit(2);
  const auto since = Since(request);
  EXPECT_EQ(since.events_size(), 2);
  EXPECT_EQ(since.mark().position(), 2);
  EXPECT_EQ(since.missed(), 8);
}

TEST_F(AdminSince, LargeEventsAreAllListed) {
  for (int i = 0; i < 3; ++i) {
    std::lock_guard lock(journal_.mutex);
    journal_.browser.AddEvent("a", {"type.googleapis.com/shop.Added", std::string(journal::kMostEventBytes / 2, 'x')});
  }
  const auto since = Since({});
  EXPECT_EQ(since.events_size(), 3);
  EXPECT_EQ(since.mark().position(), 3);
  EXPECT_EQ(since.missed(), 0);
}

TEST_F(AdminSince, RefusesWhatIsNoMark) {
  dev::v1::ListSinceRequest request;
  request.mutable_mark()->set_commands(-1);
  EXPECT_EQ(Refusal(request), absl::StatusCode::kInvalidArgument);
  request.Clear();
  request.set_limit(-1);
  EXPECT_EQ(Refusal(request), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace cloudstate::admin
