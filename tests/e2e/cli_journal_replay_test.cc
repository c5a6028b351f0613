// Time travel and deletion with the real program: by the commands, and by the admin port as the dashboard uses it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/replay.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using dev::v1::ReplayRequest;
using dev::v1::ReplayResponse;
using support::Http;
using support::HttpAnswer;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ToText(const google::protobuf::Message& message) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json).ok());
  return json;
}

class Carts : public RunningEmulator {
 protected:
  explicit Carts(std::vector<std::string> arguments) : RunningEmulator(std::move(arguments)) {}

  HttpAnswer Change(const std::string& user, const std::string& path, const std::string& body) const {
    return Http(emulator_.client_address(), "POST", absl::StrCat("/cart/", user, "/items/", path), body);
  }
  void AddTo(const std::string& user, const std::string& product, int quantity = 1) const {
    const HttpAnswer answer =
        Change(user, "add",
               absl::StrCat(R"({"productId":")", product, R"(","name":")", product, R"(","quantity":)", quantity, "}"));
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  std::string ItemsOf(const std::string& user) const {
    return Http(emulator_.client_address(), "GET", absl::StrCat("/carts/", user, "/items")).body;
  }
  std::string Metrics() const {
    const std::string text = Http(emulator_.metrics_address(), "GET", "/metrics").body;
    std::string lines;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StrContains(line, "_entit") && !absl::StartsWith(line, "#")) absl::StrAppend(&lines, line, "\n");
    }
    return lines;
  }
  HttpAnswer Admin(const std::string& target, const google::protobuf::Message& request) const {
    return Http(emulator_.admin_address(), "POST", target, ToText(request));
  }
  ReplayResponse Replay(const ReplayRequest& request) const {
    const HttpAnswer answer = Admin("/v1/replay", request);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return FromJson<ReplayResponse>(answer.body);
  }
  static ReplayRequest At(const std::string& persistence_id, std::int64_t sequence) {
    ReplayRequest request;
    request.set_persistence_id(persistence_id);
    request.set_entity_id("me");
    request.set_sequence(sequence);
    return request;
  }
  static void AddCommand(ReplayRequest& request, const std::string& method, const std::string& json = "") {
    request.add_commands()->set_method(method);
    request.mutable_commands()->rbegin()->set_json(json);
  }
};

class CliJournalReplay : public Carts {
 protected:
  CliJournalReplay() : Carts({"--sample", "shopping-cart", "--ephemeral"}) {}
};

TEST_F(CliJournalReplay, RunsACommandAtAnyPointAndNobodyNotices) {
  AddTo("me", "a");
  AddTo("me", "b");
  Change("me", "a/remove", "");
  const std::string metrics = Metrics();
  const std::string calls = Output({"calls", "ls", "--json"});

  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "1", "GetCart"}),
              AllOf(HasSubstr("shopping-cart|me at #1 of 3  1 event"), HasSubstr(R"("productId":"a")"),
                    Not(HasSubstr(R"("productId":"b")"))));
  EXPECT_THAT(Output({"journal", "replay", "shopping-cart|me", "--at", "2", "GetCart"}),
              AllOf(HasSubstr(R"("productId":"a")"), HasSubstr(R"("productId":"b")")));
  EXPECT_THAT(Output({"journal", "replay", "me", "ShoppingCart/GetCart"}),
              AllOf(HasSubstr("at #3 of 3"), Not(HasSubstr(R"("productId":"a")"))));
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "0", "GetCart"}), HasSubstr(R"({"items":[]})"));
  EXPECT_THAT(Output({"journal", "replay", "me", "AddItem", R"({"productId":"c","quantity":3})"}),
              AllOf(HasSubstr("would store  ItemAdded"), HasSubstr(R"("productId":"c")")));

  EXPECT_EQ(Metrics(), metrics);
  EXPECT_EQ(Output({"calls", "ls", "--json"}), calls);
  EXPECT_EQ(ItemsOf("me"), R"([{"productId":"b","name":"b","quantity":1}])");
}

