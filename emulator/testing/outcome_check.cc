#include "emulator/testing/outcome_check.h"

#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/proto_time.h"
#include "emulator/testing/comparison.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/matchers.h"
#include "emulator/testing/status_codes.h"

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

// An event's type as the file writes it, where it means that type.
std::string NameFor(const Json& expected, const std::string& type_name) {
  for (const Json* each : Alternatives(expected)) {
    if (each->has_struct_value() && each->struct_value().fields().size() == 1) {
      const std::string& written = each->struct_value().fields().begin()->first;
      if (MeansName(written, type_name)) return written;
    }
    if (each->has_string_value() && MeansName(each->string_value(), type_name)) return each->string_value();
  }
  return LastPart(type_name);
}

// "ItemAdded" alone means {ItemAdded: {}}.
bool IsTypeAlone(const Json& expected) { return expected.has_string_value() && !IsTextMatcher(expected, kAny); }

// The same with a message for each type that stands alone, also as an alternative.
Json WithMessages(const Json& expected) {
  Json result = expected;
  if (IsTypeAlone(expected)) {
    (*result.mutable_struct_value()->mutable_fields())[expected.string_value()].mutable_struct_value();
  } else if (IsMappedMatchers(expected)) {
    for (auto& [name, argument] : *result.mutable_struct_value()->mutable_fields()) {
      if (name != kOneOf) continue;
      for (Json& each : *argument.mutable_list_value()->mutable_values()) each = WithMessages(each);
    }
  }
  return result;
}

}  // namespace

CaseFailure OutcomeCheck::Failure(const google::protobuf::Message& message, int field,
                                  const std::string& problem) const {
  return CaseFailure{.place = places_.Text(places_.Of(message, field)), .problem = problem};
}

Failed OutcomeCheck::Value(const Json& expected, const Actual& came, const std::string& path) const {
  const Comparison comparison = Compare(expected, came, path);
  if (comparison.equal()) return std::nullopt;
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
                     .difference = DifferenceLines(comparison, came.brief)};
}

