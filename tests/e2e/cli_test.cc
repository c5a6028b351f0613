// The commands as a user types them, against the conformance model, which `run` starts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/parse_json.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::ChildProcess;
using support::EmulatorEvent;
using support::EmulatorProcess;
using support::Http;
using support::HttpAnswer;
using support::RawConnection;
using support::RunTool;
using support::StartTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kProcess[] = "EventSourcedTckModel/Process";

// `run` with the model as its COMMAND on any free port.
EmulatorProcess::Options WithModel(std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.end(), {"--", TCK_MODEL});
  return {std::move(arguments), {{"USER_FUNCTION_PORT", "0"}}};
}

bool WaitUntilGone(pid_t pid) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (kill(pid, 0) == 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  return kill(pid, 0) != 0;
}

pid_t UserFunctionPid(const EmulatorProcess& emulator) {
  int pid = 0;
  const auto started = emulator.events("userFunctionStarted");
  EXPECT_TRUE(!started.empty() && absl::SimpleAtoi(started.back().at("pid"), &pid));
  return pid;
}

// The port of the loopback, or with 0 any, that a socket can be bound to now; 0 if it can't.
std::uint16_t PortToBind(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  close(descriptor);
  return bound ? ntohs(address.sin_port) : 0;
}

// ---- run

TEST(Run, StartsTheCommandShowsItsOutputAndEndsIt) {
  EmulatorProcess emulator(WithModel());
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  const pid_t pid = UserFunctionPid(emulator);
  const std::string said =
      absl::StrCat("tck-model serves on port ", emulator.user_function_address().substr(sizeof("127.0.0.1")));
  EXPECT_TRUE(emulator.WaitForEvent("output", [&](const EmulatorEvent& event) { return event.at("line") == said; }))
      << emulator.process().output();
  EXPECT_EQ(emulator.Stop(), 0);
  EXPECT_TRUE(WaitUntilGone(pid));
  EXPECT_EQ(emulator.events("stopping").size(), 1u);
  EXPECT_EQ(emulator.process().errors(), "");
}

TEST(Run, KeepsThePortForACommandThatDoesNotListenYet) {
  EmulatorProcess emulator({{"--", "/bin/sleep", "1000"}, {{"USER_FUNCTION_PORT", "0"}}});
  ASSERT_TRUE(emulator.WaitForEvent("userFunctionStarted", [](const EmulatorEvent&) { return true; }))
      << emulator.process().errors();
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(emulator.user_function_address().substr(sizeof("127.0.0.1")), &port));
  EXPECT_EQ(PortToBind(static_cast<std::uint16_t>(port)), 0);
}

TEST(Run, LetsACommandHaveThePortThatCannotListenWhereItIsReserved) {
  // Perl's sockets do not reuse addresses unless told so.
  constexpr char kServer[] =
      "$| = 1; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in($ENV{PORT}, INADDR_LOOPBACK)) or die; "
      "print \"bound\\n\"; sleep 1000";
  EmulatorProcess emulator({{"--", "perl", "-MSocket", "-e", kServer}, {{"USER_FUNCTION_PORT", "0"}}});
  EXPECT_TRUE(emulator.WaitForEvent("output", [](const EmulatorEvent& event) { return event.at("line") == "bound"; }))
      << emulator.process().output();
}

TEST(Run, StartsACommandAgainThatHasEnded) {
  EmulatorProcess emulator(WithModel());
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  kill(UserFunctionPid(emulator), SIGKILL);
  ASSERT_TRUE(emulator.WaitUntilReady(2)) << emulator.process().output();
  EXPECT_THAT(emulator.events("userFunctionEnded").front().at("how"), HasSubstr("9"));
  EXPECT_EQ(emulator.events("userFunctionStarted").back().at("restarts"), "1");
}

TEST(Run, LeavesNoCommandBehindWhenItIsKilled) {
  EmulatorProcess emulator(WithModel());
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  const pid_t pid = UserFunctionPid(emulator);
  emulator.Kill();
  EXPECT_TRUE(WaitUntilGone(pid));
}

