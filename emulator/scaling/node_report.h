#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "emulator/scaling/measurement.h"
#include "emulator/trace/load_meter.h"

namespace cloudstate::scaling {

// What a node did between two readings of its meters, the later one at `end`. Where no time has passed there is no
// concurrency.
NodeReport ReportOf(std::uint32_t node, const trace::NodeLoad::Reading& before, const trace::NodeLoad::Reading& after,
                    absl::Time end, absl::Duration length);

dev::v1::NodeLoad ToProto(const NodeReport& report);

}  // namespace cloudstate::scaling
