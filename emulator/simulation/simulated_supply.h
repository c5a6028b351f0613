#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/scaling/supply.h"

namespace cloudstate::simulation {

struct SupplyBehaviour {
  absl::Duration cold_start;                                   // give or take a half
  double failed_starts = 0;                                    // share of them, which are begun again
  std::optional<absl::Duration> crashes_after = std::nullopt;  // the mean; then it starts again
};

// User functions of replicas in virtual time: all of them are the simulated one, but each takes its time to start, may
// fail to, and may crash.
class SimulatedSupply final : public scaling::Supply {
 public:
  SimulatedSupply(base::Strand& strand, base::Random& random, const SupplyBehaviour& behaviour,
                  std::shared_ptr<userfunction::Connection> connection,
                  std::shared_ptr<const userfunction::Specification> specification);
  ~SimulatedSupply() override;

  // What was begun before is there without any time having passed.
  void BeginColdStarts() { cold_ = true; }
  // From now on no start fails, and nothing crashes.
  void EndFaults();

  void Start(cluster::NodeId node, Listener listener) override;
  void Stop(cluster::NodeId node) override;
  Process Describe(cluster::NodeId) const override { return {}; }

 private:
  struct Replica {
    Listener listener;
    base::TimerId timer = base::TimerId::kNone;
    bool runs = false;
  };

  void Begin(cluster::NodeId node);
  void OnStarted(cluster::NodeId node);
  void OnLost(cluster::NodeId node, const std::string& reason);

  base::Strand& strand_;
  base::Random& random_;
  SupplyBehaviour behaviour_;
  const std::shared_ptr<userfunction::Connection> connection_;
  const std::shared_ptr<const userfunction::Specification> specification_;
  bool cold_ = false;
  std::map<cluster::NodeId, Replica> replicas_;
};

}  // namespace cloudstate::simulation
