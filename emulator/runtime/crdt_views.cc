#include "emulator/runtime/crdt_views.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "emulator/admin/views.h"
#include "emulator/runtime/crdt_changes.h"
#include "emulator/runtime/crdt_differences.h"
#include "emulator/runtime/crdt_values.h"

namespace cloudstate::runtime {
namespace {

using base::EntityKey;
using cluster::Cluster;
using cluster::Node;
using Kind = cluster::ReplicaEvent::Kind;

constexpr std::size_t kElementsInLists = 5;
constexpr int kDefaultElements = 100;
constexpr int kMostElements = 10'000;
// The strand is busy while entities are looked at, whether or not they fit.
constexpr int kMostLookedAt = 10'000;

std::int32_t NumberOf(const Node& node) { return static_cast<std::int32_t>(node.id()); }

crdt::ReplicaId LifeOn(const Node& node) { return {static_cast<std::uint32_t>(node.id()), node.incarnation()}; }

// ---- the list

std::string ToToken(const EntityKey& key) {
  return absl::StrCat(key.persistence_id.size(), ":", key.persistence_id, key.entity_id);
}

absl::StatusOr<EntityKey> FromToken(const std::string& token) {
  if (token.empty()) return EntityKey();
  const std::size_t colon = token.find(':');
  std::size_t size = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(token.substr(0, colon), &size) ||
      size > token.size() - colon - 1) {
    return absl::InvalidArgumentError("The page token is none that an answer gave.");
  }
  return EntityKey{token.substr(colon + 1, size), token.substr(colon + 1 + size)};
}

const EntityKey* NextKey(const Cluster& cluster, const EntityKey& after) {
  const EntityKey* next = nullptr;
  for (const auto& [id, node] : cluster.nodes()) {
    const EntityKey* own = node->replicas() == nullptr ? nullptr : node->replicas()->NextKey(after);
    if (own != nullptr && (next == nullptr || *own < *next)) next = own;
  }
  return next;
}

std::vector<std::string> ServicesOf(const CrdtSight& sight, const std::string& persistence_id) {
  std::vector<std::string> names;
  if (sight.specification == nullptr) return names;
  for (const auto& [name, service] : sight.specification->services) {
    if (service.kind == userfunction::EntityKind::kCrdt && service.persistence_id == persistence_id) {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

bool FitsFilter(const CrdtSight& sight, const dev::v1::EventFilter& filter, const EntityKey& key) {
  if (!absl::StrContains(key.entity_id, filter.id_contains())) return false;
  if (filter.service().empty()) return true;
  const std::vector<std::string> services = ServicesOf(sight, key.persistence_id);
  return std::ranges::find(services, filter.service()) != services.end();
}

std::int64_t PendingAt(const Node& node, const EntityKey& key) {
  std::int64_t pending = 0;
  for (const auto& [peer, link] : node.replicas()->links()) {
    const auto still = link.SightOf(key);
    if (still.has_value())
      pending += (still->on_way != 0 ? 1 : 0) + (still->due != nullptr || still->whole_due ? 1 : 0);
  }
  return pending;
}

// Without values.
dev::v1::Crdt Summarize(const CrdtSight& sight, const EntityKey& key) {
  dev::v1::Crdt crdt;
  crdt.set_persistence_id(key.persistence_id);
  crdt.set_entity_id(key.entity_id);
  for (std::string& service : ServicesOf(sight, key.persistence_id)) crdt.add_services(std::move(service));
  crdt.set_agreed(true);
  std::optional<std::uint64_t> digest;
  for (const auto& [id, node] : sight.cluster.nodes()) {
    const cluster::Replicas* replicas = node->replicas();
    if (replicas == nullptr) continue;
    crdt.set_pending(crdt.pending() + PendingAt(*node, key));
    const bool up = node->state() == cluster::StateName(cluster::NodeState::kUp);
    if (up && digest.value_or(replicas->Digest(key)) != replicas->Digest(key)) crdt.set_agreed(false);
    if (up) digest = replicas->Digest(key);
    const crdt::State* state = replicas->Find(key);
    if (state == nullptr) continue;
    crdt.set_nodes(crdt.nodes() + 1);
    crdt.set_deleted(crdt.deleted() || state->deleted());
    const crdt::Cell* cell = state->cells().Current();
    if (cell != nullptr) crdt.set_type(std::string(crdt::TypeName(cell->type())));
  }
  return crdt;
}

void PutValues(const CrdtSight& sight, const EntityKey& key, std::int32_t only, dev::v1::Crdt& crdt) {
  for (const auto& [id, node] : sight.cluster.nodes()) {
    if (node->replicas() == nullptr || (only != 0 && NumberOf(*node) != only)) continue;
    const crdt::State* state = node->replicas()->Find(key);
    if (state == nullptr) continue;
    dev::v1::CrdtValueOnNode& value = *crdt.add_values();
    value.set_node(NumberOf(*node));
    auto found = ValueView(*state, LifeOn(*node), node->replicas()->up(), kElementsInLists);
    if (found.has_value()) *value.mutable_value() = *std::move(found);
  }
}

// ---- one entity

dev::v1::CrdtReplica ToReplica(const Node& node, const EntityKey& key, std::size_t elements) {
  dev::v1::CrdtReplica replica;
  replica.set_node(NumberOf(node));
  replica.set_incarnation(static_cast<std::int64_t>(node.incarnation()));
  replica.set_state(std::string(node.state()));
  replica.set_paused(node.strand().paused());
  const cluster::Replicas* replicas = node.replicas();
  const crdt::State* state = replicas == nullptr ? nullptr : replicas->Find(key);
  replica.set_active(node.is_active_crdt(key));
  if (replicas != nullptr) {
    const cluster::Replicas::WaitingFor waiting = replicas->waiting(key);
    replica.set_waiting_writes(static_cast<std::int32_t>(waiting.writes));
    replica.set_waiting_reads(static_cast<std::int32_t>(waiting.reads));
  }
  if (state == nullptr) return replica;
  replica.set_known(true);
  replica.set_deleted(state->deleted());
  replica.set_digest(absl::StrFormat("%016x", replicas->Digest(key)));
  replica.set_bytes(static_cast<std::int64_t>(state->Encode().size()));
  for (const auto& each : WritesIn(state->context(), {})) {
    dev::v1::CrdtWrites& writes = *replica.add_writes() = WritesView(each);
    writes.set_over(each.first != LifeOn(node) && !replicas->links().contains(each.first));
  }
  auto value = ValueView(*state, LifeOn(node), replicas->up(), elements);
  if (value.has_value()) *replica.mutable_value() = *std::move(value);
  return replica;
}

// ---- events

absl::string_view KindName(const cluster::ReplicaEvent& event) {
  switch (event.kind) {
    case Kind::kWritten:
      return event.update == nullptr ? "deleted" : "written";
    case Kind::kConfirmed:
      return "confirmed";
    case Kind::kTimedOut:
      return "timed out";
    case Kind::kSent:
      return "sent";
    case Kind::kJoined:
      return "joined";
    case Kind::kAcknowledged:
      return "acknowledged";
    case Kind::kDiffers:
      return "differs";
    case Kind::kWanted:
      return "wanted";
    case Kind::kPruned:
      return "pruned";
    case Kind::kForgotten:
      return "forgotten";
  }
  return "";
}

// What the receiver of a change knows before it. Of what is sent, an emulator can look that up.
const crdt::State& KnownToReceiver(const CrdtSight& sight, const cluster::ReplicaEvent& event) {
  static const crdt::State kNothing;
  if (event.before != nullptr) return *event.before;
  const Node* peer = sight.cluster.Find(static_cast<cluster::NodeId>(event.peer.node));
  if (peer == nullptr || peer->replicas() == nullptr || LifeOn(*peer) != event.peer) return kNothing;
  const crdt::State* known = peer->replicas()->Find(event.key);
  return known == nullptr ? kNothing : *known;
}

void PutChange(const CrdtSight& sight, const cluster::ReplicaEvent& event, dev::v1::CrdtEvent& result) {
  result.set_whole(event.change->kind() == crdt::State::Kind::kWhole);
  Writes writes;
  if (event.kind == Kind::kWritten) {
    PutChanges(*event.update, result);
    crdt::CausalContext written;  // the delta's own names those that it replaces, too
    event.change->cells().VisitDots([&](const crdt::Dot& dot) { written.Add(dot); });
    writes = WritesIn(written, {});
  } else {
    const crdt::State& known = KnownToReceiver(sight, event);
    PutChanges(known, *event.change, result);
    writes = WritesIn(event.change->context(), known.context());
  }
  for (const auto& each : writes) *result.add_writes() = WritesView(each);
}

}  // namespace

absl::StatusOr<dev::v1::ListCrdtsResponse> ListCrdts(const CrdtSight& sight, const dev::v1::ListCrdtsRequest& request) {
  absl::StatusOr<int> size = admin::PageSize(request.page_size());
  if (!size.ok()) return size.status();
  absl::StatusOr<EntityKey> after = FromToken(request.page_token());
  if (!after.ok()) return after.status();
  if (request.node() != 0) {
    const auto node = sight.cluster.FindOrFail(static_cast<cluster::NodeId>(std::max(request.node(), 0)));
    if (!node.ok()) return node.status();
  }
  const std::string& persistence_id = request.filter().persistence_id();
  *after = std::max(*after, EntityKey{persistence_id, ""});
  dev::v1::ListCrdtsResponse response;
  for (int looked_at = 0;; ++looked_at) {
    const EntityKey* next = NextKey(sight.cluster, *after);
    if (next == nullptr || (!persistence_id.empty() && next->persistence_id != persistence_id)) return response;
    if (looked_at == kMostLookedAt || response.crdts_size() == *size) break;
    *after = *next;
    if (!FitsFilter(sight, request.filter(), *next)) continue;
    dev::v1::Crdt& crdt = *response.add_crdts() = Summarize(sight, *next);
    PutValues(sight, *next, request.node(), crdt);
  }
  response.set_next_page_token(ToToken(*after));
  return response;
}

absl::StatusOr<dev::v1::CrdtDetail> GetCrdt(const CrdtSight& sight, const dev::v1::GetCrdtRequest& request) {
  if (request.elements() < 0) return absl::InvalidArgumentError("Ask for at least 1 element.");
  const int elements = request.elements() == 0 ? kDefaultElements : std::min(request.elements(), kMostElements);
  const EntityKey key{request.persistence_id(), request.entity_id()};
  dev::v1::CrdtDetail detail;
  *detail.mutable_crdt() = Summarize(sight, key);
  if (detail.crdt().nodes() == 0) {
    return absl::NotFoundError(absl::StrCat("No node knows of a CRDT entity '", key.ToString(), "'."));
  }
  for (const auto& [id, node] : sight.cluster.nodes()) {
    if (node->replicas() == nullptr && node->state() == cluster::StateName(cluster::NodeState::kRemoved)) continue;
    *detail.add_replicas() = ToReplica(*node, key, static_cast<std::size_t>(elements));
  }
  PutTransfers(sight, key, detail);
  PutDifferences(sight, key, detail);
  return detail;
}

bool Fits(const dev::v1::WatchCrdtsRequest& request, const cluster::ReplicaEvent& event) {
  return (request.entity_id().empty() || request.entity_id() == event.key.entity_id) &&
         (request.persistence_id().empty() || request.persistence_id() == event.key.persistence_id) &&
         (request.node() == 0 || static_cast<std::uint32_t>(request.node()) == event.node.node);
}

dev::v1::CrdtEvent EventView(const CrdtSight& sight, const cluster::ReplicaEvent& event) {
  dev::v1::CrdtEvent result;
  *result.mutable_time() = admin::ToTimestamp(sight.strand.WallTime());
  result.set_kind(std::string(KindName(event)));
  result.set_persistence_id(event.key.persistence_id);
  result.set_entity_id(event.key.entity_id);
  result.set_node(static_cast<std::int32_t>(event.node.node));
  result.set_peer(static_cast<std::int32_t>(event.peer.node));
  result.set_number(static_cast<std::int64_t>(event.number));
  result.set_bytes(static_cast<std::int64_t>(event.bytes));
  const bool write = event.kind == Kind::kWritten || event.kind == Kind::kConfirmed || event.kind == Kind::kTimedOut;
  if (write && (event.kind != Kind::kTimedOut || event.consistency != crdt::LOCAL)) {
    result.set_consistency(crdt::CrdtWriteConsistency_Name(event.consistency));
  }
  if (event.change != nullptr) PutChange(sight, event, result);
  return result;
}

}  // namespace cloudstate::runtime
