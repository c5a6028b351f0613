#include "samples/cpp/discovery.h"

#include <set>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"

namespace cloudstate::samples {
namespace {

constexpr int kProtocolMajorVersion = 0;
constexpr int kProtocolMinorVersion = 2;

// Files in an order in which each stands after what it imports, each once.
class Files {
 public:
  void Add(const std::vector<const google::protobuf::FileDescriptor*>& files) {
    for (const google::protobuf::FileDescriptor* file : files) Add(*file);
  }

  std::string Serialize() const { return set_.SerializeAsString(); }

 private:
  void Add(const google::protobuf::FileDescriptor& file) {
    if (!added_.insert(file.name()).second) return;
    for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
    file.CopyTo(set_.add_file());
  }

  std::set<std::string> added_;
  google::protobuf::FileDescriptorSet set_;
};

Entity& Declare(const char* type, const std::string& service_name, EntitySpec& spec) {
  Entity& entity = *spec.add_entities();
  entity.set_entity_type(type);
  entity.set_service_name(service_name);
  return entity;
}

void SetPassivationTimeout(absl::Duration timeout, Entity& entity) {
  if (timeout == absl::InfiniteDuration()) return;
  entity.mutable_passivation_strategy()->mutable_timeout()->set_timeout(absl::ToInt64Milliseconds(timeout));
}

// For both kinds that are stored.
template <typename Service>
void DescribeStored(const char* type, const std::vector<Service>& services, Files& files, EntitySpec& spec) {
  for (const Service& service : services) {
    files.Add(service.files);
    Entity& entity = Declare(type, service.service_name, spec);
    entity.set_persistence_id(service.persistence_id);
    SetPassivationTimeout(service.passivation_timeout, entity);
  }
}

void DescribeInfo(const UserFunction& user_function, ServiceInfo& info) {
  info.set_service_name(user_function.name);
  info.set_service_version(user_function.version);
  info.set_service_runtime("C++");
  info.set_support_library_name("cloudstate-dev-cpp-samples");
  info.set_support_library_version(user_function.version);
  info.set_protocol_major_version(kProtocolMajorVersion);
  info.set_protocol_minor_version(kProtocolMinorVersion);
}

}  // namespace

EntitySpec Describe(const UserFunction& user_function) {
  EntitySpec spec;
  Files files;
  DescribeStored("cloudstate.eventsourced.EventSourced", user_function.event_sourced, files, spec);
  DescribeStored("cloudstate.valueentity.ValueEntity", user_function.value_entities, files, spec);
  for (const CrdtService& service : user_function.crdts) {
    files.Add(service.files);
    SetPassivationTimeout(service.passivation_timeout, Declare("cloudstate.crdt.Crdt", service.service_name, spec));
  }
  for (const ActionService& service : user_function.actions) {
    files.Add(service.files);
    Declare("cloudstate.action.ActionProtocol", service.service_name, spec);
  }
  spec.set_proto(files.Serialize());
  DescribeInfo(user_function, *spec.mutable_service_info());
  return spec;
}

}  // namespace cloudstate::samples
