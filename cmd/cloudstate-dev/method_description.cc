#include "cmd/cloudstate-dev/method_description.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/type_table.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::cli {
namespace {

std::string FullName(const testing::MethodReference& method) {
  return absl::StrCat(method.service->name(), "/", method.method->name());
}

const dev::v1::HttpBinding* BestBinding(const testing::MethodReference& method) {
  const dev::v1::HttpBinding* best = nullptr;
  int best_score = -1;
  for (const dev::v1::HttpBinding& binding : method.method->http()) {
    const int score = ShownByRoute(binding.path() == "/" + FullName(method), binding.body());
    if (score > best_score) best = &binding;
    best_score = std::max(score, best_score);
  }
  return best;
}

// The part of the example that the binding takes as its body.
std::string ExampleBody(const dev::v1::HttpBinding& binding, const std::string& example) {
  if (binding.body().empty() || binding.body() == "*") return binding.body().empty() ? "" : example;
  google::protobuf::Struct fields;
  const bool parsed = google::protobuf::util::JsonStringToMessage(example, &fields).ok();
  for (const auto& [name, value] : fields.fields()) {
    std::string body;
    // The binding has the field's own name, the example its JSON name.
    const bool same = absl::AsciiStrToLower(absl::StrReplaceAll(binding.body(), {{"_", ""}})) ==
                      absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"_", ""}}));
    if (parsed && same && google::protobuf::util::MessageToJsonString(value, &body).ok()) return body;
  }
  return "{}";
}

}  // namespace

std::string Shape(const dev::v1::Method& method) {
  if (method.client_streaming()) return method.server_streaming() ? "streams both ways" : "takes a stream";
  return method.server_streaming() ? "answers with a stream" : "unary";
}

std::string RouteLines(const dev::v1::Method& method) {
  std::string text;
  for (const dev::v1::HttpBinding& binding : method.http()) {
    absl::StrAppend(&text, "  ", binding.method(), " ", binding.path(),
                    binding.body().empty() ? "" : absl::StrCat("  (body: ", binding.body(), ")"),
                    binding.response_body().empty() ? "" : absl::StrCat("  (answers: ", binding.response_body(), ")"),
                    "\n");
  }
  return text;
}

std::vector<std::string> CallLines(const testing::MethodReference& method, const std::string& client_address) {
  const std::string& example = method.method->example();
  // Twice, to show how.
  const bool stream = method.method->client_streaming();
  std::vector<std::string> lines = {absl::StrCat("cloudstate-dev call ", FullName(method), " ", ShellQuoted(example),
                                                 stream ? " " + ShellQuoted(example) : "")};
  const dev::v1::HttpBinding* binding = stream ? nullptr : BestBinding(method);
  if (binding != nullptr) {
    lines.push_back(CurlLine(
        {binding->method(), binding->path(), ExampleBody(*binding, example), method.method->server_streaming()},
        client_address));
  }
  lines.push_back(GrpcurlLine(method.service->name(), method.method->name(),
                              stream ? absl::StrCat(example, " ", example) : example, client_address));
  return lines;
}

std::string FormatMethod(const testing::MethodReference& reference, const dev::v1::TypeDescription& input,
                         const std::string& client_address, const Terminal& terminal) {
  const dev::v1::Service& service = *reference.service;
  const dev::v1::Method& method = *reference.method;
  std::string text = absl::StrCat(Styled(FullName(reference), Style::kBold, terminal), "  ",
                                  ShortType(service.entity_type()), ", ", Shape(method));
  if (!method.key_fields().empty()) absl::StrAppend(&text, ", key ", absl::StrJoin(method.key_fields(), ", "));
  absl::StrAppend(&text, "\n", RouteLines(method), "\n", "Input ", method.input_type());
  if (!input.messages().empty() && !input.messages(0).comment().empty()) {
    absl::StrAppend(&text, ": ", Printable(input.messages(0).comment()));
  }
  absl::StrAppend(&text, "\n", FormatFields(input, terminal), "\nOutput ", method.output_type(), "\n\nExample ",
                  method.example(), "\n\nCall it\n");
  for (const std::string& line : CallLines(reference, client_address)) absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

std::string MethodToJson(const testing::MethodReference& method, const dev::v1::TypeDescription& input,
                         const std::string& client_address) {
  return absl::StrCat("{\"service\":", JsonString(method.service->name()),
                      ",\"entityType\":", JsonString(method.service->entity_type()),
                      ",\"method\":", ToJson(*method.method), ",\"input\":", ToJson(input),
                      ",\"lines\":", JsonStrings(CallLines(method, client_address)), "}");
}

}  // namespace cloudstate::cli
