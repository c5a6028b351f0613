#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "emulator/routing/client_call.h"
#include "emulator/trace/load_meter.h"

namespace cloudstate::routing {

class Router;

// How a step of a trace begins that tells how long its call was held: since the step before.
inline constexpr char kHeldStep[] = "held by the activator for ";

// Holds the calls that no node can take yet, and gives each to a node as soon as one can, in the order in which they
// came; as Knative's component of that name. Calls that wait have a queue in common, and where nodes have places, each
// node one of its own. On the strand that the nodes share.
class Activator final : public std::enable_shared_from_this<Activator> {
 public:
  struct Options {
    std::size_t most = 1000;             // that wait at one time
    std::size_t most_bytes = 64U << 20;  // of what they send, in all
    // Nobody waits longer, whatever deadline the client has.
    absl::Duration longest = absl::Seconds(60);
    std::function<void(std::int64_t held)> changed = {};
  };

  // `held` counts the calls that wait; it outlives this.
  Activator(base::Strand& strand, Options options, trace::LoadMeter& held);
  ~Activator();
  Activator(const Activator&) = delete;
  Activator& operator=(const Activator&) = delete;

  // The next node's.
  void Add(Router& router);
  // As Gateway::SetDispatch.
  void SetDispatch(bool in_path, int most_at_once);
  // Of the calls that wait for a place of the nth node, counted from 0 in the order of Add; they are among those held.
  const trace::LoadMeter& waiting(std::size_t node) const { return nodes_[node].waits; }
  // Gives the call to a node, or holds it.
  void Take(std::shared_ptr<ClientCall> call, serving::Call request);
  // A node has become available or is so no longer, or has a place free again: what waits is looked through soon.
  void Wake();
  // What is held ends with `reason`, and so does what comes; `changed` is told no more. Before the routers
  // and the meter go.
  void End(absl::Status reason);

 private:
  struct Node;
  struct Held {
    std::shared_ptr<ClientCall> call;
    serving::Call request;
    absl::Time since;
    Node* node = nullptr;  // whose place it waits for; null: for any node
    base::TimerId timer = base::TimerId::kNone;
  };
  using Queue = std::list<Held>;
  struct Node {
    Router& router;
    Queue waiting = {};           // for one of its places
    trace::LoadMeter waits = {};  // of those; only how many there are over time
  };

  Node* Choose();
  std::int64_t FreePlaces(const Node& node) const;
  Queue& QueueOf(Node* node) { return node == nullptr ? waiting_ : node->waiting; }
  void Hold(Node* node, std::shared_ptr<ClientCall> call, serving::Call request);
  static Queue::iterator PlaceOf(const ClientCall& call, Queue& queue);
  void WaitAt(Node& node, Held& held);
  void WaitNoMore(Held& held);
  absl::Duration TimeFor(const ClientCall& call, const serving::Call& request) const;
  Held Release(Queue::iterator held);
  void Expire(Queue::iterator held);
  void Rearrange();
  void TakeBack(Node& node);
  void Feed(Node& node);
  std::string WhyNoneCan() const;

  base::Strand& strand_;
  Options options_;
  trace::LoadMeter& held_;
  bool in_path_ = false;
  int most_at_once_ = 0;  // 0: no limit
  std::deque<Node> nodes_;
  std::size_t turn_ = 0;   // where to look first for a node
  Queue waiting_;          // for any node
  std::size_t bytes_ = 0;  // of all that is held
  bool waking_ = false;
  absl::Status ended_;  // OK until then
};

}  // namespace cloudstate::routing
