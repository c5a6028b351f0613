// Forwards and side effects from every kind of user function to every other, as clients, the user function and the
// traces see them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {
namespace {

using dev::v1::CausedCommand;
using dev::v1::CommandTrace;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<Kind>& Sources() {
  static const std::vector<Kind> kinds = {Kind::kEvents,     Kind::kValue,       Kind::kUnary,
                                          Kind::kStreamedIn, Kind::kStreamedOut, Kind::kStreamed};
  return kinds;
}

const std::vector<Kind>& Targets() {
  static const std::vector<Kind> kinds = {Kind::kEvents, Kind::kValue, Kind::kUnary, Kind::kStreamedOut};
  return kinds;
}

// A user function that answers each text as it is told to, and lists the texts in the order in which they came.
class Plan {
 public:
  Plan& On(const std::string& text, std::vector<Answer> answers) {
    answers_[text] = std::move(answers);
    return *this;
  }
  Plan& On(const std::string& text, const Answer& answer) { return On(text, std::vector{answer}); }
  // Is answered by Release alone.
  Plan& Hold(const std::string& text) { return On(text, std::vector<Answer>()); }

  bool WaitFor(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return std::ranges::count(arrived_, text) > 0; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10));
  }
  void Release(const Answer& answer) {
    absl::MutexLock lock(&mutex_);
    ASSERT_NE(held_, nullptr);
    AnswerWith(*std::exchange(held_, nullptr), held_message_, answer);
  }
  std::vector<std::string> arrived() {
    absl::MutexLock lock(&mutex_);
    return arrived_;
  }

  void OnMessage(ScriptedStream& stream, const Received& in) {
    if (!in.is_command() || !in.request.has_value()) return;
    absl::MutexLock lock(&mutex_);
    arrived_.push_back(in.request->text());
    const auto found = answers_.find(in.request->text());
    if (found == answers_.end()) {
      AnswerWith(stream, in, Answer::Reply("unplanned"));
    } else if (found->second.empty()) {
      held_ = &stream;
      held_message_ = in;
    } else if (found->second.size() == 1) {
      AnswerWith(stream, in, found->second.front());
    } else {
      for (const Answer& answer : found->second) stream.WriteBytes(answer.ForAction());
      stream.Finish();
    }
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::vector<Answer>> answers_;  // by the text that asks for them; set before the calls
  std::vector<std::string> arrived_ ABSL_GUARDED_BY(mutex_);
  ScriptedStream* held_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Received held_message_ ABSL_GUARDED_BY(mutex_);
};

class Routes {
 protected:
  static World& world() {
    static auto* const world = new World();
    return *world;
  }

  Routes() {
    world().Use(
        {.on_open = {},
         .on_message = [plan = plan_](ScriptedStream& stream, const Received& in) { plan->OnMessage(stream, in); },
         .on_half_close =
             [](ScriptedStream& stream) {
               if (absl::EndsWith(stream.method(), "/handleStreamed")) stream.Finish();
             },
         .on_all_written = {}});
  }

  Plan& plan() { return *plan_; }
  // An entity of its own for each test.
  Request Ask(const std::string& text) { return RequestOf(id_, text); }
  std::string Call(Kind kind, const std::string& text) { return ToString(world().Call(kind, Ask(text))); }
  std::future<Outcome> Later(Kind kind, const std::string& text) { return world().Later(kind, Ask(text)); }
  const std::string& id() const { return id_; }

 private:
  static inline int number_ = 0;
  const std::string id_ = absl::StrCat("entity-", ++number_);
  const std::shared_ptr<Plan> plan_ = std::make_shared<Plan>();
};

// ---- from every kind to every kind

using Route = std::tuple<Kind, Kind>;

