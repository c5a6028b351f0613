#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/lifetime.h"
#include "emulator/entities/entity_protocol.h"

namespace cloudstate::entities {

// What a stored entity needs from its node besides. On the strand.
class StoredEntityHost : public Host {
 public:
  // The shard is held by another node now: nothing that is done here can take effect any more. The entity has stopped,
  // or is about to; it keeps commands that the user function has not seen until it is retired. From within the entity:
  // not the place to retire or destroy it.
  virtual void OnFenced() = 0;
};

// One event-sourced or value entity: its stream to the user function, its place in the journal, and the commands that
// wait for it.
//
//            Deliver           replay sent            reply            durable
//   STOPPED ────────► LOADING ────────────► READY ◄──────────── STORING ◄──── BUSY
//      ▲                                    │  │  command sent                 ▲
//      │  stream ended                idle  │  └───────────────────────────────┘
//      └──────────────────── CLOSING ◄──────┘
//
// A wrong message, a broken stream or a failed write resets it: the command that was outstanding fails, the others wait
// for the next stream, since the user function never saw them. Where a write or a read shows that another node holds
// its shard, it stops for good, and what waits stays with it until it is retired. Pure, but for what it is given.
class StoredEntity final {
 public:
  using Host = StoredEntityHost;

  StoredEntity(const EntityProtocol& protocol, base::EntityKey key, std::string service, const Environment& environment,
               Host& host);
  ~StoredEntity();

  // RESOURCE_EXHAUSTED, through command.done, when too many wait already.
  void Deliver(Command command);

  // Stops it as if it had been idle for long enough. Only while it is idle.
  void Passivate();

  // Gives up its place, for good: it refuses further commands with UNAVAILABLE, finishes the one that is outstanding
  // and stops; OnStopped tells when. Returns the commands that the user function has not seen, in the order of their
  // arrival; they are still to be done, elsewhere.
  std::vector<Command> Retire();

  // The user function has gone: everything fails with `reason` and the entity stops, but for an answer that is being
  // stored: that one is still delivered.
  void Abort(const absl::Status& reason);

  // What it was loaded from has been deleted: the command that is outstanding fails, and the next one finds the entity
  // as the journal has it now. What is being stored gets the journal's answer.
  void Forget();

  // The next command finds the entity as the journal has it then: its stream ends when the command that is outstanding
  // has been answered.
  void Evict();

  const base::EntityKey& key() const { return key_; }
  journal::Fence fence() const { return environment_.fence; }
  bool stopped() const { return state_ == State::kStopped && waiting_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  enum class State { kStopped, kLoading, kReady, kBusy, kStoring, kClosing };
  enum class Place { kHeld, kLost, kGivenUp };  // lost to another node; given up by Retire: no stream begins any more

  struct Waiting {
    Command command;
    absl::Time since;
    bool stashed = false;  // the user function could not take it at once
  };

  // What a write added, for the metrics.
  struct Written {
    std::size_t events = 0;
    std::size_t event_bytes = 0;
    std::optional<std::size_t> snapshot_bytes;
  };

  void Start();
  enum class Page { kFirst, kNext };
  void Load(Page which);
  void OnPage(absl::StatusOr<journal::Replay> page, Page which);
  void OpenStream(userfunction::Connection& connection, journal::Replay& page);
  void CountLoaded(const journal::Replay& page);
  void ContinueReplay();
  void BecomeReady();
  void ForgetAbandoned();
  void SendNext();
  void Send(Waiting next);

  void OnMessage(const std::string& message);
  void OnReply(StoredReply reply);
  void OnFailure(const Failure& failure);
  void OnClosed(const absl::Status& status);
  void Answer(Reply reply);
  void Store(StoredReply reply);
  void OnStored(const absl::Status& status, Reply reply, const Written& written);
  void Finish(absl::StatusOr<Reply> outcome);
  void AnswerEarly(absl::StatusOr<Reply> outcome);  // a planted bug

  void HalfClose();
  void Restart();
  void LosePlace();
  // What the client gets is "Unexpected entity " and `what`, as published.
  absl::Status Unexpected(absl::string_view what) const;
  void FailAsDeleted();
  // For what the user function does wrong; `outcome` is that of the outstanding command.
  void Reset(absl::Status outcome, const std::string& report);
  void ResetWith(absl::Status outcome, const std::string& report);
  void DropStream();
  void OnRelayTimeout();
  void OnReplayTimeout();
  void SetTimer(absl::Duration delay, void (StoredEntity::*action)());
  void CancelTimer();
  void Trace(trace::StepKind kind, std::string detail = {}, const journal::Payload* payload = nullptr);
  std::string Name() const;

  const EntityProtocol& protocol_;
  const base::EntityKey key_;
  const std::string service_;
  const Environment environment_;
  Host& host_;

  State state_ = State::kStopped;
  Place place_ = Place::kHeld;
  std::unique_ptr<userfunction::Stream> stream_;
  base::Lifetime lifetime_;
  base::Lifetime stream_lifetime_;  // guards callbacks of the present stream and of the replay on it
  base::TimerId timer_ = base::TimerId::kNone;
  base::SequenceNumber sequence_ = 0;  // of the last stored event
  std::int64_t last_command_id_ = 0;   // on the present stream
  std::optional<Command> outstanding_;
  absl::Time outstanding_since_;  // when it arrived
  trace::Metered handled_;        // by the user function
  std::list<Waiting> waiting_;    // half a KiB less than an empty deque
  absl::Time started_;
  trace::Metered reading_;  // a page of the replay
  trace::Metered writing_;
  bool forgotten_ = false;  // what it was loaded from was deleted while it was storing
  bool evicting_ = false;   // the present stream ends after the outstanding command
  bool reopen_ = false;     // the next stream is wanted even if no command waits
};

}  // namespace cloudstate::entities
