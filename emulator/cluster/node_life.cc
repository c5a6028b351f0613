#include "emulator/cluster/node_life.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/cluster/digest.h"

namespace cloudstate::cluster {
namespace {

std::uint32_t Number(NodeId node) { return static_cast<std::uint32_t>(node); }

}  // namespace

NodeLife::NodeLife(Node& node, std::uint64_t incarnation, View known)
    : node_(node),
      strand_(node.strand_),
      network_(node.surroundings_.network),
      options_(node.options_),
      incarnation_(incarnation),
      membership_(options_.membership, node.id_, incarnation, std::move(known), strand_.Now()),
      coordinator_({options_.rebalance, options_.rebalance_interval}, strand_, node.surroundings_.journal, table_,
                   [this](const std::vector<std::string>& what) {
                     for (const std::string& each : what) Tell("shard", each);
                     AfterChange(Source::kOwn);
                   }),
      entities_(options_.entities, strand_, node.surroundings_.journal, node.metrics_, node.load_, *this),
      random_(static_cast<std::minstd_rand::result_type>(DigestOf({Number(node.id_), incarnation}))),
      replicas_(options_.replicas, strand_, {Number(node.id_), incarnation}, *this, node.surroundings_.replicas),
      crdts_(options_.entities, strand_, replicas_, node.metrics_.crdts, node.load_,
             [this](const std::string& text) { ReportError(text); }) {
  UpdateUp();
  replicas_.Observe(node.surroundings_.replica_events);
  network_.Attach(node.id_, [this](std::string bytes) {
    strand_.Run(lifetime_.Guard([this, bytes = std::move(bytes)] { Receive(bytes); }));
  });
  Connect();
  strand_.Post(lifetime_.Guard([this] {
    NoticeMembers();
    Tick();
  }));
}

NodeLife::~NodeLife() {
  strand_.Cancel(tick_);
  network_.Detach(node_.id_);
  if (connection_ != nullptr) connection_->Sever();
}

void NodeLife::Connect() {
  if (node_.user_function_ == nullptr) return;
  connection_ = std::make_shared<NodeConnection>(strand_, node_.user_function_);
  entities_.Connect(connection_, node_.replay_from_);
  crdts_.Connect(connection_, node_.specification_->dialect);
}

void NodeLife::Disconnect(const absl::Status& reason) {
  for (auto& [shard, commands] : std::exchange(buffered_, {})) {
    for (Buffered& each : commands) each.command.done(reason);
  }
  buffered_count_ = 0;
  entities_.Disconnect(reason);
  crdts_.Disconnect(reason);
  // Its streams are still to be told, behind what is held while the node is paused.
  strand_.Post([former = std::exchange(connection_, nullptr)] {});
}

void NodeLife::Leave() {
  membership_.Leave();
  leaving_since_ = strand_.Now();
  AfterChange(Source::kOwn);
  if (ending_) {
    Broadcast(Gossip());  // it had not joined
  } else {
    replicas_.HandOver();
  }
}

void NodeLife::Evict(const std::optional<base::EntityKey>& key) {
  entities_.Evict(key);
  crdts_.Evict(key);
}

void NodeLife::LeaveLast() {
  is_last_ = true;
  if (membership_.self().state == NodeState::kUp) Leave();
}

absl::Status NodeLife::MoveShard(ShardId shard, NodeId to) { return coordinator_.Move(shard, to, membership_.view()); }

// ---- members

void NodeLife::Tick() {
  if (ending_) return;
  membership_.Tick(strand_.Now());
  if (IsCoordinator()) coordinator_.Run(membership_.view());
  AfterChange(Source::kOwn);
  if (ending_) return;
  LeaveIfDone();
  if (ending_) return;
  // While a member is missed, all others need to hear soon who misses it.
  const bool in_doubt = MissesMember();
  if (std::exchange(heartbeat_due_, !heartbeat_due_) || in_doubt) SendHeartbeats();
  tick_ =
      strand_.After(options_.membership.heartbeat_interval / (in_doubt ? 4 : 2), lifetime_.Guard([this] { Tick(); }));
}

bool NodeLife::MissesMember() const {
  return std::ranges::any_of(membership_.view(), [this](const auto& each) {
    return each.second.IsMember() && !membership_.IsReachable(each.first);
  });
}

void NodeLife::SendHeartbeats() {
  wire::Packet packet = NewPacket(0);
  wire::Heartbeat& heartbeat = *packet.mutable_heartbeat();
  heartbeat.set_membership_digest(membership_.Digest());
  heartbeat.set_shards_digest(table_.Digest());
  for (wire::Life& life : membership_.Unheard()) *heartbeat.add_unheard() = std::move(life);
  Broadcast(packet);
}

void NodeLife::Broadcast(const wire::Packet& packet) {
  const std::string bytes = packet.SerializeAsString();
  for (const NodeId peer : membership_.Peers()) network_.Send(node_.id_, peer, bytes);
}

void NodeLife::Receive(const std::string& bytes) {
  wire::Packet packet;
  if (ending_ || !packet.ParseFromString(bytes)) return;
  const auto from = static_cast<NodeId>(packet.from());
  const std::uint64_t incarnation = packet.from_incarnation();
  switch (packet.content_case()) {
    case wire::Packet::kHeartbeat:
      membership_.OnHeartbeat(from, incarnation, packet.heartbeat(), strand_.Now());
      AfterChange(Source::kGossip);
      if (packet.heartbeat().membership_digest() != membership_.Digest() ||
          packet.heartbeat().shards_digest() != table_.Digest()) {
        if (IsPlanted(base::PlantedBug::kGossipNotRepeated)) return;
        Transmit(from, Gossip());
      }
      return;
    case wire::Packet::kGossip:
      membership_.Merge(packet.gossip(), strand_.Now());
      for (const wire::ShardHome& home : packet.gossip().shards()) {
        if (home.shard() < kShards) table_.Merge(static_cast<ShardId>(home.shard()), FromWire(home));
      }
      AfterChange(Source::kGossip);
      return;
    case wire::Packet::kSegment:
      if (packet.to_incarnation() == incarnation_) OnSegment(from, incarnation, std::move(*packet.mutable_segment()));
      return;
    case wire::Packet::CONTENT_NOT_SET:
      return;
  }
}

wire::Packet NodeLife::NewPacket(std::uint64_t to_incarnation) const {
  wire::Packet packet;
  packet.set_from(static_cast<std::uint32_t>(node_.id_));
  packet.set_from_incarnation(incarnation_);
  packet.set_to_incarnation(to_incarnation);
  return packet;
}

void NodeLife::Transmit(NodeId to, const wire::Packet& packet) {
  network_.Send(node_.id_, to, packet.SerializeAsString());
}

wire::Packet NodeLife::Gossip() const {
  wire::Packet packet = NewPacket(0);
  membership_.Describe(*packet.mutable_gossip());
  table_.Describe(*packet.mutable_gossip());
  return packet;
}

void NodeLife::AfterChange(Source source) {
  if (ending_) return;
  const bool changed = membership_.Digest() != seen_membership_ || table_.Digest() != seen_shards_;
  // Most heartbeats say nothing new. Who is reachable changes with ticks only.
  if (source == Source::kGossip && !changed) return;
  if (changed) UpdateUp();
  NoticeMembers();
  if (ending_) return;
  replicas_.OnMembers();
  if (!changed) return;
  const std::uint64_t before = table_.Digest();
  UpdateShards();
  TellReleased();
  seen_membership_ = membership_.Digest();
  seen_shards_ = table_.Digest();
  // What came from others reaches everybody without this node: who knows less is answered with all of it.
  if (source == Source::kGossip && table_.Digest() == before) return;
  Broadcast(Gossip());
}

// What has become of this node, and whom it has stopped or begun to hear.
void NodeLife::NoticeMembers() {
  // Who is removed without having left was down, and hears of it late.
  const bool missed_end = membership_.self().state == NodeState::kRemoved && membership_.self().age != 0;
  const NodeState state = missed_end ? NodeState::kDown : membership_.self().state;
  if (state != noticed_state_) {
    noticed_state_ = state;
    Tell("state", absl::StrCat(StateName(state), " (incarnation ", incarnation_, ")"));
    node_.OnState(state);
  }
  if (state == NodeState::kDown || state == NodeState::kRemoved) {
    ending_ = true;
    return;
  }
  EndTalks();
  for (const auto& [peer, record] : membership_.view()) {
    if (peer == node_.id_) continue;
    const bool alive = record.MayBeAlive();
    const bool reachable = alive && membership_.IsReachable(peer);
    auto [noticed, is_new] = noticed_.try_emplace(peer, Noticed{record, true});
    if (!alive && record != noticed->second.record) {
      Tell("state", absl::StrCat("takes node ", ToString(peer), " for ", StateName(record.state)));
    }
    noticed->second.record = record;
    if (!alive || noticed->second.reachable == reachable) continue;
    noticed->second.reachable = reachable;
    Tell(reachable ? "reachable" : "unreachable",
         absl::StrCat(reachable ? "hears node " : "does not hear node ", ToString(peer)));
  }
}

void NodeLife::Tell(absl::string_view kind, std::string text) {
  node_.surroundings_.events.Add({strand_.WallTime(), node_.id_, kind, std::move(text)});
}

// ---- conversations

void NodeLife::OnSegment(NodeId from, std::uint64_t incarnation, wire::Segment segment) {
  if (Channel* channel = ChannelTo(from, incarnation)) channel->OnSegment(std::move(segment));
}

bool NodeLife::IsInLife(NodeId peer, std::uint64_t incarnation) const {
  const auto record = membership_.view().find(peer);
  return record != membership_.view().end() && record->second.incarnation == incarnation && record->second.MayBeAlive();
}

Channel* NodeLife::ChannelTo(NodeId peer, std::uint64_t incarnation) {
  if (!IsInLife(peer, incarnation)) return nullptr;
  Talk& talk = talks_[peer];
  if (talk.channel == nullptr) {
    talk.incarnation = incarnation;
    talk.channel = std::make_unique<Channel>(
        options_.channel, strand_, lifetime_.Guard([this, peer, incarnation](const wire::Segment& segment) {
          wire::Packet packet = NewPacket(incarnation);
          *packet.mutable_segment() = segment;
          Transmit(peer, packet);
        }),
        lifetime_.Guard([this, peer](wire::Segment segment) { OnContent(peer, std::move(segment)); }));
  }
  return talk.channel.get();
}

// With those that are no longer there, or have begun another life.
void NodeLife::EndTalks() {
  for (auto each = talks_.begin(); each != talks_.end();) {
    const NodeId peer = each->first;
    if (IsInLife(peer, each->second.incarnation)) {
      ++each;
      continue;
    }
    // It may be the channel's own callback that led here.
    strand_.Post([channel = std::move(each->second.channel)] {});
    strand_.Post(lifetime_.Guard([this, peer, incarnation = each->second.incarnation] {
      sent_.FailAll({peer, incarnation}, absl::UnavailableError(absl::StrCat(
                                             "node ", ToString(peer),
                                             " has gone with the command; whether it had its effect is not known")));
    }));
    each = talks_.erase(each);
  }
}

std::size_t NodeLife::unacknowledged(NodeId peer) const {
  const auto found = talks_.find(peer);
  return found == talks_.end() ? 0 : found->second.channel->unacknowledged();
}

void NodeLife::OnContent(NodeId from, wire::Segment segment) {
  if (ending_) return;
  if (segment.has_command()) {
    OnCommand(from, std::move(*segment.mutable_command()));
  } else if (segment.has_outcome()) {
    sent_.OnOutcome(std::move(*segment.mutable_outcome()));
  } else if (segment.has_replication()) {
    const std::uint64_t incarnation = membership_.view().at(from).incarnation;
    replicas_.OnMessage({Number(from), incarnation}, std::move(*segment.mutable_replication()));
  }
}

// A node that leaves stays until nobody needs it any more. Streams may go on for ever: those end after a time, and
// after as long again nothing is waited for that the user function still has in hand.
void NodeLife::LeaveIfDone() {
  if (membership_.self().state != NodeState::kLeaving) return;
  crdts_.EndOpenCalls();
  const absl::Duration longest = options_.entities.limits.relay_timeout;
  const absl::Duration leaving = strand_.Now() - leaving_since_;
  if (node_.open_calls() > 0 && leaving >= longest) {
    node_.watcher_.ending(absl::UnavailableError(absl::StrCat("node ", node_.name_, " is leaving the cluster")));
  }
  const bool is_patient = leaving < 2 * longest;
  if (is_patient && IsBusy()) return;
  if (!replicas_.is_open() || replicas_.pending() > 0) return;
  const bool is_done = LeavesNobody() ? HasPutAway() : HasGivenAway();
  if (is_patient ? !is_done : LeavesNobody() && !replicas_.is_saved()) return;
  for (const auto& [peer, talk] : talks_) {
    if (talk.channel->unacknowledged() > 0 && MayAnswer(peer)) return;
  }
  membership_.Left();
  AfterChange(Source::kOwn);
  if (ending_) Broadcast(Gossip());
}

// Effects of calls that have ended may still be under way.
bool NodeLife::IsBusy() const {
  return node_.open_calls() > 0 || sent_.size() > 0 || node_.load_.user_function.open() > 0 || buffered_count_ > 0 ||
         crdts_.busy_entities() > 0;
}

bool NodeLife::LeavesNobody() const {
  return is_last_ && std::ranges::none_of(membership_.view(), [this](const auto& each) {
           return each.first != node_.id_ && each.second.IsMember();
         });
}

bool NodeLife::HasGivenAway() const { return entities_.active_entities() == 0 && OwnedShards().empty(); }

// Its shards stay its own: a command that still comes is done, and the journal has all that the next life needs.
bool NodeLife::HasPutAway() {
  entities_.PassivateIdle();
  crdts_.PassivateIdle();
  replicas_.Save();
  return entities_.active_entities() == 0 && crdts_.active_entities() == 0 && replicas_.is_saved();
}

// ---- CRDT entities

void NodeLife::DeliverCrdt(const std::string& entity_id, std::shared_ptr<entities::CrdtCommand> command) {
  if (const userfunction::ServiceSpec* service = FindService(command->service)) {
    crdts_.Deliver(*service, entity_id, std::move(command));
  } else {
    command->ended(
        absl::UnavailableError(absl::StrCat("the user function does not declare ", command->service, " any more")));
  }
}

// What was sent to a service that is gone has ended with it.
void NodeLife::CancelCrdt(const std::string& entity_id, const std::shared_ptr<entities::CrdtCommand>& command) {
  const userfunction::ServiceSpec* service = FindService(command->service);
  if (service != nullptr) crdts_.Cancel({service->persistence_id, entity_id}, command);
}

// Members are, as long as nobody has declared them down. Nobody does that with joining nodes, which may long have gone.
bool NodeLife::MayAnswer(NodeId peer) const {
  const NodeRecord& record = membership_.view().at(peer);
  return record.IsMember() || (record.MayBeAlive() && record.incarnation != 0 && membership_.IsReachable(peer));
}

std::vector<crdt::ReplicaId> NodeLife::Others() const {
  std::vector<crdt::ReplicaId> others;
  for (const auto& [peer, record] : membership_.view()) {
    if (peer != node_.id_ && MayAnswer(peer)) others.push_back({Number(peer), record.incarnation});
  }
  return others;
}

bool NodeLife::MayPrune() const {
  return IsCoordinator() && std::ranges::all_of(membership_.view(), [this](const auto& each) {
           return each.first == node_.id_ || !each.second.MayBeAlive() || each.second.incarnation == 0 ||
                  MayAnswer(each.first);
         });
}

void NodeLife::UpdateUp() {
  up_.clear();
  for (const auto& [node, record] : membership_.view()) {
    if (record.state == NodeState::kUp) up_.insert({Number(node), record.incarnation});
  }
}

void NodeLife::Send(crdt::ReplicaId to, wire::Replication message) {
  Channel* channel = ChannelTo(static_cast<NodeId>(to.node), to.life);
  if (channel == nullptr) return;
  wire::Segment segment;
  *segment.mutable_replication() = std::move(message);
  channel->Send(std::move(segment));
}

void NodeLife::ReportError(const std::string& text) { node_.surroundings_.report_error(text); }

}  // namespace cloudstate::cluster
