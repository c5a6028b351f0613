#include "emulator/simulation/simulated_journal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/base/planted_bug.h"
#include "emulator/simulation/record_log.h"

namespace cloudstate::simulation {
namespace {

constexpr std::size_t kMostPerCommit = 64;

std::size_t BytesOf(const journal::Payload& payload) { return payload.type_url.size() + payload.value.size(); }

std::uint32_t Number(journal::ShardId shard) { return static_cast<std::uint32_t>(shard); }

std::string Text(const absl::Status& status) { return status.ToString(absl::StatusToStringMode::kWithNoExtraData); }

journal::Replay EmptyPage(std::size_t stored) {
  journal::Replay page;
  page.last_sequence = static_cast<journal::SequenceNumber>(stored);
  return page;
}

}  // namespace

void SimulatedJournal::Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(PendingWrite{std::move(append), std::move(done), absl::OkStatus()});
}

void SimulatedJournal::Delete(base::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) {
  Enqueue(PendingDeletion{std::move(key), std::move(done), journal::Deleted()});
}

void SimulatedJournal::Claim(std::vector<journal::ShardClaim> claims,
                             absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) {
  Enqueue(PendingClaim{std::move(claims), std::move(done), std::vector<journal::ShardHolder>()});
}

bool SimulatedJournal::Holds(const journal::Fence& fence) const {
  const bool holds = fences_.Holds(fence);
  if (holds) served_.insert(fence);
  return holds;
}

// ---- commits

// The commit is put together by a task of its own: what is asked for in the same turn goes with it.
void SimulatedJournal::Enqueue(Pending pending) {
  queue_.push_back(std::move(pending));
  if (std::exchange(committing_, true)) return;
  strand_.Post(power_.Guard([this] { BeginCommit(); }));
}

void SimulatedJournal::BeginCommit() {
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMostPerCommit));
  commit_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  strand_.After(faults_.write_latency.Draw(random_), power_.Guard([this] { EndCommit(); }));
}

void SimulatedJournal::EndCommit() {
  const bool fails = base::Happens(random_, faults_.write_failures);
  const auto failure = absl::UnavailableError("the simulated disk failed; nothing was stored");
  for (Pending& each : commit_) {
    if (fails) {
      std::visit([&](auto& pending) { pending.outcome = failure; }, each);
    } else if (auto* claim = std::get_if<PendingClaim>(&each)) {
      Apply(*claim);
    } else if (auto* deletion = std::get_if<PendingDeletion>(&each)) {
      Apply(*deletion, log_);
    } else {
      Apply(std::get<PendingWrite>(each), log_);
    }
    std::visit([this](const auto& pending) { Note(pending); }, each);
  }
  std::vector<Pending> ended = std::move(commit_);
  commit_.clear();
  committing_ = !queue_.empty();
  if (committing_) strand_.Post(power_.Guard([this] { BeginCommit(); }));
  // An answer may lead to a crash, after which the others never come.
  auto answer = power_.Guard(
      [](Pending& pending) { std::visit([](auto& each) { each.done(std::move(each.outcome)); }, pending); });
  for (Pending& each : ended) answer(each);
}

// Adds the record to `log`, unless another writer was there.
void SimulatedJournal::Apply(PendingWrite& write, std::string& log) {
  write.outcome = CheckWrite(write.append);
  if (!write.outcome.ok()) return;
  served_.insert(write.append.fence);
  if (write.append.events.empty() && !write.append.snapshot.has_value()) return;
  PutRecord(write.append, log);
  index_.Add(write.append);
}

void SimulatedJournal::Apply(PendingClaim& claim) {
  for (const journal::ShardClaim& each : claim.claims) claim.outcome->push_back(fences_.Claim(each));
}

