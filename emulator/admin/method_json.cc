#include "emulator/admin/method_json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/userfunction/json_check.h"
#include "google/protobuf/message.h"

namespace cloudstate::admin {
namespace {

using google::protobuf::MethodDescriptor;

std::string Choices(const std::vector<std::string>& names) { return absl::StrCat(absl::StrJoin(names, ", "), "."); }

}  // namespace

MethodJson::MethodJson(std::shared_ptr<const serving::Services> services)
    : services_(std::move(services)), factory_(services_->pool), json_(factory_), reader_(services_->pool) {}

absl::StatusOr<const MethodDescriptor*> MethodJson::Find(const std::string& service, const std::string& method) const {
  std::vector<std::string> names;
  for (const google::protobuf::ServiceDescriptor* each : services_->services) {
    names.push_back(each->full_name());
    if (each->full_name() != service) continue;
    if (const auto* found = each->FindMethodByName(method)) return found;
    names.clear();
    for (int i = 0; i < each->method_count(); ++i) names.push_back(each->method(i)->name());
    return absl::NotFoundError(absl::StrCat(service, " has no method '", method, "'. It has ", Choices(names)));
  }
  return absl::NotFoundError(
      absl::StrCat("There is no service '", service, "'. The user function has ", Choices(names)));
}

absl::StatusOr<std::string> MethodJson::DecodeInput(const MethodDescriptor& method, const std::string& json) const {
  const std::string text = json.empty() ? "{}" : json;
  if (absl::Status status = userfunction::CheckJson(text); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("malformed JSON: ", status.message()));
  }
  const std::string& type = method.input_type()->full_name();
  absl::StatusOr<std::string> serialized = reader_.Read(text, *method.input_type());
  if (!serialized.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the JSON is no ", type, ": ", serialized.status().message()));
  }
  const std::unique_ptr<google::protobuf::Message> input(factory_.GetPrototype(method.input_type())->New());
  if (!userfunction::ParsePartial(*serialized, *input))
    return absl::InvalidArgumentError(absl::StrCat("the JSON is no ", type));
  if (input->IsInitialized()) return serialized;
  return absl::InvalidArgumentError(absl::StrCat("missing fields: ", input->InitializationErrorString()));
}

absl::StatusOr<std::string> MethodJson::EncodeOutput(const MethodDescriptor& method, std::string_view payload) const {
  const std::unique_ptr<google::protobuf::Message> output(factory_.GetPrototype(method.output_type())->New());
  absl::StatusOr<std::string> json = absl::InvalidArgumentError("it can't be parsed");
  if (userfunction::ParsePartial(payload, *output)) json = json_.Write(*output);
  if (json.ok()) return json;
  return absl::InternalError(absl::StrCat("the reply of ", method.full_name(), " is no ",
                                          method.output_type()->full_name(), ": ", json.status().message()));
}

}  // namespace cloudstate::admin
