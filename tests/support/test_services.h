#pragma once

#include <gtest/gtest.h>

#include <string>

#include "cloudstate/entity.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"

namespace cloudstate::testing {

// What a user function with two event-sourced services, test.One and test.Two, reports; each has a method Call whose
// input's field `id` is the key, and test.One has a second one, Other.
inline EntitySpec TwoServices() {
  google::protobuf::FileDescriptorSet set;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        file {
          name: "test.proto"
          package: "test"
          syntax: "proto3"
          message_type {
            name: "Request"
            field {
              name: "id"
              number: 1
              type: TYPE_STRING
              label: LABEL_OPTIONAL
              options {
                [cloudstate.entity_key]: true
              }
            }
            field { name: "text" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
          }
          message_type {
            name: "Response"
            field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
          }
          service {
            name: "One"
            method { name: "Call" input_type: ".test.Request" output_type: ".test.Response" }
            method { name: "Other" input_type: ".test.Request" output_type: ".test.Response" }
          }
          service {
            name: "Two"
            method { name: "Call" input_type: ".test.Request" output_type: ".test.Response" }
          }
        })pb",
      &set));
  EntitySpec spec;
  spec.set_proto(set.SerializeAsString());
  for (const char* name : {"One", "Two"}) {
    Entity& entity = *spec.add_entities();
    entity.set_entity_type("cloudstate.eventsourced.EventSourced");
    entity.set_service_name(std::string("test.") + name);
    entity.set_persistence_id(std::string("persisted-") + name);
  }
  spec.mutable_service_info()->set_service_name("test");
  spec.mutable_service_info()->set_protocol_minor_version(2);
  return spec;
}

// The same as TwoServices, with an action test.Act besides: it has a method for each shape.
inline EntitySpec ServicesWithAnAction() {
  EntitySpec spec = TwoServices();
  google::protobuf::FileDescriptorSet set;
  EXPECT_TRUE(set.ParseFromString(spec.proto()));
  google::protobuf::ServiceDescriptorProto& service = *set.mutable_file(0)->add_service();
  service.set_name("Act");
  for (const char* name : {"Unary", "In", "Out", "Both"}) {
    google::protobuf::MethodDescriptorProto& method = *service.add_method();
    method.set_name(name);
    method.set_input_type(".test.Request");
    method.set_output_type(".test.Response");
    method.set_client_streaming(std::string(name) == "In" || std::string(name) == "Both");
    method.set_server_streaming(std::string(name) == "Out" || std::string(name) == "Both");
  }
  spec.set_proto(set.SerializeAsString());
  Entity& entity = *spec.add_entities();
  entity.set_entity_type("cloudstate.action.ActionProtocol");
  entity.set_service_name("test.Act");
  return spec;
}

// Changes the one file of such a specification.
template <typename Change>
void ChangeFile(EntitySpec& spec, Change change) {
  google::protobuf::FileDescriptorSet set;
  EXPECT_TRUE(set.ParseFromString(spec.proto()));
  change(*set.mutable_file(0));
  spec.set_proto(set.SerializeAsString());
}

// A serialized test.Request.
inline std::string Request(const std::string& id, const std::string& text = "") {
  std::string bytes = "\n" + std::string(1, static_cast<char>(id.size())) + id;
  if (!text.empty()) bytes += "\x12" + std::string(1, static_cast<char>(text.size())) + text;
  return bytes;
}

}  // namespace cloudstate::testing
