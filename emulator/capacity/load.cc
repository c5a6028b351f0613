#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

Nanoseconds Load::Length() const {
  // What came at one moment takes a while as well, so that there is something to average over.
  if (!recorded.empty()) return recorded.back() > 0 ? recorded.back() : kSecond;
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
