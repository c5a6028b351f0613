#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/crdt_model.h"

namespace cloudstate::tck::crdts {

// What the cases that all types of CRDTs have need to know of one type.
struct Sample {
  std::string type;  // as ids begin: "GCounter"
  // A new entity. `first` is what the first command tells even if it changes nothing; for most types nothing.
  messages::State initial;
  std::optional<Delta> first = std::nullopt;
  // What a command does to a new entity.
  messages::Update own;
  Delta own_delta;
  messages::State own_state;
  // What others have made of the entity, and what they do to it after that.
  Delta whole;
  messages::State whole_state;
  Delta change;
  messages::State changed_state;
  // With the user function's own update in between; `late_change` is then what others do.
  messages::State whole_own_state;
  Delta late_change;
  messages::State last_state;
};

// Adds what all types must do, "gcounter/initial" and so on, and then `others`, which are about this one.
void AddCases(const Sample& sample, std::vector<Case> others, std::vector<Case>& cases);

}  // namespace cloudstate::tck::crdts
