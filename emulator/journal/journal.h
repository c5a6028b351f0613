#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/base/entity_key.h"
#include "emulator/journal/fence.h"

namespace cloudstate::journal {

using base::EntityKey;
using base::SequenceNumber;

// What is stored: a type URL and bytes, kept exactly as the user function sent them.
struct Payload {
  std::string type_url;
  std::string value;

  bool operator==(const Payload&) const = default;
};

// The command that led to a write. Stored beside what it wrote, so that every event tells why it is there.
struct Cause {
  std::string trace_id;  // of the client's call, as the traces show it
  std::string service;   // full name
  std::string method;
  Payload command;
};

struct Append {
  EntityKey key;
  std::string service;              // full name of the entity's service when this was written
  SequenceNumber expected = 0;      // the entity's last sequence number as the writer knows it
  std::vector<Payload> events;      // get the numbers expected + 1, expected + 2, …
  std::optional<Payload> snapshot;  // taken at the last of these events, or at `expected` when there are none
  Cause cause;
  absl::Time time;  // when it was written, time of day
  Fence fence;      // under which it was written
};

struct Event {
  SequenceNumber sequence = 0;
  Payload payload;
};

struct Snapshot {
  SequenceNumber sequence = 0;
  Payload payload;
};

// One page of what an entity is replayed from.
struct Replay {
  std::optional<Snapshot> snapshot;  // the newest one; on the first page only
  std::vector<Event> events;         // those after it, in order
  bool complete = true;              // false: more events follow after the last one here
  SequenceNumber last_sequence = 0;  // the entity's last sequence number when the page was read
};

// What follows an entity's name in the error of a command that its deletion came before.
inline constexpr char kDeletedMeanwhile[] =
    " was deleted while the command was under way; nothing was stored. Try again: it begins anew.";

// What was removed with an entity.
struct Deleted {
  std::int64_t events = 0;
  std::int64_t snapshots = 0;
};

// Where entities keep what must survive. Calls return at once, from any thread; answers come on a thread of the journal
// (a refusal may come on the caller's, before the call returns), and a caller with a strand posts them there.
//
// An append that was answered OK is durable (see Durability) and every later read sees it. Appends of one entity must
// wait for each other; those of different entities may overlap and are committed together.
//
// Errors: ABORTED, `expected` is not the entity's last sequence number, or `fence` is no longer the shard's (then it
// does not hold): another writer was there. RESOURCE_EXHAUSTED, the disk or the file's quota is full, or too much is
// outstanding. PERMISSION_DENIED, the file cannot be written. DATA_LOSS, the file is damaged. UNAVAILABLE, the disk
// fails or the journal has been closed. The texts name the file and say what to do. What failed was not stored, and the
// journal goes on once the cause is gone.
class Journal {
 public:
  virtual ~Journal() = default;

  // An append without events and snapshot only checks `expected` and `fence`. A second snapshot at a sequence number
  // replaces the first.
  virtual void Write(Append append, absl::AnyInvocable<void(absl::Status)> done) = 0;

  // Reads the first page (`after` is empty: newest snapshot and the events behind it) or the next one (events after
  // sequence number `after`). A page holds at most `max_bytes` of type URLs and payloads, the snapshot's included, but
  // at least one event if there is one. An entity that was never written to is empty, not an error.
  virtual void Load(const EntityKey& key, std::optional<SequenceNumber> after, std::size_t max_bytes,
                    absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) = 0;

  // Reads the last event alone, for entities each of whose events replaces the one before.
  virtual void LoadLast(const EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) = 0;

  // Removes all that is stored of an entity, between the writes asked for before it and those after it: of these, one
  // by a writer that knows the entity from before is refused. NOT_FOUND where nothing is stored.
  virtual void Delete(EntityKey key, absl::AnyInvocable<void(absl::StatusOr<Deleted>)> done) = 0;

  // Takes effect between the writes asked for before it and those after it, and cannot be undone by one that fails;
  // `done` gets the holders afterwards, in the order of the claims. A read that is asked for after that sees all that
  // was written under the epochs before.
  virtual void Claim(std::vector<ShardClaim> claims,
                     absl::AnyInvocable<void(absl::StatusOr<std::vector<ShardHolder>>)> done) = 0;

  // Whether nobody has claimed the shard since. At once, from any thread: what an entity answers without a write is
  // true only while its fence holds.
  virtual bool Holds(const Fence& fence) const = 0;
};

}  // namespace cloudstate::journal
