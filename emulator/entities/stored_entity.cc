#include "emulator/entities/stored_entity.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/base/status.h"
#include "emulator/base/view.h"
#include "emulator/entities/any_payload.h"
#include "google/rpc/status.pb.h"

namespace cloudstate::entities {
namespace {

// The client sees the published text; what the user function said goes into the details.
absl::Status WithDetails(absl::Status status, const Failure& failure) {
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(std::string(status.message()));
  details.add_details()->PackFrom(failure);
  status.SetPayload(base::kStatusDetails, absl::Cord(details.SerializeAsString()));
  return status;
}

}  // namespace

StoredEntity::StoredEntity(const EntityProtocol& protocol, base::EntityKey key, std::string service,
                           const Environment& environment, Host& host)
    : protocol_(protocol), key_(std::move(key)), service_(std::move(service)), environment_(environment), host_(host) {}

StoredEntity::~StoredEntity() { environment_.strand.Cancel(timer_); }

void StoredEntity::Deliver(Command command) {
  ++environment_.metrics.received_commands;
  if (place_ == Place::kGivenUp) {
    ++environment_.metrics.failed_commands;
    command.done(absl::UnavailableError(absl::StrCat(Name(), " is about to live on another node; try again")));
    return;
  }
  if (waiting_.size() >= environment_.limits.max_waiting_commands) ForgetAbandoned();
  if (waiting_.size() >= environment_.limits.max_waiting_commands) {
    ++environment_.metrics.failed_commands;
    command.done(absl::ResourceExhaustedError(absl::StrCat(waiting_.size(), " commands already wait for ", Name())));
    return;
  }
  const bool at_once = state_ == State::kReady;
  waiting_.push_back({std::move(command), environment_.strand.Now(), !at_once});
  if (at_once) {
    SendNext();
    return;
  }
  ++environment_.metrics.stashed_commands;
  if (state_ == State::kStopped && place_ == Place::kHeld) {
    Start();
    return;
  }
  const Command& queued = waiting_.back().command;
  queued.trace->Add(environment_.strand.Now(), trace::StepKind::kQueued, queued.number,
                    absl::StrCat(waiting_.size(), " waiting"));
}

void StoredEntity::ForgetAbandoned() {
  std::vector<Command> forgotten;  // first taken out: what ends may send further ones
  for (Waiting& each : waiting_) {
    if (*each.command.abandoned) forgotten.push_back(std::move(each.command));
  }
  std::erase_if(waiting_, [](const Waiting& each) { return each.command.abandoned == nullptr; });
  for (Command& each : forgotten) each.done(absl::CancelledError("nobody waits for it any more"));
}

void StoredEntity::Passivate() {
  ++environment_.metrics.passivated_entities;
  HalfClose();
}

std::vector<Command> StoredEntity::Retire() {
  std::vector<Command> unseen;
  for (Waiting& each : std::exchange(waiting_, {})) unseen.push_back(std::move(each.command));
  if (std::exchange(place_, Place::kGivenUp) == Place::kGivenUp) return unseen;
  switch (state_) {
    case State::kStopped:
      host_.OnStopped();
      break;
    case State::kLoading:
      if (stream_ == nullptr) {
        Restart();
        break;
      }
      [[fallthrough]];
    case State::kReady:
      HalfClose();
      break;
    case State::kStoring:
      if (IsPlanted(base::PlantedBug::kRefusedButStored)) AnswerEarly(absl::AbortedError("the shard moves"));
      break;
    case State::kBusy:
    case State::kClosing:
      break;  // goes on to its end, after which there is no other start
  }
  return unseen;
}

void StoredEntity::Abort(const absl::Status& reason) {
  const bool parked = state_ == State::kStopped && !waiting_.empty();
  for (Waiting& each : std::exchange(waiting_, {})) {
    ++environment_.metrics.failed_commands;
    each.command.done(reason);
  }
  if (parked) host_.OnStopped();
  if (state_ == State::kStopped) return;
  DropStream();
  if (state_ == State::kStoring) return;
  state_ = State::kClosing;
  reopen_ = false;
  if (outstanding_.has_value()) Finish(reason);
  Restart();
}

// ---- commands

void StoredEntity::SendNext() {
  if (state_ == State::kReady && std::exchange(evicting_, false)) {
    Passivate();  // what waits is for the next stream
    return;
  }
  while (state_ == State::kReady && !waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (*next.command.abandoned) {
      next.command.done(absl::CancelledError("nobody waits for it any more"));
    } else {
      Send(std::move(next));
    }
  }
  if (state_ != State::kReady) return;
  if (place_ == Place::kGivenUp) {
    HalfClose();
    return;
  }
  host_.OnIdle(true);
  SetTimer(environment_.limits.passivation_timeout, &StoredEntity::Passivate);
}

void StoredEntity::Send(Waiting next) {
  const absl::Time now = environment_.strand.Now();
  outstanding_ = std::move(next.command);
  outstanding_since_ = next.since;
  handled_.Begin(environment_.load.user_function, environment_.strand, now);
  if (next.stashed) {
    ++environment_.metrics.unstashed_commands;
    environment_.metrics.command_stash_time.Add(now - next.since);
  }
  state_ = State::kBusy;
  host_.OnIdle(false);
  SetTimer(environment_.limits.relay_timeout, &StoredEntity::OnRelayTimeout);
  Trace(trace::StepKind::kSent, absl::StrCat("command ", last_command_id_ + 1), &outstanding_->payload);

  cloudstate::Command command;
  command.set_entity_id(key_.entity_id);
  command.set_id(++last_command_id_);
  command.set_name(outstanding_->method);
  // The payload is wanted once more, as the cause of the events that it leads to.
  ToAny(outstanding_->payload, *command.mutable_payload());
  if (outstanding_->metadata.entries_size() > 0) *command.mutable_metadata() = std::move(outstanding_->metadata);
  stream_->Write(protocol_.Command(std::move(command)));
}

void StoredEntity::OnRelayTimeout() {
  ResetWith(absl::DeadlineExceededError(absl::StrCat("no reply from the user function to ", outstanding_->service, ".",
                                                     outstanding_->method, " within ",
                                                     absl::FormatDuration(environment_.limits.relay_timeout))),
            "the user function did not reply in time");
}

// ---- answers of the user function

void StoredEntity::OnMessage(const std::string& message) {
  if (state_ == State::kClosing || state_ == State::kStopped) return;  // nothing it says can matter now
  absl::StatusOr<EntityProtocol::Answer> answer = protocol_.Parse(message);
  if (!answer.ok()) {
    Reset(Unexpected("message"), std::string(answer.status().message()));
  } else if (auto* reply = std::get_if<StoredReply>(&*answer)) {
    OnReply(std::move(*reply));
  } else {
    OnFailure(std::get<Failure>(*answer));
  }
}

void StoredEntity::OnReply(StoredReply reply) {
  if (state_ != State::kBusy) {
    Reset(Unexpected("reply"),
          absl::StrCat("there was a reply for command ", reply.command_id, ", and no command was outstanding"));
    return;
  }
  if (reply.command_id != last_command_id_) {
    Reset(Unexpected("reply"), absl::StrCat("there was a reply for command ", reply.command_id,
                                            ", and the outstanding one is ", last_command_id_));
    return;
  }
  environment_.metrics.command_processing_time.Add(handled_.End());
  CancelTimer();
  const ClientAction& action = reply.reply.action;
  Trace(trace::StepKind::kReplied, absl::StrCat("events: ", reply.events.size(), reply.snapshot ? ", snapshot" : "",
                                                action.has_failure() ? ", failure" : ""));
  const bool writes = !action.has_failure() && (!reply.events.empty() || reply.snapshot.has_value());
  if (!writes && !environment_.journal.Holds(environment_.fence)) {
    LosePlace();  // its state is over, and so is whatever it says of it
  } else if (writes) {
    Store(std::move(reply));
  } else {
    Answer(std::move(reply.reply));
  }
}

// What needs no write.
void StoredEntity::Answer(Reply reply) {
  if (reply.action.has_failure() && reply.action.failure().restart()) {
    reopen_ = true;
    HalfClose();
  } else {
    state_ = State::kReady;
  }
  Finish(std::move(reply));
  if (state_ == State::kReady) SendNext();
}

void StoredEntity::OnFailure(const Failure& failure) {
  const bool ours = state_ == State::kBusy && failure.command_id() != 0 && failure.command_id() == last_command_id_;
  const std::string report =
      absl::StrCat("it failed", failure.command_id() == 0 ? "" : " command ",
                   failure.command_id() == 0 ? "" : absl::StrCat(failure.command_id()), ": ", failure.description());
  Reset(ours ? WithDetails(Unexpected("failure"), failure) : Unexpected("failure"), report);
}

void StoredEntity::OnClosed(const absl::Status& status) {
  if (state_ == State::kStoring) {
    DropStream();  // what it answered is on its way to the disk and will be delivered
    return;
  }
  if (state_ == State::kClosing) {
    Restart();
    return;
  }
  const std::string report = absl::StrCat("its stream was ended by the user function: ", status.ToString());
  Reset(Unexpected("termination"), report);
}

void StoredEntity::AnswerEarly(absl::StatusOr<Reply> outcome) {
  std::exchange(outstanding_->done, [](const absl::StatusOr<Reply>&) {})(std::move(outcome));
}

void StoredEntity::Finish(absl::StatusOr<Reply> outcome) {
  Command command = *std::exchange(outstanding_, std::nullopt);
  ++environment_.metrics.completed_commands;
  if (!outcome.ok() || outcome->action.has_failure()) ++environment_.metrics.failed_commands;
  environment_.metrics.command_total_time.Add(environment_.strand.Now() - outstanding_since_);
  command.done(std::move(outcome));
}

// ---- ends of a stream

void StoredEntity::HalfClose() {
  state_ = State::kClosing;
  host_.OnIdle(false);
  stream_->HalfClose();
  SetTimer(environment_.limits.close_grace, &StoredEntity::Restart);
}

// The stream has ended, or has had its time to: go on with another if there is a reason to.
void StoredEntity::Restart() {
  DropStream();
  environment_.metrics.entity_active_time.Add(environment_.strand.Now() - started_);
  if (place_ == Place::kHeld && (reopen_ || !waiting_.empty())) {
    Start();
    return;
  }
  state_ = State::kStopped;
  if (waiting_.empty()) host_.OnStopped();
}

// Nobody here has done anything wrong: no report, and nothing counts as failed but the command.
void StoredEntity::LosePlace() {
  if (place_ == Place::kHeld) place_ = Place::kLost;
  DropStream();
  state_ = State::kClosing;
  absl::Status held = absl::AbortedError(absl::StrCat(Name(), " is held by another node now; try again"));
  Trace(trace::StepKind::kFailed, std::string(held.message()));
  Finish(std::move(held));
  if (place_ == Place::kLost) host_.OnFenced();
  Restart();
}

absl::Status StoredEntity::Unexpected(absl::string_view what) const {
  return absl::UnknownError(absl::StrCat("Unexpected ", base::ToAbsl(protocol_.name()), " ", what));
}

void StoredEntity::Reset(absl::Status outcome, const std::string& report) {
  if (state_ != State::kStoring) {
    ResetWith(std::move(outcome), report);
    return;
  }
  // What it says behind an answer does not undo that: it is on its way to the disk and will be delivered.
  ++environment_.metrics.failed_entities;
  DropStream();
  host_.ReportError(absl::StrCat(Name(), " is reset: ", report));
}

void StoredEntity::ResetWith(absl::Status outcome, const std::string& report) {
  ++environment_.metrics.failed_entities;
  DropStream();
  host_.ReportError(absl::StrCat(Name(), " is reset: ", report));
  const bool loading = std::exchange(state_, State::kClosing) == State::kLoading;
  if (outstanding_.has_value()) {
    Trace(trace::StepKind::kFailed, report);
    Finish(std::move(outcome));
  } else if (loading && !waiting_.empty()) {
    // A user function that breaks every stream before it has taken a command must not be offered the same one for ever.
    Command command = std::move(waiting_.front().command);
    waiting_.pop_front();
    ++environment_.metrics.failed_commands;
    command.done(std::move(outcome));
  }
  Restart();
}

void StoredEntity::DropStream() {
  host_.OnIdle(false);
  CancelTimer();
  handled_.End();
  reading_.End();
  stream_lifetime_.Renew();
  stream_ = nullptr;
  evicting_ = false;
}

void StoredEntity::SetTimer(absl::Duration delay, void (StoredEntity::*action)()) {
  CancelTimer();
  timer_ = environment_.strand.After(delay, [this, action] { (this->*action)(); });
}

void StoredEntity::CancelTimer() { environment_.strand.Cancel(std::exchange(timer_, base::TimerId::kNone)); }

void StoredEntity::Trace(trace::StepKind kind, std::string detail, const journal::Payload* payload) {
  outstanding_->trace->Add(environment_.strand.Now(), kind, outstanding_->number, std::move(detail), payload);
}

std::string StoredEntity::Name() const { return absl::StrCat("entity ", key_.ToString(), " of ", service_); }

}  // namespace cloudstate::entities
