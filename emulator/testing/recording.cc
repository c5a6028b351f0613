#include "emulator/testing/recording.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/base/proto_time.h"
#include "emulator/base/status_codes.h"
#include "emulator/testing/json_value.h"
#include "emulator/testing/matchers.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::testing {
namespace {

using dev::v1::CausedCommand;
using dev::v1::CommandTrace;
using dev::v1::Event;
using dev::v1::Payload;
using dev::v1::TestCase;
using dev::v1::TestStep;

using EntityName = std::pair<std::string, std::string>;  // service, entity id

std::vector<const Payload*> PayloadsOf(const CommandTrace& trace, const std::string& kind, int command) {
  std::vector<const Payload*> found;
  for (const dev::v1::Step& step : trace.steps()) {
    const bool fits = step.kind() == kind && step.command() == command && step.has_payload();
    if (fits && !step.payload().type_url().empty()) found.push_back(&step.payload());
  }
  return found;
}

bool IsDeletion(const std::string& type_name) {
  return type_name == valueentity::ValueEntityDelete::descriptor()->full_name();
}

// Whether the last step of that kind says that so many messages came before the end.
bool EndsAfter(const CommandTrace& trace, const std::string& kind, std::size_t messages) {
  return std::ranges::any_of(trace.steps(), [&](const dev::v1::Step& step) {
    return step.kind() == kind && step.command() == 0 &&
           step.detail() == absl::StrCat("the end, after ", messages, " messages");
  });
}

// Such a call does not end the same way when it is played: nobody ends it.
bool IsClients(int code) {
  return code == static_cast<int>(absl::StatusCode::kCancelled) ||
         code == static_cast<int>(absl::StatusCode::kDeadlineExceeded);
}

absl::Time StartOf(const CommandTrace& trace) { return base::FromTimestamp(trace.started()); }

class TestRecorder {
 public:
  TestRecorder(const std::vector<CommandTrace>& traces, const std::vector<RecordedEntity>& entities,
               const KnownTypes& types)
      : types_(types) {
    for (const CommandTrace& trace : traces) traces_.push_back(&trace);
    std::ranges::stable_sort(traces_, {}, [](const CommandTrace* trace) { return StartOf(*trace); });
    for (const RecordedEntity& entity : entities) {
      entities_[{entity.service, entity.entity_id}] = &entity;
      for (const Event& event : entity.events) events_[event.cause().trace_id()].push_back(&event);
    }
    // Once each, even where two services write to one entity.
    for (auto& [trace, of_trace] : events_) {
      std::ranges::sort(of_trace, {}, &Event::position);
      const auto again = std::ranges::unique(of_trace, {}, &Event::position);
      of_trace.erase(again.begin(), again.end());
    }
    UseOneService();
  }

  RecordedTest Make(RecordedCases cases) {
    if (cases == RecordedCases::kOne) {
      AddCase("what was recorded", traces_);
      return std::move(result_);
    }
    std::map<EntityName, std::vector<const CommandTrace*>> by_entity;
    for (const CommandTrace* trace : traces_) by_entity[{trace->service(), trace->entity_id()}].push_back(trace);
    for (const auto& [entity, of_entity] : by_entity) {
      const std::string service = Shortened(entity.first);
      AddCase(entity.second.empty() ? service : absl::StrCat(service, " ", entity.second), of_entity);
    }
    return std::move(result_);
  }

 private:
  // Names are short where all is of one service.
  void UseOneService() {
    std::set<std::string> services;
    for (const CommandTrace* trace : traces_) services.insert(trace->service());
    if (services.size() == 1) result_.file.set_service(Shortened(*services.begin()));
  }

  void AddCase(const std::string& name, const std::vector<const CommandTrace*>& traces) {
    TestCase made;
    made.set_name(name);
    for (const CommandTrace* trace : traces) {
      std::optional<TestStep> step = StepOf(*trace);
      if (!step.has_value()) continue;
      ++result_.calls;
      *made.add_when() = *std::move(step);
      NoteEntities(*trace);
    }
    for (const auto& [entity, since] : reached_) Give(entity, since, made);
    reached_.clear();
    if (!made.when().empty()) *result_.file.add_cases() = std::move(made);
  }

  // ---- steps

  std::optional<TestStep> StepOf(const CommandTrace& trace) {
    const auto method = types_.FindMethod(absl::StrCat(trace.service(), ".", trace.method()), "");
    if (!method.ok()) return LeaveOut(trace, "the user function has no such method any more");
    if (IsClients(trace.code())) return LeaveOut(trace, "its client ended it, or ran out of time, before its answer");
    if (trace.code() != 0 && method->method->server_streaming()) return LeaveOut(trace, "it is a stream that failed");
    if (trace.dropped_steps() > 0) return LeaveOut(trace, "it has more steps than a trace keeps");
    TestStep step;
    step.set_call(MethodName(trace.service(), trace.method()));
    if (!AddInput(trace, *method->method, step)) return LeaveOut(trace, "its input is not in its trace");
    if (!AddOutcome(trace, *method->method, step)) return LeaveOut(trace, "its stream is longer than a trace keeps");
    for (const Event* event : EventsOf(trace)) *step.add_events() = Typed(event->payload());
    for (int i = 0; i < trace.caused_size(); ++i) AddCaused(trace, i, step);
    return step;
  }

  std::optional<TestStep> LeaveOut(const CommandTrace& trace, const std::string& reason) {
    result_.left_out.push_back(absl::StrCat(LastPart(trace.service()), ".", trace.method(), " (trace ",
                                            trace.trace_id(), ") is left out: ", reason, "."));
    return std::nullopt;
  }

