#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/admin/cancellation.h"
#include "emulator/admin/log_filter.h"
#include "emulator/admin/log_lines.h"
#include "emulator/entities/replay_run.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::admin {

// What only a running emulator knows, as the admin services ask for it. Any thread; answers come on any thread, once.
class Live {
 public:
  virtual ~Live() = default;

  virtual void GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) = 0;
  virtual void ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) = 0;

  // Ended traces that `filter` lets through, newest first, at most `limit`.
  virtual void Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
                      absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) = 0;
  // Null where it is not kept.
  virtual void FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) = 0;

  // `watcher` sees each trace that ends from now on, on the node's strand: it must be quick. Ends when the returned
  // handle is destroyed; the watcher is not called after that.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  // What is kept already comes with it: of those that `filter` lets through the `newest`, oldest first.
  struct WatchedTraces {
    std::vector<std::shared_ptr<const trace::Trace>> kept;
    std::unique_ptr<Watch> watch;
  };
  virtual WatchedTraces WatchTraces(const dev::v1::CommandFilter& filter, std::size_t newest,
                                    trace::Recorder::Watcher watcher) = 0;

  // `stored` runs after each commit to the journal, on the journal's thread: it must be quick.
  virtual std::unique_ptr<Watch> WatchCommits(absl::AnyInvocable<void()> stored) = 0;

  // ---- the cluster; the errors are those of the contract

  template <class Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;
  virtual void ListNodes(const dev::v1::ListNodesRequest& request, Done<dev::v1::ListNodesResponse> done) = 0;
  virtual void GetNode(const dev::v1::GetNodeRequest& request, Done<dev::v1::NodeDetail> done) = 0;
  virtual void ListShards(const dev::v1::ListShardsRequest& request, Done<dev::v1::ListShardsResponse> done) = 0;
  virtual void GetNetwork(const dev::v1::GetNetworkRequest& request, Done<dev::v1::NetworkState> done) = 0;
  virtual void Steer(const dev::v1::Steering& steering, Done<dev::v1::SteerResponse> done) = 0;
  virtual void ListClusterEvents(const dev::v1::ListClusterEventsRequest& request,
                                 Done<dev::v1::ListClusterEventsResponse> done) = 0;
  // `watcher` sees what `request` asks for: first the newest that are kept, perhaps before this returns, then each one
  // as it comes, on the nodes' strand: it must be quick.
  using ClusterEventWatcher = absl::AnyInvocable<void(dev::v1::ClusterEvent)>;
  virtual std::unique_ptr<Watch> WatchClusterEvents(const dev::v1::WatchClusterEventsRequest& request,
                                                    ClusterEventWatcher watcher) = 0;

  // ---- CRDT entities, without what needs types: Describe is still to fill that in

  virtual void ListCrdts(const dev::v1::ListCrdtsRequest& request, Done<dev::v1::ListCrdtsResponse> done) = 0;
  virtual void GetCrdt(const dev::v1::GetCrdtRequest& request, Done<dev::v1::CrdtDetail> done) = 0;
  // `watcher` sees what `request` asks for, on the nodes' strand: it must be quick.
  using CrdtEventWatcher = absl::AnyInvocable<void(dev::v1::CrdtEvent)>;
  virtual std::unique_ptr<Watch> WatchCrdts(const dev::v1::WatchCrdtsRequest& request, CrdtEventWatcher watcher) = 0;

  // ---- entities of the journal; the errors are those of the contract

  virtual void DeleteEntity(const dev::v1::DeleteEntityRequest& request, Done<dev::v1::DeleteEntityResponse> done) = 0;

  // What replays are made for. UNAVAILABLE without a user function.
  struct ReplayTarget {
    std::shared_ptr<const userfunction::Specification> specification;
    entities::ReplayFrom replay_from = entities::ReplayFrom::kNewestSnapshot;
  };
  virtual void GetReplayTarget(Done<ReplayTarget> done) = 0;
  // UNAVAILABLE where the user function is no longer the one of `specification`; else as ReplayRun. `cancellation` ends
  // it.
  virtual void StartReplay(std::shared_ptr<const userfunction::Specification> specification, entities::ReplayPlan plan,
                           std::shared_ptr<Cancellation> cancellation, Done<entities::ReplayResult> done) = 0;

  // ---- scaling; the errors are those of the contract

  virtual void GetScaling(const dev::v1::GetScalingRequest& request, Done<dev::v1::ScalingState> done) = 0;
  virtual void SetScaling(const dev::v1::SetScalingRequest& request, Done<dev::v1::ScalingState> done) = 0;
  virtual void ListScalingEvents(const dev::v1::ListScalingEventsRequest& request,
                                 Done<dev::v1::ListScalingEventsResponse> done) = 0;
  // `watcher` sees what `request` asks for: first the newest that are kept, perhaps before this returns, then each one
  // as it comes, on the nodes' strand: it must be quick.
  using ScalingEventWatcher = absl::AnyInvocable<void(dev::v1::ScalingEvent)>;
  virtual std::unique_ptr<Watch> WatchScalingEvents(const dev::v1::WatchScalingEventsRequest& request,
                                                    ScalingEventWatcher watcher) = 0;
  // `watcher` sees the calls that end from now on, several at a time, on the nodes' strand: it must be quick.
  using CallTimesWatcher = absl::AnyInvocable<void(dev::v1::CallTimes)>;
  virtual std::unique_ptr<Watch> WatchCallTimes(CallTimesWatcher watcher) = 0;

  // ---- figures, the log, and how this was told to run

  virtual void GetSettings(const dev::v1::GetSettingsRequest& request, Done<dev::v1::Settings> done) = 0;
  using Sample = std::shared_ptr<const dev::v1::Sample>;
  // At most `limit` of the newest, oldest first.
  virtual void Samples(std::size_t limit, absl::AnyInvocable<void(std::vector<Sample>)> done) = 0;
  // `watcher` sees what `request` asks for, on the nodes' strand: it must be quick.
  using SampleWatcher = absl::AnyInvocable<void(Sample)>;
  virtual std::unique_ptr<Watch> WatchSamples(const dev::v1::WatchSamplesRequest& request, SampleWatcher watcher) = 0;
  // At most `limit` of the newest that fit, oldest first, and of those from the line of a number on.
  virtual LogLines NewestLogLines(const LogFilter& filter, std::size_t limit) = 0;
  virtual LogLines LogLinesFrom(std::int64_t number, const LogFilter& filter, std::size_t limit) = 0;
  // `added` runs after each line, on the thread that wrote it: it must be quick.
  virtual std::unique_ptr<Watch> WatchLog(absl::AnyInvocable<void()> added) = 0;

  // ---- what tests ask for

  // This moment, but for the position, which the journal tells.
  virtual void GetMark(absl::AnyInvocable<void(dev::v1::Mark)> done) = 0;
  // What has happened since a mark, without events: at most `limit` of each kind, oldest first.
  struct Since {
    std::vector<std::shared_ptr<const trace::Trace>> traces;  // that have ended
    std::vector<dev::v1::ClusterEvent> cluster_events;
    std::int64_t missed = 0;  // that are no longer kept, or beyond the limit
    dev::v1::Mark mark;       // to go on from; without the position
  };
  virtual void ListSince(const dev::v1::Mark& mark, std::size_t limit, absl::AnyInvocable<void(Since)> done) = 0;

  // The services of the user function, to call them.
  virtual serving::Backend& UserFunction() = 0;
};

}  // namespace cloudstate::admin
