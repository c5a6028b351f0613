#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.grpc.pb.h"
#include "emulator/base/entity_key.h"

namespace cloudstate::cli {

// All events of an entity from a number on; none where nothing is stored. `caller` has a Call for the methods of the
// admin contract, as Client has.
template <class Caller>
absl::StatusOr<std::vector<dev::v1::Event>> StoredEvents(Caller& caller, const base::EntityKey& key,
                                                         std::int64_t from = 1) {
  constexpr int kAtOnce = 1'000;
  std::vector<dev::v1::Event> events;
  dev::v1::ListEventsRequest request;
  request.set_persistence_id(key.persistence_id);
  request.set_entity_id(key.entity_id);
  request.set_from_sequence(from);
  request.set_limit(kAtOnce);
  do {
    absl::StatusOr<dev::v1::ListEventsResponse> page = caller.Call(&dev::v1::Emulator::Stub::ListEvents, request);
    if (absl::IsNotFound(page.status())) return events;
    if (!page.ok()) return page.status();
    for (dev::v1::Event& event : *page->mutable_events()) events.push_back(std::move(event));
    request.set_from_sequence(page->next_sequence());
  } while (request.from_sequence() != 0);
  return events;
}

}  // namespace cloudstate::cli
