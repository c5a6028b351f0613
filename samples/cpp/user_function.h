#pragma once

#include <string>
#include <vector>

#include "samples/cpp/action.h"
#include "samples/cpp/crdt.h"
#include "samples/cpp/event_sourced.h"
#include "samples/cpp/value_entity.h"

namespace cloudstate::samples {

struct UserFunction {
  std::string name;
  std::string version;
  std::vector<EventSourcedService> event_sourced = {};
  std::vector<ValueEntityService> value_entities = {};
  std::vector<CrdtService> crdts = {};
  std::vector<ActionService> actions = {};
};

}  // namespace cloudstate::samples
