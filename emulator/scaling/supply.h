#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "emulator/cluster/node_id.h"
#include "emulator/entities/entity.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::scaling {

// Where replicas get their user function from: a process of each one's own, or the one that all share. On the nodes'
// strand.
class Supply {
 public:
  // These neither start nor stop anything before they return; they may post what does.
  struct Listener {
    // The first time, and again each time that it is back: the node can be served.
    absl::AnyInvocable<void(std::shared_ptr<userfunction::Connection>,
                            std::shared_ptr<const userfunction::Specification>, entities::ReplayFrom)>
        ready;
    absl::AnyInvocable<void(const absl::Status& reason)> lost;
  };
  struct Process {
    std::int64_t pid = 0;  // 0 where it has none of its own, or it does not run
    std::string address;   // HOST:PORT
  };

  virtual ~Supply() = default;
  // Begins to make one for the node, which has none.
  virtual void Start(cluster::NodeId node, Listener listener) = 0;
  // The node needs it no more; its listener is not called after this.
  virtual void Stop(cluster::NodeId node) = 0;
  virtual Process Describe(cluster::NodeId node) const = 0;
};

}  // namespace cloudstate::scaling
