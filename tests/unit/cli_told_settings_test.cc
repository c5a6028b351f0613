#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/told_settings.h"

namespace cloudstate::cli {
namespace {

// By flag; the order is lost.
std::map<std::string, dev::v1::Setting> Told(std::vector<std::string> arguments,
                                             dev::v1::Settings* in_order = nullptr) {
  CLI::App root;
  Invocation invocation;
  BuildCommands(root, invocation);
  std::reverse(arguments.begin(), arguments.end());
  root.parse(arguments);
  const dev::v1::Settings settings = ToldSettings(*root.get_subcommand("run"));
  if (in_order != nullptr) *in_order = settings;
  std::map<std::string, dev::v1::Setting> by_flag;
  for (const dev::v1::Setting& setting : settings.settings()) by_flag[setting.flag()] = setting;
  return by_flag;
}

TEST(ToldSettings, HoldTheDefaultsWhereNothingWasGiven) {
  auto told = Told({"run"});
  EXPECT_EQ(told["--port"].value(), "9000");
  EXPECT_EQ(told["--port"].default_value(), "9000");
  EXPECT_EQ(told["--port"].environment(), "HTTP_PORT");
  EXPECT_EQ(told["--port"].help(), "Where clients call; 0 for any free port");
  EXPECT_EQ(told["--relay-timeout"].value(), told["--relay-timeout"].default_value());
  EXPECT_EQ(told["--ephemeral"].value(), "false");
  EXPECT_EQ(told["--ephemeral"].default_value(), "false");
  EXPECT_EQ(told["--data-dir"].value(), ".cloudstate-dev");
  EXPECT_FALSE(told.contains("--help"));
  EXPECT_FALSE(told.contains("--version"));
}

TEST(ToldSettings, HoldWhatWasGivenWhereverThatWas) {
  setenv("METRICS_PORT", "7", 1);
  auto told = Told({"run", "--port", "0", "--ephemeral", "-vv", "--allow-origin", "https://a.example,https://b.example",
                    "--relay-timeout", "2s", "--data-dir", "d", "--", "node", "index.js"});
  unsetenv("METRICS_PORT");
  EXPECT_EQ(told["--port"].value(), "0");
  EXPECT_EQ(told["--metrics-port"].value(), "7");
  EXPECT_EQ(told["--metrics-port"].default_value(), "9090");
  EXPECT_EQ(told["--ephemeral"].value(), "true");
  EXPECT_EQ(told["--verbose"].value(), "2");
  EXPECT_EQ(told["--allow-origin"].value(), "https://a.example,https://b.example");
  EXPECT_EQ(told["--relay-timeout"].value(), "2s");
  EXPECT_EQ(told["--data-dir"].value(), "d");
  EXPECT_EQ(told["COMMAND"].value(), "node index.js");
}

TEST(ToldSettings, AreUtf8WhateverBytesTheCommandLineHas) {
  auto told = Told({"run", "--data-dir", "d\xff", "--", "node", "caf\xe9.js"});
  EXPECT_EQ(told["COMMAND"].value(), "node caf\xef\xbf\xbd.js");
  EXPECT_EQ(told["--data-dir"].value(), "d\xef\xbf\xbd");
}

TEST(ToldSettings, ComeInTheOrderOfTheHelp) {
  dev::v1::Settings told;
  Told({"run"}, &told);
  ASSERT_GT(told.settings_size(), 20);
  EXPECT_EQ(told.settings(0).flag(), "COMMAND");
  EXPECT_EQ(told.settings(1).flag(), "--user-function");
}

}  // namespace
}  // namespace cloudstate::cli
