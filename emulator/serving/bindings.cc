#include "emulator/serving/bindings.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/api/annotations.pb.h"
#include "google/api/http.pb.h"

namespace cloudstate::serving {
namespace {

using google::api::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

absl::Status ReadPattern(const HttpRule& rule, Route& route) {
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      std::tie(route.http_method, route.path) = std::pair("GET", rule.get());
      return absl::OkStatus();
    case HttpRule::kPut:
      std::tie(route.http_method, route.path) = std::pair("PUT", rule.put());
      return absl::OkStatus();
    case HttpRule::kPost:
      std::tie(route.http_method, route.path) = std::pair("POST", rule.post());
      return absl::OkStatus();
    case HttpRule::kDelete:
      std::tie(route.http_method, route.path) = std::pair("DELETE", rule.delete_());
      return absl::OkStatus();
    case HttpRule::kPatch:
      std::tie(route.http_method, route.path) = std::pair("PATCH", rule.patch());
      return absl::OkStatus();
    case HttpRule::kCustom:
      if (rule.custom().kind().empty()) return absl::InvalidArgumentError("the custom pattern has no kind");
      std::tie(route.http_method, route.path) = std::pair(rule.custom().kind(), rule.custom().path());
      return absl::OkStatus();
    case HttpRule::PATTERN_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the rule has no pattern, such as get or post");
}

absl::StatusOr<const FieldDescriptor*> TopField(const Descriptor& message, const std::string& name,
                                                absl::string_view use) {
  auto path = ResolveFieldPath(message, name);
  if (!path.ok()) return absl::InvalidArgumentError(absl::StrCat(use, ": ", path.status().message()));
  if (path->size() > 1)
    return absl::InvalidArgumentError(absl::StrCat(use, ": '", name, "' must be a top-level field"));
  return path->front();
}

absl::Status ResolveVariables(const Descriptor& input, Binding& binding) {
  for (const PathTemplate::Variable& variable : binding.path.variables) {
    auto path = ResolveFieldPath(input, variable.field);
    if (!path.ok()) return path.status();
    const FieldDescriptor& field = *path->back();
    if (field.is_repeated() || !TakesText(field)) {
      return absl::InvalidArgumentError(absl::StrCat("field ", field.full_name(),
                                                     " cannot stand in a path, because it is ",
                                                     field.is_repeated() ? "repeated" : "a message"));
    }
    binding.variables.push_back(*std::move(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<Binding> Resolve(Route route) {
  Binding binding;
  auto path = PathTemplate::Parse(route.path);
  if (!path.ok()) return path.status();
  binding.path = *std::move(path);
  const Descriptor& input = *route.method->input_type();
  if (absl::Status status = ResolveVariables(input, binding); !status.ok()) return status;
  if (!route.body.empty() && route.body != "*") {
    auto field = TopField(input, route.body, "body");
    if (!field.ok()) return field.status();
    binding.body_field = *field;
  }
  if (!route.response_body.empty()) {
    auto field = TopField(*route.method->output_type(), route.response_body, "response_body");
    if (!field.ok()) return field.status();
    binding.response_field = *field;
  }
  binding.route = std::move(route);
  return binding;
}

absl::StatusOr<Binding> BindingOf(const HttpRule& rule, const MethodDescriptor& method) {
  Route route{
      .http_method = "", .path = "", .body = rule.body(), .response_body = rule.response_body(), .method = &method};
  absl::Status status = ReadPattern(rule, route);
  absl::StatusOr<Binding> binding;
  if (status.ok()) {
    binding = Resolve(std::move(route));
    status = binding.status();
  }
  if (status.ok()) return binding;
  return absl::InvalidArgumentError(absl::StrCat("google.api.http rule {", rule.ShortDebugString(), "} of ",
                                                 method.full_name(), ": ", status.message()));
}

Route GeneratedRoute(const MethodDescriptor& method) {
  return {.http_method = "POST",
          .path = absl::StrCat("/", method.service()->full_name(), "/", method.name()),
          .body = "*",
          .response_body = "",
          .method = &method,
          .generated = true};
}

}  // namespace

absl::StatusOr<std::vector<Binding>> BindingsOf(const MethodDescriptor& method) {
  std::vector<Binding> bindings;
  const auto add = [&](absl::StatusOr<Binding> binding) -> absl::Status {
    if (!binding.ok()) return binding.status();
    bindings.push_back(*std::move(binding));
    return absl::OkStatus();
  };
  if (method.options().HasExtension(google::api::http)) {
    const HttpRule& rule = method.options().GetExtension(google::api::http);
    if (absl::Status status = add(BindingOf(rule, method)); !status.ok()) return status;
    for (const HttpRule& additional : rule.additional_bindings()) {
      if (additional.additional_bindings_size() > 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("google.api.http rule {", additional.ShortDebugString(), "} of ", method.full_name(),
                         ": additional_bindings cannot have additional_bindings of their own"));
      }
      if (absl::Status status = add(BindingOf(additional, method)); !status.ok()) return status;
    }
  }
  if (absl::Status status = add(Resolve(GeneratedRoute(method))); !status.ok()) return status;
  return bindings;
}

}  // namespace cloudstate::serving
