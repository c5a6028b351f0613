// A user function whose process hangs and is then killed, as its clients see it: calls of every kind fail, what was
// stored is there when it is back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::HttpAnswer;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kEvents[] = "/tck/model/eventsourced/one";
constexpr char kValue[] = "/tck/model/entity/one";
constexpr char kAction[] = "/tck/model/action/unary";
constexpr char kAskAction[] = R"({"groups":[{"steps":[{"reply":{"message":"said"}}]}]})";

bool EveryThreadIsStopped(pid_t pid) {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream file(thread.path() / "status");
    std::string line;
    while (std::getline(file, line) && !absl::StartsWith(line, "State:")) {
    }
    if (!absl::StrContains(line, "T (stopped)")) return false;
  }
  return true;
}

// A signal takes a moment to reach all threads of a process, and one that still runs may answer.
void Stop(pid_t pid) {
  kill(pid, SIGSTOP);
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!EveryThreadIsStopped(pid)) {
    ASSERT_LT(absl::Now(), deadline);
    absl::SleepFor(absl::Milliseconds(1));
  }
}

class KilledUserFunction : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(emulator_.WaitUntilReady()) << emulator_.process().output(); }

  HttpAnswer Post(const std::string& path, const std::string& body = "{}") {
    return support::Http(emulator_.client_address(), "POST", path, body);
  }

  std::future<HttpAnswer> PostLater(const std::string& path, const std::string& body = "{}") {
    return std::async(std::launch::async, [=, this] { return Post(path, body); });
  }

  google::protobuf::Struct Status() {
    google::protobuf::Struct status;
    const HttpAnswer answer = support::Http(emulator_.admin_address(), "GET", "/v1/status");
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &status).ok()) << answer.body;
    return status;
  }

  pid_t UserFunctionPid() {
    const auto status = Status();
    const auto& user_function = status.fields().at("userFunction").struct_value();
    int pid = 0;
    EXPECT_TRUE(absl::SimpleAtoi(user_function.fields().at("pid").string_value(), &pid));
    return pid;
  }

  bool WaitForWaiting(const std::string& commands) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (Status().fields().at("waitingCommands").string_value() != commands) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return true;
  }

  support::EmulatorProcess emulator_{{{"--", TCK_MODEL}, {{"USER_FUNCTION_PORT", "0"}}}};
};

TEST_F(KilledUserFunction, FailsWhatIsUnderWayAndFindsItsStateAgain) {
  EXPECT_EQ(Post(kEvents, R"({"actions":[{"emit":{"value":"a"}}]})").body, R"({"message":"a"})");
  EXPECT_EQ(Post(kValue, R"({"actions":[{"update":{"value":"a"}}]})").body, R"({"message":"a"})");
  EXPECT_EQ(Post(kAction, kAskAction).body, R"({"message":"said"})");

  const pid_t pid = UserFunctionPid();
  ASSERT_GT(pid, 0);
  ASSERT_NO_FATAL_FAILURE(Stop(pid));
  std::vector<std::future<HttpAnswer>> lost;
  lost.push_back(PostLater(kAction, kAskAction));
  // Of each entity's two commands one waits: the other one is outstanding then.
  for (const char* path : {kEvents, kValue, kEvents, kValue}) lost.push_back(PostLater(path));
  ASSERT_TRUE(WaitForWaiting("2"));
  kill(pid, SIGKILL);
  for (std::future<HttpAnswer>& each : lost) {
    const HttpAnswer answer = each.get();
    EXPECT_THAT(answer.status, AnyOf(500, 503)) << answer.body;
    EXPECT_THAT(answer.body, AnyOf(HasSubstr("termination"), HasSubstr("127.0.0.1:")));
  }

  ASSERT_TRUE(emulator_.WaitUntilReady(2));
  EXPECT_NE(UserFunctionPid(), pid);
  EXPECT_EQ(Post(kEvents, R"({"actions":[{"emit":{"value":"b"}}]})").body, R"({"message":"ab"})");
  EXPECT_EQ(Post(kValue).body, R"({"message":"a"})");
  EXPECT_EQ(Post(kAction, kAskAction).body, R"({"message":"said"})");
}

}  // namespace
}  // namespace cloudstate
