#pragma once

#include <functional>
#include <string>
#include <vector>

#include "emulator/tck/driver.h"

namespace cloudstate::tck {

// The older dialect does not know all that the present one does.
enum class Since { k0_1, k0_2 };

// One thing that is checked.
struct Case {
  std::string id;     // within its section: "snapshot-after-five"
  std::string title;  // what holds when it passes, as a sentence
  std::function<void(Driver&)> run;
  std::string hint = {};   // what may be wrong when it does not; empty if there is nothing to say beyond the title
  std::string needs = {};  // a service besides those of the section; empty for none
  Since since = Since::k0_1;
};

enum class Part {
  kDirect,    // the kit talks to the user function as a proxy does
  kEmulator,  // the kit is a client of our emulator, which talks to the user function
  kTwoNodes,  // the same with an emulator of two nodes, which takes calls in turn
};

// Cases of one kind. A section whose services the user function does not declare is skipped.
struct Section {
  std::string name;  // the first part of its cases' ids: "event-sourced", "emulator/value"
  Part part = Part::kDirect;
  std::vector<std::string> needs;  // services, by full name
  std::vector<Case> cases;
};

namespace discovery {
Section DirectSection();
Section EmulatorSection();
}  // namespace discovery
namespace event_sourced {
Section DirectSection();
Section EmulatorSection();
}  // namespace event_sourced
namespace value {
Section DirectSection();
Section EmulatorSection();
}  // namespace value
namespace actions {
Section DirectSection();
Section EmulatorSection();
}  // namespace actions
namespace crdts {
Section DirectSection();
Section EmulatorSection();
Section NodesSection();
}  // namespace crdts

// All of them, in the order in which they run.
std::vector<Section> AllSections();

}  // namespace cloudstate::tck
