#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/base/entity_key.h"
#include "emulator/journal/fence.h"
#include "emulator/journal/journal.h"
#include "emulator/simulation/violation.h"

namespace cloudstate::simulation {

// What the entities of simulations do: each keeps the list of the ids of all writes to it, and answers every command,
// read or write, with how many there are and a digest of them.
struct Version {
  std::int64_t count = 0;
  std::uint64_t digest = 0;  // of the ids in their order

  bool operator==(const Version&) const = default;
};

// One call of a client.
struct Operation {
  enum class Kind { kRead, kWrite };
  enum class Outcome {
    kOpen,     // not ended
    kOk,       // `version` is what it was answered
    kFailed,   // surely without effect
    kUnknown,  // with or without its effect, perhaps later
  };
  Kind kind = Kind::kRead;
  base::EntityKey entity;  // that the write, or the read, is of
  std::uint64_t id = 0;    // of the write; each once
  std::uint32_t client = 0;
  std::uint32_t node = 0;  // that took the call
  absl::Time invoked;
  absl::Time returned = absl::InfiniteFuture();
  Outcome outcome = Outcome::kOpen;
  Version version;
  std::string status;  // of a failure, for people
  // The write is a side effect of another one, or was forwarded: `version` is not known where the answer has none.
  bool has_version = true;
};

// All that a run left behind.
struct History {
  std::vector<Operation> operations;
  // The journal at the end, as a fresh reader finds it.
  std::map<base::EntityKey, std::vector<journal::Event>> journal;
  // Under which a node wrote, or answered without writing.
  std::set<journal::Fence> served;
};

// The invariants, by their names:
//   linearizability   every answer agrees with one order of all writes to the entity that respects real time
//   one-history       two answers with the same count have the same digest, and it is that of the journal's ids
//   acknowledged-write-lost   a write that was answered OK is in the journal, at its place
//   write-applied-twice   no id is in an entity's journal more than once
//   failed-write-applied   a write that surely had no effect is not in the journal
//   journal-gap       an entity's sequence numbers are 1, 2, 3 … without gap or double
//   one-owner         under one epoch of a shard one node served: nobody is granted an epoch that another has. (That a
//                     node serves under an epoch that is no longer the newest shows in the others.)
//   open-call         every call ended
// `id_of` reads the id out of an event's payload.
std::vector<Violation> Check(const History& history, std::uint64_t (*id_of)(const journal::Payload&));

// The digest after one more id.
std::uint64_t NextDigest(std::uint64_t digest, std::uint64_t id);

}  // namespace cloudstate::simulation