TEST(Run, RestartsTheCommandWhenAWatchedFileChanges) {
  const testing::TemporaryDirectory watched;
  EmulatorProcess emulator(WithModel({"--watch", watched.path().string()}));
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  std::ofstream(watched.path() / "source.js") << "changed";
  ASSERT_TRUE(emulator.WaitUntilReady(2)) << emulator.process().output();
  EXPECT_THAT(emulator.events("changed").front().at("path"), HasSubstr("source.js"));
}

TEST(Run, WithNothingSaidServesTheShoppingCart) {
  EmulatorProcess emulator({{"--ephemeral"}, {}});
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  EXPECT_EQ(
      Http(emulator.client_address(), "POST", "/cart/me/items/add", R"({"productId":"a","name":"A","quantity":2})")
          .body,
      "{}");
  EXPECT_EQ(Http(emulator.client_address(), "GET", "/carts/me/items").body,
            R"([{"productId":"a","name":"A","quantity":2}])");
  EXPECT_EQ(emulator.Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(emulator.data_directory() + "/journal.db"));
}

TEST(Run, ForPeoplePrintsACallThatWorks) {
  const testing::TemporaryDirectory directory;
  auto tool = StartTool({"--data-dir", (directory.path() / "data").string(), "run", "--port", "0", "--admin-port", "0",
                         "--metrics-port", "0"});
  ASSERT_TRUE(tool->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, "\n  curl ") && absl::StrContains(output, "\n  grpcurl ");
  })) << tool->output();
  const std::string output = tool->output();
  const std::size_t begin = output.find("\n  curl ") + 3;
  const std::string curl = output.substr(begin, output.find('\n', begin) - begin);
  const auto tried = ChildProcess::Start({"bash", "-c", curl + " --silent --show-error --fail"});
  EXPECT_EQ(tried->WaitForExit(), 0) << curl << "\n" << tried->errors();
  EXPECT_THAT(output, Not(HasSubstr("\x1b[")));  // no colours where nobody sees them
}

// ---- settings

std::uint16_t FreePort() { return PortToBind(0); }

TEST(SettingsOfRun, ThePublishedVariablesSayWhere) {
  const testing::TemporaryDirectory directory;
  const auto client = FreePort();
  const auto metrics = FreePort();
  auto tool = StartTool({"--json", "run", "--admin-port", "0"},
                        {{"HTTP_PORT", absl::StrCat(client)},
                         {"METRICS_HOST", "127.0.0.2"},
                         {"METRICS_PORT", absl::StrCat(metrics)},
                         {"USER_FUNCTION_HOST", "127.0.0.3"},
                         {"USER_FUNCTION_PORT", "4321"},
                         {"CLOUDSTATE_DEV_DATA_DIR", (directory.path() / "data").string()}});
  ASSERT_TRUE(tool->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, "\"started\"") && absl::StrContains(output, "\n");
  })) << tool->errors();
  EXPECT_THAT(tool->output(), AllOf(HasSubstr(absl::StrCat(R"("clientAddress":"127.0.0.1:)", client, "\"")),
                                    HasSubstr(absl::StrCat(R"("metricsAddress":"127.0.0.2:)", metrics, "\"")),
                                    HasSubstr(R"("userFunctionAddress":"127.0.0.3:4321")"),
                                    HasSubstr((directory.path() / "data").string())));
}

TEST(SettingsOfRun, FlagsWinOverTheEnvironmentAndThatOverTheFile) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "settings.toml").string();
  std::ofstream(file) << "[run]\npassivation-timeout = \"1s\"\n";
  const std::map<std::string, std::string> environment = {{"CLOUDSTATE_DEV_PASSIVATION_TIMEOUT", "2s"}};
  const std::vector<std::string> flag = {"--passivation-timeout", "3s"};
  const struct {
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string timeout;
  } cases[] = {{{"--config", file}, {}, "1s"},
               {{"--config", file}, environment, "2s"},
               {{"--config", file, flag[0], flag[1]}, environment, "3s"},
               {{flag[0], flag[1]}, environment, "3s"},
               {{}, environment, "2s"},
               {{}, {}, "30s"}};
  for (const auto& each : cases) {
    EmulatorProcess emulator({each.arguments, each.environment});
    ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
    EXPECT_THAT(Http(emulator.admin_address(), "GET", "/v1/services").body,
                HasSubstr(absl::StrCat(R"("passivationTimeout":")", each.timeout, "\"")));
  }
}

