#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cloudstate/cluster/wire.pb.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/node_id.h"
#include "emulator/entities/entity.h"

namespace cloudstate::cluster {

// The commands that one life of a node has sent to others and that have no outcome yet. On the node's strand.
class RemoteCommands {
 public:
  // A life of another node.
  struct Receiver {
    NodeId node = NodeId::kNone;
    std::uint64_t incarnation = 0;

    bool operator==(const Receiver&) const = default;
  };

  // What goes to the other node. Its outcome, or the other one's end, runs command.done.
  wire::Command Send(Receiver to, std::uint64_t epoch, const std::string& entity_id, entities::Command command);
  // One that is not known any more is ignored.
  void OnOutcome(wire::Outcome outcome);
  // The other node will not answer: all that it was sent fails with `reason`.
  void FailAll(const Receiver& to, const absl::Status& reason);

  std::size_t size() const { return sent_.size(); }

 private:
  struct Sent {
    Receiver to;
    entities::Command command;
  };
  std::map<std::uint64_t, Sent> sent_;  // by id
  std::uint64_t last_id_ = 0;
};

// The same command where it has arrived: its outcome, with what happened to it here, goes to `answer`.
entities::Command ReceiveCommand(wire::Command command, const base::Strand& strand,
                                 std::function<void(wire::Outcome)> answer);

}  // namespace cloudstate::cluster
