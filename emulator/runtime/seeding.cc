#include "emulator/runtime/seeding.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/admin/views.h"

namespace cloudstate::runtime {
namespace {

// An entity that commands go on writing to meanwhile is not the place to begin a test from.
constexpr int kMostTries = 10;

absl::Status InEntity(const absl::Status& status, const dev::v1::SeededEntity& entity, absl::string_view where) {
  return absl::InvalidArgumentError(
      absl::StrCat("Entity '", entity.entity_id(), "' of ", entity.service(), where, ": ", status.message()));
}

absl::Status CheckKind(const userfunction::ServiceSpec& service, const dev::v1::SeededEntity& entity) {
  switch (service.kind) {
    case userfunction::EntityKind::kEventSourced:
      break;
    case userfunction::EntityKind::kValueEntity:
      if (!entity.has_snapshot()) break;
      return absl::InvalidArgumentError("a value entity has no snapshots; give its value as its last event");
    case userfunction::EntityKind::kCrdt:
      return absl::InvalidArgumentError("a CRDT entity has no events; send commands to make it what it should be");
    case userfunction::EntityKind::kAction:
      return absl::InvalidArgumentError("an action has no entities, so nothing can be stored for it");
  }
  if (entity.events().empty()) {
    return absl::InvalidArgumentError(entity.has_snapshot() ? "a snapshot is taken at an event; give one"
                                                            : "it has no events; give at least one");
  }
  return absl::OkStatus();
}

absl::StatusOr<journal::Append> ReadSeed(const dev::v1::SeededEntity& entity, const NamedTypes& types) {
  const absl::StatusOr<const userfunction::ServiceSpec*> service = types.FindService(entity.service());
  if (!service.ok()) return service.status();
  if (absl::Status status = CheckKind(**service, entity); !status.ok()) return InEntity(status, entity, "");
  journal::Append append;
  append.key = {(*service)->persistence_id, entity.entity_id()};
  append.service = (*service)->name;
  for (const dev::v1::SeededMessage& event : entity.events()) {
    absl::StatusOr<journal::Payload> payload = types.ToPayload(event);
    if (!payload.ok()) {
      return InEntity(payload.status(), entity, absl::StrCat(", event ", append.events.size() + 1));
    }
    append.events.push_back(*std::move(payload));
  }
  if (entity.has_snapshot()) {
    absl::StatusOr<journal::Payload> payload = types.ToPayload(entity.snapshot());
    if (!payload.ok()) return InEntity(payload.status(), entity, ", snapshot");
    append.snapshot = *std::move(payload);
  }
  return append;
}

}  // namespace

absl::StatusOr<dev::v1::Entity> EntityRows::Read(const base::EntityKey& key) {
  if (browser_ == nullptr) {
    absl::StatusOr<std::unique_ptr<journal::Browser>> opened = open_journal_();
    if (!opened.ok()) return opened.status();
    browser_ = *std::move(opened);
  }
  const absl::StatusOr<journal::EntityRow> row = browser_->Entity(key);
  if (!row.ok()) return row.status();
  return admin::ToEntity(*row);
}

absl::StatusOr<std::vector<journal::Append>> ReadSeeds(const dev::v1::SeedRequest& request, const NamedTypes& types,
                                                       absl::Time now) {
  std::vector<journal::Append> seeds;
  for (const dev::v1::SeededEntity& entity : request.entities()) {
    absl::StatusOr<journal::Append> seed = ReadSeed(entity, types);
    if (!seed.ok()) return seed.status();
    seed->cause.service = "cloudstate.dev.v1.Testing";
    seed->cause.method = "Seed";
    seed->time = now;
    seeds.push_back(*std::move(seed));
  }
  return seeds;
}

Seeding::Seeding(base::Strand& strand, cluster::Cluster& cluster, journal::Journal& journal,
                 std::shared_ptr<EntityRows> rows, std::vector<journal::Append> seeds, Done done)
    : strand_(strand),
      cluster_(cluster),
      journal_(journal),
      rows_(std::move(rows)),
      seeds_(std::move(seeds)),
      done_(std::move(done)) {}

void Seeding::Next() {
  if (next_ == seeds_.size()) return done_(std::move(response_));
  journal_.LoadLast(seeds_[next_].key, [self = shared_from_this()](absl::StatusOr<journal::Replay> last) {
    self->strand_.Post([self, last = std::move(last)] { self->OnLast(last); });
  });
}

void Seeding::OnLast(const absl::StatusOr<journal::Replay>& last) {
  if (!last.ok()) return done_(last.status());
  journal::Append append = seeds_[next_];
  append.expected = last->last_sequence;
  ++tries_;
  journal_.Write(std::move(append), [self = shared_from_this()](absl::Status status) {
    absl::StatusOr<dev::v1::Entity> entity = dev::v1::Entity();
    if (status.ok()) entity = self->rows_->Read(self->seeds_[self->next_].key);
    self->strand_.Post([self, status = std::move(status), entity = std::move(entity)]() mutable {
      self->OnStored(status, std::move(entity));
    });
  });
}

void Seeding::OnStored(const absl::Status& status, absl::StatusOr<dev::v1::Entity> entity) {
  if (absl::IsAborted(status) && tries_ < kMostTries) return Next();  // it has been written to in between
  if (!status.ok()) return done_(status);
  cluster_.Evict(seeds_[next_].key);
  if (!entity.ok()) return done_(entity.status());
  *response_.add_entities() = *std::move(entity);
  ++next_;
  tries_ = 0;
  Next();
}

}  // namespace cloudstate::runtime