// ---- what needs no emulator

TEST(Help, OfEveryCommandHasExamples) {
  for (const char* command : {"", "run", "sample", "sample shopping-cart", "journal", "journal ls", "journal show",
                              "journal tail", "calls", "calls ls", "calls show", "calls tail", "services",
                              "services describe", "status", "call", "tck", "doctor", "completion"}) {
    std::vector<std::string> arguments = absl::StrSplit(command, ' ', absl::SkipEmpty());
    arguments.push_back("--help");
    const ToolResult result = RunTool(arguments);
    EXPECT_EQ(result.exit_code, 0) << command;
    EXPECT_EQ(result.errors, "") << command;
    const std::size_t examples = result.output.find("Examples:\n");
    ASSERT_NE(examples, std::string::npos) << command;
    EXPECT_THAT(result.output.substr(examples), HasSubstr("  cloudstate-dev")) << command;
  }
}

TEST(Version, NamesThePartsAndTheProtocols) {
  const ToolResult result = RunTool({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, AllOf(::testing::StartsWith("cloudstate-dev "), HasSubstr("protocol 0.1 and 0.2"),
                                   HasSubstr("gRPC "), HasSubstr("SQLite ")));
}

TEST(Completion, IsAScriptOfTheShell) {
  const testing::TemporaryDirectory directory;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const ToolResult result = RunTool({"completion", shell});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.output, AllOf(HasSubstr("journal"), HasSubstr("passivation-timeout"))) << shell;
    std::ofstream(directory.path() / shell) << result.output;
  }
  EXPECT_EQ(ChildProcess::Start({"bash", "-n", (directory.path() / "bash").string()})->WaitForExit(), 0);
  // What is offered behind `cloudstate-dev journal`.
  const auto completed = ChildProcess::Start(
      {"bash", "-c",
       absl::StrCat("source ", (directory.path() / "bash").string(),
                    "; COMP_WORDS=(cloudstate-dev journal ''); COMP_CWORD=2; "
                    "$(complete -p cloudstate-dev | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo \"${COMPREPLY[@]}\"")});
  EXPECT_EQ(completed->WaitForExit(), 0) << completed->errors();
  EXPECT_THAT(completed->output(), AllOf(HasSubstr("ls"), HasSubstr("show"), HasSubstr("tail")));
}

TEST(WithoutAnEmulator, CommandsSaySoWithACodeOfTheirOwn) {
  const testing::TemporaryDirectory directory;
  const std::string nothing = (directory.path() / "nothing").string();
  const std::string nobody = absl::StrCat("127.0.0.1:", FreePort());
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--admin", nobody, "status"},
                                                    {"--admin", nobody, "call", "A/B", "{}"},
                                                    {"--data-dir", nothing, "journal", "ls"},
                                                    {"--data-dir", nothing, "journal", "tail", "--json"}}) {
    const ToolResult result = RunTool(arguments);
    EXPECT_EQ(result.exit_code, 3) << ::testing::PrintToString(arguments);
    EXPECT_EQ(result.output, "") << ::testing::PrintToString(arguments);
    EXPECT_THAT(result.errors, HasSubstr(arguments[1])) << ::testing::PrintToString(arguments);
  }
}

// ---- what looks at a running emulator

