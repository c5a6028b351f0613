// What must not happen to an emulator that a developer leaves running: that something which comes in from outside
// brings it down, or that it starts where it cannot work and does not say why.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "shoppingcart/shoppingcart.grpc.pb.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

namespace cart = com::example::shoppingcart;
using grpc::StatusCode;
using support::EmulatorProcess;
using support::Http;
using support::HttpAnswer;
using support::RawConnection;
using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The bytes of a literal that has zeros among them.
template <std::size_t size>
std::string Bytes(const char (&literal)[size]) {
  return std::string(literal, size - 1);
}

// One emulator for all cases, that has to go on serving after each.
class BadInput : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    emulator_ = new EmulatorProcess({});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
  }
  static void TearDownTestSuite() {
    EXPECT_EQ(emulator_->Stop(), 0);
    delete emulator_;
  }

  void TearDown() override {
    EXPECT_EQ(Http(address(), "GET", "/carts/nobody").body, R"({"items":[]})");
    grpc::ClientContext context;
    cart::Cart answer;
    const grpc::Status status =
        cart::ShoppingCart::NewStub(Channel())->GetCart(&context, cart::GetShoppingCart(), &answer);
    EXPECT_EQ(status.error_code(), StatusCode::OK) << status.error_message();
  }

  static std::string address() { return emulator_->client_address(); }

  static std::shared_ptr<grpc::Channel> Channel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  }

  // A gRPC call of bytes that need not be a message.
  static grpc::Status CallGrpc(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(Channel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::CompletionQueue queue;
    grpc::Slice slice(bytes);
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  static EmulatorProcess* emulator_;
};

EmulatorProcess* BadInput::emulator_ = nullptr;

constexpr char kGetCart[] = "/com.example.shoppingcart.ShoppingCart/GetCart";
constexpr char kAddItem[] = "/cart/someone/items/add";

// ---- connections

TEST_F(BadInput, MalformedHttp2EndsItsConnectionOnly) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string settings = Bytes("\0\0\0\4\0\0\0\0\0");
  for (const std::string& frames : {
           Bytes("\xff\xff\xff\x00\x00\x00\x00\x00\x01"),                            // no SETTINGS first, and too large
           settings + Bytes("\0\0\4\1\4\0\0\0\1\xff\xff\xff\xff"),                   // HEADERS that no HPACK can mean
           settings + Bytes("\0\0\3\4\0\0\0\0\0abc"),                                // SETTINGS of a wrong length
           settings + Bytes("\0\0\4\10\0\0\0\0\0\0\0\0\0"),                          // a window that grows by nothing
           settings + Bytes("\0\0\1\11\4\0\0\0\1x"),                                 // CONTINUATION of nothing
           settings + Bytes("\xff\xff\xff\0\0\0\0\0\1") + std::string(100000, 'x'),  // a frame larger than allowed
       }) {
    RawConnection connection(address());
    connection.Send(preface + frames);
    EXPECT_TRUE(connection.WaitForEnd()) << ::testing::PrintToString(frames.substr(0, 40));
  }
}

TEST_F(BadInput, WhatIsNeitherProtocolIsRefused) {
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),  // a TLS hello
        std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), std::string("nonsense\r\n\r\n"), std::string(100, '\0'),
        std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n")}) {
    RawConnection connection(address());
    connection.Send(bytes);
    connection.HalfClose();
    EXPECT_TRUE(connection.WaitForEnd()) << ::testing::PrintToString(bytes);
  }
}

TEST_F(BadInput, ManyIdleAndSlowConnectionsHoldUpNobody) {
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < 200; ++i) {
    connections.push_back(std::make_unique<RawConnection>(address()));
    if (i % 4 == 1) connections.back()->Send("P");
    if (i % 4 == 2) connections.back()->Send("POST /cart/slow/items/add HTTP/1.1\r\nHost: local");
    if (i % 4 == 3) connections.back()->Send("POST /cart/slow/items/add HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{");
  }
  EXPECT_EQ(Http(address(), "GET", "/carts/quick").status, 200);
  for (const auto& each : connections) each->HalfClose();
  for (const auto& each : connections) EXPECT_TRUE(each->WaitForEnd());
}

