#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "emulator/userfunction/dialect.h"
#include "emulator/userfunction/entity_id.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::userfunction {

enum class EntityKind { kEventSourced, kValueEntity, kCrdt, kAction };

// Of an entity type as both dialects declare it, such as "cloudstate.crdt.Crdt"; none for others.
std::optional<EntityKind> KindOf(absl::string_view entity_type);

struct MethodSpec {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  std::string input_type_url;  // "type.googleapis.com/" and the input type's full name
  std::string output_type_url;
  std::optional<EntityIdExtractor> entity_id;  // none for actions
};

struct ServiceSpec {
  std::string name;  // full
  EntityKind kind = EntityKind::kEventSourced;
  std::string entity_type;  // as declared
  std::string persistence_id;
  std::optional<absl::Duration> passivation_timeout;  // where the service declares its own
  const google::protobuf::ServiceDescriptor* descriptor = nullptr;
  absl::flat_hash_map<std::string, MethodSpec> methods;
};

// What a user function declared, checked and with its types resolved. Immutable; a user function that comes back gets a
// new one, and whoever still works with the old one keeps it alive.
struct Specification {
  Dialect dialect = Dialect::k0_2;
  ServiceInfo info;
  std::string descriptors;  // serialized FileDescriptorSet, as it was reported
  std::unique_ptr<google::protobuf::DescriptorPool> pool;
  absl::flat_hash_map<std::string, ServiceSpec> services;

  // The services' descriptors, by name.
  std::vector<const google::protobuf::ServiceDescriptor*> SortedServices() const;
};

// The entity types that are offered in ProxyInfo, in the published order.
const std::vector<std::string>& SupportedEntityTypes();

enum class VersionCheck { kOn, kOff };

// Checks the answer to `discover` against the published rules. `forced` overrides the dialect that the reported
// protocol version stands for. Errors are INVALID_ARGUMENT with the published texts, where there are any.
absl::StatusOr<std::shared_ptr<const Specification>> ParseSpecification(const EntitySpec& spec,
                                                                        std::optional<Dialect> forced,
                                                                        VersionCheck version_check);

}  // namespace cloudstate::userfunction
