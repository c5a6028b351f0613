#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/commands.h"
#include "cmd/cloudstate-dev/journal_source.h"

namespace cloudstate::cli {

// An entity as people name it: `persistence_id entity_id`, `persistence_id|entity_id`, or the entity id alone.
struct EntityReference {
  std::optional<std::string> persistence_id;
  std::string entity_id;
};

// As PERSISTENCE_ID|ENTITY_ID, of any message that has both.
template <class Entity>
std::string EntityNameOf(const Entity& entity) {
  return entity.persistence_id() + "|" + entity.entity_id();
}

// All that the words may mean, likeliest first: an entity id may itself have a '|' in it. One or two words.
std::vector<EntityReference> ParseEntityReference(const std::vector<std::string>& words);

// NOT_FOUND, naming similar entities, or INVALID_ARGUMENT, naming the candidates where there are several.
absl::StatusOr<dev::v1::Entity> FindEntity(JournalSource& journal, const std::vector<std::string>& words);

// Options that choose among entities.
struct EntityFilterOptions {
  std::string service;
  std::string id_contains;

  void AddTo(CLI::App& command);
  dev::v1::EventFilter ToFilter() const;
};

}  // namespace cloudstate::cli
