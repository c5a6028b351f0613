#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "emulator/base/entity_key.h"
#include "emulator/base/strand.h"
#include "emulator/journal/journal.h"
#include "emulator/trace/load_meter.h"
#include "emulator/trace/metrics.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::entities {

// What a user function answered to a command, once it is durable: routing runs the effects, then the action.
struct Reply {
  ClientAction action;
  google::protobuf::RepeatedPtrField<SideEffect> side_effects;
};

// One command on its way to an entity.
struct Command {
  std::string service;  // full names of what was called
  std::string method;
  journal::Payload payload;
  Metadata metadata;                                     // empty unless entities are to see it
  std::shared_ptr<trace::Trace> trace;                   // of the client's call that led here
  trace::CommandNumber number = trace::kClientsCommand;  // of this command in the trace
  // Set when nobody waits for the outcome any more: a command that was not sent yet is then left out.
  std::shared_ptr<const bool> abandoned;
  // Runs exactly once, on the strand. An error is a crash of the entity or of its store, not an answer of the user
  // function.
  absl::AnyInvocable<void(absl::StatusOr<Reply>)> done;
};

// What an entity is rebuilt from. Some support libraries ask for snapshots but cannot read them back.
enum class ReplayFrom { kNewestSnapshot, kFirstEvent };

struct Limits {
  absl::Duration passivation_timeout = absl::Seconds(30);
  // A command that was sent and gets no reply for this long resets the stream: nothing else would ever free the entity.
  absl::Duration relay_timeout = absl::Seconds(60);
  // Libraries that leave a half-closed stream open are cancelled after this.
  absl::Duration close_grace = absl::Seconds(2);
  std::size_t max_waiting_commands = 100;
  std::size_t replay_page_bytes = 1 << 20;
};

// What an entity needs from its node. On the strand.
class Host {
 public:
  virtual ~Host() = default;
  // The entity has nothing to do and no stream: it may be destroyed, after this call has returned. A command that is
  // handed to it before that starts it again.
  virtual void OnStopped() = 0;
  // It has nothing to do but keeps its stream, or has something to do again.
  virtual void OnIdle(bool idle) = 0;
  // Null while there is no user function.
  virtual std::shared_ptr<userfunction::Connection> CurrentConnection() = 0;
  // To the user function's reportError and the log.
  virtual void ReportError(const std::string& text) = 0;
};

// Everything around an entity. The references outlive it.
struct Environment {
  base::Strand& strand;
  journal::Journal& journal;
  trace::EntityMetrics& metrics;
  trace::NodeLoad& load;
  Limits limits;
  ReplayFrom replay_from = ReplayFrom::kNewestSnapshot;
  journal::Fence fence = {};  // of the entity's shard
};

}  // namespace cloudstate::entities
