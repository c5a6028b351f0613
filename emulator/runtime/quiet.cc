#include "emulator/runtime/quiet.h"

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cloudstate::runtime {
namespace {

struct UnderWay {
  std::size_t calls = 0;
  std::size_t waiting = 0;
  std::size_t handled = 0;  // by user functions
  std::size_t stored = 0;
  std::size_t busy = 0;          // nodes
  std::size_t acknowledged = 0;  // not yet
  std::size_t unsaved = 0;       // nodes
};

UnderWay Count(const cluster::Cluster& cluster) {
  UnderWay sum;
  for (const auto& [id, node] : cluster.nodes()) {
    sum.calls += node->open_calls();
    sum.waiting += node->waiting_commands();
    sum.handled += static_cast<std::size_t>(node->load().user_function.open());
    sum.stored += static_cast<std::size_t>(node->load().journal.open());
    sum.busy += node->is_busy() ? 1 : 0;
    const cluster::Replicas* replicas = node->replicas();
    if (replicas == nullptr) continue;
    sum.acknowledged += replicas->pending();
    sum.unsaved += replicas->is_saved() ? 0 : 1;
  }
  return sum;
}

void Add(std::size_t count, absl::string_view one, absl::string_view many, std::vector<std::string>& reasons) {
  if (count > 0) reasons.push_back(absl::StrCat(count, " ", count == 1 ? one : many));
}

}  // namespace

std::string WhatIsNotQuiet(const cluster::Cluster& cluster, QuietKind kind) {
  const UnderWay sum = Count(cluster);
  std::vector<std::string> reasons;
  Add(sum.calls, "call is open", "calls are open", reasons);
  Add(sum.waiting, "command waits", "commands wait", reasons);
  Add(sum.handled, "command is in the user function's hands", "commands are in the user function's hands", reasons);
  Add(sum.stored, "entity is being read or written", "entities are being read or written", reasons);
  if (reasons.empty()) {
    Add(sum.busy, "node has commands or CRDT entities in hand", "nodes have commands or CRDT entities in hand",
        reasons);
  }
  Add(sum.unsaved, "node has not stored yet what it knows of CRDT entities",
      "nodes have not stored yet what they know of CRDT entities", reasons);
  if (kind == QuietKind::kConverged) {
    Add(sum.acknowledged, "change of a CRDT entity is not acknowledged",
        "changes of CRDT entities are not acknowledged", reasons);
    if (!cluster.Converged()) reasons.emplace_back("not all nodes know the same members, shards and CRDT entities");
  }
  return absl::StrJoin(reasons, ", ");
}

}  // namespace cloudstate::runtime
