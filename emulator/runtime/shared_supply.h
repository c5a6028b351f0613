#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/scaling/supply.h"

namespace cloudstate::runtime {

// Replicas that all use one user function, which somebody else starts: each of them stands for a process that takes
// some time until it is ready. Pure but for the strand it lives on.
class SharedSupply final : public scaling::Supply {
 public:
  // `address` is HOST:PORT.
  SharedSupply(base::Strand& strand, std::string address, absl::Duration cold_start)
      : strand_(strand), address_(std::move(address)), cold_start_(cold_start) {}

  // The user function has come, or gone.
  void Ready(std::shared_ptr<userfunction::Connection> connection,
             std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from);
  void Lost(const absl::Status& reason);

  void Start(cluster::NodeId node, Listener listener) override;
  void Stop(cluster::NodeId node) override;
  Process Describe(cluster::NodeId) const override { return {.pid = 0, .address = address_}; }

 private:
  struct Replica {
    Listener listener;
    base::TimerId starting = base::TimerId::kNone;
    bool started = false;
  };
  void TellReady(Replica& replica);

  base::Strand& strand_;
  const std::string address_;
  const absl::Duration cold_start_;
  std::map<cluster::NodeId, Replica> replicas_;
  // Null while there is no user function.
  std::shared_ptr<userfunction::Connection> connection_;
  std::shared_ptr<const userfunction::Specification> specification_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::runtime
