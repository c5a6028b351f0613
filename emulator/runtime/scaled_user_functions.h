#pragma once

#include <memory>
#include <string>

#include "emulator/cluster/cluster.h"
#include "emulator/routing/gateway.h"
#include "emulator/runtime/process_supply.h"
#include "emulator/runtime/shared_supply.h"
#include "emulator/runtime/user_function_link.h"
#include "emulator/runtime/user_functions.h"
#include "emulator/scaling/cluster_fleet.h"

namespace cloudstate::runtime {

// As many nodes as scaling wants: each with a process of its own where the emulator starts the user function, otherwise
// all with the same.
class ScaledUserFunctions final : public UserFunctions {
 public:
  // `place` is of the one that all share. The references outlive this.
  ScaledUserFunctions(const Settings& settings, const UserFunctionPlace& place, base::Strand& strand,
                      cluster::Cluster& cluster, routing::Gateway& gateway, journal::SqliteJournal& journal,
                      FaultBook& faults, Observer& observer);
  ~ScaledUserFunctions() override { Stop(); }

  void MakeNodes() override;
  absl::Status Start() override;
  void EndScaling() override {
    if (fleet_ != nullptr) fleet_->End();
  }
  void Stop() override;
  void ReportError(const std::string& text) override;
  dev::v1::UserFunction Describe() const override;
  std::shared_ptr<const userfunction::Specification> specification() const override;
  scaling::Scaler* scaler() override { return scaler_.get(); }

 private:
  void ShareOne(const UserFunctionPlace& place, journal::SqliteJournal& journal, FaultBook& faults);

  const Settings& settings_;
  base::Strand& strand_;
  cluster::Cluster& cluster_;
  routing::Gateway& gateway_;
  Observer& observer_;
  const int initial_;

  // One process for each replica …
  std::unique_ptr<ProcessSupply> processes_;
  // … or one user function for all.
  std::unique_ptr<SharedSupply> shared_;
  std::unique_ptr<UserFunctionLink> link_;

  // On the strand.
  std::unique_ptr<scaling::ClusterFleet> fleet_;
  std::unique_ptr<scaling::Scaler> scaler_;
};

}  // namespace cloudstate::runtime
