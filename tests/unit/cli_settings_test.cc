#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/completion.h"

namespace cloudstate::cli {
namespace {

class CliSettings : public ::testing::Test {
 protected:
  void SetUp() override { UnsetAll(); }
  void TearDown() override {
    UnsetAll();
    std::remove(file_.c_str());
  }

  static void UnsetAll() {
    for (const char* name : {"CLOUDSTATE_DEV_DATA_DIR", "CLOUDSTATE_DEV_ADMIN"}) unsetenv(name);
  }

  std::string Config(const std::string& content) {
    std::ofstream(file_) << content;
    return "--config=" + file_;
  }

  // The settings, or what is wrong with them.
  std::string Parse(std::vector<std::string> arguments) {
    CLI::App root;
    Invocation invocation;
    BuildCommands(root, invocation);
    std::reverse(arguments.begin(), arguments.end());
    try {
      root.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    const Settings& settings = invocation.settings;
    return absl::StrCat(settings.data_directory, " ", settings.admin, settings.json ? " json" : "");
  }

  const std::string file_ = ::testing::TempDir() + "cli_settings_test.toml";
};

TEST_F(CliSettings, HaveDefaults) { EXPECT_EQ(Parse({"status"}), ".cloudstate-dev "); }

TEST_F(CliSettings, RefuseWhatIsNoNumberOfAnEvent) {
  for (const std::string flag : {"--at", "--compare"}) {
    const auto parse = [&](const std::string& number) {
      return Parse({"journal", "replay", "me", "Get", flag, number});
    };
    EXPECT_EQ(parse("-1"), flag + ": '-1' is no number of an event, which is 0 or more");
    EXPECT_EQ(parse("9223372036854775808"),
              flag + ": '9223372036854775808' is no number of an event, which is 0 or more");
    EXPECT_EQ(parse("9223372036854775807"), ".cloudstate-dev ");
    EXPECT_EQ(parse("0"), ".cloudstate-dev ");
  }
}

TEST_F(CliSettings, ComeFromFlagsBeforeAndAfterTheCommand) {
  EXPECT_EQ(Parse({"--data-dir", "a", "journal", "ls", "--json"}), "a  json");
  EXPECT_EQ(Parse({"journal", "ls", "--data-dir", "a", "--admin=h:1"}), "a h:1");
}

TEST_F(CliSettings, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  const std::string config = Config("data-dir = \"from-file\"\nadmin = \"file:1\"\n");
  EXPECT_EQ(Parse({config, "status"}), "from-file file:1");
  setenv("CLOUDSTATE_DEV_DATA_DIR", "from-environment", 1);
  EXPECT_EQ(Parse({config, "status"}), "from-environment file:1");
  EXPECT_EQ(Parse({config, "status", "--data-dir", "from-flag"}), "from-flag file:1");
}

TEST_F(CliSettings, AFileMaySetWhatOneCommandTakes) {
  EXPECT_EQ(Parse({Config("[journal.ls]\nlimit = 5\n"), "status"}), ".cloudstate-dev ");
}

TEST_F(CliSettings, AnUnknownSettingInAFileIsAnErrorThatNamesIt) {
  EXPECT_TRUE(absl::StrContains(Parse({Config("data-dirr = 1\n"), "status"}), "'data-dirr'"));
  EXPECT_TRUE(absl::StrContains(Parse({Config("[journal.ls]\nlimits = 5\n"), "status"}), "'journal.ls.limits'"));
  EXPECT_TRUE(absl::StrContains(Parse({Config("[jornal]\nlimit = 5\n"), "status"}), "'jornal.limit'"));
}

TEST_F(CliSettings, AFileThatIsNotThereIsAnError) {
  EXPECT_TRUE(absl::StrContains(Parse({"--config=/no/such/file", "status"}), "/no/such/file"));
}

TEST_F(CliSettings, WordsThatAreCommandsElsewhereAreOrdinaryArguments) {
  EXPECT_EQ(Parse({"journal", "show", "status"}), ".cloudstate-dev ");
  EXPECT_EQ(Parse({"journal", "show", "ls", "tail"}), ".cloudstate-dev ");
}

TEST_F(CliSettings, OfAClusterAreRefusedWhereTheyMakeNoSense) {
  const std::pair<std::string, std::string> cases[] = {
      {"--phi-threshold 0", "--phi-threshold takes a number above 0"},
      {"--phi-threshold -3", "--phi-threshold takes a number above 0"},
      {"--phi-threshold nan", "--phi-threshold takes a number above 0"},
      {"--phi-threshold inf", "--phi-threshold takes a number above 0"},
      {"--heartbeat-interval 0s", "--heartbeat-interval"},
      {"--acceptable-pause 0", "--acceptable-pause"},
      {"--stable-after 0s", "--stable-after"},
      {"--rebalance-interval 0ms", "--rebalance-interval"},
      {"--heartbeat-interval 1ns", "--heartbeat-interval takes 1ms to 24h"},
      {"--rebalance-interval inf", "--rebalance-interval takes 1ms to 24h"},
      {"--nodes 3 --node-port 65534", "the last one's port would be 65536"},
      {"--nodes 101", "--nodes"},
  };
  for (const auto& [arguments, problem] : cases) {
    EXPECT_TRUE(absl::StrContains(Parse(absl::StrSplit("run " + arguments, ' ')), problem)) << arguments;
  }
  EXPECT_EQ(Parse(absl::StrSplit("run --nodes 3 --node-port 65533 --phi-threshold 0.5", ' ')), ".cloudstate-dev ");
}

TEST_F(CliSettings, TheCompletionScriptsKnowEveryCommandAndOption) {
  CLI::App root;
  Invocation invocation;
  BuildCommands(root, invocation);
  for (Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    const std::string script = CompletionScript(root, shell);
    for (const char* word : {"journal", "completion", "tail", "id-contains", "data-dir", "deadline"}) {
      EXPECT_TRUE(absl::StrContains(script, word)) << word;
    }
  }
}

}  // namespace
}  // namespace cloudstate::cli
