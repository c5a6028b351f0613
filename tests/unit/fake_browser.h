#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "emulator/journal/browse.h"

namespace cloudstate::journal {

// A journal in memory, for one thread.
class FakeBrowser final : public Browser {
 public:
  std::vector<EventRow> events;  // by position
  std::vector<SnapshotRow> snapshots;
  std::vector<std::string> descriptor_sets;
  absl::Status failure;  // of every call

  void AddEvent(const std::string& entity_id, Payload payload) {
    const EntityKey key{"carts", entity_id};
    const auto earlier =
        std::count_if(events.begin(), events.end(), [&](const EventRow& row) { return row.key == key; });
    const auto position = static_cast<std::int64_t>(events.size()) + 1;
    events.push_back({.position = position,
                      .key = key,
                      .service = "shop.Cart",
                      .sequence = earlier + 1,
                      .payload = std::move(payload),
                      .time = absl::FromUnixSeconds(1'000 + position),
                      .cause = {"trace-1", "shop.Cart", "Add", {"type.googleapis.com/shop.Add", ""}}});
  }

  absl::StatusOr<EntityPage> Entities(const EntityFilter& filter, const std::string& page, int page_size) override {
    if (!failure.ok()) return failure;
    std::vector<EntityRow> all;
    for (const EventRow& event : events) {
      if (event.sequence == 1 && Fits(filter, event)) all.push_back(*Entity(event.key));
    }
    std::sort(all.begin(), all.end(), [](const EntityRow& a, const EntityRow& b) { return a.key < b.key; });
    EntityPage result{.rows = {}, .next = "", .total = static_cast<std::int64_t>(all.size())};
    const std::size_t begin = page.empty() ? 0 : std::stoul(page);
    const std::size_t end = std::min(all.size(), begin + static_cast<std::size_t>(page_size));
    result.rows.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                       all.begin() + static_cast<std::ptrdiff_t>(end));
    if (end < all.size()) result.next = std::to_string(end);
    return result;
  }

  absl::StatusOr<EntityRow> Entity(const EntityKey& key) override {
    if (!failure.ok()) return failure;
    EntityRow row;
    row.key = key;
    row.service = "shop.Cart";
    for (const EventRow& event : events) {
      if (event.key != key) continue;
      if (event.sequence == 1) row.created = event.time;
      row.last_sequence = event.sequence;
      row.event_bytes += static_cast<std::int64_t>(event.payload.value.size());
      row.updated = event.time;
    }
    if (!snapshots.empty()) row.snapshot_sequence = snapshots.back().sequence;
    if (row.last_sequence == 0) return absl::NotFoundError("nothing is stored under " + key.ToString());
    return row;
  }

  absl::StatusOr<std::vector<EventRow>> Events(const EntityKey& key, SequenceNumber from, int limit) override {
    return Select([&](const EventRow& row) { return row.key == key && row.sequence >= from; }, limit);
  }

  absl::StatusOr<std::vector<EventRow>> EventsAfter(std::int64_t position, const EntityFilter& filter,
                                                    int limit) override {
    return Select([&](const EventRow& row) { return row.position > position && Fits(filter, row); }, limit);
  }

  // In one page.
  absl::StatusOr<Replay> LoadUntil(const EntityKey& key, SequenceNumber until, std::optional<SequenceNumber> after,
                                   std::size_t) override {
    if (!failure.ok()) return failure;
    Replay replay;
    for (const SnapshotRow& row : snapshots) {
      if (!after.has_value() && row.sequence <= until) replay.snapshot = Snapshot{row.sequence, row.payload};
    }
    const SequenceNumber from = replay.snapshot.has_value() ? replay.snapshot->sequence : after.value_or(0);
    for (const EventRow& row : events) {
      if (row.key != key) continue;
      replay.last_sequence = row.sequence;
      if (row.sequence > from && row.sequence <= until) replay.events.push_back({row.sequence, row.payload});
    }
    return replay;
  }

  absl::StatusOr<std::int64_t> LastPosition() override {
    if (!failure.ok()) return failure;
    return events.empty() ? 0 : events.back().position;
  }
  absl::StatusOr<std::int64_t> CountEvents() override {
    if (!failure.ok()) return failure;
    return static_cast<std::int64_t>(events.size());
  }
  absl::StatusOr<std::vector<SnapshotRow>> Snapshots(const EntityKey&, const SnapshotRange& range) override {
    std::vector<SnapshotRow> found;
    for (const SnapshotRow& row : snapshots) {
      if (row.sequence < range.from || found.size() == static_cast<std::size_t>(range.limit.value_or(1'000))) continue;
      found.push_back(range.payloads ? row : SnapshotRow{row.sequence, {}, row.time});
    }
    return found;
  }
  absl::StatusOr<std::vector<std::string>> DescriptorSets() override { return descriptor_sets; }

 private:
  static bool Fits(const EntityFilter& filter, const EventRow& row) {
    return (filter.service.empty() || filter.service == row.service) &&
           (filter.persistence_id.empty() || filter.persistence_id == row.key.persistence_id) &&
           absl::StrContains(row.key.entity_id, filter.id_contains);
  }

  template <typename Predicate>
  absl::StatusOr<std::vector<EventRow>> Select(Predicate predicate, int limit) {
    if (!failure.ok()) return failure;
    std::vector<EventRow> found;
    std::size_t bytes = 0;
    for (const EventRow& row : events) {
      if (found.size() == static_cast<std::size_t>(limit) || bytes >= kMostEventBytes) break;
      if (!predicate(row)) continue;
      found.push_back(row);
      bytes += BytesOf(row);
    }
    return found;
  }
};

}  // namespace cloudstate::journal