TEST_F(CliJournalReplay, ComparesTheRepliesAtTwoPointsLineByLine) {
  AddTo("me", "a");
  AddTo("me", "b");
  const std::string compared = Output({"journal", "replay", "me", "--at", "1", "--compare", "2", "GetCart"});
  EXPECT_THAT(compared, AllOf(HasSubstr("- shopping-cart|me at #1"), HasSubstr("+ shopping-cart|me at #2"),
                              HasSubstr(R"(        "productId": "a")"), HasSubstr(R"(+       "productId": "b")")));
  const std::string same = Output({"journal", "replay", "me", "--at", "1", "--compare", "1", "GetCart"});
  EXPECT_THAT(same, Not(HasSubstr(R"(+       "productId")")));
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "1", "--compare", "2", "GetCart", "--json"}),
              AllOf(HasSubstr(R"({"at":{)"), HasSubstr(R"(,"compare":{)")));
}

TEST_F(CliJournalReplay, TellsOfACommandThatFailsAndOfOneThatMakesNoSense) {
  AddTo("me", "a");
  const ToolResult failed = Tool({"journal", "replay", "me", "RemoveItem", R"({"productId":"z"})"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.output,
              AllOf(HasSubstr("UNKNOWN: Cannot remove z: it is not in the cart."), Not(HasSubstr("would store"))));
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"me", "--at", "7", "GetCart"}, "There is no event 7"},
      {{"me", "GetNothing"}, "has no method 'GetNothing'"},
      {{"me", "GetCart", R"({"userId":"you"})"}, "it is for entity 'you'"},
      {{"nobody", "GetCart"}, "no entity 'nobody'"}};
  for (const auto& [arguments, text] : wrong) {
    std::vector<std::string> all = {"journal", "replay"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ToolResult result = Tool(all);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors, HasSubstr(text));
  }
}

TEST_F(CliJournalReplay, AForkGoesOnFromTheEventsOfItsCommands) {
  AddTo("me", "a");
  AddTo("me", "b");
  ReplayRequest fork = At("shopping-cart", 1);
  AddCommand(fork, "AddItem", R"({"productId":"x","quantity":5})");
  const ReplayResponse first = Replay(fork);
  ASSERT_EQ(first.outcomes_size(), 1);
  ASSERT_EQ(first.outcomes(0).events_size(), 1);
  *fork.mutable_events() = first.outcomes(0).events();
  fork.clear_commands();
  AddCommand(fork, "GetCart");
  const ReplayResponse second = Replay(fork);
  EXPECT_EQ(second.replayed_events(), 2);
  EXPECT_EQ(second.outcomes(0).reply().json(),
            R"({"items":[{"productId":"a","name":"a","quantity":1},{"productId":"x","name":"","quantity":5}]})");
  EXPECT_THAT(ItemsOf("me"), Not(HasSubstr("\"x\"")));
}

TEST_F(CliJournalReplay, BeginsWithTheNewestSnapshotBeforeThePointOrWithNone) {
  for (int i = 1; i <= 205; ++i) AddTo("me", "a");
  struct Case {
    int sequence;
    int snapshot;
    int events;
  };
  for (const Case& each : {Case{99, 0, 99}, Case{100, 100, 0}, Case{199, 100, 99}, Case{205, 200, 5}}) {
    ReplayRequest request = At("shopping-cart", each.sequence);
    AddCommand(request, "GetCart");
    ReplayResponse response = Replay(request);
    EXPECT_EQ(response.snapshot_sequence(), each.snapshot);
    EXPECT_EQ(response.replayed_events(), each.events);
    EXPECT_THAT(response.outcomes(0).reply().json(), HasSubstr(absl::StrCat("\"quantity\":", each.sequence)));
    request.set_without_snapshots(true);
    response = Replay(request);
    EXPECT_EQ(response.snapshot_sequence(), 0);
    EXPECT_EQ(response.replayed_events(), each.sequence);
    EXPECT_THAT(response.outcomes(0).reply().json(), HasSubstr(absl::StrCat("\"quantity\":", each.sequence)));
  }
}

// Events that the user function does not know, and a stream without commands.
TEST_F(CliJournalReplay, TellsThatTheUserFunctionDoesNotTakeTheEvents) {
  AddTo("me", "a");
  ReplayRequest request = At("shopping-cart", 1);
  EXPECT_EQ(Replay(request).replayed_events(), 1);
  request.add_events()->set_type_url("type.googleapis.com/not.Known");
  const HttpAnswer answer = Admin("/v1/replay", request);
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_THAT(answer.body, AllOf(HasSubstr("broke the stream while it took the events"), HasSubstr("not.Known")));
}

