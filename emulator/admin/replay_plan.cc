#include "emulator/admin/replay_plan.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/admin/method_json.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"

namespace cloudstate::admin {
namespace {

using google::protobuf::FieldDescriptor;
using userfunction::EntityKind;
using userfunction::MethodSpec;
using userfunction::ServiceSpec;
using userfunction::Specification;

bool IsReplayed(EntityKind kind) { return kind == EntityKind::kEventSourced || kind == EntityKind::kValueEntity; }

std::shared_ptr<const serving::Services> ServicesOf(const Specification& specification) {
  return std::make_shared<serving::Services>(
      serving::Services{.pool = specification.pool.get(), .services = specification.SortedServices()});
}

absl::StatusOr<const ServiceSpec*> FindServiceOf(const Specification& specification, const std::string& name,
                                                 const std::string& persistence_id) {
  const auto found = specification.services.find(name);
  if (found == specification.services.end()) {
    const auto names = [](std::string* out, const auto* each) { out->append(each->full_name()); };
    return absl::InvalidArgumentError(absl::StrCat("The user function that runs has no service '", name, "'. It has ",
                                                   absl::StrJoin(specification.SortedServices(), ", ", names), "."));
  }
  const ServiceSpec& service = found->second;
  if (!IsReplayed(service.kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Only event-sourced and value entities can be replayed; ", name, " is none."));
  }
  if (service.persistence_id != persistence_id) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is no service of the entity: it stores its own under '",
                                                   service.persistence_id, "', not '", persistence_id, "'."));
  }
  return &service;
}

// Appends the field with the value that is this text; nothing where there is none.
void AppendKey(const MethodSpec& method, const MethodJson& json, const FieldDescriptor& field, const std::string& text,
               std::string& payload) {
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    google::protobuf::io::StringOutputStream out(&payload);
    google::protobuf::io::CodedOutputStream coded(&out);
    google::protobuf::internal::WireFormatLite::WriteString(field.number(), text, &coded);
    return;
  }
  // JSON takes numbers and names of enums as strings, too.
  const std::string quote = field.type() == FieldDescriptor::TYPE_BOOL ? "" : "\"";
  payload +=
      json.DecodeInput(*method.descriptor, absl::StrCat("{\"", field.json_name(), "\":", quote, text, quote, "}"))
          .value_or("");
}

// Where the command has no key, that of the entity is added at its end; of a field the last value counts.
absl::Status CompleteKey(const MethodSpec& method, const MethodJson& json, const std::string& entity_id,
                         std::string& payload) {
  absl::StatusOr<std::string> id = method.entity_id->Extract(payload);
  if (!id.ok() || *id == entity_id) return id.status();
  const std::vector<std::string> keys = method.entity_id->KeyFields();
  const std::string names = absl::StrJoin(keys, ", ");
  if (*id == method.entity_id->Extract("").value_or("")) {
    if (keys.size() == 1) {
      const FieldDescriptor& field = *method.descriptor->input_type()->FindFieldByName(keys.front());
      AppendKey(method, json, field, entity_id, payload);
      if (method.entity_id->Extract(payload).value_or("") == entity_id) return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat("the key (", names, ") is missing: give it"));
  }
  return absl::InvalidArgumentError(absl::StrCat("it is for entity '", *id, "', and replayed is '", entity_id,
                                                 "': make the key (", names, ") that",
                                                 keys.size() == 1 ? ", or leave it out" : ""));
}

absl::StatusOr<entities::ReplayPlan::Command> ReadCommand(const ServiceSpec& service, const MethodJson& json,
                                                          const dev::v1::ReplayCommand& command,
                                                          const std::string& entity_id) {
  auto descriptor = json.Find(service.name, command.method());
  if (!descriptor.ok()) return absl::InvalidArgumentError(descriptor.status().message());
  const MethodSpec& method = service.methods.at(command.method());
  absl::StatusOr<std::string> payload = json.DecodeInput(**descriptor, command.json());
  if (!payload.ok()) return payload.status();
  if (method.entity_id.has_value()) {
    if (absl::Status status = CompleteKey(method, json, entity_id, *payload); !status.ok()) return status;
  }
  return entities::ReplayPlan::Command{service.name, command.method(), {method.input_type_url, *std::move(payload)}};
}

}  // namespace

absl::StatusOr<const ServiceSpec*> FindReplayedService(const Specification& specification,
                                                       const dev::v1::ReplayRequest& request,
                                                       const std::string& last_service) {
  const bool named = request.commands_size() > 0 && !request.commands(0).service().empty();
  return FindServiceOf(specification, named ? request.commands(0).service() : last_service, request.persistence_id());
}

absl::StatusOr<std::vector<entities::ReplayPlan::Command>> ReadCommands(const Specification& specification,
                                                                        const dev::v1::ReplayRequest& request,
                                                                        const ServiceSpec& replayed) {
  const MethodJson json(ServicesOf(specification));
  std::vector<entities::ReplayPlan::Command> commands;
  for (const dev::v1::ReplayCommand& command : request.commands()) {
    const std::string& name = command.service().empty() ? replayed.name : command.service();
    absl::StatusOr<const ServiceSpec*> service = FindServiceOf(specification, name, request.persistence_id());
    if (!service.ok()) return service.status();
    if ((*service)->kind != replayed.kind) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is of another kind than ", replayed.name, "."));
    }
    auto read = ReadCommand(**service, json, command, request.entity_id());
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("Command ", commands.size() + 1, ", ", name, ".", command.method(),
                                                     ": ", read.status().message()));
    }
    commands.push_back(*std::move(read));
  }
  return commands;
}

}  // namespace cloudstate::admin
