// Streams of actions through the real program: nobody is given more than they take, many are open at once, and the
// older dialect has them all.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {
namespace {

using Record = ScriptedUserFunction::Record;

constexpr int kMessages = 10000;
constexpr std::size_t kMessageBytes = 4096;
constexpr std::size_t kMegabyte = std::size_t{1} << 20;
// All messages are 40 MiB. What is under way between one who sends and one who does not read is less: the windows of
// the two connections, which the emulator's side lets grow with their speed, and the kernel's buffers.
constexpr std::size_t kMostUnderWay = 12 * kMegabyte / kMessageBytes;
constexpr std::size_t kMostMemory = 12 * kMegabyte;

std::string Numbered(int number) {
  std::string text = absl::StrCat(number, " ");
  text.resize(kMessageBytes, '.');
  return text;
}

// Returns once the count has not grown for a while.
std::size_t WaitUntilHeldUp(const std::function<std::size_t()>& count) {
  constexpr absl::Duration kQuiet = absl::Milliseconds(300);
  std::size_t last = count();
  absl::Time since = absl::Now();
  while (last == 0 || absl::Now() - since < kQuiet) {
    absl::SleepFor(absl::Milliseconds(5));
    const std::size_t now = count();
    if (now == last) continue;
    last = now;
    since = absl::Now();
  }
  return last;
}

// Writes a message as soon as the one before has been taken.
struct FastSource {
  std::atomic<int> written = 0;

  void WriteNext(ScriptedStream& stream) {
    const int number = written++;
    if (number > kMessages) return;
    if (number == kMessages) return stream.Finish();
    stream.WriteBytes(Answer::Reply(Numbered(number)).ForAction());
  }
};

class BackPressure : public ::testing::TestWithParam<Kind> {
 protected:
  BackPressure() {
    // The emulator has what it needs for the first calls before its memory is looked at.
    for (int i = 0; i < 20; ++i) world_.Call(Kind::kUnary, RequestOf("id", Numbered(i)));
    memory_ = world_.ResidentMemory();
  }

  void ExpectFlatMemory() {
#ifndef __SANITIZE_ADDRESS__  // which keeps back what has been freed
    const std::size_t now = world_.ResidentMemory();
    EXPECT_LT(now, memory_ + kMostMemory);
#endif
  }

  World world_;
  std::size_t memory_ = 0;
};

using SlowClient = BackPressure;

INSTANTIATE_TEST_SUITE_P(Kinds, SlowClient, ::testing::Values(Kind::kStreamedOut, Kind::kStreamed),
                         [](const auto& each) { return NameOf(each.param); });

TEST_P(SlowClient, HoldsUpTheUserFunctionUntilItReads) {
  const auto source = std::make_shared<FastSource>();
  world_.Use({.on_open = {},
              .on_message =
                  [source](ScriptedStream& stream, const Received& in) {
                    if (in.request.has_value()) source->WriteNext(stream);
                  },
              .on_half_close = [](ScriptedStream&) {},
              .on_all_written = [source](ScriptedStream& stream) { source->WriteNext(stream); }});
  ClientCall call(world_.channel(), GetParam());
  call.Write(RequestOf("id"));
  call.HalfClose();
  EXPECT_EQ(call.Read(), Numbered(0));
  const std::size_t held_up_at = WaitUntilHeldUp([&] { return static_cast<std::size_t>(source->written); });
  EXPECT_LT(held_up_at, kMostUnderWay);
  ExpectFlatMemory();
  for (int i = 1; i < kMessages; ++i) ASSERT_EQ(call.Read(), Numbered(i));
  EXPECT_TRUE(call.End().ok());
  ExpectFlatMemory();
}

using SlowUserFunction = BackPressure;

INSTANTIATE_TEST_SUITE_P(Kinds, SlowUserFunction, ::testing::Values(Kind::kStreamedIn, Kind::kStreamed),
                         [](const auto& each) { return NameOf(each.param); });

TEST_P(SlowUserFunction, HoldsUpTheClientUntilItReads) {
  std::atomic<ScriptedStream*> stream = nullptr;
  world_.Use({.on_open =
                  [&](ScriptedStream& opened) {
                    opened.Pause();
                    stream = &opened;
                  },
              .on_message = [](ScriptedStream&, const Received&) {},
              .on_half_close =
                  [](ScriptedStream& ended) {
                    ended.WriteBytes(Answer::Reply("all of it").ForAction());
                    ended.Finish();
                  },
              .on_all_written = {}});
  ClientCall call(world_.channel(), GetParam());
  std::atomic<std::size_t> written = 0;
  std::thread client([&] {
    while (written < kMessages && call.Write(RequestOf("id", Numbered(static_cast<int>(written))))) ++written;
    call.HalfClose();
  });
  EXPECT_LT(WaitUntilHeldUp([&] { return written.load(); }), kMostUnderWay);
  ExpectFlatMemory();
  stream.load()->Resume();
  EXPECT_EQ(call.Read(), "all of it");
  client.join();
  EXPECT_TRUE(call.End().ok());
  ExpectFlatMemory();
  int number = 0;
  const Record record = world_.user_function().record();
  for (const std::string& bytes : record.streams.back().received) {
    const Received received = ParseReceived(record.streams.back().method, bytes);
    if (!received.request.has_value()) continue;
    ASSERT_EQ(received.request->text(), Numbered(number++));
  }
  EXPECT_EQ(number, kMessages);
}

TEST(OpenStreams, AThousandAtOnceAreAnsweredMessageByMessage) {
  constexpr std::size_t kStreams = 1000;
  World world;
  world.Use({.on_open = {},
             .on_message =
                 [](ScriptedStream& stream, const Received& in) {
                   if (in.request.has_value()) AnswerWith(stream, in, Answer::Reply("to " + in.request->text()));
                 },
             .on_half_close = [](ScriptedStream& stream) { stream.Finish(); },
             .on_all_written = {}});
  std::vector<std::unique_ptr<ClientCall>> calls;
  for (std::size_t i = 0; i < kStreams; ++i) {
    calls.push_back(std::make_unique<ClientCall>(world.channel(), Kind::kStreamed, CallOptions{absl::Seconds(60)}));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      ASSERT_TRUE(calls[i]->Write(RequestOf("id", absl::StrCat(i, " in ", round))));
    }
    for (std::size_t i = 0; i < kStreams; ++i) {
      ASSERT_EQ(calls[i]->Read(), absl::StrCat("to ", i, " in ", round));
    }
    EXPECT_TRUE(world.user_function().WaitUntil([](const Record& record) {
      return record.streams.size() == kStreams &&
             std::ranges::none_of(record.streams, [](const auto& stream) { return stream.ended; });
    }));
  }
  for (const auto& call : calls) call->HalfClose();
  for (const auto& call : calls) EXPECT_TRUE(call->End().ok());
}

