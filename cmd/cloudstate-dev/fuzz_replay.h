#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/fuzz_calls.h"
#include "emulator/fuzzing/method.h"

namespace cloudstate::cli {

enum class ReplayedFrom { kSnapshot, kFirstEvent };

// A command to an entity as it was after an event.
struct FuzzReplay {
  base::EntityKey key;
  std::int64_t sequence = 0;                // of that event
  const fuzzing::Method* method = nullptr;  // null: no command
  std::string json;
  ReplayedFrom from = ReplayedFrom::kSnapshot;
  absl::Duration deadline;
};

absl::StatusOr<dev::v1::ReplayResponse> Ask(Client& client, const FuzzReplay& replay);

}  // namespace cloudstate::cli