// With a command behind them it is not the command's fault.
TEST_F(CliJournalReplay, BlamesNoCommandForTheEventsBeforeIt) {
  AddTo("me", "a");
  ReplayRequest request = At("shopping-cart", 1);
  request.add_events()->set_type_url("type.googleapis.com/not.Known");
  AddCommand(request, "GetCart");
  const HttpAnswer answer = Admin("/v1/replay", request);
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_THAT(answer.body, AllOf(HasSubstr("which of them it did not like"), HasSubstr("not.Known")));
}

// Words in brackets are no lists of words.
TEST_F(CliJournalReplay, TakesEachWordAsACommandsJson) {
  AddTo("me", "a");
  for (const std::string word : {"[]", R"([{},{}])"}) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"journal", "replay", "me", "GetCart", word}, {"call", "ShoppingCart/GetCart", word}}) {
      const ToolResult result = Tool(arguments);
      EXPECT_NE(result.exit_code, 0) << result.output;
      EXPECT_THAT(result.errors, HasSubstr("JSON")) << word;
    }
  }
}

class CliReplayWithFewStreams : public Carts {
 protected:
  CliReplayWithFewStreams() : Carts({"--sample", "shopping-cart", "--ephemeral", "--max-active-entities", "1"}) {}
};

// One after the other is no trouble: an answer comes when its stream has gone.
TEST_F(CliReplayWithFewStreams, HasOneReplayAtATime) {
  AddTo("me", "a");
  AddTo("me", "b");
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "1", "--compare", "2", "GetCart"}), HasSubstr("at #2"));
  ReplayRequest request = At("shopping-cart", 2);
  for (int i = 0; i < 100; ++i) AddCommand(request, "GetCart");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Replay(request).outcomes_size(), 100);
}

// A user function that is stopped answers nothing.
class StoppedUserFunction : public Carts {
 protected:
  explicit StoppedUserFunction(std::vector<std::string> arguments = {"--sample", "shopping-cart", "--ephemeral"})
      : Carts(std::move(arguments)) {}

  static constexpr int kPlaces = 16;

  void Stop() {
    const auto started = emulator_.events("userFunctionStarted");
    ASSERT_TRUE(!started.empty() && absl::SimpleAtoi(started.back().at("pid"), &pid_));
    kill(pid_, SIGSTOP);
    // It takes a moment until all threads stand still.
    ASSERT_TRUE(Eventually([&] {
      for (const auto& thread : std::filesystem::directory_iterator(absl::StrCat("/proc/", pid_, "/task"))) {
        std::ifstream file(thread.path() / "stat");
        const std::string stat(std::istreambuf_iterator<char>(file), {});
        if (!absl::StrContains(stat, ") T ")) return false;
      }
      return true;
    }));
  }
  ReplayRequest Request(absl::Duration deadline) const {
    ReplayRequest request = At("shopping-cart", 1);
    AddCommand(request, "GetCart");
    const std::int64_t nanos = absl::ToInt64Nanoseconds(deadline);
    request.mutable_deadline()->set_seconds(nanos / 1'000'000'000);
    request.mutable_deadline()->set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
    return request;
  }
  // As many as there may be; returns when all have begun. Who asks whether they have takes a place for a moment.
  void BeginReplays(int places = kPlaces) {
    for (int i = 0; i < places; ++i) {
      replays_.push_back(std::async(std::launch::async, [this] {
        HttpAnswer answer;
        do {
          answer = Admin("/v1/replay", Request(absl::Seconds(60)));
        } while (answer.status == 429);
        return answer;
      }));
    }
    EXPECT_TRUE(Eventually([&] { return Admin("/v1/replay", Request(absl::ZeroDuration())).status == 429; }));
  }

  int pid_ = 0;
  std::vector<std::future<HttpAnswer>> replays_;
};

TEST_F(StoppedUserFunction, CannotHoldUpAReplayForLongerThanItsDeadline) {
  AddTo("me", "a");
  Stop();
  const ReplayResponse response = Replay(Request(absl::Milliseconds(300)));
  ASSERT_EQ(response.outcomes_size(), 1);
  EXPECT_EQ(response.outcomes(0).code(), 4);
  kill(pid_, SIGCONT);
}

TEST_F(StoppedUserFunction, HasNotTakenEventsThatItSaysNothingTo) {
  AddTo("me", "a");
  Stop();
  ReplayRequest request = Request(absl::Milliseconds(300));
  request.clear_commands();
  const HttpAnswer answer = Admin("/v1/replay", request);
  EXPECT_EQ(answer.status, 504) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("did not end the stream"));
  kill(pid_, SIGCONT);
}