// ---- the older dialect

class OlderDialect : public ::testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() { world_ = new World({}, OldActionSpecification()); }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }
  static inline World* world_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Shapes, OlderDialect,
                         ::testing::Values(Kind::kUnary, Kind::kStreamedIn, Kind::kStreamedOut, Kind::kStreamed),
                         [](const auto& each) { return NameOf(each.param); });

TEST_P(OlderDialect, HasEveryShapeButNoMetadata) {
  const Kind kind = GetParam();
  std::vector<Request> requests = {RequestOf("id", "one")};
  if (StreamsIn(kind)) requests.push_back(RequestOf("id", "two"));
  const Outcome outcome = CallNow(world_->channel(), kind, requests, {.headers = {{"asked", "text"}}});
  EXPECT_EQ(ToString(outcome), kind == Kind::kStreamed ? "good,good OK" : "good OK");
  const auto call = world_->user_function().record().streams.back();
  EXPECT_EQ(call.method,
            absl::StrReplaceAll(UserFunctionPath(kind), {{"action.ActionProtocol", "function.StatelessFunction"}}));
  std::vector<std::string> texts;
  for (const std::string& bytes : call.received) {
    const Received received = ParseReceived(call.method, bytes);
    EXPECT_EQ(received.metadata.entries_size(), 0);
    if (received.request.has_value()) texts.push_back(received.request->text());
  }
  EXPECT_EQ(texts.size(), requests.size());
  const Received first = ParseReceived(call.method, call.received.front());
  EXPECT_EQ(first.service + "." + first.method, CalledAs(kind));
}

TEST_P(OlderDialect, HasFailuresForwardsAndEffects) {
  world_->Use({.on_open = {},
               .on_message =
                   [](ScriptedStream& stream, const Received& in) {
                     if (!in.request.has_value()) return;
                     const std::string& text = in.request->text();
                     if (text == "fail") return AnswerWith(stream, in, Answer::Failure("verbatim"));
                     if (text == "end") return AnswerWith(stream, in, Answer::Reply("end"));
                     AnswerWith(stream, in,
                                Answer::Forward(Kind::kUnary, RequestOf("id", "end"))
                                    .Effect(Kind::kUnary, RequestOf("id", "fail"), true));
                   },
               .on_half_close =
                   [](ScriptedStream& stream) {
                     if (absl::EndsWith(stream.method(), "/handleStreamed")) stream.Finish();
                   },
               .on_all_written = {}});
  EXPECT_EQ(ToString(world_->Call(GetParam(), RequestOf("id", "fail"))), "UNKNOWN verbatim");
  EXPECT_EQ(ToString(world_->Call(GetParam(), RequestOf("id", "forward"))), "end OK");
  world_->Use({});
}

}  // namespace
}  // namespace cloudstate::kinds
