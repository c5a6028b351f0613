#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "cloudstate/dev/v1/scaling.pb.h"

namespace cloudstate::scaling {

// The number that a "replica" event has when the replica has become ready: how long that took, in seconds.
inline constexpr char kColdStartFigure[] = "cold start";

// What happened to the replicas, bounded. There are many ticks that change nothing: they have room of their own, so
// that they do not drive out what did change something.
class ScalingEvents {
 public:
  static constexpr std::size_t kMostEvents = 1'000;
  static constexpr std::size_t kMostTicks = 900;
  static constexpr char kTick[] = "tick";

  void Add(dev::v1::ScalingEvent event);
  // At most `limit`, newest last; with or without ticks.
  std::vector<dev::v1::ScalingEvent> Newest(std::size_t limit, bool ticks) const;

 private:
  struct Numbered {
    std::uint64_t number = 0;
    dev::v1::ScalingEvent event;
  };

  std::uint64_t last_number_ = 0;
  std::deque<Numbered> events_;
  std::deque<Numbered> ticks_;
};

}  // namespace cloudstate::scaling