class Tools : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    emulator_ = new EmulatorProcess(WithModel());
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
    ASSERT_EQ(Emit("a", "x").exit_code, 0);
    ASSERT_EQ(Emit("a", "y").exit_code, 0);
  }
  static void TearDownTestSuite() { delete emulator_; }

  // Finds the emulator by its data directory.
  static ToolResult Tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--data-dir", emulator_->data_directory()});
    return RunTool(std::move(arguments));
  }

  static google::protobuf::Struct JsonOf(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const ToolResult result = Tool(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return ParseJson(result.output);
  }

  static ToolResult Emit(const std::string& id, const std::string& value) {
    return Tool(
        {"call", kProcess, absl::StrCat(R"({"id":")", id, R"(","actions":[{"emit":{"value":")", value, R"("}}]})")});
  }

  static EmulatorProcess* emulator_;
};

EmulatorProcess* Tools::emulator_ = nullptr;

TEST_F(Tools, CallPrintsTheReplyOrTheFailure) {
  const ToolResult reply = Tool({"call", kProcess, R"({"id":"call"})"});
  EXPECT_EQ(reply.output, "{\"message\":\"\"}\n");
  EXPECT_EQ(JsonOf({"call", kProcess, R"({"id":"call"})"}).fields().at("code").number_value(), 0);
  const ToolResult failure = Tool({"call", kProcess, R"({"id":"call","actions":[{"fail":{"message":"no"}}]})"});
  EXPECT_EQ(failure.exit_code, 1);
  EXPECT_EQ(failure.output, "");
  EXPECT_THAT(failure.errors, HasSubstr("UNKNOWN: no"));
  const ToolResult unknown = Tool({"call", "Nope/Nope", "{}"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("cloudstate.tck.model.EventSourcedTckModel"));
}

TEST_F(Tools, TheJournalIsListedAndShown) {
  const ToolResult list = Tool({"journal", "ls"});
  EXPECT_THAT(list.output, HasSubstr("event-sourced-tck-model|a"));
  for (const std::vector<std::string>& name :
       {std::vector<std::string>{"event-sourced-tck-model|a"}, {"event-sourced-tck-model", "a"}, {"a"}}) {
    std::vector<std::string> arguments = {"journal", "show"};
    arguments.insert(arguments.end(), name.begin(), name.end());
    EXPECT_THAT(Tool(arguments).output, AllOf(HasSubstr("#1 "), HasSubstr(R"(Persisted {"value":"x"})"),
                                              HasSubstr("#2 "), HasSubstr(R"(Persisted {"value":"y"})")));
  }
  const auto shown = JsonOf({"journal", "show", "a"});
  const auto& events = shown.fields().at("events").list_value();
  ASSERT_EQ(events.values_size(), 2);
  const auto& cause = events.values(0).struct_value().fields().at("cause").struct_value();
  EXPECT_EQ(cause.fields().at("method").string_value(), "Process");
  EXPECT_EQ(Tool({"journal", "show", "no-such"}).exit_code, 1);
}

TEST_F(Tools, AServiceOfTheJournalMayBeNamedByTheLastPartOfItsName) {
  EXPECT_THAT(Tool({"journal", "ls", "--service", "EventSourcedTckModel"}).output,
              HasSubstr("event-sourced-tck-model|a"));
  EXPECT_THAT(Tool({"journal", "tail", "--service", "EventSourcedTckModel"}).output, HasSubstr(R"({"value":"y"})"));
  for (const char* command : {"ls", "tail"}) {
    const ToolResult unknown = Tool({"journal", command, "--service", "EventSourcedTckModle"});
    EXPECT_EQ(unknown.exit_code, 1);
    EXPECT_THAT(unknown.errors, HasSubstr("did you mean 'EventSourcedTckModel'?"));
  }
}

TEST_F(Tools, ADataDirectoryThatIsNamedWinsOverAnEmulatorOfTheEnvironment) {
  const std::map<std::string, std::string> environment = {{"CLOUDSTATE_DEV_ADMIN", emulator_->admin_address()}};
  EXPECT_EQ(RunTool({"journal", "ls"}, environment).exit_code, 0);
  const ToolResult nowhere = RunTool({"journal", "ls", "--data-dir", "nowhere"}, environment);
  EXPECT_EQ(nowhere.exit_code, 3) << nowhere.output;
  EXPECT_THAT(nowhere.errors, HasSubstr("nowhere"));
  EXPECT_EQ(RunTool({"--data-dir=nowhere", "--admin", emulator_->admin_address(), "journal", "ls"}).exit_code, 0);
}

TEST_F(Tools, TheJournalsTailFollowsUntilInterrupted) {
  auto tail = StartTool({"--data-dir", emulator_->data_directory(), "journal", "tail", "--follow", "--json"});
  ASSERT_TRUE(tail->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, R"({"value":"y"})");
  })) << tail->errors();
  for (const char* value : {"first", "second"}) {
    ASSERT_EQ(Emit("tail", value).exit_code, 0);
    EXPECT_TRUE(tail->WaitUntil([&](const std::string& output, const std::string&) {
      return absl::StrContains(output, absl::StrCat(R"({"value":")", value, "\"}")) && output.ends_with("\n");
    })) << tail->output();
  }
  tail->Signal(SIGINT);
  EXPECT_THAT(tail->WaitForExit(), ::testing::AnyOf(0, 128 + SIGINT));
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(tail->output(), '\n', absl::SkipEmpty()))) {
    EXPECT_TRUE(ParseJson(line).fields().contains("sequence"));
  }
}

