#include "emulator/serving/transcoder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "google/api/annotations.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/unit/descriptor_text.h"
#include "tests/unit/http_types.h"

namespace cloudstate::serving {
namespace {

using google::protobuf::Message;

std::string Method(const std::string& name, const std::string& rule, const std::string& input = ".t.All",
                   const std::string& output = ".t.All", const std::string& more = "") {
  const std::string options = rule.empty() ? "" : "options { [google.api.http] { " + rule + " } }";
  return "method { name: '" + name + "' input_type: '" + input + "' output_type: '" + output + "' " + options + more +
         "}\n";
}

std::string Service(const std::string& methods) {
  return "name: 'service.proto' package: 't' syntax: 'proto3' dependency: 'types.proto' dependency: "
         "'google/api/annotations.proto' dependency: 'google/api/httpbody.proto' service { name: 'S' " +
         methods + "}";
}

const std::string kMethods =
    Method("Get", "get: '/all/{user_id}'") + Method("Post", "post: '/all/{user_id}' body: '*'") +
    Method("Put",
           "put: '/inner/{inner.user_id}/{color}' body: 'inner' additional_bindings { patch: '/tags' body: 'tags' } "
           "additional_bindings { custom { kind: 'FETCH' path: '/text' } body: 'text' response_body: 'tags' } "
           "additional_bindings { delete: '/map' body: 'map' response_body: 'inner' } "
           "additional_bindings { custom { kind: '*' path: '/star/{at}' } }") +
    Method("Upload", "post: '/raw' body: '*'", ".google.api.HttpBody", ".google.api.HttpBody") +
    Method("UploadField", "post: '/raw/{user_id}' body: 'body' response_body: 'body'") + Method("Plain", "") +
    Method("Say", "", ".t.All", ".t.Response") +
    Method("In", "post: '/in' body: '*'", ".t.All", ".t.All", "client_streaming: true") +
    Method("Out",
           "get: '/out/{user_id}' additional_bindings { put: '/out/{user_id}/inner' body: 'inner' } "
           "additional_bindings { get: '/out/{user_id}/body' response_body: 'body' }",
           ".t.All", ".t.All", "server_streaming: true");

class TranscoderTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Transcoder> Make(const google::protobuf::DescriptorPool& pool) {
    auto services = std::make_shared<Services>();
    services->pool = &pool;
    services->services.push_back(pool.FindServiceByName("t.S"));
    auto transcoder = Transcoder::Create(std::move(services));
    EXPECT_TRUE(transcoder.ok()) << transcoder.status();
    return *std::move(transcoder);
  }

  static HttpRequest Json(const std::string& method, const std::string& path, const std::string& body) {
    return {.method = method, .path = path, .query = "", .content_type = "application/json", .body = body};
  }

  std::unique_ptr<Message> New(const std::string& type) {
    return std::unique_ptr<Message>(factory_.GetPrototype(pool_->FindMessageTypeByName(type))->New());
  }

  // "METHOD template: input in text format", or "status text".
  std::string Decode(const HttpRequest& request) {
    const auto result = transcoder_->Decode(request);
    if (const auto* error = std::get_if<HttpError>(&result)) return std::to_string(error->status) + " " + error->text;
    const auto& transcoded = std::get<Transcoded>(result);
    const auto input = New(transcoded.route->method->input_type()->full_name());
    EXPECT_TRUE(input->ParseFromString(transcoded.payload));
    EXPECT_EQ(input->SerializeAsString(), transcoded.payload) << "payloads are in canonical form";
    std::string text = input->ShortDebugString();
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  }

  // A WebSocket's message at that path: the input in text format, or what is wrong.
  std::string DecodeMessage(const std::string& path, const std::string& query, const std::string& json) {
    const auto found =
        transcoder_->FindStream({.method = "GET", .path = path, .query = query, .content_type = "", .body = ""});
    if (const auto* error = std::get_if<HttpError>(&found)) return std::to_string(error->status) + " " + error->text;
    const auto& target = std::get<MessageTarget>(found);
    const auto payload = transcoder_->DecodeMessage(target, json);
    if (!payload.ok()) return "error: " + std::string(payload.status().message());
    const auto input = New(target.route->method->input_type()->full_name());
    EXPECT_TRUE(input->ParseFromString(*payload));
    return input->ShortDebugString();
  }

  std::string Get(const std::string& path, const std::string& query = "") {
    return Decode({.method = "GET", .path = path, .query = query, .content_type = "", .body = ""});
  }

  const Route& RouteFor(const std::string& path) {
    for (const Route& route : transcoder_->routes()) {
      if (route.path == path) return route;
    }
    ADD_FAILURE() << "no route " << path;
    return transcoder_->routes().front();
  }

