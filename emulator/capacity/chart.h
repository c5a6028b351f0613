#pragma once

#include <string>
#include <vector>

#include "emulator/capacity/player.h"
#include "emulator/capacity/tuning.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::capacity {

// Load, replicas, concurrency and latency over time, as an SVG document. `title` is UTF-8 without control characters.
std::string PlayedChart(const Played& played, const scaling::Settings& settings, const std::string& title);

// What each trial's latency costs, and which one is recommended, if any is. Trials are of these variations.
std::string TuningChart(const std::vector<Variation>& variations, const std::vector<Trial>& trials,
                        const Recommendation& recommendation, const std::string& title);

// What one replica is to have, as the algorithm aims at it, and what that is called: "calls per replica". Below 0 where
// there is no such target.
struct ReplicaTarget {
  double value = -1;
  std::string name;
};
ReplicaTarget TargetOf(const scaling::Settings& settings);
// What each replica that was ready had of that in the interval, on average. Not a number where none was for most of it:
// there is nothing to share among, and what drains would count for those that are ready.
double LoadOfReplica(const Interval& interval, const scaling::Settings& settings);

}  // namespace cloudstate::capacity
