#include "cmd/cloudstate-dev/test_caller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "emulator/base/proto_time.h"
#include "emulator/serving/backend.h"

namespace cloudstate::cli {
namespace {

using dev::v1::TestStep;

std::map<std::string, std::string> HeadersOf(const TestStep& step) {
  std::map<std::string, std::string> headers(step.headers().begin(), step.headers().end());
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

// The messages of an HTTP answer: those of server-sent events, one in each line of NDJSON, else the whole body.
std::vector<testing::Actual> BodyMessages(const tck::HttpAnswer& answer) {
  const bool events = absl::StartsWith(answer.content_type, "text/event-stream");
  const bool lines = absl::StrContains(answer.content_type, "ndjson");
  std::vector<testing::Actual> messages;
  if (!events && !lines) {
    if (!answer.body.empty()) messages.push_back(BodyJson(answer.body));
    return messages;
  }
  for (absl::string_view line : absl::StrSplit(answer.body, '\n', absl::SkipWhitespace())) {
    if (events && !absl::ConsumePrefix(&line, "data:")) continue;
    messages.push_back(BodyJson(std::string(line)));
  }
  return messages;
}

}  // namespace

absl::StatusOr<testing::CallOutcome> TestCaller::Call(const dev::v1::TestFile& file, const TestStep& step,
                                                      absl::Time deadline) {
  const absl::Time start = absl::Now();
  absl::StatusOr<testing::CallOutcome> outcome =
      step.kind_case() == TestStep::kCall ? CallGrpc(file, step, deadline) : CallHttp(step, deadline);
  if (outcome.ok()) outcome->took = absl::Now() - start;
  return outcome;
}

absl::StatusOr<std::vector<std::string>> TestCaller::Inputs(const TestStep& step,
                                                            const testing::KnownTypes::Method& method) const {
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
  if (step.has_input()) request.body = testing::JsonText(step.input());
  absl::StatusOr<tck::HttpAnswer> answer = tck::SendHttp(client_address_, request, DeadlineOf(step, deadline));
  if (!answer.ok()) return answer.status();
  testing::CallOutcome outcome{.call = step.http(), .status = answer->status};
  outcome.headers = answer->headers;
  outcome.replies = BodyMessages(*answer);
  return outcome;
}

}  // namespace cloudstate::cli
