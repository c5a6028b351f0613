#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/entities/entity_protocol.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::entities {

// What an entity is brought to the user function with, and what is asked of it there.
struct ReplayPlan {
  struct Command {
    std::string service;  // full name
    std::string method;
    journal::Payload payload;
  };
  using TakePage = absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)>;

  const EntityProtocol* protocol = nullptr;
  std::string service;  // that the stream is for
  base::EntityKey key;
  base::SequenceNumber until = 0;  // the last of the journal's events
  journal::Replay first;           // page of what is stored up to there
  // Asks for the page of events behind a number. Called on the strand; answers on any thread, or never.
  absl::AnyInvocable<void(base::SequenceNumber after, TakePage take)> next;
  std::vector<journal::Payload> events;  // that follow the journal's
  std::vector<Command> commands;         // one after the other, until one fails
  absl::Duration time;                   // for all of it
};

// What came of one command.
struct ReplayOutcome {
  absl::Status status;
  StoredReply answer;  // empty where there was none; without events where they would not have been stored
  absl::Duration duration;
};

struct ReplayResult {
  base::SequenceNumber snapshot_sequence = 0;  // 0 for none
  std::int64_t replayed_events = 0;
  std::vector<ReplayOutcome> outcomes;  // of the commands, as far as it got
  absl::Duration duration;
};

// What a replay ends with whose entity has been deleted meanwhile.
absl::Status DeletedWhileReplayed(const base::EntityKey& key);

// A stored entity as it was, on a stream of its own: the same messages that StoredEntity sends, but nothing that comes
// back is stored or carried out. Lives on the strand.
class ReplayRun {
 public:
  // Short: after the last reply nothing that the user function says can matter, and whoever asked waits.
  static constexpr absl::Duration kCloseGrace = absl::Milliseconds(250);

  // `done` runs once, when the stream has gone. ABORTED, the user function breaks the stream while it takes the events,
  // or before it has said anything about the first command behind them; or they have been deleted meanwhile.
  // DEADLINE_EXCEEDED, it does not take them in time; without commands the end of the stream says that it has. `ended`
  // runs just before `done`; neither may destroy this before it returns. Destroying this cancels the stream, and
  // nothing is called any more.
  ReplayRun(ReplayPlan plan, base::Strand& strand, absl::AnyInvocable<void(absl::StatusOr<ReplayResult>)> done,
            absl::AnyInvocable<void()> ended);
  ~ReplayRun();

  void Start(userfunction::Connection& connection);
  // Ends it, with `reason` unless all is answered.
  void Cancel(const absl::Status& reason);

 private:
  // kAllSent: there are no commands, and the end of the stream will tell whether it has taken the events. kClosing: it
  // has answered all.
  enum class State { kTaking, kBusy, kAllSent, kClosing, kEnded };

  void TakePage(absl::StatusOr<journal::Replay> page);
  void WriteEvents(std::vector<journal::Event> events);
  void Continue();
  void AskForPage();
  void FinishEvents();
  void SendNext();

  void OnMessage(const std::string& message);
  void OnReply(StoredReply reply);
  void OnClosed(const absl::Status& status);
  void OnDeadline();
  // Of the outstanding command.
  void AddOutcome(absl::Status status, StoredReply answer = {});
  // The user function has broken the stream without a word about the command, so it may as well have been an event.
  void Refuse(const std::string& why);
  // The user function has broken the stream, or time is over.
  void Break(const absl::Status& why);
  void Close();
  void Finish();
  void End();
  void SetTimer(absl::Duration delay, void (ReplayRun::*action)());
  std::string CommandName() const;  // of the outstanding one
  std::string Name() const;

  ReplayPlan plan_;
  base::Strand& strand_;
  absl::AnyInvocable<void(absl::StatusOr<ReplayResult>)> done_;  // null once it has run
  absl::AnyInvocable<void()> ended_;
  ReplayResult result_;
  State state_ = State::kTaking;
  std::unique_ptr<userfunction::Stream> stream_;
  base::TimerId timer_ = base::TimerId::kNone;
  base::SequenceNumber sequence_ = 0;  // of the last event that was written
  bool page_asked_ = false;
  std::size_t sent_ = 0;  // commands
  absl::Time sent_at_;    // the last of them
  absl::Time started_;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::entities
