#include "emulator/runtime/crdt_differences.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/admin/views.h"
#include "emulator/routing/steering.h"
#include "emulator/runtime/crdt_values.h"

namespace cloudstate::runtime {
namespace {

using cluster::Node;
using cluster::ReplicaLink;

crdt::ReplicaId LifeOf(const Node& node) { return {static_cast<std::uint32_t>(node.id()), node.incarnation()}; }

std::string NameOf(const Node& node) { return absl::StrCat("node ", node.name()); }

// How long, in few digits: "850ms", "3.2s".
std::string ShortTime(absl::Duration time) {
  return absl::FormatDuration(
      absl::Trunc(time, time < absl::Seconds(1) ? absl::Milliseconds(1) : absl::Milliseconds(100)));
}

std::string Counted(std::size_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

// Why what `from` has is not at `to`.
class Reasons {
 public:
  Reasons(const CrdtSight& sight, const Node& from, const Node& to, dev::v1::CrdtDifference& difference)
      : sight_(sight), from_(from), to_(to), difference_(difference) {}

  void Find(const base::EntityKey& key) {
    const cluster::Network& network = sight_.cluster.network();
    if (to_.strand().paused()) Add("paused", absl::StrCat(NameOf(to_), " is paused, and takes nothing in"));
    if (from_.strand().paused()) Add("paused", absl::StrCat(NameOf(from_), " is paused, and sends nothing"));
    const bool cut = network.IsCut(from_.id(), to_.id());
    if (cut) {
      const bool alone = network.cuts().contains({from_.id(), to_.id()});
      Add(alone ? "cut" : "partition", absl::StrCat("nothing gets from ", NameOf(from_), " to ", NameOf(to_), ": ",
                                                    alone ? "the link is cut" : "the network is parted"));
    }
    const auto& links = from_.replicas()->links();
    const auto link = links.find(LifeOf(to_));
    if (link == links.end()) {
      return Add("not_member", absl::StrCat(NameOf(from_), " does not count ", NameOf(to_), ", which is ", to_.state(),
                                            ", among the members"));
    }
    const auto sight = link->second.SightOf(key);
    if (!sight.has_value()) {
      if (!cut) AddDigest();
      return;
    }
    if (!cut) AddLink(network.SettingsOf(from_.id(), to_.id()));
    AddSight(*sight);
  }

 private:
  void AddLink(const cluster::LinkSettings& settings) {
    const std::string name = absl::StrCat("the link from ", NameOf(from_), " to ", NameOf(to_));
    if (settings.loss > 0) {
      Add("loss", absl::StrCat(name, " loses ", settings.loss * 100, "% of the messages, which are sent again"));
    }
    const std::string latency = routing::ToProto(settings).latency();
    if (!latency.empty()) Add("slow", absl::StrCat(name, " takes ", latency));
  }

  void AddSight(const ReplicaLink::Sight& sight) {
    if (sight.on_way != 0) {
      Add("on_way", absl::StrCat("change ", sight.on_way, ", ", Counted(sight.on_way_bytes, "byte"),
                                 ", has been on its way for ", ShortTime(sight_.strand.Now() - sight.sent)));
    }
    if (sight.due == nullptr && !sight.whole_due) return;
    const std::string what = sight.whole_due ? "the whole state" : Counted(sight.joined, "change");
    const std::string waits = absl::StrCat(what, sight.whole_due || sight.joined == 1 ? " waits" : " wait");
    if (sight.on_way != 0) {
      Add("behind", absl::StrCat(waits, " until that is acknowledged"));
    } else {
      Add("batch", absl::StrCat(waits, " for the next batch, which goes within ",
                                absl::FormatDuration(from_.replicas()->options().delta_interval)));
    }
  }

  void AddDigest() {
    Add("digest", absl::StrCat(NameOf(from_), " has nothing on its way to ", NameOf(to_),
                               ": its digests, which go to one other node every ",
                               absl::FormatDuration(from_.replicas()->options().gossip_interval), ", will tell"));
  }

  void Add(absl::string_view kind, std::string text) {
    dev::v1::CrdtReason& reason = *difference_.add_reasons();
    reason.set_kind(std::string(kind));
    reason.set_text(std::move(text));
  }

  const CrdtSight& sight_;
  const Node& from_;
  const Node& to_;
  dev::v1::CrdtDifference& difference_;
};

void PutDifference(const CrdtSight& sight, const base::EntityKey& key, const Node& from, const Node& to,
                   dev::v1::CrdtDetail& detail) {
  static const crdt::State kNothing;
  const crdt::State* theirs = from.replicas()->Find(key);
  const crdt::State* found = to.replicas()->Find(key);
  const crdt::State& ours = found == nullptr ? kNothing : *found;
  if (theirs == nullptr || ours.deleted()) return;
  const Writes missing = WritesIn(theirs->context(), ours.context());
  if (missing.empty() && !theirs->deleted()) return;
  dev::v1::CrdtDifference& difference = *detail.add_differences();
  difference.set_node(static_cast<std::int32_t>(to.id()));
  difference.set_known_by(static_cast<std::int32_t>(from.id()));
  difference.set_deletion(theirs->deleted());
  for (const auto& each : missing) *difference.add_missing() = WritesView(each);
  Reasons(sight, from, to, difference).Find(key);
}

}  // namespace

void PutTransfers(const CrdtSight& sight, const base::EntityKey& key, dev::v1::CrdtDetail& detail) {
  for (const auto& [id, node] : sight.cluster.nodes()) {
    if (node->replicas() == nullptr) continue;
    for (const auto& [peer, link] : node->replicas()->links()) {
      const auto still = link.SightOf(key);
      if (!still.has_value()) continue;
      dev::v1::CrdtTransfer& transfer = *detail.add_transfers();
      transfer.set_from(static_cast<std::int32_t>(id));
      transfer.set_to(static_cast<std::int32_t>(peer.node));
      if (still->on_way != 0) {
        transfer.set_number(static_cast<std::int64_t>(still->on_way));
        transfer.set_bytes(static_cast<std::int64_t>(still->on_way_bytes));
        *transfer.mutable_age() = admin::ToDuration(sight.strand.Now() - still->sent);
      }
      transfer.set_due_whole(still->whole_due);
      const crdt::State* due = still->whole_due ? node->replicas()->Find(key) : still->due;
      if (due == nullptr) continue;
      transfer.set_due_changes(still->whole_due ? 1 : static_cast<std::int64_t>(still->joined));
      transfer.set_due_bytes(static_cast<std::int64_t>(due->Encode().size()));
    }
  }
}

void PutDifferences(const CrdtSight& sight, const base::EntityKey& key, dev::v1::CrdtDetail& detail) {
  for (const auto& [id, to] : sight.cluster.nodes()) {
    if (to->replicas() == nullptr) {
      if (to->state() == cluster::StateName(cluster::NodeState::kRemoved)) continue;
      dev::v1::CrdtDifference& difference = *detail.add_differences();
      difference.set_node(static_cast<std::int32_t>(id));
      dev::v1::CrdtReason& reason = *difference.add_reasons();
      reason.set_kind("node_down");
      reason.set_text(absl::StrCat(NameOf(*to), " is ", to->state()));
      continue;
    }
    for (const auto& [from_id, from] : sight.cluster.nodes()) {
      if (from_id != id && from->replicas() != nullptr) PutDifference(sight, key, *from, *to, detail);
    }
  }
}

}  // namespace cloudstate::runtime