class StoppedUserFunctionWithFewStreams : public StoppedUserFunction {
 protected:
  StoppedUserFunctionWithFewStreams()
      : StoppedUserFunction({"--sample", "shopping-cart", "--ephemeral", "--max-active-entities", "1"}) {}
};

TEST_F(StoppedUserFunctionWithFewStreams, HasNoSecondReplayMeanwhile) {
  AddTo("me", "a");
  Stop();
  BeginReplays(1);
  const HttpAnswer answer = Admin("/v1/replay", Request(absl::Seconds(1)));
  EXPECT_EQ(answer.status, 429) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("--max-active-entities"));
  kill(pid_, SIGCONT);
  EXPECT_EQ(replays_.front().get().status, 200);
}

TEST_F(StoppedUserFunction, EndsItsReplaysWhenItIsKilled) {
  AddTo("me", "a");
  Stop();
  BeginReplays();
  kill(pid_, SIGKILL);
  for (auto& replay : replays_) {
    const HttpAnswer answer = replay.get();
    EXPECT_THAT(answer.body, AnyOf(HasSubstr("broke the stream"), HasSubstr("the user function has gone")));
  }
  ASSERT_TRUE(emulator_.WaitUntilReady(2));
  EXPECT_EQ(Replay(Request(absl::Seconds(10))).outcomes(0).code(), 0);
}

TEST_F(StoppedUserFunction, EndsItsReplaysWhenTheEmulatorEnds) {
  AddTo("me", "a");
  Stop();
  BeginReplays();
  auto ended = std::async(std::launch::async, [&] { return emulator_.Stop(); });
  for (auto& replay : replays_) EXPECT_THAT(replay.get().body, HasSubstr("the emulator is ending"));
  kill(pid_, SIGCONT);
  EXPECT_EQ(ended.get(), 0);
}

TEST_F(CliJournalReplay, TellsALongDeadlineAsWrongUsage) {
  AddTo("me", "a");
  const ToolResult result = Tool({"journal", "replay", "me", "GetCart", "--deadline", "2m"});
  EXPECT_EQ(result.exit_code, 2) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("1m"));
}

TEST_F(CliJournalReplay, DeletesAnEntityThatThenBeginsAnew) {
  AddTo("me", "a");
  AddTo("me", "b");
  AddTo("you", "c");
  const ToolResult unasked = Tool({"journal", "delete", "me"});
  EXPECT_EQ(unasked.exit_code, 2);
  EXPECT_THAT(unasked.errors, HasSubstr("--yes"));
  EXPECT_EQ(Output({"journal", "delete", "me", "--yes"}), "Deleted shopping-cart|me: 2 events, 0 snapshots.\n");
  EXPECT_EQ(ItemsOf("me"), "[]");
  EXPECT_THAT(Tool({"journal", "show", "me"}).errors, HasSubstr("no entity 'me'"));
  EXPECT_EQ(Tool({"journal", "delete", "me", "--yes"}).exit_code, 1);
  AddTo("me", "n");
  EXPECT_THAT(Output({"journal", "show", "me"}), AllOf(HasSubstr("1 event,"), HasSubstr("#1 ")));
  EXPECT_THAT(ItemsOf("you"), HasSubstr("\"c\""));
  const HttpAnswer answer = Http(emulator_.admin_address(), "DELETE", "/v1/entities/shopping-cart/you");
  EXPECT_THAT(answer.body, HasSubstr(R"("deletedEvents":"1")"));
}

// Each call is answered, or fails because of the deletion; what is left at the end is what was added since the last
// one.
TEST_F(CliJournalReplay, DeletesAnEntityWhileItIsUsed) {
  std::atomic<bool> end = false;
  std::atomic<int> added = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!end) {
        const HttpAnswer answer = Change("me", "add", R"({"productId":"a","name":"a","quantity":1})");
        if (answer.status == 200) {
          ++added;
          continue;
        }
        ++refused;
        EXPECT_THAT(answer.body, HasSubstr("was deleted while the command was under way"));
      }
    });
  }
  int deleted = 0;
  const absl::Time until = absl::Now() + kPatience;
  while (deleted < 20 && absl::Now() < until) {
    const int before = added;
    while (added < before + 20 && absl::Now() < until) absl::SleepFor(absl::Milliseconds(1));
    deleted += Http(emulator_.admin_address(), "DELETE", "/v1/entities/shopping-cart/me").status == 200 ? 1 : 0;
  }
  end = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(deleted, 20);
  AddTo("me", "a");
  const std::string items = ItemsOf("me");
  const HttpAnswer entity = Http(emulator_.admin_address(), "GET", "/v1/entities/shopping-cart/me");
  const auto stored = FromJson<dev::v1::Entity>(entity.body);
  EXPECT_THAT(items, HasSubstr(absl::StrCat("\"quantity\":", stored.last_sequence())));
  EXPECT_LT(stored.last_sequence(), added + 1) << refused << " refused";
}

