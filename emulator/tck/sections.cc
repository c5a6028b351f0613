#include "emulator/tck/case.h"

namespace cloudstate::tck {

std::vector<Section> AllSections() {
  return {discovery::DirectSection(), event_sourced::DirectSection(), value::DirectSection(),
          actions::DirectSection(),   discovery::EmulatorSection(),   event_sourced::EmulatorSection(),
          value::EmulatorSection(),   actions::EmulatorSection()};
}

}  // namespace cloudstate::tck
