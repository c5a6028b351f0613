#include "cmd/cloudstate-dev/played_case.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/call_tree.h"
#include "cmd/cloudstate-dev/test_checks.h"
#include "emulator/base/proto_time.h"
#include "emulator/testing/file_check.h"

namespace cloudstate::cli {
namespace {

using dev::v1::TestStep;
using testing::CaseFailure;
using TestingStub = dev::v1::Testing::Stub;

constexpr int kHttpRefused = 400;  // and above
constexpr absl::Duration kLookingTakes = absl::Seconds(1);

std::vector<std::string> StepsOf(const dev::v1::CommandTrace& trace) {
  return absl::StrSplit(FormatCallTree(trace, Terminal{}), '\n', absl::SkipEmpty());
}

}  // namespace

PlayedCase::Failed PlayedCase::Play(testing::Covered& covered) {
  Failed failed = Begin();
  for (const auto* steps : {&file_.before(), &case_.when()}) {
    for (const TestStep& step : *steps) {
      if (!failed) failed = Step(step);
    }
  }
  LetLook();
  if (!failed) failed = EndChecks(emulator_, types_, file_, places_).Check(case_);
  LetLook();
  if (emulator_.LookAgain().ok()) Cover();
  covered = std::move(covered_);
  return failed;
}

PlayedCase::Failed PlayedCase::Give() {
  for (const dev::v1::GivenEntity& given : case_.given()) {
    dev::v1::SeedRequest request;
    absl::Status status = AddGiven(given, request);
    if (status.ok()) status = emulator_.Call(&TestingStub::Seed, request).status();
    if (!status.ok()) return FailedAt(given, 0, status);
  }
  return std::nullopt;
}

PlayedCase::Failed PlayedCase::PlayAlone(const TestStep& step) {
  Failed failed = FailedAt(case_, 0, emulator_.BeginToWatch());
  return failed ? failed : Step(step);
}

void PlayedCase::LetLook() { emulator_.SetDeadline(std::max(deadline_, absl::Now() + kLookingTakes)); }

bool PlayedCase::RanOut(const absl::Status& status) const {
  constexpr absl::Duration kTimersDiffer = absl::Milliseconds(10);
  return absl::IsDeadlineExceeded(status) && absl::Now() + kTimersDiffer >= deadline_;
}

PlayedCase::Failed PlayedCase::FailedAt(const google::protobuf::Message& message, int field,
                                        const absl::Status& status) const {
  if (status.ok()) return std::nullopt;
  return check_.Failure(message, field, std::string(status.message()));
}

// ---- before

PlayedCase::Failed PlayedCase::Begin() {
  const absl::Status status = emulator_.Call(&TestingStub::Reset, dev::v1::ResetRequest()).status();
  if (!status.ok()) {
    return check_.Failure(case_, 0, absl::StrCat("The emulator can't begin anew: ", status.message()));
  }
  if (Failed failed = Give()) return failed;
  return FailedAt(case_, 0, emulator_.BeginToWatch());
}

absl::Status PlayedCase::AddGiven(const dev::v1::GivenEntity& given, dev::v1::SeedRequest& request) {
  const auto service = types_.FindEntityService(given.service(), file_.service());
  if (!service.ok()) return service.status();
  dev::v1::SeededEntity& entity = *request.add_entities();
  entity.set_service((*service)->name());
  entity.set_entity_id(given.entity());
  for (const testing::Json& event : given.events()) {
    if (absl::Status status = SetSeeded(event, *entity.add_events()); !status.ok()) return status;
  }
  if (given.has_value()) {
    if (absl::Status status = SetSeeded(given.value(), *entity.add_events()); !status.ok()) return status;
  }
  return given.has_snapshot() ? SetSeeded(given.snapshot(), *entity.mutable_snapshot()) : absl::OkStatus();
}

absl::Status PlayedCase::SetSeeded(const testing::Json& value, dev::v1::SeededMessage& seeded) {
  const auto typed = testing::ReadTypedMessage(value, places_);
  if (!typed.ok()) return typed.status();
  const auto type = types_.FindType(typed->type);
  if (!type.ok()) return type.status();
  seeded.set_type(*type == nullptr ? typed->type : (*type)->full_name());
  const bool empty = typed->message->has_null_value() || typed->message->kind_case() == testing::Json::KIND_NOT_SET;
  seeded.set_json(empty ? "" : testing::JsonText(*typed->message));
  covered_.given_events.insert(seeded.type());
  return absl::OkStatus();
}

// ---- steps

PlayedCase::Failed PlayedCase::Step(const TestStep& step) {
  emulator_.SetDeadline(deadline_);
  switch (step.kind_case()) {
    case TestStep::kCall:
    case TestStep::kHttp:
      return CallStep(step);
    case TestStep::kEvict:
      return FailedAt(step, TestStep::kEvictFieldNumber, Evict(step.evict()));
    case TestStep::kAdvance: {
      dev::v1::AdvanceTimeRequest request;
      *request.mutable_by() = step.advance();
      return Done(step, &TestingStub::AdvanceTime, request);
    }
    case TestStep::kWait:
      return Done(step, &TestingStub::Wait, step.wait());
    case TestStep::kFault: {
      dev::v1::InjectFaultRequest request;
      *request.mutable_fault() = step.fault();
      return Done(step, &TestingStub::InjectFault, request);
    }
    case TestStep::kClearFaults:
      return Done(step, &TestingStub::ClearFaults, step.clear_faults());
    case TestStep::kSteer:
      return Done(step, &dev::v1::Cluster::Stub::Steer, step.steer());
    case TestStep::kSaveState: {
      dev::v1::SaveStateRequest request;
      request.set_name(step.save_state());
      return Done(step, &TestingStub::SaveState, request);
    }
    case TestStep::kRestoreState: {
      dev::v1::RestoreStateRequest request;
      request.set_name(step.restore_state());
      // What came before is no longer there then, and marks of before mean nothing.
      if (Failed failed = FailedAt(step, 0, emulator_.LookAgain())) return failed;
      Cover();
      Failed failed = Done(step, &TestingStub::RestoreState, request);
      return failed ? failed : FailedAt(step, 0, emulator_.BeginToWatch());
    }
    case TestStep::KIND_NOT_SET:
      break;
  }
  return check_.Failure(step, 0, "this step does nothing");
}

template <class Method, class Request>
PlayedCase::Failed PlayedCase::Done(const TestStep& step, Method method, const Request& request) {
  const absl::Time start = absl::Now();
  const absl::Status status = emulator_.Call(method, request).status();
  if (!RanOut(status)) return FailedAt(step, 0, status);
  return check_.Failure(step, 0, absl::StrCat("this was not done within ", FormatShortDuration(absl::Now() - start)));
}

absl::Status PlayedCase::Evict(const std::string& text) {
  const testing::NamedEntity named = testing::ReadNamedEntity(text);
  const auto service = types_.FindEntityService(named.service, file_.service());
  if (!service.ok()) return service.status();
  dev::v1::EvictRequest request;
  request.set_service((*service)->name());
  request.set_entity_id(named.entity);
  return emulator_.Call(&TestingStub::Evict, request).status();
}

PlayedCase::Failed PlayedCase::CallStep(const TestStep& step) {
  const int field = step.kind_case() == TestStep::kCall ? TestStep::kCallFieldNumber : TestStep::kHttpFieldNumber;
  // What came late of the steps before is not this one's.
  if (Failed failed = FailedAt(step, field, emulator_.LookAgain())) return failed;
  const std::size_t before = emulator_.commands().size();
  const std::size_t events_before = emulator_.events().size();
  const absl::Time start = absl::Now();
  absl::StatusOr<testing::CallOutcome> outcome = caller_.Call(file_, step, deadline_);
  LetLook();
  const absl::Status ended =
      outcome.ok() ? absl::Status(static_cast<absl::StatusCode>(outcome->code), "") : outcome.status();
  if (RanOut(ended)) return Late(step, field, before, absl::Now() - start);
  if (!outcome.ok()) return FailedAt(step, field, outcome.status());
  if (absl::Status status = LookFor(step, before, events_before, *outcome); !status.ok()) {
    return FailedAt(step, field, status);
  }
  Failed failed = check_.Step(step, *outcome);
  if (failed && outcome->trace.has_value()) failed->steps = StepsOf(*outcome->trace);
  return failed;
}

PlayedCase::Failed PlayedCase::Late(const TestStep& step, int field, std::size_t before, absl::Duration took) {
  const bool http = step.kind_case() == TestStep::kHttp;
  const auto method = types_.FindMethod(step.call(), file_.service());
  const std::string call = http || !method.ok() ? step.http() : method->FullName();
  CaseFailure failure =
      check_.Failure(step, field, absl::StrCat(call, " was not answered within ", FormatShortDuration(took)));
  // The emulator has the trace once it has an answer, or has given up waiting for one.
  const absl::Status rest = emulator_.AwaitRest(TestEmulator::Rest::kIdle, kLookingTakes / 2);
  if (emulator_.LookAgain().ok() && emulator_.commands().size() > before) {
    failure.steps = StepsOf(emulator_.commands().back());
  } else if (!rest.ok()) {
    absl::StrAppend(&failure.problem, "\n", rest.message());
  }
  return failure;
}

absl::Status PlayedCase::LookFor(const TestStep& step, std::size_t before, std::size_t events_before,
                                 testing::CallOutcome& outcome) {
  const bool all = LooksAtAll(step);
  // What it has set off may still be under way, such as effects that nobody waits for: its trace comes at their end.
  const absl::Status rest = all ? emulator_.AwaitRest(TestEmulator::Rest::kIdle) : absl::OkStatus();
  LetLook();
  if (absl::Status status = emulator_.LookAgain(); !status.ok()) return status;
  const dev::v1::CommandTrace* trace = FindTrace(before, outcome);
  if (trace == nullptr && all && !rest.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is not known what ", outcome.call,
                     " has led to, for it is still under way: ", std::string(rest.message())));
  }
  const bool refused = outcome.code != 0 || outcome.status >= kHttpRefused;
  if (trace == nullptr && all && !refused) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is not known what ", outcome.call, " has led to, for its trace was not kept"));
  }
  if (trace != nullptr) outcome.trace = *trace;
  for (std::size_t i = events_before; i < emulator_.events().size(); ++i) {
    const dev::v1::Event& event = emulator_.events()[i];
    if (trace == nullptr || event.cause().trace_id() == trace->trace_id()) outcome.events.push_back(event);
  }
  return absl::OkStatus();
}

