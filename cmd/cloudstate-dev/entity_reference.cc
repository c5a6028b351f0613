#include "cmd/cloudstate-dev/entity_reference.h"

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kMaxSimilar = 5;

struct Found {
  std::vector<dev::v1::Entity> exact;
  std::vector<std::string> similar;  // names of those whose id has the text in it; some of them
};

absl::StatusOr<Found> Search(JournalSource& journal, const std::string& entity_id) {
  Found found;
  dev::v1::ListEntitiesRequest request;
  request.mutable_filter()->set_id_contains(entity_id);
  request.set_page_size(1'000);
  do {
    absl::StatusOr<dev::v1::ListEntitiesResponse> page = journal.ListEntities(request);
    if (!page.ok()) return page.status();
    for (const dev::v1::Entity& entity : page->entities()) {
      if (entity.entity_id() == entity_id) {
        found.exact.push_back(entity);
      } else if (found.similar.size() < kMaxSimilar) {
        found.similar.push_back(EntityNameOf(entity));
      }
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return found;
}

absl::StatusOr<dev::v1::Entity> FindByIdAlone(JournalSource& journal, const std::string& entity_id) {
  absl::StatusOr<Found> found = Search(journal, entity_id);
  if (!found.ok()) return found.status();
  if (found->exact.size() == 1) return found->exact.front();
  if (found->exact.size() > 1) {
    std::vector<std::string> names;
    for (const dev::v1::Entity& entity : found->exact) names.push_back(EntityNameOf(entity));
    return absl::InvalidArgumentError(
        absl::StrCat("Several entities have the id '", entity_id, "'. Name one of ", absl::StrJoin(names, ", "), "."));
  }
  return absl::NotFoundError(absl::StrCat("The journal has no entity '", entity_id, "'. ",
                                          found->similar.empty()
                                              ? "`cloudstate-dev journal ls` shows all."
                                              : absl::StrCat("Similar: ", absl::StrJoin(found->similar, ", "), ".")));
}

}  // namespace

std::vector<EntityReference> ParseEntityReference(const std::vector<std::string>& words) {
  if (words.size() == 2) return {{words[0], words[1]}};
  const std::string& word = words.at(0);
  const std::size_t bar = word.find('|');
  if (bar == std::string::npos) return {{std::nullopt, word}};
  return {{word.substr(0, bar), word.substr(bar + 1)}, {std::nullopt, word}};
}

absl::StatusOr<dev::v1::Entity> FindEntity(JournalSource& journal, const std::vector<std::string>& words) {
  absl::StatusOr<dev::v1::Entity> entity;
  for (const EntityReference& reference : ParseEntityReference(words)) {
    if (reference.persistence_id) {
      dev::v1::GetEntityRequest request;
      request.set_persistence_id(*reference.persistence_id);
      request.set_entity_id(reference.entity_id);
      entity = journal.GetEntity(request);
    } else {
      entity = FindByIdAlone(journal, reference.entity_id);
    }
    if (!absl::IsNotFound(entity.status())) return entity;
  }
  return entity;
}

void EntityFilterOptions::AddTo(CLI::App& command) {
  command.add_option("--service", service, "Only entities of this service; the last part of its name will do")
      ->type_name("SERVICE");
  command.add_option("--id-contains", id_contains, "Only entities with this in their id")->type_name("TEXT");
}

dev::v1::EventFilter EntityFilterOptions::ToFilter() const {
  dev::v1::EventFilter filter;
  filter.set_service(service);
  filter.set_id_contains(id_contains);
  return filter;
}

}  // namespace cloudstate::cli
