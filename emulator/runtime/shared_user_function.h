#pragma once

#include <string>
#include <utility>

#include "emulator/cluster/cluster.h"
#include "emulator/routing/gateway.h"
#include "emulator/runtime/user_function_link.h"
#include "emulator/runtime/user_functions.h"

namespace cloudstate::runtime {

// One user function for all nodes, of which there are as many as settings.nodes says.
class SharedUserFunction final : public UserFunctions {
 public:
  // The references outlive this.
  SharedUserFunction(const Settings& settings, const UserFunctionPlace& place, base::Strand& strand,
                     cluster::Cluster& cluster, routing::Gateway& gateway, journal::SqliteJournal& journal,
                     FaultBook& faults, Observer& observer);

  void MakeNodes() override;
  absl::Status Start() override { return link_.Start(); }
  void EndScaling() override {}
  void Stop() override { link_.Stop(); }
  void ReportError(const std::string& text) override { link_.ReportError(text); }
  dev::v1::UserFunction Describe() const override { return link_.Describe(); }
  std::shared_ptr<const userfunction::Specification> specification() const override { return link_.specification(); }
  scaling::Scaler* scaler() override { return nullptr; }

 private:
  const Settings& settings_;
  cluster::Cluster& cluster_;
  routing::Gateway& gateway_;
  Observer& observer_;
  UserFunctionLink link_;
};

}  // namespace cloudstate::runtime
