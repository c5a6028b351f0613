#include "emulator/testing/outcome_check.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/json_members.h"
#include "emulator/base/printable.h"
#include "emulator/base/proto_time.h"
#include "emulator/base/status_codes.h"
#include "emulator/testing/field_check.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

using dev::v1::CausedCommand;
using dev::v1::TestStep;
using Failed = std::optional<CaseFailure>;

// The first of the checks that does not hold.
Failed FirstOf(const std::vector<std::function<Failed()>>& checks) {
  for (const auto& check : checks) {
    if (Failed failed = check()) return failed;
  }
  return std::nullopt;
}

// "command 2" in a trace is caused[1].
std::vector<int> CausedBy(const CallOutcome& outcome, CausedCommand::Origin origin) {
  std::vector<int> commands;
  if (!outcome.trace.has_value()) return commands;
  for (int i = 0; i < outcome.trace->caused_size(); ++i) {
    if (outcome.trace->caused(i).origin() == origin) commands.push_back(i + 1);
  }
  return commands;
}

std::string CommandName(const CausedCommand& command) { return absl::StrCat(command.service(), ".", command.method()); }

// What a command carried: its first step that shows it.
const dev::v1::Payload* PayloadOf(const dev::v1::CommandTrace& trace, int command) {
  for (const dev::v1::Step& step : trace.steps()) {
    if (step.command() == command && step.has_payload() && step.kind() != "answered") return &step.payload();
  }
  return nullptr;
}

std::string Shortened(const std::string& text) {
  constexpr std::size_t kMostBytes = 600;
  if (text.size() <= kMostBytes) return text;
  return std::string(base::Beginning(text, kMostBytes)) + "…";
}

}  // namespace

CaseFailure OutcomeCheck::Failure(const google::protobuf::Message& message, int field,
                                  const std::string& problem) const {
  return CaseFailure{.place = places_.Text(places_.Of(message, field)), .problem = problem};
}

CaseFailure OutcomeCheck::Told(const Comparison& comparison, const Json& came) const {
  constexpr std::size_t kFewProblems = 3;
  std::string problem;
  for (std::size_t i = 0; i < comparison.mismatches.size() && i < kFewProblems; ++i) {
    absl::StrAppend(&problem, i == 0 ? "" : "\n", comparison.mismatches[i].problem);
  }
  if (comparison.mismatches.size() > kFewProblems) {
    absl::StrAppend(&problem, "\nand ", comparison.mismatches.size() - kFewProblems, " more");
  }
  return CaseFailure{.place = places_.Text(places_.Of(*comparison.mismatches.front().expected)),
                     .problem = problem,
                     .difference = DifferenceLines(comparison, came)};
}

Failed OutcomeCheck::Value(const Json& expected, const Actual& came, const std::string& path) const {
  const Comparison comparison = Compare(expected, came, path);
  if (comparison.equal()) return std::nullopt;
  return Told(comparison, came.brief);
}

Failed OutcomeCheck::Values(const google::protobuf::Message& owner, int field,
                            const google::protobuf::RepeatedPtrField<Json>& expected, const std::vector<Actual>& came,
                            const std::string& path) const {
  if (!IsLookedAt(owner, field, !expected.empty())) return std::nullopt;
  for (int i = 0; i < expected.size() && i < static_cast<int>(came.size()); ++i) {
    const Actual& each = came[static_cast<std::size_t>(i)];
    if (Failed failed = Value(expected[i], each, absl::StrCat(path, "[", i, "]"))) return failed;
  }
  if (expected.size() == static_cast<int>(came.size())) return std::nullopt;
  Json wanted;
  wanted.mutable_list_value();
  for (const Json& each : expected) *wanted.mutable_list_value()->add_values() = each;
  const Actual all = ActualList(came);
  const Comparison comparison = Compare(wanted, all, path);
  CaseFailure failure = Failure(owner, field, comparison.mismatches.front().problem);
  failure.difference = DifferenceLines(comparison, all.brief);
  return failure;
}

Failed OutcomeCheck::Payload(const Json& expected, const dev::v1::Payload& came, const std::string& path) const {
  const TypedActual actual = Typed(came);
  const Comparison comparison = CompareTyped(expected, actual, path);
  if (comparison.equal()) return std::nullopt;
  return Told(comparison, ShownTyped(actual));
}