  std::string Encode(const std::string& path, const std::string& text) {
    const Route& route = RouteFor(path);
    const auto output = New(route.method->output_type()->full_name());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, output.get()));
    const auto body = transcoder_->Encode(route, output->SerializeAsString());
    if (!body.ok()) return "error: " + std::string(body.status().message());
    return body->content_type + ": " + body->bytes;
  }

  std::unique_ptr<google::protobuf::DescriptorPool> pool_ =
      testing::PoolFromText({testing::kHttpTypes, Service(kMethods)});
  google::protobuf::DynamicMessageFactory factory_;
  std::unique_ptr<Transcoder> transcoder_ = Make(*pool_);
};

TEST_F(TranscoderTest, AMethodHasItsRulesAndAGeneratedRoute) {
  std::string routes;
  for (const Route& route : transcoder_->routes()) {
    if (route.method->name() == "Get" || route.method->name() == "Plain") {
      routes += route.http_method + " " + route.path + (route.generated ? " generated\n" : "\n");
    }
  }
  EXPECT_EQ(routes, "GET /all/{user_id}\nPOST /t.S/Get generated\nPOST /t.S/Plain generated\n");
}

TEST_F(TranscoderTest, StreamsAreFoundByTheirPathWhateverTheVerb) {
  EXPECT_EQ(DecodeMessage("/in", "", R"({"text":"t"})"), "text: \"t\"");
  EXPECT_EQ(DecodeMessage("/t.S/In", "", R"({"text":"t"})"), "text: \"t\"");
  EXPECT_EQ(DecodeMessage("/all/a", "", "{}").substr(0, 3), "404") << "no stream is bound to it";
}

TEST_F(TranscoderTest, MessagesAreTheBodyAndQueryAndPathGoOverThem) {
  EXPECT_EQ(DecodeMessage("/out/a", "i32=5", R"({"i32":1,"userId":"b","text":"t"})"),
            "text: \"t\" user_id: \"a\" i32: 5")
      << "without a body in the rule, the message is the whole input";
  EXPECT_EQ(DecodeMessage("/out/a/inner", "text=q", R"({"text":"t"})"),
            "text: \"q\" user_id: \"a\" inner { text: \"t\" }");
  EXPECT_EQ(DecodeMessage("/in", "text=ignored", "{}"), "");
  EXPECT_EQ(DecodeMessage("/in", "", "{"),
            "error: malformed JSON body: line 1, column 2: expected a name in double quotes");
  EXPECT_EQ(DecodeMessage("/out/a", "none=1", "{}").substr(0, 6), "error:");
}

TEST_F(TranscoderTest, RoutesSayWhetherTheirAnswerIsRaw) {
  EXPECT_TRUE(RouteFor("/raw").raw_response);
  EXPECT_TRUE(RouteFor("/raw/{user_id}").raw_response);
  EXPECT_TRUE(RouteFor("/out/{user_id}/body").raw_response);
  EXPECT_FALSE(RouteFor("/out/{user_id}").raw_response);
  EXPECT_FALSE(RouteFor("/text").raw_response);
}

TEST_F(TranscoderTest, PathAndQueryFillTheInput) {
  EXPECT_EQ(Get("/all/a%2Fb", "i32=5&inner.text=x"), "user_id: \"a/b\" i32: 5 inner { text: \"x\" }");
  EXPECT_EQ(Get("/all/a", "userId=b"), "user_id: \"a\"");
}

TEST_F(TranscoderTest, PathVariablesGoOverTheBody) {
  EXPECT_EQ(Decode(Json("POST", "/all/a", R"({"i32":1,"userId":"b","text":"t"})")),
            "text: \"t\" user_id: \"a\" i32: 1");
  EXPECT_EQ(Decode(Json("POST", "/all/a", "")), "user_id: \"a\"");
}

TEST_F(TranscoderTest, ABodyThatIsTheWholeInputLeavesNothingToTheQuery) {
  HttpRequest request = Json("POST", "/all/a", "{}");
  request.query = "i32=1&tracking=x";
  EXPECT_EQ(Decode(request), "user_id: \"a\"");
}

TEST_F(TranscoderTest, OneFieldMayBeTheBody) {
  HttpRequest request = Json("PUT", "/inner/a/BLUE", R"({"text":"t","userId":"b"})");
  request.query = "i32=3";
  EXPECT_EQ(Decode(request), "i32: 3 color: BLUE inner { text: \"t\" user_id: \"a\" }");
  EXPECT_EQ(Decode(Json("PUT", "/inner/a/3", "")), "color: BLUE inner { user_id: \"a\" }");
  EXPECT_EQ(Decode(Json("PATCH", "/tags", R"(["a","b"])")), "tags: \"a\" tags: \"b\"");
  EXPECT_EQ(Decode(Json("FETCH", "/text", R"("a")")), "text: \"a\"");
  EXPECT_EQ(Decode(Json("DELETE", "/map", R"({"7":"seven"})")), "map { key: 7 value: \"seven\" }");
}

