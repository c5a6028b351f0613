#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

// Until nothing goes on any more. DEADLINE_EXCEEDED says what does.
absl::Status AwaitIdle(Client& client, absl::Duration deadline);

}  // namespace cloudstate::cli
