#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "emulator/base/lifetime.h"
#include "emulator/entities/entity.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cluster {

// One node: the entities that are active on it and their figures. Lives on its strand.
class Node {
 public:
  struct Options {
    std::string name = "1";
    entities::Limits limits = {};
    // At most this many entities have a stream; 0 for no limit. When it is reached, the entity that has been idle
    // longest makes room, and commands for further ones wait until there is some.
    std::size_t max_active_entities = 0;
    std::size_t max_waiting_for_room = 10'000;
  };

  Node(Options options, base::Strand& strand, journal::Journal& journal,
       absl::AnyInvocable<void(const std::string&)> report_error);
  ~Node();

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection,
               entities::ReplayFrom replay_from = entities::ReplayFrom::kNewestSnapshot);
  // It has gone: all entities stop, and all their commands fail with `reason`.
  void Disconnect(const absl::Status& reason);

  // To an event-sourced or value entity. UNAVAILABLE while there is no user function.
  void Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id, entities::Command command);

  std::size_t active_entities() const { return active_.size(); }
  std::size_t waiting_commands() const;
  // Null while there is no user function.
  const std::shared_ptr<userfunction::Connection>& connection() const { return connection_; }
  const trace::Metrics& metrics() const { return metrics_; }
  // Lives as long as the node.
  trace::EntityMetrics& action_metrics(const std::string& service) { return metrics_.actions[service]; }
  const std::string& name() const { return options_.name; }

 private:
  // An active entity with what the node knows of it.
  class Slot;

  struct Pending {
    userfunction::EntityKind kind;
    base::EntityKey key;
    std::string service;
    absl::Duration passivation_timeout;
    entities::Command command;
  };

  void Activate(Pending pending);
  void MakeRoom();
  void Remove(const base::EntityKey& key);
  void StartPending();

  const Options options_;
  base::Strand& strand_;
  journal::Journal& journal_;
  absl::AnyInvocable<void(const std::string&)> report_error_;
  std::shared_ptr<userfunction::Connection> connection_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  trace::Metrics metrics_;  // entities hold references into it
  std::list<Slot*> idle_;   // longest idle first; slots take themselves off it
  absl::flat_hash_map<base::EntityKey, std::unique_ptr<Slot>> active_;
  std::deque<Pending> pending_;  // commands for entities that there is no room for
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
