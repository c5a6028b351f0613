#include "cmd/cloudstate-dev/test_caller.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "emulator/base/proto_time.h"
#include "emulator/serving/backend.h"
#include "emulator/tck/http_client.h"

namespace cloudstate::cli {
namespace {

using dev::v1::TestStep;

constexpr char kTimeoutHeader[] = "x-server-timeout";  // in seconds

std::map<std::string, std::string> HeadersOf(const TestStep& step) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : step.headers()) headers[absl::AsciiStrToLower(name)] = value;
  if (step.node() != 0) headers[serving::kNodeHeader] = absl::StrCat(step.node());
  return headers;
}

absl::Time DeadlineOf(const TestStep& step, absl::Time deadline) {
  return step.has_deadline() ? std::min(deadline, absl::Now() + base::FromDuration(step.deadline())) : deadline;
}

testing::Actual BodyJson(const std::string& text) {
  absl::StatusOr<testing::Json> json = testing::ParseJson(text);
  return testing::ActualOf(json.ok() ? *std::move(json) : testing::TextValue(text));
}

// What an HTTP answer brought.
struct Body {
  std::vector<testing::Actual> messages;
  std::optional<testing::Json> error = {};  // with which a stream has ended, after the status was sent
};

// Of server-sent events: the error is an event of this name.
Body EventsOf(const std::string& text) {
  Body body;
  bool error = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty()) error = false;
    if (absl::ConsumePrefix(&line, "event:")) error = absl::StripAsciiWhitespace(line) == "error";
    if (!absl::ConsumePrefix(&line, "data:")) continue;
    testing::Actual data = BodyJson(std::string(line));
    if (error) {
      body.error = std::move(data.full);
    } else {
      body.messages.push_back(std::move(data));
    }
  }
  return body;
}

// {"error": {"status": …, "detail": …, "code": …}} and nothing else, as no message of a user function has it.
std::optional<testing::Json> ErrorOfLine(const testing::Json& line) {
  const auto& fields = line.struct_value().fields();
  const auto error = fields.find("error");
  if (fields.size() != 1 || error == fields.end()) return std::nullopt;
  const auto& members = error->second.struct_value().fields();
  const bool problem = members.count("status") > 0 && members.count("detail") > 0 && members.count("code") > 0;
  return problem ? std::make_optional(error->second) : std::nullopt;
}

// One message, or a stream with one in each line: then the error is the last one.
Body JsonOf(const std::string& text) {
  Body body;
  if (const absl::StatusOr<testing::Json> whole = testing::ParseJson(text); whole.ok()) {
    body.messages.push_back(testing::ActualOf(*whole));
  } else {
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
      body.messages.push_back(BodyJson(std::string(line)));
    }
  }
  if (body.messages.empty()) return body;
  body.error = ErrorOfLine(body.messages.back().full);
  if (body.error.has_value()) body.messages.pop_back();
  return body;
}

Body ReadBody(const tck::HttpAnswer& answer) {
  if (absl::StartsWith(answer.content_type, "text/event-stream")) return EventsOf(answer.body);
  if (absl::StrContains(answer.content_type, "json")) return JsonOf(answer.body);
  Body body;
  if (!answer.body.empty()) body.messages.push_back(BodyJson(answer.body));
  return body;
}

std::string MemberText(const testing::Json& problem, const std::string& name) {
  const auto member = problem.struct_value().fields().find(name);
  return member == problem.struct_value().fields().end() ? "" : member->second.string_value();
}

}  // namespace