class CliValueReplay : public Carts {
 protected:
  CliValueReplay() : Carts({"--sample", "value-shopping-cart", "--ephemeral"}) {}
};

TEST_F(CliValueReplay, BringsTheVersionOfThatMoment) {
  const std::string service = "ShoppingCart/";
  const auto add = [&](const std::string& product) {
    Output({"call", service + "AddItem",
            absl::StrCat(R"({"userId":"me","productId":")", product, R"(","name":"N","quantity":1})")});
  };
  add("a");
  add("b");
  Output({"call", service + "RemoveCart", R"({"userId":"me"})"});
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "0", "GetCart"}), HasSubstr(R"({"items":[]})"));
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "1", "GetCart"}),
              AllOf(HasSubstr("\"a\""), Not(HasSubstr("\"b\""))));
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "2", "GetCart"}),
              AllOf(HasSubstr("\"a\""), HasSubstr("\"b\"")));
  EXPECT_THAT(Output({"journal", "replay", "me", "GetCart"}), HasSubstr(R"({"items":[]})"));
  EXPECT_THAT(Output({"journal", "replay", "me", "--at", "2", "RemoveCart"}), HasSubstr("would store  deleted"));

  const auto listed =
      FromJson<dev::v1::ListEntitiesResponse>(Http(emulator_.admin_address(), "GET", "/v1/entities").body);
  ReplayRequest fork = At(listed.entities(0).persistence_id(), 1);
  AddCommand(fork, "AddItem", R"({"productId":"x","name":"X","quantity":1})");
  AddCommand(fork, "GetCart");
  const ReplayResponse first = Replay(fork);
  ASSERT_EQ(first.outcomes_size(), 2);
  EXPECT_THAT(first.outcomes(1).reply().json(), AllOf(HasSubstr("\"a\""), HasSubstr("\"x\"")));
  *fork.mutable_events() = first.outcomes(0).events();
  fork.clear_commands();
  AddCommand(fork, "GetCart");
  EXPECT_EQ(Replay(fork).outcomes(0).reply().json(), first.outcomes(1).reply().json());
}

TEST_F(CliValueReplay, DeletesItsVersions) {
  Output({"call", "ShoppingCart/AddItem", R"({"userId":"me","productId":"a","name":"N","quantity":1})"});
  EXPECT_THAT(Output({"journal", "delete", "me", "--yes", "--json"}), HasSubstr(R"("deletedEvents":"1")"));
  EXPECT_THAT(Output({"call", "ShoppingCart/GetCart", R"({"userId":"me"})"}), HasSubstr(R"({"items":[]})"));
}

class CliCrdtDelete : public RunningEmulator {
 protected:
  CliCrdtDelete() : RunningEmulator({"--sample", "counters", "--ephemeral"}) {}
};

TEST_F(CliCrdtDelete, IsLeftToTheUserFunction) {
  Output({"call", "Counters/Increment", R"({"name": "visits", "by": 1})"});
  const auto listed = FromJson<dev::v1::ListCrdtsResponse>(Http(emulator_.admin_address(), "GET", "/v1/crdts").body);
  ASSERT_EQ(listed.crdts_size(), 1);
  const HttpAnswer answer = Http(emulator_.admin_address(), "DELETE",
                                 absl::StrCat("/v1/entities/", listed.crdts(0).persistence_id(), "/visits"));
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("only the user function deletes it"));
}

TEST(JournalOfNoEmulator, CannotBeReplayedOrChanged) {
  const testing::TemporaryDirectory directory;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"journal", "delete", "me", "--yes"}, {"journal", "replay", "me", "Get"}}) {
    std::vector<std::string> all = {"--data-dir", directory.path().string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ToolResult result = support::RunTool(all);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.errors, HasSubstr("This needs a running emulator"));
  }
}

}  // namespace
}  // namespace cloudstate
