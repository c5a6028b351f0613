#include "emulator/tck/case.h"

namespace cloudstate::tck {

std::vector<Section> AllSections() {
  return {discovery::DirectSection(),       event_sourced::DirectSection(), value::DirectSection(),
          actions::DirectSection(),         crdts::DirectSection(),         discovery::EmulatorSection(),
          event_sourced::EmulatorSection(), value::EmulatorSection(),       actions::EmulatorSection(),
          crdts::EmulatorSection(),         crdts::NodesSection()};
}

}  // namespace cloudstate::tck
