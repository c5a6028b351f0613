#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "emulator/cluster/cluster.h"
#include "emulator/routing/router.h"

namespace cloudstate::routing {

// What stands behind the client port: spreads calls over the nodes of the cluster, each with a router of its own, in
// turn over those that can serve; serving::kNodeHeader picks one whether it can or not.
class Gateway final : public serving::Backend {
 public:
  // Before the cluster is started. `added` sees each node's router, on the strand: a backend for calls to that node
  // alone. The references outlive this.
  Gateway(const Router::Options& options, cluster::Cluster& cluster, trace::Recorder& recorder,
          ClientCall::Report report_error, std::function<void(cluster::Node&, Router&)> added = {});
  ~Gateway() override;

  // On the strand; as for Router.
  void Serve(std::shared_ptr<const userfunction::Specification> specification);
  void Suspend(const absl::Status& reason);

  std::shared_ptr<const serving::Services> CurrentServices() const override;
  // Why no node can serve; OK if one can.
  absl::Status Availability() const override;
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override;

 private:
  void Add(cluster::Node& node);
  absl::StatusOr<Router*> Pick(const serving::Call& call);

  const Router::Options options_;
  trace::Recorder& recorder_;
  const ClientCall::Report report_error_;
  const std::function<void(cluster::Node&, Router&)> added_;
  // On the strand: for nodes that are added later.
  std::shared_ptr<const userfunction::Specification> specification_;
  absl::Status suspended_;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Router>> routers_;  // that of node n is the nth; only ever grows
  std::size_t next_ = 0;
};

}  // namespace cloudstate::routing