Failed OutcomeCheck::Payloads(const google::protobuf::Message& owner, int field,
                              const google::protobuf::RepeatedPtrField<Json>& expected,
                              const std::vector<dev::v1::Payload>& came, const std::string& path) const {
  if (!IsLookedAt(owner, field, !expected.empty())) return std::nullopt;
  Json wanted;
  wanted.mutable_list_value();
  for (const Json& each : expected) *wanted.mutable_list_value()->add_values() = WithMessages(each);
  std::vector<Actual> elements;
  for (const dev::v1::Payload& payload : came) {
    const int i = static_cast<int>(elements.size());
    const Json& mine = i < expected.size() ? expected[i] : Json::default_instance();
    AddMember(elements.emplace_back(), NameFor(mine, TypeName(payload.type_url())), types_.Decode(payload));
  }
  const Actual actual = ActualList(elements);
  const Comparison comparison = Compare(wanted, actual, path);
  if (comparison.equal()) return std::nullopt;
  // The file's own values, unlike those put together above, have places.
  for (int i = 0; i < expected.size() && i < static_cast<int>(came.size()); ++i) {
    const Actual& element = elements[static_cast<std::size_t>(i)];
    if (IsTypeAlone(expected[i]) || Compare(wanted.list_value().values(i), element, path).equal()) continue;
    if (Failed failed = Value(expected[i], element, absl::StrCat(path, "[", i, "]"))) {
      failed->difference = DifferenceLines(comparison, actual.brief);
      if (static_cast<int>(came.size()) != expected.size()) {
        failed->problem = absl::StrCat(comparison.mismatches.front().problem, "\n", failed->problem);
      }
      return failed;
    }
  }
  CaseFailure failure = Failure(owner, field, comparison.mismatches.front().problem);
  failure.difference = DifferenceLines(comparison, actual.brief);
  return failure;
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
  const std::string came = absl::StrCat(CodeText(outcome.code), outcome.message.empty() ? "" : ": ", outcome.message);
  if (!step.has_error()) {
    if (outcome.code == 0) return std::nullopt;
    return Failure(step, TestStep::kCallFieldNumber, absl::StrCat(outcome.call, " failed with ", came));
  }
  const dev::v1::ExpectedError& error = step.error();
  if (outcome.code == 0) {
    return Failure(step, TestStep::kErrorFieldNumber, absl::StrCat(outcome.call, " did not fail"));
  }
  const std::optional<int> code = CodeOf(error.code());
  if (code.has_value() && *code != outcome.code) {
    return Failure(step, TestStep::kErrorFieldNumber,
                   absl::StrCat(outcome.call, " failed with ", came, ", not with ", CodeText(*code)));
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
  if (!outcome.replies.empty()) absl::StrAppend(&problem, "\n", ShortJsonText(outcome.replies.front().full));
  return Failure(step, field, problem);
}

// What came by HTTP is JSON alone: the trace of the call knows its type.
std::vector<Actual> OutcomeCheck::RecognizedReplies(const CallOutcome& outcome) const {
  if (outcome.status == 0 || !outcome.trace.has_value()) return outcome.replies;
  const std::string name = absl::StrCat(outcome.trace->service(), ".", outcome.trace->method());
  const auto method = types_.FindMethod(name, "");
  if (!method.ok()) return outcome.replies;
  std::vector<Actual> replies;
  for (const Actual& each : outcome.replies) {
    replies.push_back(types_.Recognized(each, method->method->output_type()));
  }
  return replies;
}

Failed OutcomeCheck::Replies(const TestStep& step, const CallOutcome& outcome) const {
  const std::vector<Actual> came = RecognizedReplies(outcome);
  if (step.has_reply()) {
    if (came.size() == 1) return Value(step.reply(), came.front(), "reply");
    if (outcome.replies.empty() && outcome.status != 0) return Value(step.reply(), ActualOf(Json()), "reply");
    return Failure(step, TestStep::kReplyFieldNumber,
                   absl::StrCat(outcome.call, " gave ", outcome.replies.size(), " replies, not one"));
  }
  if (!IsLookedAt(step, TestStep::kRepliesFieldNumber, !step.replies().empty())) return std::nullopt;
  const Actual all = ActualList(came);
  for (int i = 0; i < step.replies_size() && i < static_cast<int>(came.size()); ++i) {
    const Actual& each = came[static_cast<std::size_t>(i)];
    if (Failed failed = Value(step.replies(i), each, absl::StrCat("replies[", i, "]"))) return failed;
  }
  if (step.replies_size() == static_cast<int>(came.size())) return std::nullopt;
  Json wanted;
  wanted.mutable_list_value();
  for (const Json& each : step.replies()) *wanted.mutable_list_value()->add_values() = each;
  const Comparison comparison = Compare(wanted, all, "replies");
  CaseFailure failure = Failure(step, TestStep::kRepliesFieldNumber, comparison.mismatches.front().problem);
  failure.difference = DifferenceLines(comparison, all.brief);
  return failure;
}

Failed OutcomeCheck::Headers(const TestStep& step, const CallOutcome& outcome) const {
  for (const auto& [name, expected] : step.response_headers().struct_value().fields()) {
    const auto found = outcome.headers.find(absl::AsciiStrToLower(name));
    const std::string path = absl::StrCat("response_headers.", name);
    const bool there = found != outcome.headers.end();
    if (there && IsTextMatcher(expected, kAny)) continue;
    if (!there && IsTextMatcher(expected, kAbsent)) continue;
    if (!there) {
      return CaseFailure{.place = places_.Text(places_.Of(expected)), .problem = absl::StrCat(path, " is not there")};
    }
    const Json text = TextValue(found->second);
    if (Failed failed = Value(expected, {.full = text, .brief = text}, path)) return failed;
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
