#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "emulator/cluster/cluster.h"
#include "emulator/routing/activator.h"
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
  // The same of one node alone, where each has a user function of its own.
  void Serve(cluster::NodeId node, std::shared_ptr<const userfunction::Specification> specification);
  void Suspend(cluster::NodeId node, const absl::Status& reason);

  // From now on calls that no node can take are held, up to a number and to 64 MiB, until one can: the activator. So
  // are those that come to a node just after it has gone. RESOURCE_EXHAUSTED beyond either; what a client's deadline or
  // its going away end is forgotten, and none is held for longer than Router::Options::relay_timeout. On the strand,
  // before the first call; `changed` is told there how many are held, as it changes.
  struct Holding {
    std::size_t most = 1000;
    std::function<void(std::int64_t held)> changed;
  };
  void HoldCalls(Holding holding);
  // The emulator ends: calls that are held end with `reason`, and none is held any more. On the strand; as is the
  // destructor, which does the same.
  void EndHeldCalls(const absl::Status& reason);
  // On the strand, after HoldCalls. `most_at_once`: calls that one node takes, the others are held; 0 for no limit. In
  // the path, the activator gives a call to the node that has the most places free, without a limit the fewest calls;
  // else each node in turn is given calls, which wait there for its places.
  void SetDispatch(bool activator_in_path, int most_at_once);
  // Of the calls that are held. On the strand.
  trace::LoadMeter& held() { return held_; }
  // Of those of them that wait for a place of that node. On the strand, after HoldCalls.
  const trace::LoadMeter& waiting(cluster::NodeId node) const {
    return activator_->waiting(static_cast<std::size_t>(node) - 1);
  }

  // Those that a node has told last.
  std::shared_ptr<const serving::Services> CurrentServices() const override;
  // Why no node can serve; OK if one can, or if calls of known services are held until then.
  absl::Status Availability() const override;
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override;

 private:
  // Who is to take a call: the activator, where it is no router.
  struct Choice {
    Router* router = nullptr;
    bool only_there = false;
  };

  void Add(cluster::Node& node);
  Router& At(cluster::NodeId node) { return *routers_[static_cast<std::size_t>(node) - 1]; }
  absl::StatusOr<Choice> Choose(const serving::Call& call);
  void Hold(serving::Call request, std::shared_ptr<serving::Responder> responder);
  std::shared_ptr<const serving::Services> KnownServices() const;  // under the lock

  const Router::Options options_;
  base::Strand& strand_;
  trace::Recorder& recorder_;
  const ClientCall::Report report_error_;
  const std::function<void(cluster::Node&, Router&)> added_;
  // On the strand: for nodes that are added later.
  std::shared_ptr<const userfunction::Specification> specification_;
  absl::Status suspended_;
  trace::LoadMeter held_;

  mutable std::mutex mutex_;
  // Null: no call is held. Is set on the strand, which thus needs no lock to read it.
  std::shared_ptr<Activator> activator_;
  // That of node n is the nth. Grows only, and only on the strand, which thus needs no lock to read it.
  std::vector<std::unique_ptr<Router>> routers_;
  std::size_t next_ = 0;
  std::size_t served_last_ = 0;  // whose services are known last
  bool by_activator_ = false;    // which gives each call to a node, if it is for any
};

}  // namespace cloudstate::routing