bool PlayedCase::LooksAtAll(const TestStep& step) const {
  return !step.events().empty() || !step.effects().empty() || step.has_forward() ||
         places_.IsGiven(step, TestStep::kEventsFieldNumber) || places_.IsGiven(step, TestStep::kEffectsFieldNumber);
}

const dev::v1::CommandTrace* PlayedCase::FindTrace(std::size_t before, const testing::CallOutcome& outcome) const {
  const auto header = outcome.headers.find("x-cloudstate-trace");
  const dev::v1::CommandTrace* last = nullptr;
  for (std::size_t i = before; i < emulator_.commands().size(); ++i) {
    const dev::v1::CommandTrace& each = emulator_.commands()[i];
    const bool found = header != outcome.headers.end()
                           ? each.trace_id() == header->second
                           : absl::StrCat(each.service(), ".", each.method()) == outcome.call;
    if (!found) continue;
    if (last == nullptr || base::FromTimestamp(last->started()) < base::FromTimestamp(each.started())) last = &each;
  }
  return last;
}

// ---- what it has reached

void PlayedCase::Cover() {
  for (const dev::v1::CommandTrace& each : emulator_.commands()) {
    covered_.methods.insert(absl::StrCat(each.service(), ".", each.method()));
    for (const dev::v1::CausedCommand& caused : each.caused()) {
      covered_.methods.insert(absl::StrCat(caused.service(), ".", caused.method()));
    }
  }
  for (const dev::v1::Event& each : emulator_.events()) {
    covered_.stored_events.insert(testing::TypeName(each.payload().type_url()));
  }
}

}  // namespace cloudstate::cli
