#include "cmd/cloudstate-dev/crdt_reference.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/entity_reference.h"

namespace cloudstate::cli {
namespace {

constexpr int kMostCrdtsNamed = 5;

std::string CrdtNames(const std::vector<const dev::v1::Crdt*>& crdts) {
  return absl::StrJoin(crdts, ", ",
                       [](std::string* out, const dev::v1::Crdt* crdt) { out->append(EntityNameOf(*crdt)); });
}

// What there is instead.
absl::StatusOr<std::string> OtherCrdts(Client& client) {
  absl::StatusOr<dev::v1::ListCrdtsResponse> listed = ListCrdts(client, {}, kMostCrdtsNamed);
  if (!listed.ok()) return listed.status();
  if (listed->crdts().empty()) return "There is none so far: CRDT entities are there from their first command on.";
  std::vector<const dev::v1::Crdt*> crdts;
  for (const dev::v1::Crdt& each : listed->crdts()) crdts.push_back(&each);
  const bool more = !listed->next_page_token().empty();
  return absl::StrCat("There ", crdts.size() == 1 ? "is " : "are ", CrdtNames(crdts),
                      more ? "; `cloudstate-dev crdt ls` shows more." : ".");
}

}  // namespace

absl::StatusOr<dev::v1::ListCrdtsResponse> ListCrdts(Client& client, dev::v1::ListCrdtsRequest request, int limit) {
  dev::v1::ListCrdtsResponse listed;
  do {
    request.set_page_size(std::min(limit - listed.crdts_size(), 1'000));
    absl::StatusOr<dev::v1::ListCrdtsResponse> page = client.Call(&Client::CrdtsStub::ListCrdts, request);
    if (!page.ok()) return page.status();
    listed.mutable_crdts()->MergeFrom(page->crdts());
    listed.set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && listed.crdts_size() < limit);
  return listed;
}

absl::StatusOr<dev::v1::Crdt> FindCrdt(Client& client, const std::vector<std::string>& words) {
  for (const EntityReference& reference : ParseEntityReference(words)) {
    dev::v1::ListCrdtsRequest request;
    request.mutable_filter()->set_id_contains(reference.entity_id);
    if (reference.persistence_id) request.mutable_filter()->set_persistence_id(*reference.persistence_id);
    absl::StatusOr<dev::v1::ListCrdtsResponse> listed =
        ListCrdts(client, std::move(request), std::numeric_limits<int>::max());
    if (!listed.ok()) return listed.status();
    std::vector<const dev::v1::Crdt*> exact;
    for (const dev::v1::Crdt& each : listed->crdts()) {
      if (each.entity_id() == reference.entity_id) exact.push_back(&each);
    }
    if (exact.size() == 1) return *exact.front();
    if (exact.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat("Several CRDT entities have the id '", reference.entity_id,
                                                     "'. Name one of ", CrdtNames(exact), "."));
    }
  }
  absl::StatusOr<std::string> others = OtherCrdts(client);
  if (!others.ok()) return others.status();
  return absl::NotFoundError(
      absl::StrCat("No node knows of a CRDT entity '", absl::StrJoin(words, "|"), "'. ", *others));
}

}  // namespace cloudstate::cli