TEST_F(Tools, StatusServicesAndDoctorTellWhatRuns) {
  const auto status = JsonOf({"status"});
  EXPECT_EQ(status.fields().at("clientAddress").string_value(), emulator_->client_address());
  EXPECT_EQ(status.fields().at("userFunction").struct_value().fields().at("state").string_value(), "READY");
  int stored = 0;
  EXPECT_TRUE(absl::SimpleAtoi(status.fields().at("storedEvents").string_value(), &stored));
  EXPECT_GE(stored, 2);
  EXPECT_THAT(Tool({"status"}).output, HasSubstr(emulator_->client_address()));
  const auto services = JsonOf({"services"});
  ASSERT_GE(services.fields().at("services").list_value().values_size(), 3);
  EXPECT_THAT(services.ShortDebugString(), HasSubstr("/tck/model/eventsourced/{id}"));
  EXPECT_THAT(Tool({"services", "--json"}).output, HasSubstr(R"("keyFields":["id"])"));
  EXPECT_THAT(Tool({"services", "describe", "EventSourcedTckModel"}).output, HasSubstr("/tck/model/eventsourced/{id}"));
  for (const char* separator : {".", "/"}) {
    EXPECT_THAT(Tool({"services", "describe", absl::StrCat("EventSourcedTckModel", separator, "Proces")}).errors,
                HasSubstr("EventSourcedTckModel has no method 'Proces'; did you mean 'Process'?"));
  }
  EXPECT_TRUE(JsonOf({"doctor"}).fields().contains("checks"));
}

TEST_F(Tools, CallsAreTracedStepByStep) {
  ASSERT_EQ(Emit("traced", "z").exit_code, 0);
  const auto list = JsonOf({"calls", "ls", "--entity", "traced"});
  ASSERT_EQ(list.fields().at("commands").list_value().values_size(), 1);
  const auto& trace = list.fields().at("commands").list_value().values(0).struct_value();
  const std::string id = trace.fields().at("traceId").string_value();
  EXPECT_THAT(Tool({"calls", "ls"}).output, HasSubstr(id));
  EXPECT_THAT(Tool({"calls", "ls", "--entity", "traced", "--service", "EventSourcedTckModel"}).output, HasSubstr(id));
  const ToolResult misspelled = Tool({"calls", "ls", "--service", "EventSourcedTckModle"});
  EXPECT_EQ(misspelled.exit_code, 2);
  EXPECT_THAT(misspelled.errors, HasSubstr("did you mean 'EventSourcedTckModel'?"));
  const ToolResult shown = Tool({"calls", "show", id});
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("received"), HasSubstr("sent"), HasSubstr("stored"), HasSubstr("answered")));
}

