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
#include "emulator/runtime/log_book.h"
#include "emulator/runtime/observed_journal.h"
#include "emulator/runtime/replays.h"
#include "emulator/runtime/sampler.h"
#include "emulator/runtime/user_functions.h"

namespace cloudstate::runtime {

// Answers the admin services' questions from the strand, where the answers are.
class LiveState final : public admin::Live {
 public:
  // The references must outlive this. `user_function` is what stands behind the client port;
  // `client_address` tells, on the strand, where one node is called alone: HOST:PORT, or nothing.
  LiveState(base::Strand& strand, cluster::Cluster& cluster, serving::Backend& user_function, trace::Recorder& recorder,
            UserFunctions& user_functions, ObservedJournal& journal, Sampler& sampler, LogBook& log,
            absl::Duration passivation_timeout, std::function<std::string(cluster::NodeId)> client_address);

  // What does not change while the emulator runs. On the strand.
  void SetFixed(dev::v1::Status fixed, dev::v1::Settings settings) {
    fixed_ = std::move(fixed);
    settings_ = std::move(settings);
  }

  void GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) override;
  void ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) override;
  void Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
              absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) override;
  void FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) override;
  WatchedTraces WatchTraces(const dev::v1::CommandFilter& filter, std::size_t newest,
                            trace::Recorder::Watcher watcher) override;
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
  void DeleteEntity(const dev::v1::DeleteEntityRequest& request, Done<dev::v1::DeleteEntityResponse> done) override;
  void GetReplayTarget(Done<ReplayTarget> done) override;
  void StartReplay(std::shared_ptr<const userfunction::Specification> specification, entities::ReplayPlan plan,
                   std::shared_ptr<admin::Cancellation> cancellation, Done<entities::ReplayResult> done) override;
  // Replays end, and no other begins. On the strand.
  void EndReplays();
  void GetScaling(const dev::v1::GetScalingRequest& request, Done<dev::v1::ScalingState> done) override;
  void SetScaling(const dev::v1::SetScalingRequest& request, Done<dev::v1::ScalingState> done) override;
  void ListScalingEvents(const dev::v1::ListScalingEventsRequest& request,
                         Done<dev::v1::ListScalingEventsResponse> done) override;
  std::unique_ptr<Watch> WatchScalingEvents(const dev::v1::WatchScalingEventsRequest& request,
                                            ScalingEventWatcher watcher) override;
  std::unique_ptr<Watch> WatchCallTimes(CallTimesWatcher watcher) override;
  void GetSettings(const dev::v1::GetSettingsRequest& request, Done<dev::v1::Settings> done) override;
  void Samples(std::size_t limit, absl::AnyInvocable<void(std::vector<Sample>)> done) override;
  std::unique_ptr<Watch> WatchSamples(const dev::v1::WatchSamplesRequest& request, SampleWatcher watcher) override;
  admin::LogLines NewestLogLines(const admin::LogFilter& filter, std::size_t limit) override {
    return log_.Newest(filter, limit);
  }
  admin::LogLines LogLinesFrom(std::int64_t number, const admin::LogFilter& filter, std::size_t limit) override {
    return log_.From(number, filter, limit);
  }
  std::unique_ptr<Watch> WatchLog(absl::AnyInvocable<void()> added) override;
  void GetMark(absl::AnyInvocable<void(dev::v1::Mark)> done) override;
  void ListSince(const dev::v1::Mark& mark, std::size_t limit, absl::AnyInvocable<void(Since)> done) override;
  serving::Backend& UserFunction() override { return user_function_; }

 private:
  bool IsCrdt(const base::EntityKey& key) const;
  ClusterSight Sight() const { return {cluster_, strand_, client_address_}; }
  CrdtSight SightOfCrdts() const { return {cluster_, strand_, user_functions_.specification()}; }

  dev::v1::Status fixed_;
  dev::v1::Settings settings_;
  base::Strand& strand_;
  cluster::Cluster& cluster_;
  serving::Backend& user_function_;
  trace::Recorder& recorder_;
  UserFunctions& user_functions_;
  ObservedJournal& journal_;
  Sampler& sampler_;
  LogBook& log_;
  const absl::Duration passivation_timeout_;
  const std::function<std::string(cluster::NodeId)> client_address_;
  // On the strand.
  Replays replays_{strand_};
  bool ending_ = false;
};

}  // namespace cloudstate::runtime