// Adds the record to `log`, unless there is nothing to delete.
void SimulatedJournal::Apply(PendingDeletion& deletion, std::string& log) {
  const Stored& stored = Find(deletion.key);
  if (stored.events.empty() && !stored.snapshot.has_value()) {
    deletion.outcome = absl::NotFoundError(absl::StrCat("nothing is stored of entity ", deletion.key.ToString()));
    return;
  }
  deletion.outcome = journal::Deleted{.events = static_cast<std::int64_t>(stored.events.size()),
                                      .snapshots = stored.snapshot.has_value() ? 1 : 0};
  journal::Append record;
  record.key = deletion.key;
  record.expected = kDeletion;
  PutRecord(record, log);
  index_.Remove(deletion.key);
}

absl::Status SimulatedJournal::CheckWrite(const journal::Append& append) const {
  if (IsPlanted(base::PlantedBug::kSequenceNotChecked)) return absl::OkStatus();
  if (absl::Status fenced = fences_.Check(append.fence); !fenced.ok()) {
    return absl::AbortedError(absl::StrCat("entity ", append.key.ToString(), ": ", fenced.message()));
  }
  const auto last = static_cast<journal::SequenceNumber>(Find(append.key).events.size());
  if (last == append.expected) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("entity ", append.key.ToString(), ": the writer's last sequence number is ",
                                         append.expected, ", the journal's is ", last,
                                         ": another writer was there in between. Load the entity again."));
}

void SimulatedJournal::Index::Remove(const base::EntityKey& key) {
  const auto found = entities.find(key);
  if (found == entities.end()) return;
  event_count -= found->second.events.size();
  entities.erase(found);
}

void SimulatedJournal::Index::Add(journal::Append append) {
  if (append.expected == kDeletion) return Remove(append.key);
  Stored& stored = entities[append.key];
  event_count += append.events.size();
  journal::SequenceNumber sequence = append.expected;
  for (journal::Payload& event : append.events) stored.events.push_back({++sequence, std::move(event)});
  if (append.snapshot.has_value()) stored.snapshot = journal::Snapshot{sequence, *std::move(append.snapshot)};
}

std::size_t SimulatedJournal::Index::AddAll(std::string_view log) {
  const std::size_t size = log.size();
  while (auto record = TakeRecord(log)) Add(*std::move(record));
  return size - log.size();
}

// ---- crashes

void SimulatedJournal::Crash() {
  power_.Renew();
  std::string bytes = WhatWasBeingWritten();
  // Kept until the end: letting go of answers may lead back here.
  const std::vector<Pending> lost = std::exchange(commit_, {});
  const std::deque<Pending> never_begun = std::exchange(queue_, {});
  committing_ = false;
  const std::size_t torn = Tear(bytes);
  log_ += bytes;
  index_ = Index();
  log_.resize(index_.AddAll(log_));
  if (observer_) {
    observer_(absl::StrCat("crash: ", lost.size() + never_begun.size(), " requests lost, ", torn, " bytes torn"));
  }
}

// The records of the commit that is under way, so far as they go into the file. What comes after a claim depends on it,
// and it is lost with the claim.
std::string SimulatedJournal::WhatWasBeingWritten() {
  std::string bytes;
  for (Pending& each : commit_) {
    // Into an index that is about to be made anew.
    if (auto* write = std::get_if<PendingWrite>(&each)) {
      Apply(*write, bytes);
    } else if (auto* deletion = std::get_if<PendingDeletion>(&each)) {
      Apply(*deletion, bytes);
    } else {
      break;
    }
  }
  return bytes;
}

// Leaves of what was being written what the disk has of it: all, nothing, or the part before some byte. Returns how
// much of the last record is then no good.
std::size_t SimulatedJournal::Tear(std::string& bytes) {
  if (bytes.empty()) return 0;
  const bool torn = base::Happens(random_, faults_.torn_writes);
  const bool flag = base::Below(random_, 2) == 0;
  if (!torn) {
    if (flag) bytes.clear();
    return 0;
  }
  const std::size_t size = bytes.size();
  bytes.resize(base::Below(random_, size));
  if (flag) bytes.resize(size, '\0');  // the file's new length was there before the bytes were
  return bytes.size() - Index().AddAll(bytes);
}

// ---- reads

