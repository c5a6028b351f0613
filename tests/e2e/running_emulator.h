#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "tests/support/emulator_process.h"

namespace cloudstate {

inline constexpr absl::Duration kPatience = absl::Seconds(30);

template <class Message>
Message FromJson(const std::string& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(status.ok()) << status.message() << " in " << json;
  return message;
}

// Of commands against an emulator that runs.
class RunningEmulator : public ::testing::Test {
 protected:
  // `arguments` of `run`.
  explicit RunningEmulator(std::vector<std::string> arguments) : emulator_({std::move(arguments), {}}) {}
  void SetUp() override { ASSERT_TRUE(emulator_.WaitUntilReady()) << emulator_.process().errors(); }

  std::vector<std::string> WithAdmin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--admin", emulator_.admin_address()});
    return arguments;
  }
  support::ToolResult Tool(const std::vector<std::string>& arguments) const {
    return support::RunTool(WithAdmin(arguments));
  }
  std::string Output(const std::vector<std::string>& arguments) const {
    const support::ToolResult result = Tool(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.output;
  }
  // Asks again until it holds.
  static bool Eventually(const std::function<bool()>& holds) {
    const absl::Time end = absl::Now() + kPatience;
    while (!holds()) {
      if (absl::Now() > end) return false;
    }
    return true;
  }

  support::EmulatorProcess emulator_;
};

}  // namespace cloudstate
