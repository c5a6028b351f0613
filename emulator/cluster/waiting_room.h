#pragma once

#include <cstddef>
#include <list>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/entity_key.h"

namespace cloudstate::cluster {

// The commands for entities that a node has no room for: those for one entity together, and the entity that has waited
// longest first. A Pending has a `key`, and `commands` in the order of their arrival.
template <typename Pending>
class WaitingRoom {
 public:
  // The numbers are --max-active-entities, for the error, and of commands.
  WaitingRoom(std::size_t most_entities, std::size_t most_commands)
      : most_entities_(most_entities), most_commands_(most_commands) {}

  // RESOURCE_EXHAUSTED when no further command may come.
  absl::Status CheckPlace() const {
    if (commands_ < most_commands_) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("all ", most_entities_,
                                                     " entities that --max-active-entities allows are busy, and ",
                                                     commands_, " commands wait for others already"));
  }
  // One that brings a single command. There is a place for it.
  void Add(Pending pending) {
    ++commands_;
    const auto known = by_key_.find(pending.key);
    if (known != by_key_.end()) {
      known->second->commands.push_back(std::move(pending.commands.front()));
      return;
    }
    const auto place = pending_.insert(pending_.end(), std::move(pending));
    by_key_.emplace(place->key, place);
  }

  // There is one.
  Pending TakeFirst() { return Take(pending_.begin()); }
  // Those that it is true for, longest waiting first.
  template <typename Chosen>
  std::vector<Pending> TakeIf(const Chosen& chosen) {
    std::vector<Pending> taken;
    for (auto each = pending_.begin(); each != pending_.end();) {
      const auto here = each++;
      if (chosen(*here)) taken.push_back(Take(here));
    }
    return taken;
  }
  std::vector<Pending> TakeAll() {
    return TakeIf([](const Pending&) { return true; });
  }
  // Whether it was there.
  template <typename Command>
  bool Remove(const base::EntityKey& key, const Command& command) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || std::erase(found->second->commands, command) == 0) return false;
    --commands_;
    if (found->second->commands.empty()) Take(found->second);
    return true;
  }

  bool empty() const { return pending_.empty(); }
  std::size_t entities() const { return pending_.size(); }
  std::size_t commands() const { return commands_; }

 private:
  using Place = typename std::list<Pending>::iterator;

  Pending Take(Place place) {
    Pending taken = std::move(*place);
    by_key_.erase(taken.key);
    pending_.erase(place);
    commands_ -= taken.commands.size();
    return taken;
  }

  const std::size_t most_entities_;
  const std::size_t most_commands_;
  std::list<Pending> pending_;
  absl::flat_hash_map<base::EntityKey, Place> by_key_;
  std::size_t commands_ = 0;
};

}  // namespace cloudstate::cluster