class EveryRoute : protected Routes, public ::testing::TestWithParam<Route> {
 protected:
  Kind from() const { return std::get<0>(GetParam()); }
  Kind to() const { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Table, EveryRoute,
                         ::testing::Combine(::testing::ValuesIn(Sources()), ::testing::ValuesIn(Targets())),
                         [](const auto& each) {
                           return absl::StrCat("From", NameOf(std::get<0>(each.param)), "To",
                                               NameOf(std::get<1>(each.param)));
                         });

TEST_P(EveryRoute, AForwardsOutcomeIsTheClients) {
  plan().On("ask", Answer::Forward(to(), RequestOf("target", "forwarded")));
  if (to() == Kind::kStreamedOut) {
    plan().On("forwarded", std::vector{Answer::Reply("one"), Answer::Reply("two")});
  } else {
    plan().On("forwarded", Answer::Reply("one"));
  }
  const bool both = to() == Kind::kStreamedOut && StreamsOut(from());
  EXPECT_EQ(Call(from(), "ask"), both ? "one,two OK" : "one OK");
  EXPECT_THAT(plan().arrived(), ElementsAre("ask", "forwarded"));
}

TEST_P(EveryRoute, AForwardsFailureIsTheClients) {
  plan().On("ask", Answer::Forward(to(), RequestOf("target", "forwarded")));
  plan().On("forwarded", Answer::Failure("verbatim"));
  EXPECT_EQ(Call(from(), "ask"), "UNKNOWN verbatim");
}

TEST_P(EveryRoute, ASynchronousEffectEndsBeforeTheReplyAndAfterWhatWasStored) {
  plan().On("ask", Answer::Reply("done").Store("stored").Effect(to(), RequestOf("target", "effect"), true));
  plan().Hold("effect");
  auto call = Later(from(), "ask");
  ASSERT_TRUE(plan().WaitFor("effect"));
  if (IsEntity(from())) {
    EXPECT_EQ(world().LastSequence(from(), id()), 1);
  }
  EXPECT_EQ(call.wait_for(std::chrono::milliseconds(10)), std::future_status::timeout);
  plan().Release(Answer::Reply("dropped"));
  EXPECT_EQ(ToString(call.get()), "done OK");
}

TEST_P(EveryRoute, AnEffectThatIsNotSynchronousIsNotAwaited) {
  plan().On("ask", Answer::Reply("done").Store("stored").Effect(to(), RequestOf("target", "effect"), false));
  plan().Hold("effect");
  EXPECT_EQ(Call(from(), "ask"), "done OK");
  ASSERT_TRUE(plan().WaitFor("effect"));
  plan().Release(Answer::Reply("dropped"));
}

TEST_P(EveryRoute, AFailingEffectFailsNothingAndIsInTheTrace) {
  plan().On("ask", Answer::Reply("done").Effect(to(), RequestOf("target", "effect"), true));
  plan().On("effect", Answer::Failure("no luck"));
  EXPECT_EQ(Call(from(), "ask"), "done OK");
  const CommandTrace trace = world().TraceOf(from(), id());
  EXPECT_EQ(trace.code(), 0);
  EXPECT_TRUE(std::ranges::any_of(trace.steps(), [](const auto& step) {
    return step.kind() == "failed" && step.command() == 1 && step.detail() == "no luck";
  })) << trace.DebugString();
}

// ---- what is unknown

class EverySource : protected Routes, public ::testing::TestWithParam<Kind> {
 protected:
  // What reportError said from now on.
  std::vector<std::string> NewErrors() {
    EXPECT_TRUE(world().user_function().WaitUntil([&](const auto& record) { return record.errors.size() > before_; }));
    std::vector<std::string> errors = world().user_function().record().errors;
    errors.erase(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(before_));
    before_ += errors.size();
    return errors;
  }

