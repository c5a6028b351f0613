#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/browse.h"
#include "emulator/journal/reader.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// Opens a journal's file for looking into it, whether or not an emulator writes to it, on a read-only directory as
// well. NOT_FOUND: there is none yet. FAILED_PRECONDITION: not a journal, or of a version that this program does not
// read. PERMISSION_DENIED and DATA_LOSS as for Journal.
absl::StatusOr<Connection> OpenForReading(const std::string& file);

class SqliteBrowser final : public Browser {
 public:
  // Errors as of OpenForReading.
  static absl::StatusOr<std::unique_ptr<SqliteBrowser>> Open(const std::string& file);

  absl::StatusOr<EntityPage> Entities(const EntityFilter& filter, const std::string& page, int page_size) override;
  absl::StatusOr<EntityRow> Entity(const EntityKey& key) override;
  absl::StatusOr<std::vector<EventRow>> Events(const EntityKey& key, SequenceNumber from, int limit) override;
  absl::StatusOr<Replay> LoadUntil(const EntityKey& key, SequenceNumber until, std::optional<SequenceNumber> after,
                                   std::size_t max_bytes) override;
  absl::StatusOr<std::vector<EventRow>> EventsAfter(std::int64_t position, const EntityFilter& filter,
                                                    int limit) override;
  absl::StatusOr<std::int64_t> LastPosition() override;
  absl::StatusOr<std::int64_t> CountEvents() override;
  absl::StatusOr<std::vector<SnapshotRow>> Snapshots(const EntityKey& key, const SnapshotRange& range) override;
  absl::StatusOr<std::vector<std::string>> DescriptorSets() override;

 private:
  struct Statements {
    Statement begin, commit;
    Statement entity, events, events_after, last_position, count_events, snapshots, brief_snapshots, descriptor_sets;
  };

  SqliteBrowser(Connection connection, Statements statements)
      : connection_(std::move(connection)), statements_(std::move(statements)) {}

  // Where a page begins: behind an entity, or behind so many rows.
  struct PageBegin {
    std::optional<EntityKey> after;
    std::int64_t skip = 0;
  };
  static std::optional<PageBegin> FromToken(const std::string& token);

  absl::StatusOr<EntityPage> ReadPage(const EntityFilter& filter, const PageBegin& begin, int page_size);
  absl::StatusOr<EntityPage> SearchPage(const std::string& sql, const EntityFilter& filter, const PageBegin& begin,
                                        int page_size);
  absl::StatusOr<std::int64_t> Count(const EntityFilter& filter);

  Connection connection_;  // outlives the statements
  Statements statements_;
  std::unique_ptr<Reader> reader_;  // with a connection of its own; made when it is first wanted
};

}  // namespace cloudstate::journal