Failed OutcomeCheck::Payloads(const google::protobuf::Message& owner, int field,
                              const google::protobuf::RepeatedPtrField<Json>& expected,
                              const std::vector<dev::v1::Payload>& came, const std::string& path) const {
  if (!IsLookedAt(owner, field, !expected.empty())) return std::nullopt;
  Comparison all;
  Json shown_came;
  auto& shown_expected = *all.shown.mutable_list_value();
  shown_came.mutable_list_value();
  const int size = static_cast<int>(came.size());
  for (int i = 0; i < std::max(size, expected.size()); ++i) {
    if (i >= size) {
      *shown_expected.add_values() = ShownExpected(expected[i]);
      continue;
    }
    const TypedActual actual = Typed(came[static_cast<std::size_t>(i)]);
    *shown_came.mutable_list_value()->add_values() = ShownTyped(actual);
    if (i >= expected.size()) continue;
    Comparison each = CompareTyped(expected[i], actual, absl::StrCat(path, "[", i, "]"));
    *shown_expected.add_values() = std::move(each.shown);
    std::move(each.mismatches.begin(), each.mismatches.end(), std::back_inserter(all.mismatches));
  }
  if (size == expected.size() && all.equal()) return std::nullopt;
  if (size == expected.size()) return Told(all, shown_came);
  const std::string count =
      absl::StrCat(path, " has ", size, size == 1 ? " element" : " elements", ", not ", expected.size());
  CaseFailure failure = Failure(owner, field, count);
  failure.difference = DifferenceLines(all, shown_came);
  if (!all.equal()) {
    failure = Told(all, shown_came);
    failure.problem = absl::StrCat(count, "\n", failure.problem);
  }
  return failure;
}

TypedActual OutcomeCheck::Typed(const dev::v1::Payload& payload) const {
  return {.type = TypeName(payload.type_url()), .message = types_.Decode(payload)};
}

Failed OutcomeCheck::Step(const TestStep& step, const CallOutcome& outcome) const {
  std::vector<dev::v1::Payload> events;
  for (const dev::v1::Event& event : outcome.events) events.push_back(event.payload());
  return FirstOf({[&] { return outcome.status == 0 ? Ended(step, outcome) : HttpEnded(step, outcome); },
                  [&] { return Replies(step, outcome); }, [&] { return Headers(step, outcome); },
                  [&] { return Payloads(step, TestStep::kEventsFieldNumber, step.events(), events, "events"); },
                  [&] { return Effects(step, outcome); }, [&] { return Forward(step, outcome); },
                  [&]() -> Failed {
                    const absl::Duration within = base::FromDuration(step.within());
                    if (!step.has_within() || outcome.took <= within) return std::nullopt;
                    return Failure(step, TestStep::kWithinFieldNumber,
                                   absl::StrCat(outcome.call, " took ", absl::FormatDuration(outcome.took),
                                                ", not at most ", absl::FormatDuration(within)));
                  }});
}

Failed OutcomeCheck::Ended(const TestStep& step, const CallOutcome& outcome) const {
  const std::string came =
      absl::StrCat(base::CodeName(outcome.code), outcome.message.empty() ? "" : ": ", outcome.message);
  if (!step.has_error()) {
    if (outcome.code == 0) return std::nullopt;
    return Failure(step, TestStep::kCallFieldNumber, absl::StrCat(outcome.call, " failed with ", came));
  }
  const dev::v1::ExpectedError& error = step.error();
  if (outcome.code == 0) {
    return Failure(step, TestStep::kErrorFieldNumber, absl::StrCat(outcome.call, " did not fail"));
  }
  const std::optional<int> code = base::CodeOf(error.code());
  if (code.has_value() && *code != outcome.code) {
    return Failure(step, TestStep::kErrorFieldNumber,
                   absl::StrCat(outcome.call, " failed with ", came, ", not with ", base::CodeName(*code)));
  }
  if (!error.has_message()) return std::nullopt;
  return Value(error.message(), ActualOf(TextValue(outcome.message)), "error.message");
}

Failed OutcomeCheck::HttpEnded(const TestStep& step, const CallOutcome& outcome) const {
  constexpr int kHttpOk = 200;
  const int expected = step.status() == 0 ? kHttpOk : step.status();
  if (outcome.status == expected) return std::nullopt;
  const int field = step.status() == 0 ? TestStep::kHttpFieldNumber : TestStep::kStatusFieldNumber;
  std::string problem = absl::StrCat(outcome.call, " was answered with status ", outcome.status, ", not ", expected);
  if (!outcome.replies.empty()) {
    const Json& body = outcome.replies.front().full;
    absl::StrAppend(&problem, "\n", Shortened(body.has_string_value() ? body.string_value() : JsonText(body)));
  }
  return Failure(step, field, problem);
}