 private:
  std::size_t before_ = world().user_function().record().errors.size();
};

INSTANTIATE_TEST_SUITE_P(Table, EverySource, ::testing::ValuesIn(Sources()),
                         [](const auto& each) { return NameOf(each.param); });

TEST_P(EverySource, AForwardToWhatIsUnknownIsReportedWithItsTrace) {
  plan().On("service", Answer::Forward("no.Such", "Call", Ask("")));
  plan().On("method", Answer::Forward(ServiceOf(Kind::kEvents), "None", Ask("")));
  const std::string trace = absl::StrCat("\nforwarded from ", CalledAs(GetParam()));
  const std::string service = "Service [no.Such] unknown" + trace;
  EXPECT_EQ(Call(GetParam(), "service"), "INTERNAL " + service);
  EXPECT_THAT(NewErrors(), ElementsAre(service));
  const std::string method = "Service [test.kinds.Events] does not have a command named: [None]" + trace;
  EXPECT_EQ(Call(GetParam(), "method"), "INTERNAL " + method);
  EXPECT_THAT(NewErrors(), ElementsAre(method));
}

TEST_P(EverySource, AnEffectOnWhatIsUnknownIsReportedWithItsTraceAndFailsNothing) {
  plan().On("ask", Answer::Reply("done").Effect("no.Such", "Call", Ask(""), true));
  EXPECT_EQ(Call(GetParam(), "ask"), "done OK");
  EXPECT_THAT(NewErrors(),
              ElementsAre(absl::StrCat("Service [no.Such] unknown\nside-effect of ", CalledAs(GetParam()))));
}

TEST_P(EverySource, TheTraceOfWhatIsUnknownGoesBackToTheClientsCommand) {
  plan().On("ask", Answer::Reply("done").Effect(Kind::kUnary, Ask("effect"), true));
  plan().On("effect", Answer::Forward("no.Such", "Call", Ask("")));
  EXPECT_EQ(Call(GetParam(), "ask"), "done OK");
  EXPECT_THAT(NewErrors(), ElementsAre(absl::StrCat("Service [no.Such] unknown\nforwarded from test.kinds.Action.Unary"
                                                    "\nside-effect of ",
                                                    CalledAs(GetParam()))));
}

TEST_P(EverySource, EffectsOfAFailureRun) {
  plan().On("ask", Answer::Failure("verbatim").Effect(Kind::kEvents, Ask("effect"), true));
  EXPECT_EQ(Call(GetParam(), "ask"), "UNKNOWN verbatim");
  EXPECT_THAT(plan().arrived(), ElementsAre("ask", "effect"));
}

TEST_P(EverySource, EffectsRunInTheirOrder) {
  plan().On("ask", Answer::Reply("done")
                       .Effect(Kind::kEvents, Ask("first"), true)
                       .Effect(Kind::kUnary, Ask("second"), true)
                       .Effect(Kind::kValue, Ask("third"), true));
  EXPECT_EQ(Call(GetParam(), "ask"), "done OK");
  EXPECT_THAT(plan().arrived(), ElementsAre("ask", "first", "second", "third"));
}

// ---- chains

class Chains : protected Routes, public ::testing::Test {};

TEST_F(Chains, MayCarryEffectsOnTheirWayAndAreOneTrace) {
  plan().On("1", Answer::Forward(Kind::kValue, Ask("2")).Store("event").Effect(Kind::kValue, Ask("1a"), true));
  plan().On("2", Answer::Forward(Kind::kUnary, Ask("3")).Store("value").Effect(Kind::kUnary, Ask("2a"), true));
  plan().On("2a", Answer::Reply("dropped").Effect(Kind::kEvents, Ask("2b"), true));
  plan().On("3", Answer::Forward(Kind::kStreamedOut, Ask("4")));
  plan().On("4", Answer::Reply("end"));
  EXPECT_EQ(Call(Kind::kEvents, "1"), "end OK");
  EXPECT_THAT(plan().arrived(), ElementsAre("1", "1a", "2", "2a", "2b", "3", "4"));

  const CommandTrace trace = world().TraceOf(Kind::kEvents, id());
  EXPECT_EQ(CalledAs(Kind::kEvents), absl::StrCat(trace.service(), ".", trace.method()));
  std::vector<std::string> tree;
  for (const CausedCommand& caused : trace.caused()) {
    tree.push_back(absl::StrCat(caused.parent(), caused.origin() == CausedCommand::FORWARD ? " forward " : " effect ",
                                caused.method(), " ", caused.entity_id()));
  }
  EXPECT_THAT(tree, ElementsAre("0 effect Call " + id(), "0 forward Call " + id(), "2 effect Unary ",
                                "3 effect Call " + id(), "2 forward Unary ", "5 forward StreamedOut "));
}

TEST_F(Chains, OfForwardsInACircleAreCutAfter64Steps) {
  plan().On("1", Answer::Forward(Kind::kValue, Ask("2")));
  plan().On("2", Answer::Forward(Kind::kUnary, Ask("3")));
  plan().On("3", Answer::Forward(Kind::kEvents, Ask("1")));
  const std::string outcome = Call(Kind::kEvents, "1");
  EXPECT_THAT(outcome, HasSubstr("INTERNAL test.kinds.Action.Unary was not called: it is more than 64 steps from"));
  EXPECT_THAT(outcome, HasSubstr("\nforwarded from test.kinds.Events.Call\nforwarded from test.kinds.Action.Unary"));
  EXPECT_EQ(plan().arrived().size(), 65u);
}

TEST_F(Chains, OfEffectsInACircleAreCutAfter64Steps) {
  plan().On("1", Answer::Reply("done").Effect(Kind::kValue, Ask("2"), true));
  plan().On("2", Answer::Reply("done").Effect(Kind::kUnary, Ask("3"), true));
  plan().On("3", Answer::Reply("done").Effect(Kind::kEvents, Ask("1"), true));
  EXPECT_EQ(Call(Kind::kEvents, "1"), "done OK");
  EXPECT_EQ(plan().arrived().size(), 65u);
}

// ---- streams

class Streams : protected Routes, public ::testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(Table, Streams, ::testing::Values(Kind::kStreamedOut, Kind::kStreamed),
                         [](const auto& each) { return NameOf(each.param); });

TEST_P(Streams, EffectsAndForwardsRunInOrderForEachResponse) {
  plan().On("ask",
            std::vector{
                Answer::Reply("a").Effect(Kind::kEvents, Ask("effect a"), true),
                Answer::Nothing().Effect(Kind::kValue, Ask("effect b"), true),
                Answer::Forward(Kind::kStreamedOut, Ask("forward c")).Effect(Kind::kUnary, Ask("effect c"), true),
                Answer::Forward(Kind::kEvents, Ask("forward d")),
                Answer::Reply("e").Effect(Kind::kEvents, Ask("effect e"), true),
            });
  plan().On("forward c", std::vector{Answer::Reply("c1"), Answer::Reply("c2")});
  plan().On("forward d", Answer::Reply("d"));
  EXPECT_EQ(Call(GetParam(), "ask"), "a,c1,c2,d,e OK");
  EXPECT_THAT(plan().arrived(),
              ElementsAre("ask", "effect a", "effect b", "effect c", "forward c", "forward d", "effect e"));
}

TEST_P(Streams, AResponseWaitsForTheSynchronousEffectsOfThoseBefore) {
  plan().On("ask", std::vector{Answer::Reply("a"), Answer::Reply("b").Effect(Kind::kEvents, Ask("held"), true),
                               Answer::Reply("c")});
  plan().Hold("held");
  ClientCall call(world().channel(), GetParam());
  call.Write(Ask("ask"));
  call.HalfClose();
  EXPECT_EQ(call.Read(), "a");
  ASSERT_TRUE(plan().WaitFor("held"));
  auto rest = std::async(std::launch::async, [&] { return call.Read(); });
  EXPECT_EQ(rest.wait_for(std::chrono::milliseconds(10)), std::future_status::timeout);
  plan().Release(Answer::Reply("dropped"));
  EXPECT_EQ(rest.get(), "b");
  EXPECT_EQ(call.Read(), "c");
  EXPECT_TRUE(call.End().ok());
}

TEST_P(Streams, AFailingForwardEndsTheClientsStream) {
  plan().On("ask", std::vector{Answer::Reply("a"), Answer::Forward(Kind::kValue, Ask("forward")), Answer::Reply("c")});
  plan().On("forward", Answer::Failure("verbatim"));
  EXPECT_EQ(Call(GetParam(), "ask"), "a UNKNOWN verbatim");
}

}  // namespace
}  // namespace cloudstate::kinds
