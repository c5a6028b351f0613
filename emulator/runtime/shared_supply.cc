#include "emulator/runtime/shared_supply.h"

namespace cloudstate::runtime {

void SharedSupply::Ready(std::shared_ptr<userfunction::Connection> connection,
                         std::shared_ptr<const userfunction::Specification> specification,
                         entities::ReplayFrom replay_from) {
  connection_ = std::move(connection);
  specification_ = std::move(specification);
  replay_from_ = replay_from;
  for (const cluster::NodeId node : Nodes()) {
    const auto found = replicas_.find(node);
    if (found != replicas_.end() && found->second.started) TellReady(found->second);
  }
}

void SharedSupply::Lost(const absl::Status& reason) {
  connection_ = nullptr;
  for (const cluster::NodeId node : Nodes()) {
    const auto found = replicas_.find(node);
    if (found == replicas_.end() || !found->second.started) continue;
    const std::shared_ptr<Listener> listener = found->second.listener;
    listener->lost(reason);
  }
}

void SharedSupply::Start(cluster::NodeId node, Listener listener) {
  Replica& replica = replicas_[node];
  replica.listener = std::make_shared<Listener>(std::move(listener));
  replica.starting = strand_.After(cold_start_, lifetime_.Guard([this, node] {
    Replica& started = replicas_.at(node);
    started.started = true;
    if (connection_ != nullptr) TellReady(started);
  }));
}

void SharedSupply::Stop(cluster::NodeId node) {
  const auto found = replicas_.find(node);
  if (found == replicas_.end()) return;
  strand_.Cancel(found->second.starting);
  replicas_.erase(found);
}

// Those who are told may start and stop others.
std::vector<cluster::NodeId> SharedSupply::Nodes() const {
  std::vector<cluster::NodeId> nodes;
  for (const auto& [node, replica] : replicas_) nodes.push_back(node);
  return nodes;
}

void SharedSupply::TellReady(const Replica& replica) const {
  const std::shared_ptr<Listener> listener = replica.listener;
  listener->ready(connection_, specification_, replay_from_);
}

}  // namespace cloudstate::runtime
