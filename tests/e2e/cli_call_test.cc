// `call` with streams, `services describe` and the tree of a call, as a user types them, against the conformance model.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/parse_json.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::ChildProcess;
using support::EmulatorProcess;
using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kStreamed[] = "ActionTckModel.ProcessStreamed";

// A request that is answered with one reply.
std::string Replying(const std::string& message) {
  return absl::StrCat(R"({"groups":[{"steps":[{"reply":{"message":")", message, R"("}}]}]})");
}
std::string Reply(const std::string& message) { return absl::StrCat(R"({"message":")", message, "\"}\n"); }

class Calls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    emulator_ = new EmulatorProcess({{"--", TCK_MODEL}, {{"USER_FUNCTION_PORT", "0"}}});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
  }
  static void TearDownTestSuite() { delete emulator_; }

  static ToolResult Tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--admin", emulator_->admin_address()});
    return RunTool(std::move(arguments));
  }

  // A line for a shell, in which $call is what a user writes before the method.
  static std::unique_ptr<ChildProcess> Shell(const std::string& line) {
    return ChildProcess::Start(
        {"bash", "-c",
         absl::StrCat("call='", CLOUDSTATE_DEV, " --admin ", emulator_->admin_address(), " call'\n", line)});
  }

  // A call whose input a test types.
  class TypedCall {
   public:
    explicit TypedCall(const std::string& arguments) {
      const std::string path = (directory_.path() / "input").string();
      EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
      process_ = Shell(absl::StrCat("exec $call ", arguments, " < ", path));
      input_.open(path);
    }
    void Type(const std::string& line) { input_ << line << std::endl; }
    void EndInput() { input_.close(); }
    ChildProcess& process() { return *process_; }

   private:
    const testing::TemporaryDirectory directory_;
    std::unique_ptr<ChildProcess> process_;
    std::ofstream input_;
  };

  // The newest call that went through a method, once it has ended with this code.
  static google::protobuf::Struct NewestCall(const std::string& method, absl::StatusCode code) {
    for (const absl::Time deadline = absl::Now() + absl::Seconds(10); absl::Now() < deadline;) {
      const auto list = ParseJson(Tool({"calls", "ls", "--method", method, "--limit", "1", "--json"}).output);
      for (const auto& call : list.fields().at("commands").list_value().values()) {
        const google::protobuf::Struct& fields = call.struct_value();
        if (fields.fields().at("code").number_value() == static_cast<int>(code)) return fields;
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
    ADD_FAILURE() << "no such call of " << method;
    return {};
  }

  static EmulatorProcess* emulator_;
};

EmulatorProcess* Calls::emulator_ = nullptr;

TEST_F(Calls, EveryShapeIsCalledFromArguments) {
  EXPECT_EQ(Tool({"call", "ActionTckModel.ProcessUnary", Replying("one")}).output, Reply("one"));
  EXPECT_EQ(Tool({"call", "ActionTckModel.ProcessStreamedIn", Replying("one"), Replying("two")}).output, Reply("two"));
  EXPECT_EQ(Tool({"call", "ActionTckModel.ProcessStreamedOut",
                  R"({"groups":[{"steps":[{"reply":{"message":"a"}}]},{"steps":[{"reply":{"message":"b"}}]}]})"})
                .output,
            Reply("a") + Reply("b"));
  EXPECT_EQ(Tool({"call", kStreamed, Replying("one"), Replying("two")}).output, Reply("one") + Reply("two"));
}

TEST_F(Calls, LinesOfStandardInputAreSentAsTheyComeAndTheirEndIsTheHalfClose) {
  TypedCall call(kStreamed);
  for (const std::string message : {"first", "second"}) {
    call.Type(Replying(message));
    EXPECT_TRUE(call.process().WaitUntil([&](const std::string& output, const std::string&) {
      return absl::EndsWith(output, Reply(message));
    })) << call.process().output()
        << call.process().errors();
  }
  call.EndInput();
  EXPECT_EQ(call.process().WaitForExit(), 0) << call.process().errors();
  EXPECT_EQ(call.process().output(), Reply("first") + Reply("second"));
}

TEST_F(Calls, AFailureEndsTheCallWhileTheInputIsStillOpen) {
  TypedCall call(kStreamed);
  call.Type(R"({"groups":[{"steps":[{"fail":{"message":"no more"}}]}]})");
  EXPECT_EQ(call.process().WaitForExit(), 1);
  EXPECT_THAT(call.process().errors(), HasSubstr("UNKNOWN: no more"));
}

TEST_F(Calls, TheDeadlineEndsACallWhileTheInputIsStillOpen) {
  TypedCall call(absl::StrCat(kStreamed, " --deadline 200ms"));
  EXPECT_EQ(call.process().WaitForExit(), 1);
  EXPECT_THAT(call.process().errors(), HasSubstr("DEADLINE_EXCEEDED"));
}

TEST_F(Calls, InterruptingCancelsTheCall) {
  TypedCall call(kStreamed);
  call.Type(Replying("here"));
  ASSERT_TRUE(call.process().WaitUntil([](const std::string& output, const std::string&) {
    return output == Reply("here");
  })) << call.process().errors();
  call.process().Signal(SIGINT);
  EXPECT_EQ(call.process().WaitForExit(), 128 + SIGINT);
  NewestCall("ProcessStreamed", absl::StatusCode::kCancelled);
}

TEST_F(Calls, ALineThatIsNoInputIsNamedByItsNumberAfterWhatWasSent) {
  const auto call = Shell(
      absl::StrCat("printf '%s\\n\\n%s\\n' '", Replying("good"), "' '{\"grops\": []}' | $call ", kStreamed, " -"));
  EXPECT_EQ(call->WaitForExit(), 1);
  EXPECT_THAT(call->errors(), AllOf(HasSubstr("line 3: the JSON is no "), HasSubstr("grops")));
}

TEST_F(Calls, WithJsonEachLineIsADocumentAndTheLastOneTheEnd) {
  const ToolResult result = Tool({"--json", "call", kStreamed, Replying("one"), Replying("two")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const std::vector<std::string> lines = absl::StrSplit(result.output, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 4u) << result.output;
  const std::string trace =
      ParseJson(lines[0]).fields().at("headers").struct_value().fields().at("traceId").string_value();
  EXPECT_NE(trace, "");
  EXPECT_EQ(lines[1], R"({"json":{"message":"one"}})");
  EXPECT_EQ(lines[2], R"({"json":{"message":"two"}})");
  const auto end = ParseJson(lines[3]).fields().at("end").struct_value();
  EXPECT_EQ(end.fields().at("code").number_value(), 0);
  EXPECT_EQ(end.fields().at("traceId").string_value(), trace);
}

TEST_F(Calls, UnusableArgumentsAreToldBeforeAnythingIsCalled) {
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    std::string error;
  } cases[] = {
      {{"ActionTckModel.ProcessUnary", "{}", "{}"}, 2, "takes one message; you gave 2"},
      {{kStreamed, "@/nowhere/at-all"}, 2, "/nowhere/at-all can't be read"},
      {{kStreamed, "{}", "--deadline", "soon"}, 2, "'soon' is no deadline"},
      {{kStreamed, "{}", "--header", "nothing"}, 2, "'nothing' is no header"},
      {{kStreamed, "{}", "--header", "x-bin:!"}, 1, "not base64"},
      {{kStreamed, "{}", "--node", "2"}, 1, "there is no node '2'"},
      {{"ActionTckModel.ProcessUnary", "{}", "--node", "two"}, 2, "'two' is no node; nodes are numbered from 1"},
  };
  for (const auto& each : cases) {
    std::vector<std::string> arguments = {"call"};
    arguments.insert(arguments.end(), each.arguments.begin(), each.arguments.end());
    const ToolResult result = Tool(arguments);
    EXPECT_EQ(result.exit_code, each.exit_code) << each.error;
    EXPECT_THAT(result.errors, HasSubstr(each.error));
  }
  EXPECT_EQ(Tool({"call", kStreamed, Replying("here"), "--node", "1"}).output, Reply("here"));
}

TEST_F(Calls, AMethodIsDescribedWithItsInputAndLinesThatWork) {
  const ToolResult text = Tool({"services", "describe", "ActionTckModel.ProcessUnary"});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  EXPECT_THAT(text.output, AllOf(HasSubstr("ActionTckModel/ProcessUnary"), HasSubstr("unary"),
                                 HasSubstr("POST /tck/model/action/unary"), HasSubstr("\ngroups "),
                                 HasSubstr("\n    reply "), HasSubstr("one of step")));
  for (const char* method : {"ProcessUnary", "ProcessStreamedIn", "ProcessStreamedOut", "ProcessStreamed"}) {
    const ToolResult json = Tool({"services", "describe", absl::StrCat("ActionTckModel/", method), "--json"});
    ASSERT_EQ(json.exit_code, 0) << json.errors;
    const auto description = ParseJson(json.output);
    EXPECT_GT(description.fields().at("input").struct_value().fields().at("messages").list_value().values_size(), 1);
    const std::string line = description.fields().at("lines").list_value().values(0).string_value();
    ASSERT_TRUE(absl::StartsWith(line, "cloudstate-dev call ")) << line;
    const auto call = Shell("$call" + line.substr(std::string("cloudstate-dev call").size()));
    EXPECT_EQ(call->WaitForExit(), 0) << line << "\n" << call->errors();
  }
  EXPECT_THAT(Tool({"services", "describe", "ActionTckModel"}).output, HasSubstr("ProcessStreamed("));
  EXPECT_THAT(Tool({"services", "describe", "ActionTckModel/Nothing"}).errors, HasSubstr("ProcessStreamed"));
  EXPECT_THAT(Tool({"services", "describe", "Nothing"}).errors, HasSubstr("there is no service 'Nothing'"));
}

TEST_F(Calls, AStreamIsListedAndShownWhileItIsOpen) {
  TypedCall call(kStreamed);
  call.Type(Replying("one"));
  ASSERT_TRUE(
      call.process().WaitUntil([](const std::string& output, const std::string&) { return output == Reply("one"); }));
  EXPECT_THAT(Tool({"calls", "ls", "--open"}).output, AllOf(HasSubstr("ProcessStreamed"), HasSubstr("under way")));
  const auto list = ParseJson(Tool({"calls", "ls", "--open", "--json"}).output);
  const auto& open = list.fields().at("commands").list_value().values(0).struct_value().fields();
  EXPECT_TRUE(open.at("open").bool_value());
  const std::string id = open.at("traceId").string_value();
  EXPECT_THAT(Tool({"calls", "show", id}).output, AllOf(HasSubstr("under way"), HasSubstr("replied")));
  EXPECT_THAT(Tool({"calls", "ls"}).output, Not(HasSubstr(id)));
  call.EndInput();
  EXPECT_EQ(call.process().WaitForExit(), 0);
  EXPECT_EQ(NewestCall("ProcessStreamed", absl::StatusCode::kOk).fields().at("traceId").string_value(), id);
  EXPECT_THAT(Tool({"calls", "show", id}).output, Not(HasSubstr("under way")));
  EXPECT_THAT(Tool({"calls", "ls", "--open"}).output, Not(HasSubstr(id)));
  EXPECT_EQ(Tool({"calls", "ls", "--open", "--entity", "nobody"}).output, "No calls that fit are under way.\n");
}

TEST_F(Calls, ACallIsShownAsATreeOfWhatItCaused) {
  ASSERT_EQ(
      Tool({"call", "ActionTckModel.ProcessUnary",
            R"({"groups":[{"steps":[{"effect":{"id":"caused","synchronous":true}},{"forward":{"id":"next"}}]}]})"})
          .exit_code,
      0);
  const auto call = NewestCall("Call", absl::StatusCode::kOk);  // found by what it caused
  EXPECT_EQ(call.fields().at("method").string_value(), "ProcessUnary");
  const ToolResult shown = Tool({"calls", "show", call.fields().at("traceId").string_value()});
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("ActionTckModel.ProcessUnary"), HasSubstr("├─ side effect ActionTwo.Call"),
                    HasSubstr("├─ forward to ActionTwo.Call"), HasSubstr("│  └─ "), HasSubstr("─ answered")));
}

}  // namespace
}  // namespace cloudstate
