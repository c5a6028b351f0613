#include "emulator/runtime/shared_supply.h"

namespace cloudstate::runtime {

void SharedSupply::Ready(std::shared_ptr<userfunction::Connection> connection,
                         std::shared_ptr<const userfunction::Specification> specification,
                         entities::ReplayFrom replay_from) {
  connection_ = std::move(connection);
  specification_ = std::move(specification);
  replay_from_ = replay_from;
  for (auto& [node, replica] : replicas_) {
    if (replica.started) TellReady(replica);
  }
}

void SharedSupply::Lost(const absl::Status& reason) {
  connection_ = nullptr;
  for (auto& [node, replica] : replicas_) {
    if (replica.started) replica.listener.lost(reason);
  }
}

void SharedSupply::Start(cluster::NodeId node, Listener listener) {
  Replica& replica = replicas_[node];
  replica.listener = std::move(listener);
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

void SharedSupply::TellReady(Replica& replica) { replica.listener.ready(connection_, specification_, replay_from_); }

}  // namespace cloudstate::runtime