TEST_F(TranscoderTest, AFieldsBodyCannotReachOtherFields) {
  EXPECT_EQ(Decode(Json("PATCH", "/tags", R"([],"text":"x")")),
            "400 malformed JSON body: line 1, column 3: expected nothing after the value");
}

TEST_F(TranscoderTest, TheKindStarTakesAnyMethod) {
  EXPECT_EQ(Decode(Json("BREW", "/star/1970-01-01T00:00:01Z", "")), "at { seconds: 1 }");
}

TEST_F(TranscoderTest, HeadIsGet) {
  EXPECT_EQ(Decode({.method = "HEAD", .path = "/all/a", .query = "", .content_type = "", .body = ""}),
            "user_id: \"a\"");
}

TEST_F(TranscoderTest, BodiesAreJson) {
  HttpRequest request = Json("POST", "/all/a", "{}");
  request.content_type = "Application/JSON ; charset=utf-8";
  EXPECT_EQ(Decode(request), "user_id: \"a\"");
  for (const char* type : {"", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"}) {
    request.content_type = type;
    EXPECT_EQ(Decode(request).substr(0, 47), "415 a body needs the content type application/j") << type;
  }
}

TEST_F(TranscoderTest, HttpBodiesAreRaw) {
  HttpRequest request = Json("POST", "/raw", "\xff\x01");
  request.content_type = "image/png";
  EXPECT_EQ(Decode(request), "content_type: \"image/png\" data: \"\\377\\001\"");
  request.path = "/raw/a";
  EXPECT_EQ(Decode(request), "user_id: \"a\" body { content_type: \"image/png\" data: \"\\377\\001\" }");
  EXPECT_EQ(Encode("/raw", "content_type: 'a/b' data: '\\xff'"), "a/b: \xff");
  EXPECT_EQ(Encode("/raw", "data: 'x'"), "application/octet-stream: x");
  EXPECT_EQ(Encode("/raw/{user_id}", "body { content_type: 'a/b' data: 'x' }"), "a/b: x");
}

TEST_F(TranscoderTest, BadRequestsNameThePlace) {
  const std::vector<std::pair<HttpRequest, std::string>> cases = {
      {Json("POST", "/all/a", "{\n \"i32\" 1}"), "400 malformed JSON body: line 2, column 8: expected ':'"},
      {Json("POST", "/all/a", "{\"text\":\"\xff\"}"), "400 malformed JSON body: the JSON is not valid UTF-8"},
      {Json("POST", "/all/a", R"({"i32":"x"})"), "400 the JSON body is no t.All: (i32): "},
      {Json("POST", "/all/a", R"({"items":[{},{"quantity":true}]})"),
       "400 the JSON body is no t.All: (items[1].quantity): "},
      {Json("POST", "/all/a", R"({"nope":1})"), "400 the JSON body is no t.All: nope: Cannot find field."},
      {Json("POST", "/all/a", "[]"), "400 "},
      {Json("POST", "/all/a", "5"), "400 "},
      {Json("PUT", "/inner/a/GREEN", "{}"), "400 path variable 'color': expected a value of t.Color, not 'GREEN'"},
      {Json("GET", "/all/%zz", ""), "400 malformed path: '%zz'"},
      {Json("GET", "/all/%ff", ""), "400 malformed path"},
  };
  for (const auto& [request, problem] : cases) EXPECT_EQ(Decode(request).substr(0, problem.size()), problem);
  EXPECT_EQ(Get("/all/a", "i32=x"), "400 query parameter 'i32': expected a 32-bit integer, not 'x'");
}

TEST_F(TranscoderTest, DeepBodiesAreRefused) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"inner\":";
  EXPECT_NE(Decode(Json("POST", "/all/a", deep)).find("expected fewer levels of nesting"), std::string::npos);
  std::string deepest = "{}";
  for (int i = 1; i < 100; ++i) deepest = "{\"inner\":" + deepest + "}";
  EXPECT_EQ(Decode(Json("POST", "/all/a", deepest)).substr(0, 12), "user_id: \"a\"");
  EXPECT_EQ(Decode(Json("POST", "/all/a", "{\"inner\":" + deepest + "}")).substr(0, 4), "400 ");
}

