#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "emulator/base/entity_key.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/waiting_room.h"
#include "emulator/entities/entity.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::cluster {

struct ActiveOptions {
  entities::Limits limits = {};
  // At most this many entities have a stream; 0 for no limit. When it is reached, the entity that has been idle longest
  // makes room, and commands for further ones wait until there is some.
  std::size_t max_active_entities = 0;
  std::size_t max_waiting_for_room = 10'000;
};

// The entities of one kind that are active on one node, and the commands for those that there is no room for. Lives on
// the node's strand.
//
// An Entity is a StoredEntity or a CrdtEntity. A Pending is as in WaitingRoom, and its `Fail` ends its commands.
// Destroying the set drops all commands without an outcome, and nothing is called any more.
template <typename Entity, typename Pending>
class ActiveSet {
 public:
  using Options = ActiveOptions;

  ActiveSet(const ActiveSet&) = delete;
  ActiveSet& operator=(const ActiveSet&) = delete;

  // The user function has gone: all entities stop, and all their commands fail with `reason`.
  void Disconnect(const absl::Status& reason) {
    connection_ = nullptr;
    for (Pending& each : pending_.TakeAll()) each.Fail(reason);
    for (Entity* entity : Sorted()) entity->Abort(reason);
  }

  // Stops those that have nothing to do, as if they had been idle for long enough.
  void PassivateIdle() {
    while (!idle_.empty()) idle_.front()->entity().Passivate();
  }

  // This one, or all: each stops when it has finished what the user function has, and is loaded anew for the next
  // command.
  void Evict(const std::optional<base::EntityKey>& key) {
    for (Entity* entity : Sorted()) {
      if (!key.has_value() || entity->key() == *key) entity->Evict();
    }
  }

  std::size_t active_entities() const { return active_.size(); }
  bool is_active(const base::EntityKey& key) const { return active_.contains(key); }
  // Those that have something to do.
  std::size_t busy_entities() const { return active_.size() - idle_.size() + pending_.entities(); }
  // That an Evict would end.
  std::size_t streams(const std::optional<base::EntityKey>& key) const {
    return CountIf(
        [&key](const Entity& entity) { return (!key.has_value() || entity.key() == *key) && !entity.stopped(); });
  }
  // Those that the user function has not got yet.
  std::size_t waiting_commands() const {
    std::size_t waiting = pending_.commands();
    for (const auto& [key, slot] : active_) waiting += slot->entity().waiting();
    return waiting;
  }

 protected:
  // The place of an active entity, and its host.
  class Slot : public Entity::Host {
   public:
    explicit Slot(ActiveSet& set) : set_(set) {}
    ~Slot() override {
      if (idle_) set_.idle_.erase(place_);
    }

    virtual Entity& entity() = 0;

    void OnStopped() final {
      // A command may come before the task runs and start it again.
      set_.strand_.Post(set_.lifetime_.Guard([&set = set_, key = entity().key()] { set.Remove(key); }));
    }

    void OnIdle(bool idle) final {
      if (idle == idle_) return;
      idle_ = idle;
      if (!idle) {
        set_.idle_.erase(place_);
        return;
      }
      place_ = set_.idle_.insert(set_.idle_.end(), this);
      if (!set_.pending_.empty()) set_.strand_.Post(set_.lifetime_.Guard([&set = set_] { set.MakeRoom(); }));
    }

    std::shared_ptr<userfunction::Connection> CurrentConnection() final { return set_.connection_; }

   private:
    ActiveSet& set_;
    bool idle_ = false;
    std::list<Slot*>::iterator place_;
  };

  ActiveSet(const Options& options, base::Strand& strand)
      : options_(options), strand_(strand), pending_(options.max_active_entities, options.max_waiting_for_room) {}
  virtual ~ActiveSet() = default;

  // A slot with the entity that `pending` is for.
  virtual std::unique_ptr<Slot> MakeSlot(const Pending& pending) = 0;
  // This one has stopped, and those that waited for its room have been started.
  virtual void OnRemoved(std::unique_ptr<Slot> slot) = 0;

  const Options& options() const { return options_; }
  base::Strand& strand() { return strand_; }
  const base::Lifetime& lifetime() const { return lifetime_; }

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection) {
    connection_ = std::move(connection);
    StartPending();
  }
  bool connected() const { return connection_ != nullptr; }

  // Null unless it is active.
  Entity* Find(const base::EntityKey& key) const {
    const auto found = active_.find(key);
    return found == active_.end() ? nullptr : &found->second->entity();
  }

  // Activates an entity that is not active, or lets the one command that comes with it wait until there is room.
  void Add(Pending pending) {
    const bool full = options_.max_active_entities > 0 && active_.size() >= options_.max_active_entities;
    if (!full && pending_.empty()) return Activate(std::move(pending));
    if (const absl::Status status = pending_.CheckPlace(); !status.ok()) return pending.Fail(status);
    pending_.Add(std::move(pending));
    MakeRoom();
  }
  WaitingRoom<Pending>& pending() { return pending_; }

  // Those that it is true for, by key, so that what they do is done in the same order in every run.
  template <typename Chosen>
  std::vector<Entity*> Sorted(const Chosen& chosen) const {
    std::vector<Entity*> sorted;
    for (const auto& [key, slot] : active_) {
      if (chosen(slot->entity())) sorted.push_back(&slot->entity());
    }
    std::ranges::sort(sorted, {}, [](const Entity* entity) -> const base::EntityKey& { return entity->key(); });
    return sorted;
  }
  std::vector<Entity*> Sorted() const {
    return Sorted([](const Entity&) { return true; });
  }

  template <typename Chosen>
  std::size_t CountIf(const Chosen& chosen) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(active_, [&](const auto& each) { return chosen(each.second->entity()); }));
  }

 private:
  void Activate(Pending pending) {
    std::unique_ptr<Slot> slot = MakeSlot(pending);
    Entity& entity = slot->entity();
    active_.emplace(std::move(pending.key), std::move(slot));
    for (auto& command : pending.commands) entity.Deliver(std::move(command));
  }

  // Its place is free when its stream has ended.
  void MakeRoom() {
    if (!pending_.empty() && !idle_.empty()) idle_.front()->entity().Passivate();
  }

  void Remove(const base::EntityKey& key) {
    const auto found = active_.find(key);
    if (found == active_.end() || !found->second->entity().stopped()) return;
    std::unique_ptr<Slot> slot = std::move(found->second);
    active_.erase(found);
    StartPending();
    OnRemoved(std::move(slot));
  }

  void StartPending() {
    while (!pending_.empty() && connection_ != nullptr && active_.size() < options_.max_active_entities) {
      Activate(pending_.TakeFirst());
    }
  }

  const Options options_;
  base::Strand& strand_;
  std::shared_ptr<userfunction::Connection> connection_;
  std::list<Slot*> idle_;  // longest idle first; slots take themselves off it
  absl::flat_hash_map<base::EntityKey, std::unique_ptr<Slot>> active_;
  WaitingRoom<Pending> pending_;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
