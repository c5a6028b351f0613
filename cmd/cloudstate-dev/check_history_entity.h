#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/call_end.h"
#include "cmd/cloudstate-dev/check_history_compare.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

struct HistoryCheck {
  std::int64_t commands = 100;          // of each entity, the newest; 0 for all
  std::string read;                     // a method that is asked for the state with and without snapshots, or empty
  std::set<std::string> read_services;  // whose method it is: full names
  IgnoredFields ignored;
  absl::Duration deadline = absl::Seconds(10);  // of each replay
};

enum class FindingKind {
  kDoesNotLoad,           // the user function does not take the stored events
  kDoesNotLoadFromStart,  // it takes them from the newest snapshot on, but not all of them
  kStoresOtherEvents,     // a command leads to other events than those stored
  kFails,                 // a command that has stored events fails
  kCommandIsGone,         // its method, or a field of its input, is no longer there
  kSnapshotDiffers,       // the state is another one with the snapshot than without
};

struct Finding {
  FindingKind kind;
  std::int64_t sequence = 0;  // of the first event that it is about
  std::string command = {};   // that led to the event: "ShoppingCart.AddItem {…}"; empty where it is not about one
  std::string problem = {};   // in a sentence
  std::vector<std::string> difference;  // lines after "- " for what is stored, "+ " for what comes now, or "  "
  IgnoredFields varying = {};           // fields that were another time different again
};

struct EntityHistory {
  dev::v1::Entity entity;
  std::int64_t commands = 0;  // that were compared
  std::vector<Finding> findings;
  absl::Status failure;  // why it could not be checked to its end
  absl::Duration took = {};
};

// Brings an entity's stored events to the user function, by replays of the emulator that has a copy of them: whether it
// takes them, and whether the commands behind them lead to the same events again. What is found to differ is gone on
// behind. Any thread. Blocks. All that use one user function share `replays`: a replay whose stream breaks is asked
// for once more while there is no other, since another one may have ended the user function.
EntityHistory CheckEntity(Client& client, const dev::v1::Entity& entity, const HistoryCheck& check,
                          absl::Mutex& replays, CallEnd& end);

}  // namespace cloudstate::cli
