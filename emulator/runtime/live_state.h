#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/admin/live.h"
#include "emulator/cluster/cluster.h"
#include "emulator/runtime/cluster_views.h"
#include "emulator/runtime/crdt_views.h"
#include "emulator/runtime/observed_journal.h"
#include "emulator/runtime/user_function_link.h"

namespace cloudstate::runtime {

// Answers the admin services' questions from the strand, where the answers are.
class LiveState final : public admin::Live {
 public:
  // The references must outlive this. `user_function` is what stands behind the client port;
  // `client_address` tells, on the strand, where one node is called alone: HOST:PORT, or nothing.
  LiveState(base::Strand& strand, cluster::Cluster& cluster, serving::Backend& user_function, trace::Recorder& recorder,
            UserFunctionLink& link, ObservedJournal& journal, absl::Duration passivation_timeout,
            std::function<std::string(cluster::NodeId)> client_address);

  // What does not change while the emulator runs. On the strand.
  void SetFixed(dev::v1::Status fixed) { fixed_ = std::move(fixed); }

  void GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) override;
  void ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) override;
  void Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
              absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) override;
  void FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) override;
  std::unique_ptr<Watch> WatchTraces(trace::Recorder::Watcher watcher) override;
  std::unique_ptr<Watch> WatchCommits(absl::AnyInvocable<void()> stored) override;
  void ListNodes(const dev::v1::ListNodesRequest& request, Done<dev::v1::ListNodesResponse> done) override;
  void GetNode(const dev::v1::GetNodeRequest& request, Done<dev::v1::NodeDetail> done) override;
  void ListShards(const dev::v1::ListShardsRequest& request, Done<dev::v1::ListShardsResponse> done) override;
  void GetNetwork(const dev::v1::GetNetworkRequest& request, Done<dev::v1::NetworkState> done) override;
  void Steer(const dev::v1::Steering& steering, Done<dev::v1::SteerResponse> done) override;
  void ListClusterEvents(const dev::v1::ListClusterEventsRequest& request,
                         Done<dev::v1::ListClusterEventsResponse> done) override;
  std::unique_ptr<Watch> WatchClusterEvents(const dev::v1::WatchClusterEventsRequest& request,
                                            ClusterEventWatcher watcher) override;
  void ListCrdts(const dev::v1::ListCrdtsRequest& request, Done<dev::v1::ListCrdtsResponse> done) override;
  void GetCrdt(const dev::v1::GetCrdtRequest& request, Done<dev::v1::CrdtDetail> done) override;
  std::unique_ptr<Watch> WatchCrdts(const dev::v1::WatchCrdtsRequest& request, CrdtEventWatcher watcher) override;
  serving::Backend& UserFunction() override { return user_function_; }

 private:
  ClusterSight Sight() const { return {cluster_, strand_, client_address_}; }
  CrdtSight SightOfCrdts() const { return {cluster_, strand_, link_.specification()}; }

  dev::v1::Status fixed_;
  base::Strand& strand_;
  cluster::Cluster& cluster_;
  serving::Backend& user_function_;
  trace::Recorder& recorder_;
  UserFunctionLink& link_;
  ObservedJournal& journal_;
  const absl::Duration passivation_timeout_;
  const std::function<std::string(cluster::NodeId)> client_address_;
};

}  // namespace cloudstate::runtime
