#include "emulator/simulation/history.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/simulation/findings.h"

namespace cloudstate::simulation {
namespace {

using Events = std::vector<journal::Event>;
using Operations = std::vector<const Operation*>;

std::uint64_t Mix(std::uint64_t x) {  // the finalizer of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

bool IsWrite(const Operation& operation) { return operation.kind == Operation::Kind::kWrite; }

// Checks what one entity left behind. Its journal is the order of its writes, so each operation has its place in that
// order, and what is left to see is whether the places agree with what the clients saw.
class EntityCheck {
 public:
  EntityCheck(const base::EntityKey& key, const Events& events, const Operations& operations, Findings& findings)
      : name_(key.ToString()), events_(events), operations_(operations), findings_(findings) {}

  void Run(std::uint64_t (*id_of)(const journal::Payload&)) {
    ReadJournal(id_of);
    CheckWriters();
    for (const Operation* operation : operations_) CheckOutcome(*operation);
    CheckRealTime();
  }

 private:
  // An operation at its place, and the time after which everybody must know of it.
  struct Placed {
    const Operation* operation = nullptr;
    std::int64_t place = 0;
    absl::Time known;
  };

  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }

  void ReadJournal(std::uint64_t (*id_of)(const journal::Payload&)) {
    digests_.push_back(0);
    for (const journal::Event& event : events_) {
      ids_.push_back(id_of(event.payload));
      digests_.push_back(NextDigest(digests_.back(), ids_.back()));
      if (event.sequence != size()) {
        findings_.Add("journal-gap",
                      absl::StrCat(name_, ": event ", size(), " of its journal has sequence number ", event.sequence));
      }
      const auto [first, is_new] = positions_.emplace(ids_.back(), size());
      if (!is_new) {
        findings_.Add("write-applied-twice", absl::StrCat(name_, ": write ", ids_.back(), " is events ", first->second,
                                                          " and ", size(), " of its journal"));
      }
    }
  }

  // What nobody wrote has no place in any order of the writes.
  void CheckWriters() {
    std::unordered_map<std::uint64_t, const Operation*> writers;
    for (const Operation* operation : operations_) {
      if (IsWrite(*operation)) writers.emplace(operation->id, operation);
    }
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      if (writers.contains(ids_[i])) continue;
      findings_.Add("linearizability", absl::StrCat(name_, ": event ", i + 1, " of its journal is write ", ids_[i],
                                                    ", which no client asked of it"));
    }
  }

  std::optional<std::int64_t> PositionOf(const Operation& write) const {
    const auto found = positions_.find(write.id);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }

  void CheckOutcome(const Operation& operation) {
    switch (operation.outcome) {
      case Operation::Outcome::kOpen:
        findings_.Add("open-call", absl::StrCat(findings_.Describe(operation), " has not ended"));
        return;
      case Operation::Outcome::kFailed:
        CheckFailed(operation);
        return;
      case Operation::Outcome::kOk:
        if (operation.has_version) CheckVersion(operation);
        if (IsWrite(operation)) CheckStored(operation);
        return;
      case Operation::Outcome::kUnknown:
        return;
    }
  }

  void CheckFailed(const Operation& operation) {
    if (!IsWrite(operation) || !PositionOf(operation).has_value()) return;
    findings_.Add("failed-write-applied", absl::StrCat(findings_.Describe(operation), " failed with ", operation.status,
                                                       " and is event ", *PositionOf(operation), " of the journal"));
  }

  void CheckVersion(const Operation& operation) {
    const Version& version = operation.version;
    if (version.count < 0 || version.count > size()) {
      findings_.Add("one-history", absl::StrCat(findings_.Describe(operation), " was answered that there are ",
                                                version.count, " writes; the journal has ", size()));
    } else if (version.digest != digests_[static_cast<std::size_t>(version.count)]) {
      findings_.Add("one-history", absl::StrCat(findings_.Describe(operation), " was answered with other first ",
                                                version.count, " writes than the journal has"));
    }
  }

  void CheckStored(const Operation& write) {
    const std::optional<std::int64_t> position = PositionOf(write);
    if (!position.has_value()) {
      findings_.Add("acknowledged-write-lost",
                    absl::StrCat(findings_.Describe(write), " was answered OK and is not in the journal"));
    } else if (write.has_version && *position != write.version.count) {
      findings_.Add("acknowledged-write-lost",
                    absl::StrCat(findings_.Describe(write), " was answered that it is the ", write.version.count,
                                 ". write; the journal has it as the ", *position, "."));
    }
  }

