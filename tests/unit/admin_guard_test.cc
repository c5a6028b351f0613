#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "emulator/admin/guard.h"

namespace cloudstate::admin {
namespace {

constexpr char kListen[] = "127.0.0.1:9001";

struct Case {
  const char* host;
  const char* listen;
  bool good;
};

TEST(AdminGuard, AnswersToLoopbackNamesAndToTheAddressThatItWasTold) {
  const Case cases[] = {
      {"localhost:9001", kListen, true},
      {"LocalHost", kListen, true},
      {"app.localhost:9001", kListen, true},
      {"127.0.0.1:9001", kListen, true},
      {"127.9.8.7", kListen, true},
      {"[::1]:9001", kListen, true},
      {"::1", kListen, true},
      {"", kListen, false},
      {"evil.example:9001", kListen, false},
      {"localhost.evil.example", kListen, false},
      {"127.0.0.1.evil.example", kListen, false},
      {"evillocalhost", kListen, false},
      {"10.0.0.5:9001", kListen, false},
      {"[::2]:9001", kListen, false},
      {"[", kListen, false},
      {"build.lan:9001", "build.lan:9001", true},
      {"BUILD.lan", "build.lan:9001", true},
      {"other.lan:9001", "build.lan:9001", false},
      {"10.0.0.5:9001", "0.0.0.0:9001", true},
      {"[fd00::5]:9001", "[::]:9001", true},
      {"evil.example:9001", "0.0.0.0:9001", false},
      {"evil.example:9001", "[::]:9001", false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(CheckHostAndOrigin(each.host, std::nullopt, each.listen).ok(), each.good)
        << "'" << each.host << "' while listening on " << each.listen;
  }
}

TEST(AdminGuard, AnswersToPagesOfItsOwnOriginOnly) {
  EXPECT_TRUE(CheckHostAndOrigin("localhost:9001", "http://localhost:9001", kListen).ok());
  EXPECT_TRUE(CheckHostAndOrigin("localhost:9001", "http://LOCALHOST:9001", kListen).ok());
  for (const char* origin : {"http://evil.example", "http://localhost", "http://localhost:3000",
                             "https://localhost:9001", "http://127.0.0.1:9001", "null", ""}) {
    EXPECT_FALSE(CheckHostAndOrigin("localhost:9001", origin, kListen).ok()) << origin;
  }
}

TEST(AdminGuard, TellsWhichNameOrOriginItRefused) {
  const absl::Status host = CheckHostAndOrigin("evil.example", std::nullopt, kListen);
  EXPECT_TRUE(absl::IsPermissionDenied(host));
  EXPECT_NE(host.message().find("evil.example"), std::string::npos);
  const absl::Status origin = CheckHostAndOrigin("localhost:9001", "http://evil.example", kListen);
  EXPECT_TRUE(absl::IsPermissionDenied(origin));
  EXPECT_NE(origin.message().find("http://evil.example"), std::string::npos);
}

}  // namespace
}  // namespace cloudstate::admin