TEST_F(BadInput, AConnectionThatIsHalfClosedIsClosed) {
  for (const char* begun :
       {"", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /carts/half HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    RawConnection connection(address());
    connection.Send(begun);
    connection.HalfClose();
    EXPECT_TRUE(connection.WaitForEnd()) << begun;
  }
}

TEST_F(BadInput, AClientThatIsGoneBeforeTheAnswerHarmsNothing) {
  for (int i = 0; i < 50; ++i) {
    RawConnection connection(address());
    connection.Send(absl::StrCat("GET /carts/gone HTTP/1.1\r\nHost: ", address(), "\r\n\r\n"));
  }
}

// ---- HTTP requests

TEST_F(BadInput, HttpRequestsThatCannotBeServedSayWhy) {
  const struct {
    std::string method, target, body, headers;
    int status;
    std::string text;
  } cases[] = {
      {"GET", "/no/such/path", "", "", 404, "/carts/"},
      {"GET", "/", "", "", 404, ""},
      {"DELETE", "/carts/someone", "", "", 405, ""},
      {"GET", "/carts/%zz", "", "", 400, "%zz"},
      {"GET", "/carts/%ff", "", "", 400, "UTF-8"},
      {"GET", "/carts/someone?unknown=1", "", "", 400, "unknown"},
      {"GET", "/carts/someone?user_id=1&user_id=2", "", "", 400, "user_id"},
      {"POST", kAddItem, "{", "Content-Type: application/json\r\n", 400, "JSON"},
      {"POST", kAddItem, "[]", "Content-Type: application/json\r\n", 400, "JSON"},
      {"POST", kAddItem, "nonsense", "Content-Type: application/json\r\n", 400, "JSON"},
      {"POST", kAddItem, R"({"quantity":"many"})", "Content-Type: application/json\r\n", 400, "quantity"},
      {"POST", kAddItem, R"({"quantity":1e99})", "Content-Type: application/json\r\n", 400, "quantity"},
      {"POST", kAddItem, R"({"unheardOf":1})", "Content-Type: application/json\r\n", 400, "unheardOf"},
      {"POST", kAddItem, "{\"name\":\"\xff\xfe\"}", "Content-Type: application/json\r\n", 400, "UTF-8"},
      {"POST", kAddItem, std::string(100000, '['), "Content-Type: application/json\r\n", 400, "JSON"},
      {"POST", kAddItem, std::string(100000, '{'), "Content-Type: application/json\r\n", 400, "JSON"},
      {"POST", kAddItem, "{}", "Content-Type: text/xml\r\n", 415, "application/json"},
      {"POST", kAddItem, "{}", "", 415, "application/json"},
      {"POST", kAddItem, "{}", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", 400, ""},
      {"GET", "/" + std::string(100000, 'x'), "", "", 431, ""},
      {"GET", "/carts/someone", "", "X-Large: " + std::string(100000, 'x') + "\r\n", 431, ""},
      {"POST", kAddItem, std::string(13 << 20, ' '), "Content-Type: application/json\r\n", 413, ""},
  };
  for (const auto& each : cases) {
    const HttpAnswer answer = Http(address(), each.method, each.target, each.body, each.headers);
    const std::string what = absl::StrCat(each.method, " ", each.target.substr(0, 60), " ", each.body.substr(0, 60));
    EXPECT_EQ(answer.status, each.status) << what << ": " << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(each.text)) << what;
  }
  EXPECT_EQ(Http(address(), "DELETE", "/carts/someone").headers["allow"], "GET, HEAD");
}

// ---- gRPC calls

TEST_F(BadInput, GrpcCallsThatCannotBeServedSayWhy) {
  const struct {
    std::string method, bytes;
    StatusCode code;
    std::string text;
  } cases[] = {
      {"/no.Such/Method", "", StatusCode::UNIMPLEMENTED, "no.Such"},
      {"/com.example.shoppingcart.ShoppingCart/None", "", StatusCode::UNIMPLEMENTED, "None"},
      {"no-slash", "", StatusCode::INTERNAL, ""},  // no path of HTTP/2: the stream is reset
      {kGetCart, "\xff\xff\xff", StatusCode::INVALID_ARGUMENT, "GetShoppingCart"},
      {kGetCart, "\x0a\x7fshort", StatusCode::INVALID_ARGUMENT, "GetShoppingCart"},
      {kGetCart, "\x0a\x02\xff\xfe", StatusCode::INVALID_ARGUMENT, "UTF-8"},
      {kGetCart, std::string(13 << 20, '\0'), StatusCode::RESOURCE_EXHAUSTED, ""},
  };
  for (const auto& each : cases) {
    const grpc::Status status = CallGrpc(each.method, each.bytes);
    const std::string what = absl::StrCat(each.method, " ", ::testing::PrintToString(each.bytes.substr(0, 20)));
    EXPECT_EQ(status.error_code(), each.code) << what << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(each.text)) << what;
  }
}

