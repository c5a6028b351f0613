#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "emulator/cluster/node_id.h"
#include "emulator/runtime/settings.h"
#include "emulator/serving/front_door.h"

namespace cloudstate::runtime {

inline constexpr std::size_t kLastPort = 65'535;

std::string Address(const std::string& host, std::uint16_t port);

// A port for each node, which is called there alone; none while there is one node only. Any thread.
class NodePorts {
 public:
  // `settings` outlives this.
  explicit NodePorts(const Settings& settings) : settings_(settings) {}

  // The node's calls go to `backend`, which outlives this. A port that cannot be had, or would be above the last one,
  // leaves the node without one, and a warning; with settings.node_port that is an error of Check.
  void Add(cluster::NodeId node, serving::Backend& backend);
  // ALREADY_EXISTS and alike, where a port that was asked for could not be had.
  absl::Status Check() const;
  // HOST:PORT; empty where the node has none.
  std::string AddressOf(cluster::NodeId node) const;
  void Shutdown(absl::Duration grace);

 private:
  struct Port {
    serving::Backend* backend = nullptr;
    std::unique_ptr<serving::FrontDoor> door;
    bool tried = false;
  };
  void Open(cluster::NodeId node, Port& port);
  absl::StatusOr<std::unique_ptr<serving::FrontDoor>> MakeDoor(cluster::NodeId node, serving::Backend& backend) const;

  const Settings& settings_;
  mutable std::mutex mutex_;
  std::map<cluster::NodeId, Port> ports_;
  absl::Status problem_;
  bool closed_ = false;
};

// What the client port and the nodes' own have in common.
serving::FrontDoor::Options ClientDoorOptions(const Settings& settings, std::uint16_t port, serving::Backend& backend);

}  // namespace cloudstate::runtime
