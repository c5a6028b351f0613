#include "emulator/userfunction/specification.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/userfunction/descriptors.h"

namespace cloudstate::userfunction {
namespace {

constexpr absl::string_view kTypeUrlPrefix = "type.googleapis.com/";

absl::string_view Plural(EntityKind kind) {
  switch (kind) {
    case EntityKind::kEventSourced:
      return "Event sourced entities";
    case EntityKind::kValueEntity:
      return "Value entities";
    case EntityKind::kCrdt:
      return "CRDT entities";
    case EntityKind::kAction:
      return "Actions";
  }
  return "Entities";
}

absl::StatusOr<Dialect> DialectOf(const ServiceInfo& info, std::optional<Dialect> forced, VersionCheck check) {
  if (forced.has_value()) return *forced;
  const int major = info.protocol_major_version();
  const int minor = info.protocol_minor_version();
  if (major == 0 && minor == 2) return Dialect::k0_2;
  // The older libraries leave the version unset.
  if (major == 0 && minor <= 1) return Dialect::k0_1;
  if (check == VersionCheck::kOff) return Dialect::k0_2;
  return absl::InvalidArgumentError(
      absl::StrCat("Incompatible protocol version ", major, ".", minor, ", only 0.2 is supported"));
}

absl::Status CheckStreaming(const ServiceSpec& service) {
  std::vector<std::string> offending;
  for (int i = 0; i < service.descriptor->method_count(); ++i) {
    const auto* method = service.descriptor->method(i);
    const bool streamed_in = method->client_streaming();
    const bool streamed = streamed_in || method->server_streaming();
    if (service.kind == EntityKind::kCrdt ? streamed_in : streamed) offending.push_back(method->name());
  }
  if (offending.empty() || service.kind == EntityKind::kAction) return absl::OkStatus();
  const absl::string_view what = service.kind == EntityKind::kCrdt ? "client streamed" : "streamed";
  return absl::InvalidArgumentError(absl::StrCat(Plural(service.kind), " do not support ", what, " methods, but ",
                                                 service.name, " has the following ", what,
                                                 " methods: ", absl::StrJoin(offending, ",")));
}

absl::Status CheckKeys(const ServiceSpec& service) {
  if (service.kind == EntityKind::kAction) return absl::OkStatus();
  std::vector<std::string> offending;
  for (int i = 0; i < service.descriptor->method_count(); ++i) {
    if (!HasEntityKey(*service.descriptor->method(i)->input_type())) {
      offending.push_back(service.descriptor->method(i)->name());
    }
  }
  if (offending.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(Plural(service.kind),
                   " do not support methods whose parameters do not have at least one field marked as entity_key, ",
                   "but ", service.name, " has the following methods without keys: ", absl::StrJoin(offending, ",")));
}

absl::Status AddMethods(ServiceSpec& service) {
  for (int i = 0; i < service.descriptor->method_count(); ++i) {
    MethodSpec method;
    method.descriptor = service.descriptor->method(i);
    method.input_type_url = absl::StrCat(kTypeUrlPrefix, method.descriptor->input_type()->full_name());
    method.output_type_url = absl::StrCat(kTypeUrlPrefix, method.descriptor->output_type()->full_name());
    if (service.kind != EntityKind::kAction) {
      auto extractor = EntityIdExtractor::Create(*method.descriptor->input_type());
      if (!extractor.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("Service [", service.name, "] method [",
                                                       method.descriptor->name(), "]: ", extractor.status().message()));
      }
      method.entity_id = *std::move(extractor);
    }
    service.methods.emplace(method.descriptor->name(), std::move(method));
  }
  return absl::OkStatus();
}

// What one kind has stored means nothing to the other.
absl::Status SharedPersistenceId(const Entity& one, const Entity& other) {
  return absl::InvalidArgumentError(absl::StrCat("Services [", one.service_name(), "] and [", other.service_name(),
                                                 "] are of different entity types and have the same persistence id [",
                                                 other.persistence_id(), "]"));
}

absl::StatusOr<ServiceSpec> ParseService(const Entity& entity, const google::protobuf::DescriptorPool& pool) {
  ServiceSpec service;
  service.name = entity.service_name();
  service.entity_type = entity.entity_type();
  service.persistence_id = entity.persistence_id().empty() ? entity.service_name() : entity.persistence_id();
  service.descriptor = pool.FindServiceByName(service.name);
  if (service.descriptor == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("Service [", service.name, "] not found in descriptors!"));
  }
  const auto kind = KindOf(entity.entity_type());
  if (!kind.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Service [", service.name, "] has declared an unsupported entity type [", entity.entity_type(),
                     "]. Supported types are ", absl::StrJoin(SupportedEntityTypes(), ",")));
  }
  service.kind = *kind;
  if (entity.passivation_strategy().has_timeout() && entity.passivation_strategy().timeout().timeout() > 0) {
    service.passivation_timeout = absl::Milliseconds(entity.passivation_strategy().timeout().timeout());
  }
  if (absl::Status status = CheckStreaming(service); !status.ok()) return status;
  if (absl::Status status = CheckKeys(service); !status.ok()) return status;
  if (absl::Status status = AddMethods(service); !status.ok()) return status;
  return service;
}

}  // namespace

