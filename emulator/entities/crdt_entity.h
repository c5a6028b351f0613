#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/base/entity_key.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/crdt/value.h"
#include "emulator/entities/crdt_protocol.h"
#include "emulator/entities/crdt_replica.h"
#include "emulator/entities/entity.h"
#include "emulator/trace/load_meter.h"
#include "emulator/trace/metrics.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::entities {

// One command on its way to a CRDT entity, and what becomes of it. Kept by whoever sent it until it has ended.
struct CrdtCommand {
  std::string service;  // full names of what was called
  std::string method;
  journal::Payload payload;
  Metadata metadata;                                     // empty unless entities are to see it
  bool streamed = false;                                 // the method streams its answers
  std::shared_ptr<trace::Trace> trace;                   // of the client's call that led here
  trace::CommandNumber number = trace::kClientsCommand;  // of this command in the trace
  // Each answer of the user function, once its change is written: routing runs the effects, then the action. After the
  // client has gone, what is left are effects. On the strand.
  absl::AnyInvocable<void(Reply)> answered;
  // Runs exactly once, on the strand, after the last answer.
  absl::AnyInvocable<void(absl::Status)> ended;
};

// Everything around a CRDT entity. The references outlive it.
struct CrdtEnvironment {
  base::Strand& strand;
  CrdtReplica& replica;
  trace::EntityMetrics& metrics;
  trace::NodeLoad& load;
  Limits limits;
  userfunction::Dialect dialect;
};

// One CRDT entity on one node: its stream to the user function, the commands that are outstanding there, and the calls
// that are open. Every node that is sent commands for an entity has one of these; what they agree on is in the replica.
//
//            Deliver           read, init sent             idle, or deleted
//   STOPPED ────────► READING ────────────────► OPEN ────────────────────────► CLOSING
//      ▲                                                                          │
//      └──────────────────────────────────────────────── stream ended, or grace ──┘
//
// The value is there twice: in the replica, and as the user function has it. While a command or a cancellation is
// outstanding the user function may change its own, so what others did meanwhile is held back; after that the
// difference goes to it as one change. Its own changes never come back to it.
//
// What is wrong, broken or late resets it: the stream is cancelled, all commands fail, the next one starts it again.
// What was answered and waits for its write is still delivered. Errors that a command ends with:
//   UNKNOWN, in the published words: "Entity deleted"; "Entity terminating" for the others of a reset;
//     "Unexpected CRDT entity termination" when the user function ends the stream;
//     "Failed to update CRDT at requested write consistency".
//   DEADLINE_EXCEEDED: it got no reply for the relay timeout, which resets the entity.
//   FAILED_PRECONDITION, OUT_OF_RANGE: its change cannot be made (crdt::Update), which resets the entity.
//   RESOURCE_EXHAUSTED, UNAVAILABLE, CANCELLED: as for other entities, before the user function has seen it.
// What the user function itself calls a failure is an answer, and the command ends well.
//
// After an answer that is a failure, a call that is still open counts as cancelled. A user function that does not say
// what is to follow a cancellation (one published library does not, unless it is told to) has the close grace for it;
// what it says later still changes the value, but its side effects are left out.
//
// Pure, but for what it is given. Its owner may not destroy it from within a callback.
class CrdtEntity final {
 public:
  using Host = entities::Host;

  CrdtEntity(base::EntityKey key, std::string service, const CrdtEnvironment& environment, Host& host);
  ~CrdtEntity();

  // Fails, through command->ended, with RESOURCE_EXHAUSTED when too many wait already, and with the published text when
  // the entity is deleted.
  void Deliver(std::shared_ptr<CrdtCommand> command);
  // The client of a command has gone. It still ends.
  void Cancel(const std::shared_ptr<CrdtCommand>& command);
  // Those that stay open end well, with what the user function still does about it, as if their clients had gone.
  void EndOpenCalls();
  // The replica has changed, or the voters, other than by an update from here.
  void OnReplicaChanged();
  // Stops it as if it had been idle for long enough. Only while it is idle.
  void Passivate();
  // The same, as soon as it is idle.
  void Evict();
  // The user function has gone: everything fails with `reason` and the entity stops, but for answers whose changes are
  // being written: those are still delivered.
  void Abort(const absl::Status& reason);

  const base::EntityKey& key() const { return key_; }
  bool stopped() const { return state_ == State::kStopped && waiting_.empty() && unended_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }  // commands that the user function has not seen

 private:
  enum class State { kStopped, kReading, kOpen, kClosing };

  // What the user function has to say next to a command, if anything.
  enum class Phase {
    kSent,       // a reply
    kStreaming,  // messages, until one ends the stream
    kCancelled,  // what follows from the cancellation
    kGivenUp,    // the same, but nobody waits for it any more
    kAnswered    // nothing
  };

