#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/scaling/measurement.h"

namespace cloudstate::scaling {

// The replicas that scaling has more or fewer of, as it sees them. On the nodes' strand.
class Fleet {
 public:
  struct Counts {
    int ready = 0;
    int starting = 0;  // and joining
    int draining = 0;
  };
  struct Watcher {
    // One has come further; `text` is for people. Of one that is ready, how long that took.
    std::function<void(std::uint32_t node, std::string text, std::optional<absl::Duration> cold_start)> replica;
    // The activator holds calls, or no longer does. More than one may come before somebody looks.
    std::function<void(std::int64_t held)> held;
  };

  virtual ~Fleet() = default;

  virtual void Watch(Watcher watcher) = 0;
  // Starts replicas, or drains those that are youngest, until so many are there or on their way. One that is to go
  // is called back only as long as its node does not know yet.
  virtual void Resize(int wanted) = 0;
  virtual Counts counts() const = 0;
  virtual std::int64_t held_calls() const = 0;
  // What the nodes that are ready, and the activator, did since the call before.
  virtual std::vector<NodeReport> TakeReports() = 0;
  // Whether calls go through the activator; and how many a replica takes at once, 0 for no limit.
  virtual void SetDispatch(bool activator_in_path, int container_concurrency) = 0;
  virtual std::vector<dev::v1::Replica> Describe() const = 0;
};

}  // namespace cloudstate::scaling