absl::Status TestCaller::CheckHeaders(const TestStep& step) {
  for (const auto& [name, value] : HeadersOf(step)) {
    if (absl::Status status = CheckHeader(name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<testing::CallOutcome> TestCaller::Call(const dev::v1::TestFile& file, const TestStep& step,
                                                      absl::Time deadline) {
  const absl::Time start = absl::Now();
  absl::StatusOr<testing::CallOutcome> outcome =
      step.kind_case() == TestStep::kCall ? CallGrpc(file, step, deadline) : CallHttp(step, deadline);
  if (outcome.ok()) outcome->took = absl::Now() - start;
  return outcome;
}

absl::StatusOr<std::vector<std::string>> TestCaller::Inputs(const TestStep& step,
                                                            const testing::MethodReference& method) const {
  const google::protobuf::Descriptor* type = types_.TypeOf(method.method->input_type());
  if (type == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("the type ", method.method->input_type(), " is not described"));
  }
  std::vector<const testing::Json*> values;
  for (const testing::Json& each : step.inputs()) values.push_back(&each);
  if (!method.method->client_streaming()) values = {&step.input()};
  std::vector<std::string> inputs;
  for (const testing::Json* value : values) {
    absl::StatusOr<std::string> bytes = types_.Encode(*value, *type);
    if (!bytes.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("the input is no ", type->name(), ": ", bytes.status().message()));
    }
    inputs.push_back(*std::move(bytes));
  }
  return inputs;
}

absl::StatusOr<testing::CallOutcome> TestCaller::CallGrpc(const dev::v1::TestFile& file, const TestStep& step,
                                                          absl::Time deadline) {
  const auto method = types_.FindMethod(step.call(), file.service());
  if (!method.ok()) return method.status();
  absl::StatusOr<std::vector<std::string>> inputs = Inputs(step, *method);
  if (!inputs.ok()) return inputs.status();
  absl::StatusOr<TestCalls::Answer> answer =
      calls_.Run({.path = absl::StrCat("/", method->service->name(), "/", method->method->name()),
                  .inputs = *std::move(inputs),
                  .headers = HeadersOf(step),
                  .deadline = DeadlineOf(step, deadline)});
  if (!answer.ok()) return answer.status();
  testing::CallOutcome outcome{.call = method->FullName(), .code = answer->code, .message = answer->message};
  outcome.headers = std::move(answer->headers);
  for (const std::string& reply : answer->replies) {
    outcome.replies.push_back(types_.Decode(method->method->output_type(), reply, ""));
  }
  return outcome;
}

absl::StatusOr<testing::CallOutcome> TestCaller::CallHttp(const TestStep& step, absl::Time deadline) {
  const std::size_t space = step.http().find(' ');
  tck::HttpRequest request{.method = step.http().substr(0, space), .target = step.http().substr(space + 1)};
  request.headers = HeadersOf(step);
  request.takes_partial = true;  // so does a stream end that fails
  if (step.has_input()) request.body = testing::JsonText(step.input());
  if (step.has_deadline()) {
    // The server's to keep: it tells, then, what came before.
    request.headers[kTimeoutHeader] = absl::StrCat(absl::ToDoubleSeconds(base::FromDuration(step.deadline())));
  }
  tck::HttpCancellation cancellation;
  const CallEnd::Guard guard(end_, [&cancellation] { cancellation.Cancel(); });
  absl::StatusOr<tck::HttpAnswer> answer = tck::SendHttp(client_address_, request, deadline, &cancellation);
  if (!answer.ok()) return answer.status();
  Body body = ReadBody(*answer);
  if (body.error.has_value()) {
    const std::string code = MemberText(*body.error, "code");
    if (!step.has_deadline() || code != absl::StatusCodeToString(absl::StatusCode::kDeadlineExceeded)) {
      return absl::AbortedError(absl::StrCat(step.http(), " failed after ", body.messages.size(), " messages with ",
                                             code, ": ", MemberText(*body.error, "detail")));
    }
  }
  if (answer->partial && !body.error.has_value()) {
    return absl::AbortedError(absl::StrCat("the answer to ", step.http(), " broke off"));
  }
  testing::CallOutcome outcome{.call = step.http(), .status = answer->status};
  outcome.headers = answer->headers;
  outcome.replies = std::move(body.messages);
  return outcome;
}

}  // namespace cloudstate::cli