// What came by HTTP is JSON alone: the trace of the call knows its type, and so which fields there are.
Failed OutcomeCheck::RecognizeReplies(const TestStep& step, const CallOutcome& outcome,
                                      std::vector<Actual>& replies) const {
  replies = outcome.replies;
  if (outcome.status == 0 || !outcome.trace.has_value() || replies.empty()) return std::nullopt;
  const auto method = types_.FindMethod(absl::StrCat(outcome.trace->service(), ".", outcome.trace->method()), "");
  if (!method.ok()) return std::nullopt;
  const std::string& type = method->method->output_type();
  for (Actual& each : replies) {
    std::optional<Actual> message = types_.Recognized(each, type);
    if (!message.has_value()) return std::nullopt;  // a problem, or what the route makes of the message
    each = *std::move(message);
  }
  std::vector<const Json*> expected;
  if (step.has_reply()) expected.push_back(&step.reply());
  for (const Json& each : step.replies()) expected.push_back(&each);
  for (const Json* each : expected) {
    const auto problem = FindFieldProblem(*each, *types_.TypeOf(type));
    if (problem) return CaseFailure{.place = places_.Text(places_.Of(*problem->at)), .problem = problem->text};
  }
  return std::nullopt;
}

Failed OutcomeCheck::Replies(const TestStep& step, const CallOutcome& outcome) const {
  std::vector<Actual> came;
  if (Failed failed = RecognizeReplies(step, outcome, came)) return failed;
  if (step.has_reply()) {
    if (came.size() == 1) return Value(step.reply(), came.front(), "reply");
    if (came.empty() && outcome.status != 0) return Value(step.reply(), ActualOf(Json()), "reply");
    return Failure(step, TestStep::kReplyFieldNumber,
                   absl::StrCat(outcome.call, " gave ", came.size(), " replies, not one"));
  }
  return Values(step, TestStep::kRepliesFieldNumber, step.replies(), came, "replies");
}

Failed OutcomeCheck::Headers(const TestStep& step, const CallOutcome& outcome) const {
  for (const auto& [name, expected] : base::MembersByName(step.response_headers())) {
    const auto found = outcome.headers.find(absl::AsciiStrToLower(name));
    const std::string path = absl::StrCat("response_headers.", name);
    const bool there = found != outcome.headers.end();
    if (there && IsTextMatcher(*expected, kAny)) continue;
    if (!there && IsTextMatcher(*expected, kAbsent)) continue;
    if (!there) {
      return CaseFailure{.place = places_.Text(places_.Of(*expected)), .problem = absl::StrCat(path, " is not there")};
    }
    const Json text = TextValue(found->second);
    if (Failed failed = Value(*expected, {.full = text, .brief = text}, path)) return failed;
  }
  return std::nullopt;
}

Failed OutcomeCheck::Effects(const TestStep& step, const CallOutcome& outcome) const {
  if (!IsLookedAt(step, TestStep::kEffectsFieldNumber, !step.effects().empty())) return std::nullopt;
  const std::vector<int> commands = CausedBy(outcome, CausedCommand::SIDE_EFFECT);
  for (std::size_t i = 0; i < commands.size() && static_cast<int>(i) < step.effects_size(); ++i) {
    const std::string path = absl::StrCat("effects[", i, "]");
    if (Failed failed = Command(step.effects(static_cast<int>(i)), outcome, commands[i], path)) return failed;
  }
  if (static_cast<int>(commands.size()) == step.effects_size()) return std::nullopt;
  std::vector<std::string> names;
  for (const int command : commands) names.push_back(CommandName(outcome.trace->caused(command - 1)));
  return Failure(step, TestStep::kEffectsFieldNumber,
                 absl::StrCat("there are ", commands.size(), " effects, not ", step.effects_size(),
                              names.empty() ? "" : ": ", absl::StrJoin(names, ", ")));
}

Failed OutcomeCheck::Forward(const TestStep& step, const CallOutcome& outcome) const {
  if (!step.has_forward()) return std::nullopt;
  const std::vector<int> commands = CausedBy(outcome, CausedCommand::FORWARD);
  if (commands.empty()) {
    return Failure(step, TestStep::kForwardFieldNumber, absl::StrCat(outcome.call, " was not forwarded"));
  }
  return Command(step.forward(), outcome, commands.front(), "forward");
}

Failed OutcomeCheck::Command(const dev::v1::ExpectedCommand& expected, const CallOutcome& outcome, int command,
                             const std::string& path) const {
  const CausedCommand& caused = outcome.trace->caused(command - 1);
  const auto method = types_.FindMethod(expected.call(), file_.service());
  if (!method.ok() || method->FullName() != CommandName(caused)) {
    return Failure(expected, dev::v1::ExpectedCommand::kCallFieldNumber,
                   absl::StrCat(path, ".call is ", CommandName(caused), ", not ", expected.call()));
  }
  if (!expected.has_input()) return std::nullopt;
  const dev::v1::Payload* payload = PayloadOf(*outcome.trace, command);
  if (payload == nullptr) {
    return Failure(expected, dev::v1::ExpectedCommand::kInputFieldNumber,
                   absl::StrCat(path, ".input is too large for a trace: leave it out"));
  }
  return Value(expected.input(), types_.Decode(*payload), path + ".input");
}

}  // namespace cloudstate::testing
