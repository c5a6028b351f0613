#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/call_end.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

enum class ReplayFrom { kSnapshot, kStart };

// Asks a user function for replays of one entity, which replays of other entities may have ended: then it is waited
// for until it has started again, and a replay whose stream breaks is asked for once more while there is no other. One
// thread. Blocks.
class HistoryReplays {
 public:
  // All outlive this. Those that use one user function share `under_way`; `deadline` is each replay's.
  HistoryReplays(Client& client, const dev::v1::Entity& entity, absl::Duration deadline, absl::Mutex& under_way,
                 CallEnd& end)
      : client_(client), entity_(entity), deadline_(deadline), under_way_(under_way), end_(end) {}

  // The commands behind the events up to `sequence`. CANCELLED when interrupted.
  absl::StatusOr<dev::v1::ReplayResponse> Replay(std::int64_t sequence,
                                                 const std::vector<dev::v1::ReplayCommand>& commands, ReplayFrom from);

 private:
  absl::StatusOr<dev::v1::ReplayResponse> AmongOthers(const dev::v1::ReplayRequest& request);
  absl::StatusOr<dev::v1::ReplayResponse> Alone(const dev::v1::ReplayRequest& request);
  // The user function may just be starting again.
  absl::StatusOr<dev::v1::ReplayResponse> WhenItIsThere(const dev::v1::ReplayRequest& request);

  Client& client_;
  const dev::v1::Entity& entity_;
  const absl::Duration deadline_;
  absl::Mutex& under_way_;
  CallEnd& end_;
  bool suspected_ = false;  // it broke a stream with no other replay under way, and may end the user function
};

}  // namespace cloudstate::cli