const SimulatedJournal::Stored& SimulatedJournal::Find(const journal::EntityKey& key) const {
  static const Stored kNothing;
  const auto found = index_.entities.find(key);
  return found == index_.entities.end() ? kNothing : found->second;
}

void SimulatedJournal::Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after,
                            std::size_t max_bytes, Read done) {
  const Stored& stored = Find(key);
  journal::Replay page = EmptyPage(stored.events.size());
  std::size_t bytes = 0;
  if (!after.has_value() && stored.snapshot.has_value()) {
    page.snapshot = stored.snapshot;
    bytes = BytesOf(stored.snapshot->payload);
  }
  const journal::SequenceNumber from = page.snapshot.has_value() ? page.snapshot->sequence : after.value_or(0);
  for (auto i = static_cast<std::size_t>(from); i < stored.events.size(); ++i) {
    bytes += BytesOf(stored.events[i].payload);
    if (bytes > max_bytes && !page.events.empty()) {
      page.complete = false;
      break;
    }
    page.events.push_back(stored.events[i]);
  }
  Answer(std::move(page), std::move(done));
}

void SimulatedJournal::LoadLast(const journal::EntityKey& key, Read done) {
  const Stored& stored = Find(key);
  journal::Replay page = EmptyPage(stored.events.size());
  if (!stored.events.empty()) page.events.push_back(stored.events.back());
  Answer(std::move(page), std::move(done));
}

void SimulatedJournal::Answer(absl::StatusOr<journal::Replay> replay, Read done) {
  if (base::Happens(random_, faults_.read_failures)) {
    replay = absl::UnavailableError("the simulated disk failed; nothing was read");
  }
  strand_.After(
      faults_.read_latency.Draw(random_),
      power_.Guard([replay = std::move(replay), done = std::move(done)]() mutable { done(std::move(replay)); }));
}

std::map<base::EntityKey, std::vector<journal::Event>> SimulatedJournal::Contents() const {
  Index fresh;
  fresh.AddAll(log_);
  std::map<base::EntityKey, std::vector<journal::Event>> contents;
  for (auto& [key, stored] : fresh.entities) contents.emplace(key, std::move(stored.events));
  return contents;
}

// ---- traces

void SimulatedJournal::Note(const PendingWrite& write) const {
  if (!observer_) return;
  const journal::Append& append = write.append;
  const std::string fence = append.fence.epoch == 0 ? ""
                                                    : absl::StrCat(" under shard ", Number(append.fence.shard),
                                                                   " epoch ", append.fence.epoch);
  const std::string outcome = write.outcome.ok() ? "ok" : Text(write.outcome);
  observer_(absl::StrCat("write ", append.key.ToString(), " expected ", append.expected, " +", append.events.size(),
                         append.snapshot.has_value() ? " with a snapshot" : "", fence, ": ", outcome));
}

void SimulatedJournal::Note(const PendingDeletion& deletion) const {
  if (!observer_) return;
  observer_(absl::StrCat("delete ", deletion.key.ToString(), ": ",
                         deletion.outcome.ok() ? "ok" : Text(deletion.outcome.status())));
}

void SimulatedJournal::Note(const PendingClaim& claim) const {
  if (!observer_) return;
  if (!claim.outcome.ok())
    observer_(absl::StrCat("claim of ", claim.claims.size(), " shards: ", Text(claim.outcome.status())));
  for (std::size_t i = 0; claim.outcome.ok() && i < claim.claims.size(); ++i) {
    const journal::ShardClaim& asked = claim.claims[i];
    const journal::ShardHolder& holder = (*claim.outcome)[i];
    const bool granted = holder.node == asked.node && holder.incarnation == asked.incarnation;
    observer_(absl::StrCat("claim shard ", Number(asked.shard), " by node ", asked.node, "/", asked.incarnation, ": ",
                           granted ? "" : absl::StrCat("held by node ", holder.node, "/", holder.incarnation, ", "),
                           "epoch ", holder.epoch));
  }
}

}  // namespace cloudstate::simulation