std::optional<EntityKind> KindOf(absl::string_view entity_type) {
  if (entity_type == "cloudstate.eventsourced.EventSourced") return EntityKind::kEventSourced;
  if (entity_type == "cloudstate.valueentity.ValueEntity") return EntityKind::kValueEntity;
  if (entity_type == "cloudstate.crdt.Crdt") return EntityKind::kCrdt;
  if (entity_type == "cloudstate.action.ActionProtocol") return EntityKind::kAction;
  if (entity_type == "cloudstate.function.StatelessFunction") return EntityKind::kAction;
  return std::nullopt;
}

std::vector<const google::protobuf::ServiceDescriptor*> Specification::SortedServices() const {
  std::vector<const google::protobuf::ServiceDescriptor*> sorted;
  for (const auto& [name, service] : services) sorted.push_back(service.descriptor);
  std::ranges::sort(sorted, {}, [](const auto* descriptor) { return descriptor->full_name(); });
  return sorted;
}

const std::vector<std::string>& SupportedEntityTypes() {
  static const auto* const types =
      new std::vector<std::string>{"cloudstate.crdt.Crdt", "cloudstate.action.ActionProtocol",
                                   "cloudstate.eventsourced.EventSourced", "cloudstate.valueentity.ValueEntity"};
  return *types;
}

absl::StatusOr<std::shared_ptr<const Specification>> ParseSpecification(const EntitySpec& spec,
                                                                        std::optional<Dialect> forced,
                                                                        VersionCheck version_check) {
  auto result = std::make_shared<Specification>();
  result->info = spec.service_info();
  result->descriptors = spec.proto();
  const auto dialect = DialectOf(result->info, forced, version_check);
  if (!dialect.ok()) return dialect.status();
  result->dialect = *dialect;
  if (spec.entities().empty()) {
    return absl::InvalidArgumentError("No entities were reported by the discover call!");
  }
  auto pool = BuildPool(spec.proto(), *dialect);
  if (!pool.ok()) return pool.status();
  result->pool = *std::move(pool);
  absl::flat_hash_map<std::string, const Entity*> by_persistence_id;
  for (const Entity& entity : spec.entities()) {
    auto service = ParseService(entity, *result->pool);
    if (!service.ok()) return service.status();
    if (service->kind != EntityKind::kAction) {
      const Entity& first = *by_persistence_id.try_emplace(service->persistence_id, &entity).first->second;
      if (first.entity_type() != entity.entity_type()) return SharedPersistenceId(first, entity);
    }
    if (!result->services.emplace(entity.service_name(), *std::move(service)).second) {
      return absl::InvalidArgumentError(absl::StrCat("Service [", entity.service_name(), "] was declared twice"));
    }
  }
  return result;
}

}  // namespace cloudstate::userfunction