  // A write of unknown outcome that is in the journal took its place at some time after it was invoked, perhaps long
  // after its client had given up.
  std::optional<Placed> Place(const Operation& operation) const {
    const bool ok = operation.outcome == Operation::Outcome::kOk;
    if (ok && operation.has_version) return Placed{&operation, operation.version.count, operation.returned};
    if (!IsWrite(operation) || operation.outcome == Operation::Outcome::kFailed) return std::nullopt;
    const std::optional<std::int64_t> position = PositionOf(operation);
    if (!position.has_value()) return std::nullopt;
    return Placed{&operation, *position, ok ? operation.returned : absl::InfiniteFuture()};
  }

  // Whatever had returned when an operation was invoked comes before it. Of all those only the one that is furthest on
  // matters. This is all there is to linearizability where the order of the writes is known: were there a circle of
  // more operations, two of them would make one as well.
  void CheckRealTime() {
    std::vector<Placed> by_known;
    for (const Operation* operation : operations_) {
      if (auto placed = Place(*operation)) by_known.push_back(*placed);
    }
    std::vector<Placed> by_invoked = by_known;
    std::ranges::stable_sort(by_known, {}, &Placed::known);
    std::ranges::stable_sort(by_invoked, {}, [](const Placed& each) { return each.operation->invoked; });
    const Placed* furthest = nullptr;
    auto known = by_known.begin();
    for (const Placed& later : by_invoked) {
      for (; known != by_known.end() && known->known < later.operation->invoked; ++known) {
        if (furthest == nullptr || known->place > furthest->place) furthest = &*known;
      }
      if (furthest != nullptr) CheckOrder(*furthest, later);
    }
  }

  void CheckOrder(const Placed& earlier, const Placed& later) {
    if (IsWrite(*later.operation) ? earlier.place < later.place : earlier.place <= later.place) return;
    findings_.Add("linearizability", absl::StrCat(findings_.Describe(*later.operation), " is at ", later.place,
                                                  ", though before it began, ", findings_.Describe(*earlier.operation),
                                                  " had been answered at ", earlier.place));
  }

  const std::string name_;
  const Events& events_;
  const Operations& operations_;
  Findings& findings_;
  std::vector<std::uint64_t> ids_;                             // of the writes, in their order
  std::vector<std::uint64_t> digests_;                         // of the first 0, 1, 2 … of them
  std::unordered_map<std::uint64_t, std::int64_t> positions_;  // by id, from 1; looked up only
};

void CheckOwners(const std::set<journal::Fence>& served, Findings& findings) {
  const journal::Fence* before = nullptr;
  for (const journal::Fence& each : served) {
    const bool same = before != nullptr && before->shard == each.shard && before->epoch == each.epoch;
    if (same && each.epoch != 0) {
      findings.Add("one-owner", absl::StrCat("shard ", static_cast<std::uint32_t>(each.shard), ", epoch ", each.epoch,
                                             ": both node ", before->node, " and node ", each.node, " served"));
    }
    before = &each;
  }
}

}  // namespace

std::vector<Violation> Check(const History& history, std::uint64_t (*id_of)(const journal::Payload&)) {
  absl::Time origin = absl::InfiniteFuture();
  std::map<base::EntityKey, Operations> operations;
  for (const Operation& operation : history.operations) {
    origin = std::min(origin, operation.invoked);
    operations[operation.entity].push_back(&operation);
  }
  for (const auto& [key, events] : history.journal) operations[key];
  Findings findings(origin);
  static const Events kNone;
  for (const auto& [key, of_entity] : operations) {
    const auto events = history.journal.find(key);
    EntityCheck(key, events == history.journal.end() ? kNone : events->second, of_entity, findings).Run(id_of);
  }
  CheckOwners(history.served, findings);
  return findings.Take();
}

std::uint64_t NextDigest(std::uint64_t digest, std::uint64_t id) { return Mix(digest ^ Mix(id + 0x9e3779b97f4a7c15)); }

}  // namespace cloudstate::simulation
