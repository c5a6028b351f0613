#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/latency.h"
#include "emulator/cluster/node_id.h"

namespace cloudstate::cluster {

// What a link does to messages that go one way between two nodes.
struct LinkSettings {
  Latency latency = {};
  double loss = 0;       // share of the messages that never arrive
  double duplicate = 0;  // share that arrive twice
  double reorder = 0;    // share that is held back on the way, by 1 ms and its latency at most; the others keep order
  std::int64_t bytes_per_second = 0;  // 0 for no limit; what is sent faster waits, for a second at most, or is lost

  bool operator==(const LinkSettings&) const = default;
};

// Sent and duplicated ones are delivered, lost, in flight, came when nobody was there, or were forgotten on their way.
struct LinkCounters {
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;  // by chance or by a cut
  std::uint64_t duplicated = 0;
  std::uint64_t in_flight = 0;
};

// The network between the nodes of one emulator: encoded messages, and links that can be slow, lossy, cut. What is on
// its way is as good as on the wire: a cut or other settings concern what is sent from then on. Lives on the strand
// that all nodes share.
class Network {
 public:
  // Sees every message, for traces; `fate` is "sent", "lost", "duplicated", "cut", "delivered" or "unreceived". It
  // calls nothing here.
  using Observer = std::function<void(NodeId from, NodeId to, absl::string_view fate, const std::string& bytes)>;
  using Receive = std::function<void(std::string bytes)>;
  using Link = std::pair<NodeId, NodeId>;  // from, to

  Network(base::Strand& strand, base::Random& random) : strand_(strand), random_(random) {}

  // `receive` may be called with what was meant for an earlier receiver of this node.
  void Attach(NodeId node, Receive receive);
  // What is on its way to it is dropped on arrival, unless somebody is attached by then. Also from within its
  // `receive`.
  void Detach(NodeId node);
  // What is on its way never arrives, and counts as neither lost nor in flight.
  void Forget();
  // To another node. Nothing is delivered before this returns.
  void Send(NodeId from, NodeId to, std::string bytes);
  void Observe(Observer observer) { observer_ = std::move(observer); }

  // ---- steering

  const LinkSettings& default_settings() const { return default_; }
  void SetDefault(const LinkSettings& settings);
  const LinkSettings& SettingsOf(NodeId from, NodeId to) const;
  void Set(NodeId from, NodeId to, const LinkSettings& settings);
  // One way.
  void Cut(NodeId from, NodeId to);
  // Nodes of different groups do not reach each other. Nodes in no group make up one more. Replaces the partition
  // before.
  void Partition(std::vector<std::set<NodeId>> groups);
  bool IsCut(NodeId from, NodeId to) const;
  const std::vector<std::set<NodeId>>& partition() const { return partition_; }
  // Ends cuts, the partition, and settings of single links; the default stays.
  void Heal();

  const std::map<Link, LinkSettings>& links_set() const { return links_; }
  const std::set<Link>& cuts() const { return cuts_; }
  LinkCounters CountersOf(NodeId from, NodeId to) const;

 private:
  struct State {
    LinkCounters counters;
    absl::Time free_at = absl::InfinitePast();       // when what was sent has left, where there is a limit
    absl::Time last_arrival = absl::InfinitePast();  // of those that keep their order
    std::deque<std::string> ordered;                 // on their way, each with a timer or task that delivers the first

    // What has changed its ways does not make anybody wait for what was sent before: that arrives with what follows.
    void ForgetQueue() { free_at = last_arrival = absl::InfinitePast(); }
  };

  State& StateOf(NodeId from, NodeId to);
  void Carry(NodeId from, NodeId to, State& state, const LinkSettings& settings, absl::Time departure,
             std::string bytes);
  void Arrive(NodeId from, NodeId to, State& state, std::string bytes);
  void At(absl::Time time, base::Task task);
  void Tell(NodeId from, NodeId to, absl::string_view fate, const std::string& bytes) {
    if (observer_) observer_(from, to, fate, bytes);
  }

  base::Strand& strand_;
  base::Random& random_;
  Observer observer_;
  LinkSettings default_;
  std::map<Link, LinkSettings> links_;
  std::set<Link> cuts_;
  std::vector<std::set<NodeId>> partition_;
  std::map<NodeId, std::size_t> groups_;  // the partition again: from 1, 0 for those in none
  // Never iterated: their order differs from run to run.
  absl::flat_hash_map<NodeId, std::shared_ptr<const Receive>> receivers_;  // shared with calls of them
  absl::flat_hash_map<Link, std::unique_ptr<State>> states_;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
