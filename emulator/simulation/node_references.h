#pragma once

#include <vector>

#include "cloudstate/dev/v1/scenario.pb.h"

namespace cloudstate::simulation {

// Whether a field of a scenario's messages holds the numbers of nodes.
bool IsNodeReference(const google::protobuf::FieldDescriptor* field);
// The numbers in such a field.
std::vector<int> NodesIn(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor* field);
// How many nodes there must be for what the scenario says of them: the highest number that it names, or counts. At
// least 1.
int NodesNeeded(const dev::v1::Scenario& scenario);

}  // namespace cloudstate::simulation
