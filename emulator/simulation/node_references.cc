#include "emulator/simulation/node_references.h"

#include <algorithm>

#include "google/protobuf/descriptor.h"

namespace cloudstate::simulation {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

int Highest(const Message& message) {
  int highest = 1;
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (IsNodeReference(field)) {
      for (const int node : NodesIn(message, field)) highest = std::max(highest, node);
    } else if (field->containing_type() == dev::v1::Condition::descriptor() && field->name() == "nodes_up") {
      highest = std::max(highest, reflection->GetInt32(message, field));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        highest = std::max(highest, Highest(reflection->GetRepeatedMessage(message, field, i)));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      highest = std::max(highest, Highest(reflection->GetMessage(message, field)));
    }
  }
  return highest;
}

}  // namespace

bool IsNodeReference(const FieldDescriptor* field) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_INT32) return false;
  if (field->is_repeated()) return field->containing_type() == dev::v1::NodeGroup::descriptor();
  return field->name() == "node" || field->name() == "peer" || field->name() == "from" || field->name() == "to";
}

std::vector<int> NodesIn(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (!field->is_repeated()) return {reflection->GetInt32(message, field)};
  std::vector<int> nodes;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    nodes.push_back(reflection->GetRepeatedInt32(message, field, i));
  }
  return nodes;
}

int NodesNeeded(const dev::v1::Scenario& scenario) { return Highest(scenario); }

}  // namespace cloudstate::simulation
