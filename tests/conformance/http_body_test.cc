// google.api.HttpBody: bytes with a content type instead of JSON.

#include "google/api/annotations.pb.h"  // for the options in the text below
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

constexpr char kFilesFile[] = R"pb(
  name: "files.proto"
  package: "test"
  syntax: "proto3"
  dependency: "google/api/httpbody.proto"
  message_type {
    name: "File"
    field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "name" }
    field {
      name: "content"
      number: 2
      type: TYPE_MESSAGE
      type_name: ".google.api.HttpBody"
      label: LABEL_OPTIONAL
      json_name: "content"
    }
  }
  service {
    name: "Files"
    method { name: "Turn" input_type: ".google.api.HttpBody" output_type: ".google.api.HttpBody" }
    method {
      name: "Store"
      input_type: ".test.File"
      output_type: ".test.File"
      options {
        [google.api.http] { put: "/files/{name}" body: "content" response_body: "content" }
      }
    }
    method {
      name: "Play"
      input_type: ".test.File"
      output_type: ".test.File"
      server_streaming: true
      options {
        [google.api.http] { get: "/files/{name}" response_body: "content" }
      }
    }
    method {
      name: "Stream"
      input_type: ".google.api.HttpBody"
      output_type: ".google.api.HttpBody"
      server_streaming: true
    }
  })pb";

google::api::HttpBody Body(const std::string& content_type, const std::string& data) {
  google::api::HttpBody body;
  body.set_content_type(content_type);
  body.set_data(data);
  return body;
}

// A test.File with only its content, as it is serialized.
std::string File(const google::api::HttpBody& content) {
  const std::string bytes = content.SerializeAsString();
  return std::string{'\x12', static_cast<char>(bytes.size())} + bytes;
}

class HttpBodyTest : public FrontDoorTest {
 protected:
  void SetUp() override {
    FrontDoorTest::SetUp();
    auto files = HttpBodyFiles();
    files.push_back(kFilesFile);
    backend_.Set(ServicesIn(files, {"test.Files"}));
  }
  std::string Send(const std::string& first_line, const std::string& content_type, const std::string& body) {
    RawClient client(Door().port());
    return client
        .Send(absl::StrCat(first_line, " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ", content_type,
                           "\r\nContent-Length: ", body.size(), "\r\n\r\n", body))
        .ReadToEnd();
  }
};

const std::string kPicture = Bytes("\x89PNG\0\xff");

TEST_F(HttpBodyTest, BytesAndContentTypeComeInAndGoOutAsTheyAre) {
  const std::string answer = Send("POST /test.Files/Turn", "image/png", kPicture);
  EXPECT_TRUE(absl::StrContains(answer, "\r\nContent-Type: image/png\r\n")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n" + kPicture)) << answer;
  EXPECT_EQ(backend_.last().payload, Body("image/png", kPicture).SerializeAsString());
}

TEST_F(HttpBodyTest, FieldsMayBeTheBodies) {
  const std::string answer = Send("PUT /files/a", "image/png", kPicture);
  EXPECT_TRUE(absl::StrContains(answer, "\r\nContent-Type: image/png\r\n")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n" + kPicture)) << answer;
  EXPECT_EQ(backend_.last().payload, Bytes("\x0a\x01"
                                           "a") +
                                         File(Body("image/png", kPicture)));
}

TEST_F(HttpBodyTest, StreamIsTheBytesWithTheFirstContentType) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(Body("video/mp4", "one").SerializeAsString());
    responder.Message(Body("", "two").SerializeAsString());
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Send("POST /test.Files/Stream", "text/plain", "x");
  EXPECT_TRUE(absl::StrContains(answer, "\r\nContent-Type: video/mp4\r\n")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n0\r\n\r\n")) << answer;
  EXPECT_FALSE(absl::StrContains(answer, "{")) << answer;
  EXPECT_LT(answer.find("one"), answer.find("two")) << answer;
  EXPECT_NE(answer.find("two"), std::string::npos);
}

TEST_F(HttpBodyTest, StreamOfAFieldIsRawAsWell) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(File(Body("video/mp4", "one")));
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Http("GET /files/a HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n", "\r\n0\r\n");
  EXPECT_TRUE(absl::StrContains(answer, "\r\nContent-Type: video/mp4\r\n")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "\r\n3\r\none\r\n")) << answer;
}

TEST_F(HttpBodyTest, StreamThatFailsIsCutOffAndOneThatNeverBeganIsAnError) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(Body("video/mp4", "one").SerializeAsString());
    responder.Finish(absl::AbortedError("over"));
  });
  const std::string cut = Send("POST /test.Files/Stream", "text/plain", "x");
  EXPECT_TRUE(absl::EndsWith(cut, "\r\n3\r\none\r\n")) << cut;
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::AbortedError("over")); });
  const std::string never = Send("POST /test.Files/Stream", "text/plain", "x");
  EXPECT_TRUE(absl::StartsWith(never, "HTTP/1.1 409 ") && absl::EndsWith(never, "over")) << never;
}

}  // namespace
}  // namespace cloudstate::serving
