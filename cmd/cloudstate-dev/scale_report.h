#pragma once

#include <string>

#include "absl/time/time.h"
#include "cmd/cloudstate-dev/scale_load.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/capacity/player.h"
#include "emulator/capacity/tuning.h"

namespace cloudstate::cli {

enum class Decisions { kFirst, kAll };

// What `scale simulate` prints: a summary, the timeline in some twenty rows, and the decisions with their reasons.
std::string PlayedReport(const ScalePlay& play, const capacity::Played& played, absl::Duration took,
                         Decisions decisions, const Terminal& terminal);
// The same as one object, with the whole timeline.
std::string PlayedReportJson(const ScalePlay& play, const capacity::Played& played, absl::Duration took);
// A header, and a line for each interval of the timeline.
std::string TimelineCsv(const ScalePlay& play, const capacity::Played& played);
// For a chart: the load, and who scaled.
std::string ChartTitle(const ScalePlay& play);

// What `scale tune` tried, and what it recommends.
struct Tuned {
  std::vector<capacity::Variation> variations;
  std::vector<capacity::Trial> trials;
  capacity::Recommendation recommendation;
  absl::Duration took;
  bool interrupted = false;
};
std::string TunedReport(const ScalePlay& play, const Tuned& tuned, const Terminal& terminal);
std::string TunedReportJson(const ScalePlay& play, const Tuned& tuned);

}  // namespace cloudstate::cli
