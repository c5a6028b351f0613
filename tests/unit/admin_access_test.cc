#include <gtest/gtest.h>

#include <set>
#include <string>

#include "emulator/admin/access.h"
#include "emulator/admin/dashboard.h"

namespace cloudstate::admin {
namespace {

constexpr char kOwnPage[] = "http://127.0.0.1:9001";
constexpr char kRunToken[] = "0123456789abcdef";

serving::Call ChangeBy(const std::string& origin, const std::string& token) {
  serving::Call call;
  call.service = "cloudstate.dev.v1.Cluster";
  call.method = "Steer";
  for (const auto& [name, value] : {std::pair("origin", origin), std::pair(kTokenHeader, token)}) {
    if (value.empty()) continue;
    MetadataEntry& entry = *call.metadata.add_entries();
    entry.set_key(name);
    entry.set_string_value(value);
  }
  return call;
}

absl::StatusCode Check(const Access::Options& options, const std::string& origin, const std::string& token) {
  return Access(options).CheckChange(ChangeBy(origin, token)).code();
}

TEST(AdminAccess, WebPagesChangeThingsWithTheTokenOfThisRunOnly) {
  EXPECT_EQ(Check({.token = kRunToken}, kOwnPage, kRunToken), absl::StatusCode::kOk);
  EXPECT_EQ(Check({.token = kRunToken}, kOwnPage, ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Check({.token = kRunToken}, kOwnPage, "fedcba9876543210"), absl::StatusCode::kPermissionDenied);
}

TEST(AdminAccess, ClientsThatAreNoWebPagesNeedNoToken) {
  EXPECT_EQ(Check({.token = kRunToken}, "", ""), absl::StatusCode::kOk);
}

TEST(AdminAccess, WithoutATokenOfItsOwnARunLetsNoPageChangeAnything) {
  EXPECT_EQ(Check({.token = ""}, kOwnPage, ""), absl::StatusCode::kPermissionDenied);
}

TEST(AdminAccess, ReadOnlyHoldsForEverybody) {
  EXPECT_EQ(Check({.token = kRunToken, .read_only = true}, "", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Check({.token = kRunToken, .read_only = true}, kOwnPage, kRunToken), absl::StatusCode::kPermissionDenied);
}

TEST(AdminAccess, OverAWebSocketThePagesTokenComesWithTheFirstMessage) {
  const Access access({.token = kRunToken});
  serving::Call call = ChangeBy(kOwnPage, "");
  call.protocol = "websocket";
  EXPECT_TRUE(access.CheckChange(call).ok());
  EXPECT_TRUE(Access::IsCheckedLater(call));
  EXPECT_TRUE(access.CheckToken(kRunToken).ok());
  EXPECT_FALSE(access.CheckToken("").ok());
}

TEST(AdminAccess, EachRunHasATokenOfItsOwn) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(NewToken());
  EXPECT_EQ(tokens.size(), 100);
  EXPECT_EQ(tokens.begin()->size(), 32);
}

TEST(Dashboard, ThePageHasTheTokenAndMayReachNothingButThisPort) {
  const auto handlers = DashboardHandlers(kRunToken);
  const serving::HttpResponse page = handlers.at("/")({});
  EXPECT_NE(page.body.find(std::string("content=\"") + kRunToken), std::string::npos);
  EXPECT_EQ(page.body.find("{{"), std::string::npos) << "a place that nothing was put into";
  std::string policy;
  for (const auto& [name, value] : page.headers) {
    if (name == "Content-Security-Policy") policy = value;
  }
  EXPECT_EQ(policy.substr(0, 20), "default-src 'none'; ");
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
}

TEST(Dashboard, WhatThePageNamesIsThere) {
  const auto handlers = DashboardHandlers(kRunToken);
  const std::string page = handlers.at("/")({}).body;
  int named = 0;
  for (std::size_t at = page.find("\"/assets/"); at != std::string::npos; at = page.find("\"/assets/", at + 1)) {
    const std::string path = page.substr(at + 1, page.find('"', at + 1) - at - 1);
    ASSERT_TRUE(handlers.contains(path)) << path;
    EXPECT_EQ(handlers.at(path)({}).body.substr(0, 2), "\x1f\x8b") << "compressed with gzip";
    ++named;
  }
  EXPECT_EQ(named, 2);
}

}  // namespace
}  // namespace cloudstate::admin
