#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/cluster/cluster.h"
#include "emulator/simulation/clients.h"
#include "emulator/simulation/violation.h"

namespace cloudstate::simulation {

// What a scenario says must hold, looked at again and again. On the strand.
class Conditions {
 public:
  // How often they are looked at.
  static constexpr absl::Duration kInterval = absl::Milliseconds(50);

  // `ready` counts the replicas that are ready; where there is no scaling, there are none.
  Conditions(
      const base::Strand& strand, const cluster::Cluster& cluster, Clients& clients,
      std::function<int()> ready = [] { return 0; })
      : strand_(strand), cluster_(cluster), clients_(clients), ready_(std::move(ready)) {}

  // The condition of a step that has one, from now on.
  void Add(const dev::v1::ScenarioStep& step);
  void Check();
  // Whether anything is still to come true.
  bool waiting() const;
  // Whether a read is open whose answer still counts.
  bool asking() const;
  // All is quiet: what has not come true by now will not.
  void End();

  const std::vector<Violation>& violations() const { return violations_; }

 private:
  // The last answer to a read that a condition makes. It counts until the next one comes.
  struct Probe {
    bool open = false;
    std::optional<absl::Status> last;
  };
  enum class Kind { kAlways, kEventually, kThroughout };
  struct Watched {
    Kind kind = Kind::kAlways;
    dev::v1::Condition condition;
    absl::Time since;
    absl::Time until;
    std::size_t first_operation = 0;  // that was begun afterwards
    bool last_look = false;           // its time is over, and only what was asked for in time still counts
    bool done = false;
    std::map<const dev::v1::Condition*, Probe> probes = {};
  };

  void Check(Watched& watched);
  static bool Asks(const Watched& watched);
  // Nothing while it is not known yet.
  std::optional<bool> Holds(Watched& watched, const dev::v1::Condition& condition);
  std::optional<bool> HoldsAll(Watched& watched, const dev::v1::AllOf& all);
  std::optional<absl::Status> Ask(Watched& watched, const dev::v1::Condition& condition, int node);
  bool Sees(const dev::v1::NodeSees& sees) const;
  int FailedCalls(std::size_t first_operation) const;
  void Violated(Watched& watched, const std::string& how);

  const base::Strand& strand_;
  const cluster::Cluster& cluster_;
  Clients& clients_;
  const std::function<int()> ready_;
  std::list<Watched> watched_;  // probes refer to them
  std::vector<Violation> violations_;
};

}  // namespace cloudstate::simulation