TEST_F(TranscoderTest, NoRouteListsTheNearestOnes) {
  const std::string text = Get("/al/a");
  EXPECT_EQ(text.substr(0, 64), "404 no route for GET /al/a\nnearest routes:\n  GET /all/{user_id}\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7);
}

TEST_F(TranscoderTest, AnotherMethodIsToldWhatIsAllowed) {
  const auto result = transcoder_->Decode(Json("PUT", "/all/a", ""));
  const auto& error = std::get<HttpError>(result);
  EXPECT_EQ(error.status, 405);
  EXPECT_EQ(error.allow, "GET, HEAD, POST");
}

TEST_F(TranscoderTest, ClientStreamsAreNotForPlainHttp) {
  EXPECT_EQ(Decode(Json("POST", "/in", "{}")).substr(0, 4), "501 ");
}

TEST_F(TranscoderTest, RepliesAreJsonWithDefaults) {
  EXPECT_EQ(Encode("/t.S/Say", ""), R"(application/json: {"message":""})");
  EXPECT_EQ(
      Encode("/all/{user_id}", "i64: 9007199254740993 color: BLUE items { quantity: 2 } maybe: 0"),
      "application/json: "
      R"({"text":"","userId":"","i32":0,"i64":"9007199254740993","u32":0,"u64":"0","d":0,"f":0,"flag":false,)"
      R"("color":"BLUE","data":"","tags":[],"numbers":[],"items":[{"productId":"","quantity":2}],"map":{},"maybe":0})");
}

TEST_F(TranscoderTest, ResponseBodyPicksOneField) {
  EXPECT_EQ(Encode("/text", "tags: 'a' tags: 'b'"), R"(application/json: ["a","b"])");
  EXPECT_EQ(Encode("/text", ""), "application/json: []");
  EXPECT_NE(Encode("/map", "").find(R"({"text":"",)"), std::string::npos);
}

TEST_F(TranscoderTest, RepliesThatDoNotParseAreErrors) {
  EXPECT_EQ(transcoder_->Encode(RouteFor("/t.S/Say"), "\x0a\x05").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(transcoder_->Encode(RouteFor("/t.S/Say"), "\x0a\x01\xff").status().code(), absl::StatusCode::kInternal);
}

TEST(TranscoderCreate, RulesThatCannotWorkAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"get: '/a/{nope}'", "t.All has no field 'nope'"},
      {"get: '/a/{tags}'", "cannot stand in a path, because it is repeated"},
      {"get: '/a/{inner}'", "cannot stand in a path, because it is a message"},
      {"get: '/a/{text.x}'", "no fields of its own"},
      {"get: 'a'", "starts with '/'"},
      {"body: '*'", "no pattern"},
      {"custom { path: '/a' }", "no kind"},
      {"post: '/a' body: 'nope'", "body: t.All has no field 'nope'"},
      {"post: '/a' response_body: 'inner.text'", "must be a top-level field"},
      {"get: '/a' additional_bindings { get: '/b' additional_bindings { get: '/c' } }",
       "cannot have additional_bindings"},
  };
  for (const auto& [rule, problem] : cases) {
    const auto pool = testing::PoolFromText({testing::kHttpTypes, Service(Method("M", rule))});
    auto services = std::make_shared<Services>();
    services->pool = pool.get();
    services->services.push_back(pool->FindServiceByName("t.S"));
    const auto transcoder = Transcoder::Create(services);
    ASSERT_FALSE(transcoder.ok()) << rule;
    const std::string text(transcoder.status().message());
    EXPECT_NE(text.find(problem), std::string::npos) << text;
    EXPECT_NE(text.find("t.S.M"), std::string::npos) << text;
  }
}

TEST(HttpStatus, FollowsTheTable) {
  using Code = absl::StatusCode;
  const std::vector<std::pair<Code, int>> table = {{Code::kOk, 200},
                                                   {Code::kCancelled, 400},
                                                   {Code::kUnknown, 500},
                                                   {Code::kInvalidArgument, 400},
                                                   {Code::kDeadlineExceeded, 504},
                                                   {Code::kNotFound, 404},
                                                   {Code::kAlreadyExists, 409},
                                                   {Code::kPermissionDenied, 403},
                                                   {Code::kUnauthenticated, 401},
                                                   {Code::kResourceExhausted, 429},
                                                   {Code::kFailedPrecondition, 400},
                                                   {Code::kAborted, 409},
                                                   {Code::kOutOfRange, 400},
                                                   {Code::kUnimplemented, 501},
                                                   {Code::kInternal, 500},
                                                   {Code::kUnavailable, 503},
                                                   {Code::kDataLoss, 500}};
  for (const auto& [code, status] : table) EXPECT_EQ(HttpStatus(code), status) << code;
}

}  // namespace
}  // namespace cloudstate::serving
