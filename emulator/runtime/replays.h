#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "emulator/admin/cancellation.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/entities/replay_run.h"

namespace cloudstate::runtime {

// The replays that go on, until their streams have ended. On the strand.
class Replays {
 public:
  explicit Replays(base::Strand& strand) : strand_(strand) {}

  // `cancellation` may come on any thread.
  void Start(userfunction::Connection& connection, entities::ReplayPlan plan, admin::Cancellation& cancellation,
             absl::AnyInvocable<void(absl::StatusOr<entities::ReplayResult>)> done);
  // All, with `reason`.
  void End(const absl::Status& reason);

 private:
  base::Strand& strand_;
  std::map<std::uint64_t, std::unique_ptr<entities::ReplayRun>> runs_;
  std::uint64_t last_ = 0;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::runtime