  // One answer on its way to the client; not before its change is written, nor before the answer ahead of it.
  struct Answer {
    Reply reply;
    std::optional<absl::Status> written;
  };

  struct Call {
    std::int64_t id = 0;
    std::shared_ptr<CrdtCommand> command;  // null once it has ended
    absl::Time since;                      // when it arrived
    Phase phase = Phase::kAnswered;
    trace::Metered handled;  // by the user function, while it is sent
    bool client_gone = false;
    bool failed = false;
    base::TimerId timer = base::TimerId::kNone;   // until its reply, or what follows from its cancellation
    std::deque<crdt::CrdtStreamedMessage> early;  // came ahead of the reply
    std::deque<std::shared_ptr<Answer>> answers;
    absl::Status outcome;  // how it ends after these, once nothing is to come
  };
  using CallPointer = std::shared_ptr<Call>;  // shared with timers, and with writes that outlive the stream

  struct Waiting {
    std::shared_ptr<CrdtCommand> command;
    absl::Time since;
    bool stashed = false;  // the user function could not take it at once
  };

  void Start();
  void OnRead();
  void Pump();
  void Send(Waiting next);
  bool IsWritable() const;
  void BringUpToDate();
  void SetIdle(bool idle);

  // Answers of the user function.
  void OnMessage(const std::string& message);
  void OnReply(crdt::CrdtReply reply);
  void OnStreamedMessage(crdt::CrdtStreamedMessage message);
  void OnCancelledResponse(crdt::CrdtStreamCancelledResponse response);
  void OnFailure(Failure failure);
  bool CarryOut(const CallPointer& call, const crdt::CrdtStateAction& action, Reply reply);
  bool Update(const CallPointer& call, const crdt::CrdtStateAction& action, const std::shared_ptr<Answer>& answer);
  absl::AnyInvocable<void(absl::Status)> Written(const CallPointer& call, const std::shared_ptr<Answer>& answer);
  void AddStreamed(const CallPointer& call, crdt::CrdtStreamedMessage message);
  void ReportLeftOut(const crdt::CrdtStreamedMessage& message);
  void GoOn(bool deleted);
  CallPointer Find(std::int64_t command_id) const;

  // The way of a call to its end.
  void SetPhase(const CallPointer& call, Phase phase);
  void LoseClient(const CallPointer& call);
  void SendCancellation(const CallPointer& call);
  void GiveUpOn(const CallPointer& call);
  void Finish(const CallPointer& call, absl::Status outcome);
  void FinishAll(const absl::Status& commands, const absl::Status& open_calls);
  void Flush(const CallPointer& call);
  void Give(const CallPointer& call, Reply reply);
  void End(const CallPointer& call, const absl::Status& outcome);

  // Ends of a stream.
  void OnClosed(const absl::Status& status);
  void OnRelayTimeout(const CallPointer& call);
  void CloseDeleted();
  void HalfClose();
  // `outcome` is that of each call that has not got one of its own.
  void Reset(const std::string& report, const absl::Status& outcome = absl::UnknownError("Entity terminating"));
  void DropStream();
  void Stop();
  void TellIfStopped();
  void SetTimer(absl::Duration delay, void (CrdtEntity::*action)());
  void CancelTimer(base::TimerId& timer);
  void Trace(const CallPointer& call, trace::StepKind kind, std::string detail = {},
             const journal::Payload* payload = nullptr);
  std::string Name() const;

  const base::EntityKey key_;
  const std::string service_;
  const CrdtEnvironment environment_;
  const CrdtProtocol& protocol_;
  Host& host_;

  State state_ = State::kStopped;
  std::unique_ptr<userfunction::Stream> stream_;
  std::uint64_t streams_ = 0;  // opened until now: tells the present one from those before
  base::Lifetime lifetime_;
  base::Lifetime stream_lifetime_;  // guards callbacks of the present stream and of the read before it
  base::TimerId timer_ = base::TimerId::kNone;
  bool evicting_ = false;  // it stops when it is idle next
  bool idle_ = false;
  absl::Time started_;
  trace::Metered reading_;

  std::optional<crdt::Value> copy_;  // what the user function has
  bool behind_ = false;              // the replica may have another value
  std::int64_t last_command_id_ = 0;
  std::map<std::int64_t, CallPointer> calls_;  // of the present stream, those that more may be said to, by id
  std::size_t outstanding_ = 0;                // of them, commands without a reply and cancellations
  std::list<Waiting> waiting_;                 // half a KiB less than an empty deque
  absl::flat_hash_map<const CrdtCommand*, CallPointer> unended_;  // commands that were sent, on whatever stream
};

}  // namespace cloudstate::entities
