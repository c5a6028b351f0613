#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/journal/journal.h"

namespace cloudstate::trace {

enum class StepKind {
  kReceived,
  kQueued,
  kOpened,    // a stream to the user function
  kRouted,    // to the node that has the entity's shard
  kReplayed,  // snapshot and events
  kSent,      // the command, to the user function
  kReplied,   // by the user function
  kStored,
  kEffect,
  kForwarded,
  kFailed,
  kAnswered,
};

// As people read it: "received", "stream opened", …
std::string_view StepName(StepKind kind);

// Number of a command within its trace: 0 is the client's own, the others come from Trace::AddCommand.
using CommandNumber = std::uint32_t;
inline constexpr CommandNumber kClientsCommand = 0;

// How a command came about that no client sent.
enum class CommandOrigin { kSideEffect, kForward };

// A command that another one caused.
struct CausedCommand {
  CommandNumber parent = kClientsCommand;
  CommandOrigin origin = CommandOrigin::kSideEffect;
  std::string service;  // full name
  std::string method;
  std::string entity_id;  // empty until it is known, and for actions
};

struct Step {
  absl::Duration at;  // since the call began
  StepKind kind = StepKind::kReceived;
  CommandNumber command = kClientsCommand;  // whose step it is
  std::string detail;
  std::optional<journal::Payload> payload;
};

// One client's call with all that it set off. Written on the node's strand while the call is under way, immutable
// afterwards.
struct Trace {
  std::string id;
  std::string service;  // full name
  std::string method;
  std::string entity_id;
  std::string protocol;  // "grpc", "http" or "admin"
  std::string peer;
  std::string node;         // the number of the one that took the call; empty where it got to none
  std::string served_by;    // of the one that it was routed to, which has the entity; empty where it stayed
  absl::Time started;       // time of day
  absl::Time begin;         // the strand's clock
  absl::Duration duration;  // until the client had its answer
  bool open = false;        // still under way
  absl::Status outcome;
  std::vector<CausedCommand> caused;  // number n is caused[n - 1]
  std::vector<Step> steps;

  // Bounded: after kMaxSteps further ones are counted, not kept; payloads over kMaxPayload bytes are left out. After
  // kMaxCaused commands further ones share one number, and their steps are counted only.
  static constexpr std::size_t kMaxSteps = 256;
  static constexpr std::size_t kMaxCaused = 256;
  static constexpr std::size_t kMaxPayload = 4096;
  std::size_t dropped_steps = 0;

  // A new command that `parent` caused. Its first step is kEffect or kForwarded, which the caller adds.
  CommandNumber AddCommand(CommandNumber parent, CommandOrigin origin, std::string caused_service,
                           std::string caused_method);
  // Which entity a command goes to.
  void SetEntity(CommandNumber command, std::string entity);

  void Add(absl::Time now, StepKind kind, CommandNumber command, std::string detail = {},
           const journal::Payload* payload = nullptr);
};

// The trace of a call that is under way, as it is now.
std::shared_ptr<const Trace> SoFar(const Trace& open, absl::Time now);

// Knows the traces of calls that are under way, keeps the newest ended ones and tells those who watch. Lives on one
// strand.
class Recorder {
 public:
  using Watcher = absl::AnyInvocable<void(const std::shared_ptr<const Trace>&)>;

  explicit Recorder(std::size_t capacity) : capacity_(capacity) {}

  // A fresh trace with an id of its own. It is kept by the caller, until End.
  std::shared_ptr<Trace> Begin(absl::Time now, absl::Time wall);
  // The trace is whole, and nobody changes it from now on.
  void End(std::shared_ptr<Trace> trace);

  // Newest first.
  const std::deque<std::shared_ptr<const Trace>>& traces() const { return traces_; }
  // Those under way, by their ids: oldest first.
  const absl::btree_map<std::string_view, const Trace*>& open() const { return open_; }
  // Of those that are kept; null if there is none.
  std::shared_ptr<const Trace> Find(std::string_view id) const;
  // How many have ended; the last ones of these are kept.
  std::int64_t ended() const { return ended_; }
  // Forgets what is kept. The count goes on.
  void Clear() { traces_.clear(); }

  std::uint64_t Watch(Watcher watcher);
  void Unwatch(std::uint64_t watch);

 private:
  std::size_t capacity_;
  std::uint64_t run_ = 0;  // tells the ids of this run from those of others in the same journal
  std::uint64_t last_id_ = 0;
  std::uint64_t last_watch_ = 0;
  std::int64_t ended_ = 0;
  absl::btree_map<std::string_view, const Trace*> open_;
  std::deque<std::shared_ptr<const Trace>> traces_;
  std::map<std::uint64_t, Watcher> watchers_;
};

}  // namespace cloudstate::trace
