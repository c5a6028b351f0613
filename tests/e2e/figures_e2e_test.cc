// Samples, the log and the settings of a running emulator, over HTTP and on the command line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::Http;
using support::RawConnection;
using ::testing::HasSubstr;
using ::testing::Not;

// Says something that is no UTF-8, and is the sample then. So is a word of the command no UTF-8.
constexpr char kFunction[] = "printf 'hello from the \\377 function\\n'; exec " CLOUDSTATE_DEV " sample shopping-cart";

class FiguresOfARun : public RunningEmulator {
 protected:
  FiguresOfARun() : RunningEmulator({"--ephemeral", "--relay-timeout", "9s", "--", "sh", "-c", kFunction, "caf\xe9"}) {}

  template <class Message>
  Message Get(const std::string& target) const {
    const support::HttpAnswer answer = Http(emulator_.admin_address(), "GET", target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return FromJson<Message>(answer.body);
  }
  int CallOnce() const { return Http(emulator_.client_address(), "GET", "/carts/me/items").status; }
  // What begins to come of a stream.
  std::string Stream(const std::string& target, const std::string& until) const {
    RawConnection connection(emulator_.admin_address());
    connection.Send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: ", emulator_.admin_address(), "\r\n\r\n"));
    return connection.ReadUntil(until);
  }
};

TEST_F(FiguresOfARun, SamplesTellOfCallsAndTheProcess) {
  ASSERT_EQ(CallOnce(), 200);
  // What belongs to the call may lie in two seconds.
  dev::v1::EntityFigures entities;
  dev::v1::Sample last;
  std::int64_t calls = 0;
  ASSERT_TRUE(Eventually([&] {
    entities.Clear();
    calls = 0;
    const auto listed = Get<dev::v1::ListSamplesResponse>("/v1/samples");
    for (const dev::v1::Sample& sample : listed.samples()) {
      last = sample;
      for (const auto& [service, figures] : sample.services()) calls += figures.calls();
      for (const auto& [name, figures] : sample.entities()) {
        entities.set_kind(figures.kind());
        entities.set_commands(entities.commands() + figures.commands());
        entities.set_activated(entities.activated() + figures.activated());
      }
    }
    return calls > 0 && entities.commands() > 0;
  }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(entities.kind(), "event sourced");
  EXPECT_EQ(entities.commands(), 1);
  EXPECT_EQ(entities.activated(), 1);
  ASSERT_EQ(last.nodes_size(), 1);
  EXPECT_EQ(last.nodes(0).active_entities(), 1);
  EXPECT_GT(last.resident_bytes(), 1 << 20);
  EXPECT_THAT(Stream("/v1/samples:watch?newest=1", "residentBytes"), HasSubstr("residentBytes"));
}

TEST_F(FiguresOfARun, TheLogHasWhatTheUserFunctionWroteAndWhatBecameOfIt) {
  const std::string hello = "hello from the \xef\xbf\xbd function";
  const std::string all = Output({"logs"});
  EXPECT_THAT(all, HasSubstr("user function | " + hello));
  EXPECT_THAT(all, HasSubstr("emulator | user function started, pid "));
  EXPECT_THAT(all, HasSubstr("emulator | the user function is ready"));
  EXPECT_THAT(Output({"logs", "--source", "user-function"}), Not(HasSubstr("emulator |")));
  EXPECT_EQ(Output({"logs", "--grep", "nobody says this"}),
            "No lines that fit. Only the newest ones of this run are kept.\n");
  const auto lines = Get<dev::v1::ListLogLinesResponse>("/v1/logs?filter.contains=HELLO").lines();
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].text(), hello);
  EXPECT_GT(lines[0].time().seconds(), 0);
  EXPECT_THAT(Stream("/v1/logs:watch?newest=50", hello), HasSubstr(hello));
  EXPECT_EQ(Http(emulator_.admin_address(), "GET", "/v1/logs?filter.level=loud").status, 400);
  // The terminal has it as before.
  EXPECT_TRUE(emulator_.WaitForEvent("output", [](const support::EmulatorEvent& event) {
    return event.at("line") == "hello from the \\xff function";
  }));
}

TEST_F(FiguresOfARun, TheLogIsFollowed) {
  const auto tool = support::StartTool(WithAdmin({"logs", "--follow", "--level", "warning", "--json"}));
  ASSERT_TRUE(Eventually([&] {  // a header that is no UTF-8 is warned of
    Http(emulator_.client_address(), "GET", "/carts/me/items", "", "x-broken: \xff\r\n");
    return tool->output().find("is not UTF-8") != std::string::npos;
  })) << tool->output()
      << tool->errors();
}

TEST_F(FiguresOfARun, SettingsAreTold) {
  std::string relay_timeout;
  std::string command;
  const auto settings = Get<dev::v1::Settings>("/v1/settings");
  for (const dev::v1::Setting& setting : settings.settings()) {
    if (setting.flag() == "--relay-timeout") relay_timeout = setting.value();
    if (setting.flag() == "COMMAND") command = setting.value();
  }
  EXPECT_EQ(relay_timeout, "9s");
  EXPECT_EQ(command, absl::StrCat("sh -c ", kFunction, " caf\xef\xbf\xbd"));
  EXPECT_EQ(*Get<dev::v1::Status>("/v1/status").user_function().command().rbegin(), "caf\xef\xbf\xbd");
}

TEST_F(FiguresOfARun, CallsAreSoughtByHowLongTheyTook) {
  ASSERT_EQ(CallOnce(), 200);
  EXPECT_THAT(Output({"calls", "ls"}), HasSubstr("GetCart"));
  EXPECT_THAT(Output({"calls", "ls", "--slower", "1h"}), HasSubstr("No calls that fit."));
  EXPECT_THAT(Output({"calls", "ls", "--slower", "1ns"}), HasSubstr("GetCart"));
}

}  // namespace
}  // namespace cloudstate
