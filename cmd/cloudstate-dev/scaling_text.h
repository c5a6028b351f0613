#pragma once

#include <string>

#include "cloudstate/dev/v1/scaling.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// Scaling, for people.

// "3 wanted, 2 ready, 1 starting, 4 calls held"
std::string FormatReplicaCounts(const dev::v1::ScalingState& state);

// "user function concurrency 2.4, request rate 120", as decisions have them.
std::string FormatScalingFigures(const dev::v1::ScalingEvent& event);

// Mode, numbers, the last decision and what has been measured since, if `newest` is a tick; and a line for each
// replica.
std::string FormatScaling(const dev::v1::ScalingState& state, const dev::v1::ScalingEvent& newest,
                          const Terminal& terminal);

// A line for each setting, those that are not as by default marked.
std::string FormatScalingSettings(const dev::v1::ScalingState& state, const Terminal& terminal);

// One line, with its end; on a terminal not wider than that.
std::string FormatScalingEvent(const dev::v1::ScalingEvent& event, const Terminal& terminal);

}  // namespace cloudstate::cli
