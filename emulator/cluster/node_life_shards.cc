// The half of a node's life that brings commands to shards, and shards to where they belong.
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/cluster/node_life.h"

namespace cloudstate::cluster {
namespace {

std::size_t Index(ShardId shard) { return static_cast<std::size_t>(shard); }

}  // namespace

// ---- commands

void NodeLife::Deliver(std::string entity_id, entities::Command command) {
  const ShardId shard = ShardOf(entity_id);
  Route(shard, {std::move(entity_id), std::move(command)});
}

void NodeLife::OnCommand(NodeId from, wire::Command command) {
  const std::uint64_t epoch = command.epoch();
  std::string entity_id = std::move(*command.mutable_entity_id());
  const std::uint64_t incarnation = membership_.view().at(from).incarnation;
  entities::Command received =
      ReceiveCommand(std::move(command), strand_, lifetime_.Guard([this, from, incarnation](wire::Outcome outcome) {
        Channel* channel = ChannelTo(from, incarnation);
        if (channel == nullptr) return;  // nobody is there to be told
        wire::Segment segment;
        *segment.mutable_outcome() = std::move(outcome);
        channel->Send(std::move(segment));
      }));
  if (node_.user_function_ == nullptr) {
    received.done(absl::UnavailableError("the user function has gone"));
    return;
  }
  const ShardId shard = ShardOf(entity_id);
  Route(shard, {std::move(entity_id), std::move(received), epoch});
}

void NodeLife::Route(ShardId shard, Buffered buffered) {
  const ShardHome& home = table_.at(shard);
  const LocalShard& local = local_[Index(shard)];
  if (local.state == LocalShard::State::kRunning && local.epoch >= buffered.least_epoch) {
    const userfunction::ServiceSpec* service = FindService(buffered.command.service);
    if (service == nullptr) {
      buffered.command.done(absl::UnavailableError(
          absl::StrCat("the user function does not declare ", buffered.command.service, " any more")));
      return;
    }
    entities_.Deliver({shard, local.epoch, static_cast<std::uint32_t>(node_.id_)}, *service, buffered.entity_id,
                      std::move(buffered.command));
    return;
  }
  const bool elsewhere = home.phase == ShardPhase::kOwned && home.owner != node_.id_;
  if (elsewhere && home.epoch >= buffered.least_epoch && home.epoch > local.lost_epoch &&
      ChannelTo(home.owner, home.incarnation) != nullptr) {
    SendTo(home, std::move(buffered));
  } else {
    Buffer(shard, std::move(buffered));
  }
}

void NodeLife::SendTo(const ShardHome& home, Buffered buffered) {
  if (buffered.command.number == trace::kClientsCommand) buffered.command.trace->served_by = ToString(home.owner);
  buffered.command.trace->Add(
      strand_.Now(), trace::StepKind::kRouted, buffered.command.number,
      absl::StrCat("to node ", ToString(home.owner), ", shard ", Index(ShardOf(buffered.entity_id))));
  wire::Segment segment;
  *segment.mutable_command() =
      sent_.Send({home.owner, home.incarnation}, home.epoch, buffered.entity_id, std::move(buffered.command));
  ChannelTo(home.owner, home.incarnation)->Send(std::move(segment));
}

void NodeLife::Buffer(ShardId shard, Buffered buffered) {
  if (buffered_count_ >= options_.max_buffered_commands) ForgetAbandoned();
  if (buffered_count_ >= options_.max_buffered_commands) {
    buffered.command.done(absl::ResourceExhaustedError(
        absl::StrCat(buffered_count_, " commands wait on node ", node_.name_, " for shards on their way already")));
    return;
  }
  if (!std::exchange(buffered.traced, true)) {
    buffered.command.trace->Add(strand_.Now(), trace::StepKind::kQueued, buffered.command.number,
                                absl::StrCat("until shard ", Index(shard), " has a home"));
  }
  ++buffered_count_;
  buffered_[shard].push_back(std::move(buffered));
}

void NodeLife::ForgetAbandoned() {
  std::vector<entities::Command> forgotten;  // first taken out: what ends may send further ones
  for (auto& [shard, commands] : buffered_) {
    for (Buffered& each : commands) {
      if (*each.command.abandoned) forgotten.push_back(std::move(each.command));
    }
    std::erase_if(commands, [](const Buffered& each) { return each.command.abandoned == nullptr; });
  }
  buffered_count_ -= forgotten.size();
  for (entities::Command& each : forgotten) each.done(absl::CancelledError("nobody waits for it any more"));
}

void NodeLife::Flush(ShardId shard) {
  auto found = buffered_.extract(shard);
  if (found.empty()) return;
  buffered_count_ -= found.mapped().size();
  for (Buffered& each : found.mapped()) {
    if (*each.command.abandoned) {
      each.command.done(absl::CancelledError("nobody waits for it any more"));
    } else {
      Route(shard, std::move(each));
    }
  }
}

const userfunction::ServiceSpec* NodeLife::FindService(const std::string& name) const {
  if (node_.specification_ == nullptr) return nullptr;
  const auto found = node_.specification_->services.find(name);
  return found == node_.specification_->services.end() ? nullptr : &found->second;
}

// ---- shards

std::vector<ShardId> NodeLife::OwnedShards() const {
  std::vector<ShardId> owned;
  for (std::uint32_t i = 0; i < kShards; ++i) {
    const ShardHome& home = table_.at(ShardId{i});
    if (IsOwn(home) && home.phase != ShardPhase::kReleased) owned.push_back(ShardId{i});
  }
  return owned;
}

bool NodeLife::IsOwn(const ShardHome& home) const {
  return home.owner == node_.id_ && home.incarnation == incarnation_;
}

void NodeLife::UpdateShards() {
  for (std::uint32_t i = 0; i < kShards && !ending_; ++i) UpdateShard(ShardId{i});
}

// Brings what this node does in line with where the shard is.
void NodeLife::UpdateShard(ShardId shard) {
  const ShardHome& home = table_.at(shard);
  LocalShard& local = local_[Index(shard)];
  const bool to_run = IsOwn(home) && home.phase == ShardPhase::kOwned && home.epoch > local.lost_epoch;
  switch (local.state) {
    case LocalShard::State::kElsewhere:
      if (to_run) {
        local = {LocalShard::State::kRunning, home.epoch, local.lost_epoch};
      } else if (IsOwn(home)) {
        // It is to move; or it was lost, and perhaps nobody knows who has claimed it until it is claimed again.
        Release(shard);
      }
      break;
    case LocalShard::State::kRunning:
      if (to_run && home.epoch == local.epoch) break;
      local.state = LocalShard::State::kRetiring;
      for (ActiveEntities::Undelivered& each : entities_.Retire(shard)) {
        Route(shard, {std::move(each.entity_id), std::move(each.command), local.epoch});
      }
      break;
    case LocalShard::State::kRetiring:
      break;
  }
  Flush(shard);
}

void NodeLife::OnRetired(ShardId shard) {
  if (ending_) return;
  local_[Index(shard)].state = LocalShard::State::kElsewhere;
  UpdateShard(shard);
  AfterChange(Source::kOwn);
}

void NodeLife::Release(ShardId shard) {
  ShardHome home = table_.at(shard);
  home.phase = ShardPhase::kReleased;
  if (table_.Merge(shard, home)) released_.push_back(shard);
}

void NodeLife::TellReleased() {
  const std::vector<ShardId> released = std::exchange(released_, {});
  if (released.size() == 1) {
    Tell("shard", absl::StrCat("released shard ", Index(released.front())));
  } else if (!released.empty()) {
    Tell("shard", absl::StrCat("released ", released.size(), " shards"));
  }
}

// The table does not tell yet who has it.
void NodeLife::OnFenced(journal::Fence fence) {
  LocalShard& local = local_[Index(fence.shard)];
  if (ending_ || local.epoch != fence.epoch || local.lost_epoch >= fence.epoch) return;
  local.lost_epoch = fence.epoch;
  Tell("shard", absl::StrCat("has lost shard ", Index(fence.shard), " (epoch ", fence.epoch, ")"));
  UpdateShard(fence.shard);
}

}  // namespace cloudstate::cluster
