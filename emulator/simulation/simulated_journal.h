#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "emulator/base/lifetime.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/latency.h"
#include "emulator/journal/journal.h"

namespace cloudstate::simulation {

struct JournalFaultSettings {
  cluster::Latency write_latency = {};  // of each commit
  cluster::Latency read_latency = {};
  double write_failures = 0;  // share of commits, which store nothing and claim nothing
  double read_failures = 0;
  double torn_writes = 0;  // share of crashes that leave part of the last record
};

// A journal in memory that fails as disks do. It keeps its file as bytes: records with length and checksum, written one
// commit at a time, and a page of them is safe only once its commit has been acknowledged. A crash loses or tears what
// was being written; opening it again reads the records up to the first that is not whole. Answers come later, as tasks
// of the strand, in an order in which a real one could give them: commits in theirs, reads in between.
class SimulatedJournal final : public journal::Journal {
 public:
  // What happens, for traces.
  using Observer = std::function<void(const std::string& line)>;

  SimulatedJournal(base::Strand& strand, base::Random& random) : strand_(strand), random_(random) {}

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override;
  // Reads the file as it is when asked, the oldest that a real journal may read: no write that is under way is in it.
  void Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;
  void LoadLast(const journal::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;
  // Deletions fail with the commit that they are in, as writes do, and are torn as they are.
  void Delete(base::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) override;
  // Claims fail with the commit that they are in, as writes do. They are not in the file: no crash tears them.
  void Claim(std::vector<journal::ShardClaim> claims,
             absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) override;
  bool Holds(const journal::Fence& fence) const override;

  void SetFaults(const JournalFaultSettings& faults) { faults_ = faults; }
  void Observe(Observer observer) { observer_ = std::move(observer); }

  // Loses what has not been acknowledged, as a loss of power does: its answers never come. Then reads itself again.
  // What was being written may be there nevertheless, each append whole or not at all. The fences stay, so that epochs
  // go on growing: whoever lived before the crash can write no more once its shards have been claimed anew.
  void Crash();

  // As a fresh reader finds it: all events of all entities.
  std::map<base::EntityKey, std::vector<journal::Event>> Contents() const;
  std::uint64_t stored_events() const { return index_.event_count; }
  // Those under which something was written, or was answered without a write.
  const std::set<journal::Fence>& served() const { return served_; }

 private:
  using Read = absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)>;

  struct PendingWrite {
    journal::Append append;
    absl::AnyInvocable<void(absl::Status)> done;
    absl::Status outcome;
  };
  struct PendingClaim {
    std::vector<journal::ShardClaim> claims;
    absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done;
    absl::StatusOr<std::vector<journal::ShardHolder>> outcome;
  };
  struct PendingDeletion {
    base::EntityKey key;
    absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done;
    absl::StatusOr<journal::Deleted> outcome;
  };
  using Pending = std::variant<PendingWrite, PendingClaim, PendingDeletion>;

  struct Stored {
    std::vector<journal::Event> events;
    std::optional<journal::Snapshot> snapshot;  // the newest
  };
  // What the file says, for readers.
  struct Index {
    std::map<base::EntityKey, Stored> entities;
    std::uint64_t event_count = 0;

    void Add(journal::Append append);
    void Remove(const base::EntityKey& key);
    // Adds the records of `log` up to the first that is not whole, and returns how many bytes those before it have.
    std::size_t AddAll(std::string_view log);
  };

  void Enqueue(Pending pending);
  void BeginCommit();
  void EndCommit();
  void Apply(PendingWrite& write, std::string& log);
  void Apply(PendingClaim& claim);
  void Apply(PendingDeletion& deletion, std::string& log);
  absl::Status CheckWrite(const journal::Append& append) const;
  std::string WhatWasBeingWritten();
  std::size_t Tear(std::string& bytes);
  const Stored& Find(const journal::EntityKey& key) const;
  void Answer(absl::StatusOr<journal::Replay> replay, Read done);
  void Note(const PendingWrite& write) const;
  void Note(const PendingClaim& claim) const;
  void Note(const PendingDeletion& deletion) const;

  base::Strand& strand_;
  base::Random& random_;
  JournalFaultSettings faults_;
  Observer observer_;
  journal::Fences fences_;
  mutable std::set<journal::Fence> served_;
  std::string log_;  // the file; whole records only
  Index index_;
  std::deque<Pending> queue_;
  std::vector<Pending> commit_;  // that is being written
  bool committing_ = false;
  base::Lifetime power_;  // until the next crash
};

}  // namespace cloudstate::simulation
