#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/base/random.h"
#include "emulator/cluster/channel.h"
#include "emulator/cluster/replicas.h"
#include "emulator/crdt/value.h"
#include "tests/support/memory_replica_store.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {

inline base::EntityKey KeyOf(const std::string& id) { return {"entities", id}; }

inline crdt::CrdtDelta Increment(std::uint64_t by) {
  crdt::CrdtDelta delta;
  delta.mutable_gcounter()->set_increment(by);
  return delta;
}

inline crdt::CrdtDelta AddElement(const std::string& element) {
  crdt::CrdtDelta delta;
  delta.mutable_orset()->add_added()->set_value(element);
  return delta;
}

inline crdt::CrdtDelta RemoveElement(const std::string& element) {
  crdt::CrdtDelta delta;
  delta.mutable_orset()->add_removed()->set_value(element);
  return delta;
}

// Nodes with nothing but replicas, in virtual time. All know at once who is a member. Their conversations go over real
// channels, through a network that loses, repeats and reorders, or parts them.
class ReplicasWorld {
 public:
  // What was handed to a peer's conversation.
  struct Sent {
    absl::Time at;
    crdt::ReplicaId from;
    crdt::ReplicaId to;
    wire::Replication message;
  };

  explicit ReplicasWorld(std::uint32_t nodes, std::uint64_t seed = 1, Replicas::Options options = {},
                         testing::MemoryReplicaStore* store = nullptr)
      : random_(seed), options_(options), store_(store) {
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      const std::uint64_t former = store == nullptr ? 0 : store->lives[node];
      hosts_[node] = std::make_unique<Host>(*this, node, former + 1);
    }
    TellMembers();
  }

  // ---- what befalls nodes and network

  void Kill(std::uint32_t node) {
    hosts_.erase(node);
    leaving_.erase(node);
    TellMembers();
  }
  void Start(std::uint32_t node) {
    hosts_[node] = std::make_unique<Host>(*this, node, ++lives_[node]);
    TellMembers();
  }
  // No longer up, but still there.
  void Leave(std::uint32_t node) {
    leaving_.insert(node);
    TellMembers();
    at(node).HandOver();
  }
  void Cut(std::uint32_t a, std::uint32_t b) { cut_.insert(std::minmax(a, b)); }
  void CutOff(std::uint32_t node) {
    for (const auto& [other, host] : hosts_) {
      if (other != node) Cut(node, other);
    }
  }
  void Heal() { cut_.clear(); }
  double loss = 0;
  absl::Duration longest_delay = absl::Milliseconds(1);

  // ---- what is done on nodes

  using Outcome = std::shared_ptr<std::optional<absl::Status>>;
  Outcome Update(std::uint32_t node, const std::string& id, const crdt::CrdtDelta& update,
                 crdt::CrdtWriteConsistency consistency = crdt::LOCAL) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    const absl::Status status = at(node).Of(KeyOf(id)).Update(
        update, consistency, [outcome](absl::Status written) { *outcome = std::move(written); });
    if (!status.ok()) *outcome = status;
    return outcome;
  }
  Outcome Delete(std::uint32_t node, const std::string& id, crdt::CrdtWriteConsistency consistency = crdt::LOCAL) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    at(node).Of(KeyOf(id)).Delete(consistency, [outcome](absl::Status written) { *outcome = std::move(written); });
    return outcome;
  }
  std::shared_ptr<bool> Read(std::uint32_t node, const std::string& id) {
    auto read = std::make_shared<bool>(false);
    at(node).Of(KeyOf(id)).Read([read] { *read = true; });
    return read;
  }
  void Pass(absl::Duration time) { strand.Advance(time); }
  bool RunUntilAgreed(absl::Duration within) {
    return strand.RunUntil([this] { return Agreed(); }, within);
  }

  // ---- what there is

  Replicas& at(std::uint32_t node) { return *hosts_.at(node)->replicas; }
  crdt::ReplicaId life(std::uint32_t node) const { return hosts_.at(node)->self; }
  std::vector<std::uint32_t> nodes() const {
    std::vector<std::uint32_t> nodes;
    for (const auto& [node, host] : hosts_) nodes.push_back(node);
    return nodes;
  }
  std::optional<crdt::Value> Value(std::uint32_t node, const std::string& id) {
    const crdt::State* state = at(node).Find(KeyOf(id));
    return state == nullptr ? std::nullopt : crdt::ValueOf(*state, life(node), hosts_.at(node)->Up());
  }
  std::uint64_t Count(std::uint32_t node, const std::string& id) {
    const std::optional<crdt::Value> value = Value(node, id);
    return value.has_value() ? value->count : 0;
  }
  bool Agreed() const {
    const std::uint64_t digest = hosts_.begin()->second->replicas->Digest();
    return std::ranges::all_of(hosts_, [&](const auto& each) { return each.second->replicas->Digest() == digest; });
  }
  std::size_t changes() const {
    std::size_t changes = 0;
    for (const Sent& each : sent) changes += static_cast<std::size_t>(each.message.changes_size());
    return changes;
  }

  testing::VirtualStrand strand;
  std::vector<Sent> sent;
  std::map<std::uint32_t, std::vector<std::string>> told;  // entities whose change was told, by node
  std::vector<std::string> errors;

 private:
  struct Host final : Replicas::Peers {
    Host(ReplicasWorld& owner, std::uint32_t node, std::uint64_t number) : world(owner), self{node, number} {
      world.lives_[node] = number;
      replicas = std::make_unique<Replicas>(world.options_, world.strand, self, *this, world.store_);
    }

    std::vector<crdt::ReplicaId> Others() const override {
      std::vector<crdt::ReplicaId> others;
      for (const auto& [node, host] : world.hosts_) {
        if (host.get() != this) others.push_back(host->self);
      }
      return others;
    }
    const crdt::Voters& Up() const override { return world.up_; }
    bool MayPrune() const override { return world.hosts_.begin()->second.get() == this; }
    void Send(crdt::ReplicaId to, wire::Replication message) override {
      world.sent.push_back({world.strand.Now(), self, to, message});
      wire::Segment segment;
      *segment.mutable_replication() = std::move(message);
      ChannelTo(to).Send(std::move(segment));
    }
    std::size_t Random(std::size_t bound) override { return world.random_() % bound; }
    void OnChanged(const base::EntityKey& key) override { world.told[self.node].push_back(key.entity_id); }
    void ReportError(const std::string& text) override { world.errors.push_back(text); }

    Channel& ChannelTo(crdt::ReplicaId peer) {
      std::unique_ptr<Channel>& channel = channels[peer];
      if (channel == nullptr) {
        channel = std::make_unique<Channel>(
            Channel::Options(), world.strand,
            [this, peer](const wire::Segment& segment) { world.Transmit(self, peer, segment); },
            [this, peer](wire::Segment segment) {
              replicas->OnMessage(peer, std::move(*segment.mutable_replication()));
            });
      }
      return *channel;
    }

    ReplicasWorld& world;
    const crdt::ReplicaId self;
    std::map<crdt::ReplicaId, std::unique_ptr<Channel>> channels;
    std::unique_ptr<Replicas> replicas;
  };

  Host* Find(crdt::ReplicaId life) const {
    const auto found = hosts_.find(life.node);
    return found == hosts_.end() || found->second->self != life ? nullptr : found->second.get();
  }

  void Transmit(crdt::ReplicaId from, crdt::ReplicaId to, const wire::Segment& segment) {
    const int copies = base::Happens(random_, loss) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (cut_.contains(std::minmax(from.node, to.node)) || base::Happens(random_, loss)) continue;
      const absl::Duration delay =
          absl::Microseconds(1 + random_() % static_cast<std::uint64_t>(absl::ToInt64Microseconds(longest_delay)));
      strand.After(delay, [this, from, to, segment] {
        Host* receiver = Find(to);
        if (receiver != nullptr && Find(from) != nullptr) receiver->ChannelTo(from).OnSegment(segment);
      });
    }
  }

  void TellMembers() {
    up_.clear();
    for (const auto& [node, host] : hosts_) {
      if (!leaving_.contains(node)) up_.insert(host->self);
    }
    for (const auto& [node, host] : hosts_) {
      std::erase_if(host->channels, [this](const auto& each) { return Find(each.first) == nullptr; });
    }
    for (const auto& [node, host] : hosts_) host->replicas->OnMembers();
  }

  base::Random random_;
  const Replicas::Options options_;
  testing::MemoryReplicaStore* const store_;
  std::map<std::uint32_t, std::uint64_t> lives_;
  crdt::Voters up_;
  std::set<std::uint32_t> leaving_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut_;
  std::map<std::uint32_t, std::unique_ptr<Host>> hosts_;
};

}  // namespace cloudstate::cluster