// ---- starts that must fail

// What `run` says that cannot start; it must not keep running.
ToolResult FailToRun(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"run", "--metrics-port", "0"});
  return RunTool(std::move(arguments));
}

TEST_F(BadInput, APortInUseIsNamedWithTheFlagThatChoosesAnother) {
  const std::string port = address().substr(address().rfind(':') + 1);
  for (const auto& [flag, other] : {std::pair{"--port", "--admin-port"}, {"--admin-port", "--port"}}) {
    const testing::TemporaryDirectory directory;
    const ToolResult result = FailToRun({flag, port, other, "0", "--data-dir", (directory.path() / "data").string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors, AllOf(HasSubstr(absl::StrCat("port ", port)), HasSubstr("in use"), HasSubstr(flag)));
  }
}

TEST_F(BadInput, ADataDirectoryInUseIsNamedWithItsHolder) {
  const ToolResult result = FailToRun({"--port", "0", "--admin-port", "0", "--data-dir", emulator_->data_directory()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr(emulator_->data_directory()),
                                   HasSubstr(absl::StrCat("process id ", emulator_->process().pid())),
                                   HasSubstr(emulator_->admin_address())));
}

TEST(BadStart, AJournalThatIsNoneOrDamagedIsNotTouched) {
  for (const std::string& content : {std::string(100000, 'x'), Bytes("SQLite format 3\0") + std::string(8000, '\1')}) {
    const testing::TemporaryDirectory directory;
    const std::string file = (directory.path() / "journal.db").string();
    std::ofstream(file, std::ios::binary) << content;
    const ToolResult result = FailToRun({"--port", "0", "--admin-port", "0", "--data-dir", directory.path().string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors, HasSubstr(file));
    std::ifstream now(file, std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(now), {}) == content);
  }
}

TEST(BadStart, ADirectoryThatCannotBeMadeOrWrittenIsNamed) {
  const ToolResult below_a_file = FailToRun({"--port", "0", "--admin-port", "0", "--data-dir", "/dev/null/data"});
  EXPECT_EQ(below_a_file.exit_code, 1);
  EXPECT_THAT(below_a_file.errors, HasSubstr("/dev/null/data"));
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const testing::TemporaryDirectory directory;
  std::filesystem::permissions(directory.path(),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const ToolResult read_only = FailToRun({"--port", "0", "--admin-port", "0", "--data-dir", directory.path().string()});
  EXPECT_EQ(read_only.exit_code, 1);
  EXPECT_THAT(read_only.errors, HasSubstr(directory.path().string()));
}

TEST(BadStart, AUserFunctionThatIsNoProgramIsNamed) {
  const testing::TemporaryDirectory directory;
  const ToolResult result = FailToRun({"--port", "0", "--admin-port", "0", "--data-dir",
                                       (directory.path() / "data").string(), "--", "/no/such/program"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("/no/such/program"));
}

TEST(BadStart, AWrongCommandLineIsExplained) {
  const struct {
    std::vector<std::string> arguments;
    std::string text;
  } cases[] = {
      {{"fly"}, "fly"},
      {{"run", "--no-such-flag"}, "--no-such-flag"},
      {{"run", "--port", "http"}, "--port"},
      {{"run", "--port", "70000"}, "--port"},
      {{"run", "--relay-timeout", "soon"}, "soon"},
      {{"run", "--user-function", "nowhere"}, "nowhere"},
      {{"run", "--user-function", "127.0.0.1:1", "--", "./server"}, "--user-function"},
      {{"run", "--watch", "."}, "--watch"},
      {{"run", "--durability", "none"}, "none"},
      {{"run", "--sample", "none"}, "none"},
      {{"journal"}, "subcommand"},
      {{"journal", "show"}, "ENTITY"},
      {{"completion", "powershell"}, "powershell"},
  };
  for (const auto& each : cases) {
    const ToolResult result = RunTool(each.arguments);
    EXPECT_EQ(result.exit_code, 2) << ::testing::PrintToString(each.arguments);
    EXPECT_THAT(result.errors, AllOf(HasSubstr(each.text), HasSubstr("--help")));
    EXPECT_EQ(result.output, "");
  }
}

TEST(BadStart, AnUnknownSettingInTheFileIsNamed) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "settings.toml").string();
  std::ofstream(file) << "[run]\nprot = 9000\n";
  const ToolResult result = RunTool({"--config", file, "run"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("run.prot"));
  const ToolResult missing = RunTool({"--config", "/no/such/file", "run"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.errors, HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace cloudstate
