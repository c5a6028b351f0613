#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/watchers.h"
#include "emulator/scaling/autoscaler.h"
#include "emulator/scaling/fleet.h"
#include "emulator/scaling/scaling_events.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// Has an algorithm decide once a tick, and the fleet follow; at once when a call is held and no replica is there. Keeps
// what was decided, with the numbers. On the nodes' strand.
class Scaler {
 public:
  using Event = dev::v1::ScalingEvent;

  // Settings have been checked. `initial`: replicas that there are already, or are to be. All references outlive this.
  Scaler(Settings settings, int initial, bool real_processes, base::Strand& strand, Fleet& fleet);
  ~Scaler();
  Scaler(const Scaler&) = delete;
  Scaler& operator=(const Scaler&) = delete;

  // As the contract says of SetScaling.
  absl::Status Set(const dev::v1::SetScalingRequest& request);
  dev::v1::ScalingState Describe() const;

  // Newest last; at most `limit`.
  std::vector<Event> Newest(std::size_t limit, bool ticks) const { return events_.Newest(limit, ticks); }
  std::uint64_t Watch(cluster::Watchers<Event>::Watcher watcher) { return watchers_.Watch(std::move(watcher)); }
  void Unwatch(std::uint64_t watch) { watchers_.Unwatch(watch); }

 private:
  // A time in which the activator holds calls, with interruptions that are too short to tell of.
  struct Holding {
    absl::Time began;
    absl::Time last;  // when a call was held last
    std::int64_t most = 0;
  };

  void Arm();
  void Tick();
  Measurement Measure();
  void Follow(const Decision& decision);
  void SetDispatch();

  void OnHeld(std::int64_t held);
  void StartFromNothing();
  void LookWhetherReleased();
  void OnReplica(std::uint32_t node, std::string text, std::optional<absl::Duration> cold_start);

  Event NewEvent(std::string kind, std::string text, int wanted_before) const;
  void Add(Event event);

  Settings settings_;
  const bool real_processes_;
  base::Strand& strand_;
  Fleet& fleet_;
  Autoscaler autoscaler_;
  int wanted_;
  std::string phase_;  // of the algorithm
  bool activator_in_path_ = false;
  std::optional<Event> last_decision_;
  std::optional<Holding> holding_;
  bool starting_from_nothing_ = false;  // a task will
  base::TimerId timer_ = base::TimerId::kNone;
  base::TimerId release_timer_ = base::TimerId::kNone;
  ScalingEvents events_;
  cluster::Watchers<Event> watchers_;
  base::Lifetime lifetime_;
};

// All settings, for people.
void DescribeSettings(const Settings& settings, dev::v1::ScalingState& state);

}  // namespace cloudstate::scaling
