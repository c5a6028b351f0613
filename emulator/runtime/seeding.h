#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/cluster.h"
#include "emulator/journal/browse.h"
#include "emulator/journal/journal.h"
#include "emulator/runtime/named_types.h"

namespace cloudstate::runtime {

// Entities as the journal has them, for people. For one thread at a time.
class EntityRows {
 public:
  using OpenJournal = std::function<absl::StatusOr<std::unique_ptr<journal::Browser>>()>;

  explicit EntityRows(OpenJournal open_journal) : open_journal_(std::move(open_journal)) {}

  // As Browser::Entity. The journal is opened for the first one.
  absl::StatusOr<dev::v1::Entity> Read(const base::EntityKey& key);

 private:
  const OpenJournal open_journal_;
  std::unique_ptr<journal::Browser> browser_;
};

// What is to be stored, without sequence numbers. INVALID_ARGUMENT, naming entity and message, as the contract says.
absl::StatusOr<std::vector<journal::Append>> ReadSeeds(const dev::v1::SeedRequest& request, const NamedTypes& types,
                                                       absl::Time now);

// Stores what a test begins with, one entity after the other, each behind what it has already; then whoever has the
// entity loads it anew. On the strand.
class Seeding final : public std::enable_shared_from_this<Seeding> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<dev::v1::SeedResponse>)>;

  // The references outlive it. `rows` is used on threads that the journal answers writes on.
  Seeding(base::Strand& strand, cluster::Cluster& cluster, journal::Journal& journal, std::shared_ptr<EntityRows> rows,
          std::vector<journal::Append> seeds, Done done);

  // Lives until `done` has run, or the strand takes no tasks any more.
  void Next();

 private:
  void OnLast(const absl::StatusOr<journal::Replay>& last);
  void OnStored(const absl::Status& status, absl::StatusOr<dev::v1::Entity> entity);

  base::Strand& strand_;
  cluster::Cluster& cluster_;
  journal::Journal& journal_;
  const std::shared_ptr<EntityRows> rows_;
  const std::vector<journal::Append> seeds_;
  std::size_t next_ = 0;
  int tries_ = 0;  // of the next one
  dev::v1::SeedResponse response_;
  Done done_;
};

}  // namespace cloudstate::runtime
