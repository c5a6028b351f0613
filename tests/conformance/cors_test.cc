// What browsers are told about pages of other origins.

#include "emulator/serving/cors.h"

#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

class CorsTest : public FrontDoorTest {
 protected:
  void SetUp() override {
    FrontDoorTest::SetUp();
    options_.allowed_origins.emplace();
  }
  std::string Preflight(const std::string& origin, const std::string& headers = "") {
    return Http(absl::StrCat("OPTIONS /test.Echo/Say HTTP/1.1\r\nHost: localhost\r\nOrigin: ", origin,
                             "\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n", headers, "\r\n"),
                "never");
  }
  // Whether the page's call is carried out, and may be read.
  bool MayCall(const std::string& origin) {
    const std::string answer =
        Http(Post("/test.Echo/Say", "{}", "Connection: close\r\nOrigin: " + origin + "\r\n"), "never");
    EXPECT_TRUE(absl::StrContains(answer, "\r\nVary: Origin\r\n")) << answer;
    const bool called = absl::StartsWith(answer, "HTTP/1.1 200 ");
    EXPECT_EQ(called, absl::StrContains(answer, "\r\nAccess-Control-Allow-Origin: " + origin + "\r\n")) << answer;
    EXPECT_TRUE(called || absl::StartsWith(answer, "HTTP/1.1 403 ")) << answer;
    return called;
  }
};

TEST_F(CorsTest, PagesOnLoopbackMayCallAndOthersMayNot) {
  for (const char* origin : {"http://localhost", "https://localhost:8443", "http://127.0.0.1:3000", "http://[::1]:5"}) {
    EXPECT_TRUE(MayCall(origin)) << origin;
  }
  for (const char* origin : {"http://evil.example", "http://localhost.evil.example", "http://localhost:1.evil.example",
                             "http://127.0.0.1.evil.example", "null", "file://localhost", "http://localhost:"}) {
    EXPECT_FALSE(MayCall(origin)) << origin;
  }
}

TEST_F(CorsTest, MoreOriginsByOption) {
  options_.allowed_origins = {"https://app.example"};
  EXPECT_TRUE(MayCall("https://app.example"));
  EXPECT_FALSE(MayCall("http://app.example"));
  EXPECT_FALSE(MayCall("https://app.example:444"));
}

TEST_F(CorsTest, StarIsEveryOrigin) {
  options_.allowed_origins = {"*"};
  EXPECT_TRUE(MayCall("http://anything.example"));
  EXPECT_TRUE(MayCall("null"));
}

TEST_F(CorsTest, PreflightIsAnsweredWithoutACall) {
  const std::string answer = Preflight("http://localhost:3000", "Access-Control-Request-Headers: x-grpc-web,color\r\n");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 204 No Content\r\n")) << answer;
  for (const char* header :
       {"Access-Control-Allow-Origin: http://localhost:3000", "Access-Control-Allow-Methods: POST",
        "Access-Control-Allow-Headers: x-grpc-web,color", "Access-Control-Max-Age: 600", "Vary: Origin"}) {
    EXPECT_TRUE(absl::StrContains(answer, absl::StrCat("\r\n", header, "\r\n"))) << header << "\n" << answer;
  }
  EXPECT_FALSE(absl::StrContains(answer, "Content-Length")) << answer;
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(CorsTest, PreflightOfAForeignPageIsRefusedAndNamesTheOption) {
  const std::string answer = Preflight("http://evil.example");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "--allow-origin http://evil.example")) << answer;
  EXPECT_FALSE(absl::StrContains(answer, "Access-Control-Allow")) << answer;
}

TEST_F(CorsTest, OptionsThatIsNoPreflightGoesToTheRoutes) {
  const std::string answer =
      Http("OPTIONS /test.Echo/Say HTTP/1.1\r\nHost: a\r\nOrigin: http://localhost\r\n\r\n", "POST\n");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 405 ")) << answer;
}

TEST_F(CorsTest, WhatCarriesMetadataIsExposed) {
  backend_.Set([](const Call& call, Responder& responder) {
    Metadata headers = OneEntry("answer", "yes");
    *headers.add_entries() = OneEntry(kTraceHeader, "t1").entries(0);
    responder.Headers(headers);
    responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Http(Post("/test.Echo/Say", "{}", "Origin: http://localhost\r\n"), "}");
  EXPECT_TRUE(absl::StrContains(answer,
                                "\r\nAccess-Control-Expose-Headers: grpc-status, grpc-message, "
                                "grpc-status-details-bin, answer, x-cloudstate-trace\r\n"))
      << answer;
}

TEST_F(CorsTest, ErrorsMayBeReadAsWell) {
  options_.limits.message_bytes = 100;
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::NotFoundError("gone")); });
  const std::string origin = "Origin: http://localhost\r\n";
  const std::string allowed = "\r\nAccess-Control-Allow-Origin: http://localhost\r\n";
  EXPECT_TRUE(absl::StrContains(Http(Post("/test.Echo/Say", "{}", origin), "gone"), allowed));
  EXPECT_TRUE(absl::StrContains(Http(Post("/nowhere", "{}", origin), "no route"), allowed));
  RawClient large = Connect();
  const std::string problem = "Accept: application/problem+json\r\n";
  const std::string answer = large.Send(Post("/test.Echo/Say", std::string(1000, 'x'), origin + problem)).ReadToEnd();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 413 ") && absl::StrContains(answer, allowed)) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "Content-Type: application/problem+json")) << answer;
}

TEST_F(CorsTest, DoorWithoutThePolicySaysNothing) {
  options_.allowed_origins.reset();
  const std::string answer = Http(Post("/test.Echo/Say", "{}", "Origin: http://localhost\r\n"), "}");
  EXPECT_FALSE(absl::StrContains(answer, "Access-Control")) << answer;
  EXPECT_TRUE(absl::StartsWith(Preflight("http://localhost"), "HTTP/1.1 405 "));
}

TEST(CorsOrigin, IsAsABrowserWritesIt) {
  for (const char* good : {"*", "https://app.example", "http://host:8000", "http://[::1]:3"}) {
    EXPECT_TRUE(IsOrigin(good)) << good;
  }
  for (const char* bad : {"", "app.example", "https://", "https://app.example/", "https://App.example", "ftp://a",
                          "https://*.example", "https://a b", "https://me@a"}) {
    EXPECT_FALSE(IsOrigin(bad)) << bad;
  }
}

}  // namespace
}  // namespace cloudstate::serving
