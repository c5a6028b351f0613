#include "emulator/scaling/scaling_events.h"

#include <algorithm>
#include <utility>

namespace cloudstate::scaling {

void ScalingEvents::Add(dev::v1::ScalingEvent event) {
  const bool is_tick = event.kind() == kTick;
  std::deque<Numbered>& kept = is_tick ? ticks_ : events_;
  kept.push_back({++last_number_, std::move(event)});
  if (kept.size() > (is_tick ? kMostTicks : kMostEvents)) kept.pop_front();
}

std::vector<dev::v1::ScalingEvent> ScalingEvents::Newest(std::size_t limit, bool ticks) const {
  std::vector<dev::v1::ScalingEvent> newest;
  auto event = events_.rbegin();
  auto tick = ticks ? ticks_.rbegin() : ticks_.rend();
  while (newest.size() < limit && (event != events_.rend() || tick != ticks_.rend())) {
    const bool take_tick = event == events_.rend() || (tick != ticks_.rend() && tick->number > event->number);
    newest.push_back(take_tick ? (tick++)->event : (event++)->event);
  }
  std::ranges::reverse(newest);
  return newest;
}

}  // namespace cloudstate::scaling