TEST_F(Tools, TheAdminPortAnswersToItsOwnNameAndPagesOnly) {
  const auto get = [&](const std::string& headers) {
    RawConnection connection(emulator_->admin_address());
    connection.Send(absl::StrCat("GET /v1/status HTTP/1.1\r\nConnection: close\r\n", headers, "\r\n"));
    connection.WaitForEnd();
    return connection.ReadUntil("").substr(0, 12);
  };
  const std::string& address = emulator_->admin_address();
  const std::string port = address.substr(address.rfind(':'));
  EXPECT_EQ(get(absl::StrCat("Host: ", address, "\r\n")), "HTTP/1.1 200");
  EXPECT_EQ(get(absl::StrCat("Host: localhost", port, "\r\nOrigin: http://localhost", port, "\r\n")), "HTTP/1.1 200");
  EXPECT_EQ(get(absl::StrCat("Host: evil.example", port, "\r\n")), "HTTP/1.1 403");
  EXPECT_EQ(get(absl::StrCat("Host: ", address, "\r\nOrigin: http://evil.example\r\n")), "HTTP/1.1 403");
  EXPECT_EQ(get(absl::StrCat("Host: ", address, "\r\nOrigin: http://localhost:1\r\n")), "HTTP/1.1 403");
  EXPECT_EQ(get(absl::StrCat("Host: ", address, "\r\nOrigin: null\r\n")), "HTTP/1.1 403");
}

TEST_F(Tools, EventsAreWatchedAsServerSentEvents) {
  RawConnection connection(emulator_->admin_address());
  connection.Send(absl::StrCat("GET /v1/events:watch?filter.id_contains=watched HTTP/1.1\r\nHost: ",
                               emulator_->admin_address(), "\r\nAccept: text/event-stream\r\n\r\n"));
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), HasSubstr("text/event-stream"));
  ASSERT_EQ(Emit("other", "unseen").exit_code, 0);
  ASSERT_EQ(Emit("watched", "seen").exit_code, 0);
  EXPECT_THAT(connection.ReadUntil("seen"), AllOf(HasSubstr("data: {"), HasSubstr(R"("entityId":"watched")")));
  EXPECT_THAT(connection.ReadUntil(""), Not(HasSubstr("unseen")));
}

TEST_F(Tools, MetricsHaveThePublishedNames) {
  const HttpAnswer answer = Http(emulator_->metrics_address(), "GET", "/metrics");
  EXPECT_THAT(answer.headers.at("content-type"), HasSubstr("text/plain"));
  const std::string label = R"({entity_name="event-sourced-tck-model",)";
  for (const char* name :
       {"activated_entities_total", "passivated_entities_total", "failed_entities_total", "received_commands_total",
        "stashed_commands_total", "unstashed_commands_total", "failed_commands_total", "completed_commands_total",
        "persisted_events_total", "persisted_event_bytes_total", "loaded_events_total", "persisted_snapshots_total",
        "loaded_snapshots_total", "entity_active_time_seconds_sum", "recovery_time_seconds_count",
        "command_stash_time_seconds_sum", "command_processing_time_seconds_sum", "command_total_time_seconds_count",
        "persist_time_seconds_sum"}) {
    EXPECT_THAT(answer.body, HasSubstr(absl::StrCat("\ncloudstate_eventsourced_", name, label)));
  }
}

TEST(Offline, TheJournalIsReadWithoutTheEmulatorAndStillDecoded) {
  EmulatorProcess emulator(WithModel());
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  ASSERT_EQ(Http(emulator.client_address(), "POST", "/tck/model/eventsourced/kept",
                 R"({"actions":[{"emit":{"value":"decoded"}}]})")
                .status,
            200);
  ASSERT_EQ(emulator.Stop(), 0);
  const auto tool = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--data-dir", emulator.data_directory()});
    return RunTool(std::move(arguments));
  };
  EXPECT_THAT(tool({"journal", "ls"}).output, HasSubstr("event-sourced-tck-model|kept"));
  EXPECT_THAT(tool({"journal", "show", "kept"}).output, HasSubstr(R"(Persisted {"value":"decoded"})"));
  EXPECT_THAT(tool({"journal", "tail", "--json"}).output, HasSubstr(R"({"value":"decoded"})"));
}

}  // namespace
}  // namespace cloudstate
