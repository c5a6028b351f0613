#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

inline constexpr Nanoseconds kNever = std::numeric_limits<Nanoseconds>::max();

// What happens to a call or a replica while a load is played.
struct Event {
  enum class Kind : std::uint32_t { kSent, kWorked, kAnswered, kReady };

  Nanoseconds at;
  Kind kind;
  std::uint32_t index;  // of the call, or of the replica
  std::uint32_t life;   // of the replica

  bool operator<(const Event& other) const { return at > other.at; }  // the first one is on top of the heap
};

class EventHeap {
 public:
  Nanoseconds NextAt() const { return heap_.empty() ? kNever : heap_.front().at; }
  void Add(const Event& event) {
    heap_.push_back(event);
    std::push_heap(heap_.begin(), heap_.end());
  }
  // There is one.
  Event Take() {
    const Event event = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    return event;
  }

 private:
  std::vector<Event> heap_;
};

}  // namespace cloudstate::capacity
