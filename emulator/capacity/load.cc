#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

Nanoseconds Load::Length() const {
  if (!recorded.empty()) return recorded.back();
  Nanoseconds length = 0;
  for (const Stretch& stretch : stretches) length += stretch.length;
  return length;
}

double Load::Calls() const {
  double calls = static_cast<double>(recorded.size());
  for (const Stretch& stretch : stretches) calls += stretch.Calls();
  return calls * times;
}

}  // namespace cloudstate::capacity
