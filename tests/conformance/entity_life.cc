#include "tests/conformance/entity_life.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::kinds {
namespace {

constexpr std::size_t kLongEvent = std::size_t{16} << 10;  // bytes

Answer LongHistory() {
  Answer answer = Answer::Reply("good");
  for (int i = 0; i < kLongHistory; ++i) answer.Store(std::string(kLongEvent, 'x'));
  return answer;
}

void OnMessage(ScriptedStream& stream, const Received& in) {
  if (!in.is_command()) return;
  const std::string& text = in.request->text();
  if (text == EntityControl::kHang) return;
  if (text == EntityControl::kRestart) {
    AnswerWith(stream, in, Answer::Restart("again"));
  } else if (text == EntityControl::kFail) {
    AnswerWith(stream, in, Answer::Failure("verbatim").Store("must not be stored"));
  } else if (text == EntityControl::kDelete) {
    AnswerWith(stream, in, Answer::Reply("good").Delete());
  } else if (text == EntityControl::kLongText) {
    AnswerWith(stream, in, LongHistory());
  } else {
    BehaveWell(stream, in);
  }
}

}  // namespace

Behaviour EntityControl::BehaviourOf(const std::shared_ptr<EntityControl>& control) {
  return {.on_open = [control](ScriptedStream& stream) { control->OnOpen(stream); },
          .on_message = OnMessage,
          .on_half_close =
              [control](ScriptedStream& stream) {
                if (!control->leave_open) stream.Finish();
              },
          .on_all_written = {}};
}

ScriptedStream& EntityControl::stream(std::size_t number) {
  const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_.size() > number; };
  absl::MutexLock lock(&mutex_);
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10)));
  return *streams_.at(number);
}

void EntityControl::OnOpen(ScriptedStream& stream) {
  if (read_nothing.exchange(false)) stream.Pause();
  absl::MutexLock lock(&mutex_);
  streams_.push_back(&stream);
}

EntityLife::EntityLife(World& world, Kind kind, std::string id)
    : world_(world), kind_(kind), id_(std::move(id)), view_(world, kind, id_) {
  world_.Use(EntityControl::BehaviourOf(control_));
}

std::string EntityLife::Do(const std::string& text) { return ToString(world_.Call(kind_, RequestOf(id_, text))); }

std::future<Outcome> EntityLife::Begin(const std::string& text) { return world_.Later(kind_, RequestOf(id_, text)); }

std::string EntityLife::Opening(const std::vector<std::string>& stored, int commands) const {
  std::string opening = absl::StrCat("init ", id_);
  if (!IsEventSourced(kind_) && !stored.empty()) absl::StrAppend(&opening, " with ", stored.back());
  absl::StrAppend(&opening, "; ");
  if (IsEventSourced(kind_)) {
    int sequence = 0;
    for (const std::string& text : stored) absl::StrAppend(&opening, "event ", ++sequence, " ", text, "; ");
  }
  for (int id = 1; id <= commands; ++id) absl::StrAppend(&opening, "command ", id, "; ");
  return opening;
}

}  // namespace cloudstate::kinds
