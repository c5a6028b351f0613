#include "emulator/tck/driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cloudstate/action.pb.h"

namespace cloudstate::tck {
namespace {

using google::protobuf::Message;

std::shared_ptr<const Message> Copy(const Message& message) {
  std::shared_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  return copy;
}

std::string TextOf(const ExpectedPass& expected) {
  return absl::StrCat(DescribePassed({.call = expected.call, .what = expected.what}), "\n",
                      expected.message == nullptr ? "" : MessageText(*expected.message));
}

// An action gets its client's headers, and what a client sends by itself is its own affair.
void DropHeaders(Message& message) {
  if (message.GetDescriptor() != action::ActionCommand::descriptor()) return;
  static_cast<action::ActionCommand&>(message).clear_metadata();
}

std::string TextOf(const Passed& passed) {
  const auto message = ParsePassed(passed);
  if (message != nullptr) DropHeaders(*message);
  return absl::StrCat(DescribePassed(passed), "\n",
                      message != nullptr ? MessageText(*message) : absl::string_view(passed.message));
}

std::string LineOf(const Passed& passed) {
  const auto message = ParsePassed(passed);
  return absl::StrCat("wire ", DescribePassed(passed), message == nullptr ? "" : ": ",
                      message == nullptr ? "" : MessageLine(*message));
}

bool Same(const ExpectedPass& expected, const Passed& passed) {
  if (expected.call != passed.call || expected.what != passed.what) return false;
  if (expected.message == nullptr) return true;
  const auto message = ParsePassed(passed);
  if (message != nullptr) DropHeaders(*message);
  return message != nullptr && message->GetDescriptor() == expected.message->GetDescriptor() &&
         SameMessage(*expected.message, *message);
}

}  // namespace

ExpectedPass ToUserFunction(std::size_t call, const Message& message) {
  return {call, Passed::What::kToUserFunction, Copy(message)};
}
ExpectedPass ToProxy(std::size_t call, const Message& message) { return {call, Passed::What::kToProxy, Copy(message)}; }
ExpectedPass HalfClosed(std::size_t call) { return {call, Passed::What::kHalfClosed}; }
ExpectedPass Cancelled(std::size_t call) { return {call, Passed::What::kCancelled}; }
ExpectedPass Ended(std::size_t call) { return {call, Passed::What::kEnded}; }

Driver::Driver(const Surroundings& surroundings, Conversation& conversation)
    : surroundings_(surroundings),
      conversation_(conversation),
      user_function_("user function", surroundings.user_function, conversation) {
  if (surroundings_.stage == nullptr) return;
  surroundings_.stage->interceptor.StartAnew();
  client_ = std::make_unique<Peer>("emulator", surroundings_.stage->clients, conversation_);
}

void Driver::Finish() {
  conversation_.waiting.Until(absl::Now() + kQuiet, [] { return false; });
  user_function_.ExpectNothingLeft();
  if (client_ == nullptr) return;
  client_->ExpectNothingLeft();
  const std::vector<Passed> left = surroundings_.stage->interceptor.TakeLeftOver();
  if (!left.empty()) ThrowUnexpected(left);
}

std::string Driver::ActionMethod(std::string_view name) const {
  const char* service = surroundings_.dialect == userfunction::Dialect::k0_1 ? "/cloudstate.function.StatelessFunction/"
                                                                             : "/cloudstate.action.ActionProtocol/";
  return service + std::string(name);
}

Peer& Driver::client() { return *client_; }

void Driver::ExpectOnWire(const std::vector<ExpectedPass>& expected) {
  for (const ExpectedPass& each : expected) ExpectOneOf({each});
}

void Driver::ExpectOnWireInAnyOrder(std::vector<ExpectedPass> expected) {
  while (!expected.empty()) expected.erase(expected.begin() + ExpectOneOf(expected));
}

std::ptrdiff_t Driver::ExpectOneOf(const std::vector<ExpectedPass>& expected) {
  const std::vector<Passed> passed = surroundings_.stage->interceptor.Take(1, conversation_.deadline);
  if (passed.empty()) {
    throw CaseFailure{"Less passed between emulator and user function than was expected.",
                      CompareLines(TextOf(expected.front()), "(nothing)"), true};
  }
  conversation_.Note(LineOf(passed.front()));
  const auto found = std::find_if(expected.begin(), expected.end(),
                                  [&](const ExpectedPass& each) { return Same(each, passed.front()); });
  if (found != expected.end()) return found - expected.begin();
  throw CaseFailure{"Something else passed between emulator and user function than was expected.",
                    CompareLines(TextOf(expected.front()), TextOf(passed.front()))};
}

void Driver::ExpectQuietOnWire() {
  const std::vector<Passed> passed = surroundings_.stage->interceptor.Take(1, absl::Now() + kQuiet);
  if (!passed.empty()) ThrowUnexpected(passed);
}

// Notes all of them.
void Driver::ThrowUnexpected(const std::vector<Passed>& passed) {
  for (const Passed& each : passed) conversation_.Note(LineOf(each));
  throw CaseFailure{"More passed between emulator and user function than was expected.",
                    CompareLines("(nothing more)", TextOf(passed.front()))};
}

void Driver::IgnoreRestOnWire() { surroundings_.stage->interceptor.StartAnew(); }

void Driver::Replace(const Message& message, std::size_t before) {
  conversation_.Note(
      absl::StrCat("interceptor will say in place of answer ", before + 1, " from here: ", MessageLine(message)));
  surroundings_.stage->interceptor.Replace(before, message.SerializeAsString());
}

void Driver::HoldAnswers(std::size_t call) {
  conversation_.Note(absl::StrCat("interceptor holds back what the user function says on #", call));
  surroundings_.stage->interceptor.HoldAnswers(call);
}

void Driver::ReleaseAnswers() {
  conversation_.Note("interceptor lets it go on");
  surroundings_.stage->interceptor.Release();
}

// Reports may come late: what is about the case before is none of this one's.
void Driver::ExpectReport(std::string_view end) {
  std::string others;
  while (const auto report = surroundings_.stage->interceptor.TakeError(conversation_.deadline)) {
    conversation_.Note(absl::StrCat("reportError: ", *report));
    if (std::string_view(*report).ends_with(end)) return;
    absl::StrAppend(&others, *report, "\n");
  }
  throw CaseFailure{"What was expected was not reported to the user function within the time of a case.",
                    CompareLines(end, others.empty() ? "(nothing)" : others), true};
}

void Driver::ExpectHttp(const HttpRequest& request, const HttpAnswer& expected) {
  conversation_.Note(absl::StrCat("HTTP → ", request.method, " ", request.target, " ", request.body));
  const auto answer = SendHttp(surroundings_.stage->clients.address(), request, conversation_.deadline);
  if (!answer.ok()) throw CaseFailure{absl::StrCat("The HTTP request failed: ", answer.status().message())};
  const std::string received = absl::StrCat(answer->status, " ", answer->content_type, "\n", answer->body);
  conversation_.Note(absl::StrCat("HTTP ← ", received));
  const std::string wanted = absl::StrCat(expected.status, " ", expected.content_type, "\n", expected.body);
  if (received != wanted) {
    throw CaseFailure{"The HTTP answer is not the expected one.", CompareLines(wanted, received)};
  }
}

}  // namespace cloudstate::tck
