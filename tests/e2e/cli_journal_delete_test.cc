// When `journal delete` asks, and when it cannot.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::Http;
using ::testing::HasSubstr;
using ::testing::Not;

class CliJournalDelete : public RunningEmulator {
 protected:
  explicit CliJournalDelete(std::vector<std::string> more = {}) : RunningEmulator(Arguments(std::move(more))) {}

  void SetUp() override {
    RunningEmulator::SetUp();
    ASSERT_EQ(
        Http(emulator_.client_address(), "POST", "/cart/me/items/add", R"({"productId":"a","name":"a","quantity":1})")
            .status,
        200);
  }
  std::int64_t StoredEvents() const {
    return FromJson<dev::v1::Status>(Http(emulator_.admin_address(), "GET", "/v1/status").body).stored_events();
  }

 private:
  static std::vector<std::string> Arguments(std::vector<std::string> more) {
    more.insert(more.begin(), {"--sample", "shopping-cart", "--ephemeral"});
    return more;
  }
};

class CliJournalDeleteReadOnly : public CliJournalDelete {
 protected:
  CliJournalDeleteReadOnly() : CliJournalDelete({"--read-only"}) {}
};

TEST_F(CliJournalDelete, DoesNotAskWhereNobodySeesTheQuestion) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_TRUE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  ASSERT_EQ(write(terminal, "y\n", 2), 2);
  const std::string delete_me = absl::StrJoin(WithAdmin({"journal", "delete", "me"}), " ");
  const auto tool = support::ChildProcess::Start(
      {"sh", "-c", absl::StrCat(CLOUDSTATE_DEV, " ", delete_me, " < ", ptsname(terminal))});
  EXPECT_EQ(tool->WaitForExit(), 2);
  EXPECT_THAT(tool->errors(), HasSubstr("--yes"));
  EXPECT_EQ(StoredEvents(), 1);
  close(terminal);
}

TEST_F(CliJournalDelete, WhatIsDeletedIsNoLongerCounted) {
  EXPECT_THAT(Output({"status"}), HasSubstr("1 event "));
  Output({"journal", "delete", "me", "--yes"});
  EXPECT_THAT(Output({"status"}), HasSubstr("0 events "));
}

TEST_F(CliJournalDeleteReadOnly, IsRefusedBeforeAnybodyIsAsked) {
  const support::ToolResult unasked = Tool({"journal", "delete", "me"});
  EXPECT_THAT(unasked.errors, HasSubstr("--read-only"));
  EXPECT_THAT(unasked.errors, Not(HasSubstr("--yes")));
  EXPECT_EQ(unasked.exit_code, Tool({"journal", "delete", "me", "--yes"}).exit_code);
  EXPECT_EQ(StoredEvents(), 1);
}

}  // namespace
}  // namespace cloudstate