  bool AddInput(const CommandTrace& trace, const dev::v1::Method& method, TestStep& step) const {
    std::vector<const Payload*> sent = PayloadsOf(trace, "sent", 0);
    if (method.client_streaming()) {
      for (const Payload* each : sent) *step.add_inputs() = Meaning(*each);
      return EndsAfter(trace, "sent", sent.size());
    }
    // Too large for the trace, but a cause is kept whole.
    for (const Event* event : EventsOf(trace)) {
      const dev::v1::Cause& cause = event->cause();
      if (cause.service() == trace.service() && cause.method() == trace.method()) sent.push_back(&cause.command());
    }
    if (sent.empty()) return false;
    *step.mutable_input() = Meaning(*sent.front());
    return true;
  }

  bool AddOutcome(const CommandTrace& trace, const dev::v1::Method& method, TestStep& step) const {
    const std::vector<const Payload*> replies = PayloadsOf(trace, "answered", 0);
    if (trace.code() != 0) {
      step.mutable_error()->set_code(base::CodeName(trace.code()));
      *step.mutable_error()->mutable_message() = TextValue(Escaped(trace.message()));
      return true;
    }
    if (!method.server_streaming()) {
      if (!replies.empty()) *step.mutable_reply() = Expecting(Meaning(*replies.front()));
      return true;
    }
    for (const Payload* each : replies) *step.add_replies() = Expecting(Meaning(*each));
    return EndsAfter(trace, "answered", replies.size());
  }

  void AddCaused(const CommandTrace& trace, int index, TestStep& step) const {
    const CausedCommand& caused = trace.caused(index);
    const bool forward = caused.origin() == CausedCommand::FORWARD;
    if (forward && step.has_forward()) return;
    dev::v1::ExpectedCommand& expected = forward ? *step.mutable_forward() : *step.add_effects();
    expected.set_call(MethodName(caused.service(), caused.method()));
    const std::vector<const Payload*> payloads = PayloadsOf(trace, forward ? "forwarded" : "effect", index + 1);
    if (!payloads.empty()) *expected.mutable_input() = Expecting(Meaning(*payloads.front()));
  }

  // ---- what is given

  void NoteEntities(const CommandTrace& trace) {
    const absl::Time start = StartOf(trace);
    reached_.try_emplace({trace.service(), trace.entity_id()}, start);
    for (const CausedCommand& each : trace.caused()) reached_.try_emplace({each.service(), each.entity_id()}, start);
  }

  // What was stored before `since`.
  void Give(const EntityName& name, absl::Time since, TestCase& made) {
    const auto entity = entities_.find(name);
    if (entity == entities_.end()) return;
    std::vector<const Event*> before;
    for (const Event& event : entity->second->events) {
      if (base::FromTimestamp(event.time()) < since) before.push_back(&event);
    }
    const bool value = IsValueEntity(name.first);
    if (before.empty() || (value && IsDeletion(TypeName(before.back()->payload().type_url())))) return;
    dev::v1::GivenEntity& given = *made.add_given();
    given.set_entity(name.second);
    if (Shortened(name.first) != result_.file.service()) given.set_service(Shortened(name.first));
    if (value) {
      *given.mutable_value() = Typed(before.back()->payload(), Escaping::kNo);
      return;
    }
    for (const Event* event : before) *given.add_events() = Typed(event->payload(), Escaping::kNo);
  }

  bool IsValueEntity(const std::string& service) const {
    const auto found = types_.FindService(service);
    return found.ok() && userfunction::KindOf((*found)->entity_type()) == userfunction::EntityKind::kValueEntity;
  }

  // ---- names and values

  std::vector<const Event*> EventsOf(const CommandTrace& trace) const {
    const auto found = events_.find(trace.trace_id());
    return found == events_.end() ? std::vector<const Event*>() : found->second;
  }

  // Of a service, where that is enough.
  std::string Shortened(const std::string& service) const {
    const std::string last = LastPart(service);
    const auto found = types_.FindService(last);
    return found.ok() && (*found)->name() == service ? last : service;
  }

  std::string MethodName(const std::string& service, const std::string& method) const {
    return Shortened(service) == result_.file.service() ? method : absl::StrCat(Shortened(service), ".", method);
  }

  // Messages by the last part of their names where that is enough; what is no message by its whole type URL.
  std::string NameOfType(const std::string& type_url) const {
    const std::string full = TypeName(type_url);
    if (!absl::StartsWith(type_url, "type.googleapis.com/")) return type_url;
    if (IsDeletion(full)) return LastPart(full);
    const auto found = types_.FindType(LastPart(full));
    return found.ok() && *found != nullptr && (*found)->full_name() == full ? LastPart(full) : full;
  }

  // Bytes that nobody could tell the meaning of stay what the emulator made of them.
  Json Meaning(const Payload& payload) const { return types_.Decode(payload).brief; }

  enum class Escaping { kYes, kNo };
  Json Typed(const Payload& payload, Escaping escaping = Escaping::kYes) const {
    Json result;
    const Json value = Meaning(payload);
    (*result.mutable_struct_value()->mutable_fields())[NameOfType(payload.type_url())] =
        escaping == Escaping::kYes ? Expecting(value) : value;
    return result;
  }

  const KnownTypes& types_;
  std::vector<const CommandTrace*> traces_;
  std::map<EntityName, const RecordedEntity*> entities_;
  std::map<std::string, std::vector<const Event*>> events_;  // by trace
  std::map<EntityName, absl::Time> reached_;                 // when the case's first call began that got there
  RecordedTest result_;
};

}  // namespace

RecordedTest MakeRecordedTest(const std::vector<CommandTrace>& traces, const std::vector<RecordedEntity>& entities,
                              const KnownTypes& types, RecordedCases cases) {
  return TestRecorder(traces, entities, types).Make(cases);
}

}  // namespace cloudstate::testing
