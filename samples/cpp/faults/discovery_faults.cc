#include "google/protobuf/descriptor.pb.h"
#include "samples/cpp/faults/fault.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

void RemoveServiceTwo(EntitySpec& spec) {
  FileDescriptorSet files;
  files.ParseFromString(spec.proto());
  for (FileDescriptorProto& file : *files.mutable_file()) {
    for (int i = file.service_size(); i-- > 0;) {
      if (file.service(i).name() == "EventSourcedTwo") file.mutable_service()->DeleteSubrange(i, 1);
    }
  }
  spec.set_proto(files.SerializeAsString());
}

Entity& Find(EntitySpec& spec, std::string_view service_name) {
  for (Entity& entity : *spec.mutable_entities()) {
    if (entity.service_name() == service_name) return entity;
  }
  return *spec.add_entities();
}

constexpr char kEventSourcedModel[] = "cloudstate.tck.model.EventSourcedTckModel";
constexpr char kValueEntityModel[] = "cloudstate.tck.model.valueentity.ValueEntityTckModel";

}  // namespace

std::vector<Fault> DiscoveryFaults() {
  return {
      {.name = "discovery-wrong-protocol",
       .description = "says that it speaks protocol 9.9",
       .discovery =
           [](EntitySpec& spec) {
             spec.mutable_service_info()->set_protocol_major_version(9);
             spec.mutable_service_info()->set_protocol_minor_version(9);
           }},
      {.name = "discovery-no-service-name",
       .description = "does not say what it is called",
       .discovery = [](EntitySpec& spec) { spec.mutable_service_info()->clear_service_name(); }},
      {.name = "discovery-missing-service",
       .description = "declares EventSourcedTwo, but its descriptors don't have it",
       .discovery = RemoveServiceTwo},
      {.name = "discovery-missing-entity",
       .description = "does not declare ActionTwo",
       .discovery =
           [](EntitySpec& spec) {
             for (int i = spec.entities_size(); i-- > 0;) {
               if (spec.entities(i).service_name() == "cloudstate.tck.model.action.ActionTwo") {
                 spec.mutable_entities()->DeleteSubrange(i, 1);
               }
             }
           }},
      {.name = "discovery-other-persistence-id",
       .description = "declares EventSourcedTckModel with another persistence id",
       .discovery = [](EntitySpec& spec) { Find(spec, kEventSourcedModel).set_persistence_id("model"); }},
      {.name = "discovery-wrong-entity-type",
       .description = "declares ValueEntityTckModel as event sourced",
       .discovery =
           [](EntitySpec& spec) {
             Find(spec, kValueEntityModel).set_entity_type("cloudstate.eventsourced.EventSourced");
           }},
      {.name = "discovery-no-passivation",
       .description = "declares no passivation timeouts",
       .discovery =
           [](EntitySpec& spec) {
             for (Entity& entity : *spec.mutable_entities()) entity.clear_passivation_strategy();
           }},
  };
}

}  // namespace cloudstate::samples
