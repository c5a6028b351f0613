#include "emulator/entities/replay_run.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "emulator/base/on_strand.h"
#include "emulator/entities/any_payload.h"

namespace cloudstate::entities {
namespace {

constexpr std::size_t kRunWindow = 64;  // messages given to the transport ahead of what it has taken

absl::Status StatusOf(const ClientAction& action) {
  if (action.has_failure()) return absl::UnknownError(action.failure().description());
  if (action.has_reply() || action.has_forward()) return absl::OkStatus();
  return absl::InternalError("the user function answered without a reply");
}

std::string Reason(const absl::Status& status) {
  return status.ok() ? "it ended the stream" : status.ToString(absl::StatusToStringMode::kWithNoExtraData);
}

}  // namespace

absl::Status DeletedWhileReplayed(const base::EntityKey& key) {
  return absl::AbortedError(absl::StrCat("entity ", key.ToString(), " was deleted while it was replayed"));
}

ReplayRun::ReplayRun(ReplayPlan plan, base::Strand& strand, absl::AnyInvocable<void(absl::StatusOr<ReplayResult>)> done,
                     absl::AnyInvocable<void()> ended)
    : plan_(std::move(plan)), strand_(strand), done_(std::move(done)), ended_(std::move(ended)) {}

ReplayRun::~ReplayRun() { strand_.Cancel(timer_); }

void ReplayRun::Start(userfunction::Connection& connection) {
  started_ = strand_.Now();
  SetTimer(plan_.time, &ReplayRun::OnDeadline);
  stream_ = connection.Open(plan_.protocol->method(), absl::InfiniteDuration(),
                            {.on_message = lifetime_.Guard([this](const std::string& message) { OnMessage(message); }),
                             .on_closed = lifetime_.Guard([this](const absl::Status& status) { OnClosed(status); }),
                             .on_writable = lifetime_.Guard([this] {
                               if (state_ == State::kTaking && !page_asked_) Continue();
                             })});
  journal::Replay& first = plan_.first;
  if (first.snapshot.has_value()) sequence_ = result_.snapshot_sequence = first.snapshot->sequence;
  if (!first.events.empty()) sequence_ = first.events.back().sequence;
  result_.replayed_events = static_cast<std::int64_t>(first.events.size());
  stream_->Write(plan_.protocol->Init(plan_.service, plan_.key.entity_id, first));
  WriteEvents(std::exchange(first.events, {}));
  if (first.complete) {
    FinishEvents();
  } else {
    Continue();
  }
}

void ReplayRun::Cancel(const absl::Status& reason) {
  if (state_ == State::kEnded) return;
  if (state_ == State::kClosing) return Finish();
  End();
  std::exchange(done_, nullptr)(reason);
}

// ---- what it is rebuilt from

// A long history is read no faster than the user function takes it.
void ReplayRun::Continue() {
  if (stream_->Unsent() < kRunWindow) AskForPage();
}

void ReplayRun::AskForPage() {
  page_asked_ = true;
  auto take = [this](absl::StatusOr<journal::Replay> page) { TakePage(std::move(page)); };
  plan_.next(sequence_, base::OnStrand(strand_, lifetime_, std::move(take)));
}

void ReplayRun::TakePage(absl::StatusOr<journal::Replay> page) {
  page_asked_ = false;
  if (state_ != State::kTaking) return;
  if (page.ok() && page->last_sequence < plan_.until) {
    page = DeletedWhileReplayed(plan_.key);
  }
  if (!page.ok()) return Cancel(page.status());
  if (!page->events.empty()) sequence_ = page->events.back().sequence;
  result_.replayed_events += static_cast<std::int64_t>(page->events.size());
  WriteEvents(std::move(page->events));
  if (page->complete) {
    FinishEvents();
  } else {
    Continue();
  }
}

void ReplayRun::WriteEvents(std::vector<journal::Event> events) {
  for (journal::Event& event : events) stream_->Write(plan_.protocol->Event(std::move(event)));
}

void ReplayRun::FinishEvents() {
  for (journal::Payload& event : plan_.events) {
    stream_->Write(plan_.protocol->Event({++sequence_, std::move(event)}));
    ++result_.replayed_events;
  }
  if (plan_.commands.empty()) {
    state_ = State::kAllSent;
    stream_->HalfClose();
  } else {
    SendNext();
  }
}

// ---- commands

void ReplayRun::SendNext() {
  if (sent_ == plan_.commands.size()) {
    Close();
    return;
  }
  ReplayPlan::Command& next = plan_.commands[sent_++];
  state_ = State::kBusy;
  sent_at_ = strand_.Now();
  cloudstate::Command command;
  command.set_entity_id(plan_.key.entity_id);
  command.set_id(static_cast<std::int64_t>(sent_));
  command.set_name(next.method);
  ToAny(std::move(next.payload), *command.mutable_payload());
  stream_->Write(plan_.protocol->Command(std::move(command)));
}

void ReplayRun::OnMessage(const std::string& message) {
  if (state_ == State::kEnded || state_ == State::kClosing) return;  // nothing it says can matter now
  absl::StatusOr<EntityProtocol::Answer> answer = plan_.protocol->Parse(message);
  if (!answer.ok()) {
    Break(absl::AbortedError(answer.status().message()));
  } else if (auto* reply = std::get_if<StoredReply>(&*answer)) {
    OnReply(std::move(*reply));
  } else {
    const auto& failure = std::get<Failure>(*answer);
    const bool of_command = state_ == State::kBusy && failure.command_id() == static_cast<std::int64_t>(sent_);
    if (of_command) return Break(absl::UnknownError(failure.description()));
    Refuse(absl::StrCat("it failed: ", failure.description()));
  }
}

void ReplayRun::OnReply(StoredReply reply) {
  if (state_ != State::kBusy || reply.command_id != static_cast<std::int64_t>(sent_)) {
    Break(absl::AbortedError(absl::StrCat("there was a reply for command ", reply.command_id, ", which is not ",
                                          state_ == State::kBusy ? "the outstanding one" : "outstanding")));
    return;
  }
  absl::Status status = StatusOf(reply.reply.action);
  const bool failed = !status.ok();
  if (reply.reply.action.has_failure()) {
    reply.events.clear();
    reply.snapshot.reset();
  }
  AddOutcome(std::move(status), std::move(reply));
  if (failed) sent_ = plan_.commands.size();
  SendNext();
}

void ReplayRun::AddOutcome(absl::Status status, StoredReply answer) {
  result_.duration = strand_.Now() - started_;
  result_.outcomes.push_back({std::move(status), std::move(answer), strand_.Now() - sent_at_});
}

// ---- ends

void ReplayRun::OnClosed(const absl::Status& status) {
  if (state_ == State::kAllSent && status.ok()) {
    result_.duration = strand_.Now() - started_;
    return Finish();
  }
  if (state_ == State::kClosing) return Finish();
  Refuse(Reason(status));
}

void ReplayRun::OnDeadline() {
  const absl::string_view what = state_ == State::kBusy ? "answer"
                                 : state_ == State::kAllSent
                                     ? "end the stream, which would tell that it has taken the events,"
                                     : "take the events";
  Break(absl::DeadlineExceededError(absl::StrCat("the user function did not ", what, " in time")));
}

void ReplayRun::Refuse(const std::string& why) {
  const bool events_may_be_under_way = state_ == State::kBusy && result_.outcomes.empty() && sequence_ > 0;
  if (!events_may_be_under_way) return Break(absl::AbortedError(why));
  Cancel(absl::AbortedError(absl::StrCat("the user function broke the stream when it was to take the events of ",
                                         Name(), " up to ", sequence_, " and then ", CommandName(),
                                         "; which of them it did not like, it did not say: ", why)));
}

// What the commands before it gave is not lost.
void ReplayRun::Break(const absl::Status& why) {
  const bool aborted = absl::IsAborted(why);
  if (state_ == State::kBusy) {
    AddOutcome(aborted ? absl::AbortedError(absl::StrCat("the user function broke the stream instead of a reply to ",
                                                         CommandName(), ": ", why.message()))
                       : why);
    return Finish();
  }
  Cancel(aborted ? absl::AbortedError(absl::StrCat("the user function broke the stream while it took the events of ",
                                                   Name(), " up to ", sequence_, ": ", why.message()))
                 : why);
}

// Libraries that leave a half-closed stream open are cancelled after a while.
void ReplayRun::Close() {
  state_ = State::kClosing;
  SetTimer(kCloseGrace, &ReplayRun::Finish);
  stream_->HalfClose();
}

void ReplayRun::Finish() {
  End();
  std::exchange(done_, nullptr)(std::move(result_));
}

void ReplayRun::End() {
  state_ = State::kEnded;
  strand_.Cancel(std::exchange(timer_, base::TimerId::kNone));
  lifetime_.Renew();
  stream_ = nullptr;
  ended_();
}

void ReplayRun::SetTimer(absl::Duration delay, void (ReplayRun::*action)()) {
  strand_.Cancel(timer_);
  timer_ = strand_.After(delay, lifetime_.Guard([this, action] { (this->*action)(); }));
}

std::string ReplayRun::CommandName() const {
  const ReplayPlan::Command& command = plan_.commands[sent_ - 1];
  return absl::StrCat(command.service, ".", command.method);
}

std::string ReplayRun::Name() const { return absl::StrCat("entity ", plan_.key.ToString()); }

}  // namespace cloudstate::entities
