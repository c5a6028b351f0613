// CRDT entities are there again after the emulator has ended, and after it was killed but for what was written in the
// last moment. Their open calls do not hold it up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::EmulatorProcess;

EmulatorProcess::Options Sample(const std::string& name) {
  return {.arguments = {"--sample", name, "--nodes", "3"}, .environment = {}};
}

class CrdtKillTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(emulator_.WaitUntilReady()); }

  std::string Increment(const std::string& body) {
    return support::Http(emulator_.client_address(), "POST", "/counters/visits/increment", body).body;
  }
  std::string Value() { return support::Http(emulator_.client_address(), "GET", "/counters/visits").body; }

  EmulatorProcess emulator_{Sample("counters")};
};

TEST_F(CrdtKillTest, WhatWasWrittenIsThereAfterAnEnd) {
  EXPECT_EQ(Increment(R"({"by": 3})"), R"({"value":"3"})");
  EXPECT_EQ(emulator_.Stop(), 0);
  emulator_.StartAgain();
  ASSERT_TRUE(emulator_.WaitUntilReady());
  EXPECT_EQ(Value(), R"({"value":"3"})");
  // Lives are told apart: what one wrote after a restart is not taken for what it wrote before.
  EXPECT_EQ(Increment(R"({"by": 1})"), R"({"value":"4"})");
  EXPECT_EQ(emulator_.Stop(), 0);
  emulator_.StartAgain();
  ASSERT_TRUE(emulator_.WaitUntilReady());
  EXPECT_EQ(Value(), R"({"value":"4"})");
}

TEST_F(CrdtKillTest, WhatWasWrittenAMomentAgoIsThereAfterACrash) {
  Increment(R"({"by": 7})");
  absl::SleepFor(absl::Seconds(3));
  emulator_.Kill();
  emulator_.StartAgain();
  ASSERT_TRUE(emulator_.WaitUntilReady());
  EXPECT_EQ(Value(), R"({"value":"7"})");
}

TEST(CrdtEndTest, OpenCallsEndWellAndAtOnceWhenTheEmulatorEnds) {
  EmulatorProcess emulator(Sample("presence"));
  ASSERT_TRUE(emulator.WaitUntilReady());
  support::RawConnection monitor(emulator.client_address());
  monitor.Send("GET /presence/ada HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
  EXPECT_THAT(monitor.ReadUntil("online"), ::testing::HasSubstr("200 OK"));
  const absl::Time before = absl::Now();
  EXPECT_EQ(emulator.Stop(), 0);
  EXPECT_LT(absl::Now() - before, absl::Seconds(9)) << "the grace";
  EXPECT_TRUE(monitor.WaitForEnd());
  EXPECT_THAT(monitor.ReadUntil("never"), ::testing::EndsWith("0\r\n\r\n")) << "the last chunk";
}

}  // namespace
}  // namespace cloudstate
