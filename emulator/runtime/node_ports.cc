#include "emulator/runtime/node_ports.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/log.h"

namespace cloudstate::runtime {

std::string Address(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? absl::StrCat(host, ":", port) : absl::StrCat("[", host, "]:", port);
}

serving::FrontDoor::Options ClientDoorOptions(const Settings& settings, std::uint16_t port, serving::Backend& backend) {
  serving::FrontDoor::Options options;
  options.host = settings.listen;
  options.port = port;
  options.backend = &backend;
  options.allowed_origins = settings.allowed_origins;
  options.limits.message_bytes = settings.max_message_bytes;
  return options;
}

void NodePorts::Add(cluster::NodeId node, serving::Backend& backend) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  ports_[node].backend = &backend;
  if (ports_.size() < 2) return;
  for (auto& [id, port] : ports_) {
    if (!std::exchange(port.tried, true)) Open(id, port);
  }
}

void NodePorts::Open(cluster::NodeId node, Port& port) {
  auto door = MakeDoor(node, *port.backend);
  if (door.ok()) {
    port.door = *std::move(door);
    return;
  }
  base::LogWarning(absl::StrCat("node ", ToString(node), " has no port of its own: ", door.status().message()));
  problem_.Update(door.status());
}

absl::StatusOr<std::unique_ptr<serving::FrontDoor>> NodePorts::MakeDoor(cluster::NodeId node,
                                                                        serving::Backend& backend) const {
  const std::size_t wanted = settings_.node_port == 0 ? 0 : settings_.node_port + static_cast<std::size_t>(node) - 1;
  if (wanted > kLastPort) {
    return absl::OutOfRangeError(absl::StrCat("nodes' ports begin at ", settings_.node_port, ", and its own would be ",
                                              wanted, "; the last one is ", kLastPort));
  }
  return serving::FrontDoor::Start(ClientDoorOptions(settings_, static_cast<std::uint16_t>(wanted), backend));
}

absl::Status NodePorts::Check() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

std::string NodePorts::AddressOf(cluster::NodeId node) const {
  std::lock_guard lock(mutex_);
  const auto found = ports_.find(node);
  return found == ports_.end() || found->second.door == nullptr ? ""
                                                                : Address(settings_.listen, found->second.door->port());
}

void NodePorts::Shutdown(absl::Duration grace) {
  std::vector<serving::FrontDoor*> doors;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [id, port] : ports_) {
      if (port.door != nullptr) doors.push_back(port.door.get());
    }
  }
  const absl::Time end = absl::Now() + grace;
  for (serving::FrontDoor* door : doors) door->Shutdown(std::max(absl::ZeroDuration(), end - absl::Now()));
}

}  // namespace cloudstate::runtime
