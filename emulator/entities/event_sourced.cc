#include "emulator/entities/event_sourced.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "emulator/base/status.h"
#include "google/rpc/status.pb.h"

namespace cloudstate::entities {
namespace {

constexpr std::string_view kHandle = "/cloudstate.eventsourced.EventSourced/handle";
constexpr std::size_t kReplayWindow = 64;  // messages given to the transport ahead of what it has taken

void ToAny(journal::Payload payload, google::protobuf::Any& any) {
  any.set_type_url(std::move(payload.type_url));
  any.set_value(std::move(payload.value));
}

journal::Payload FromAny(google::protobuf::Any& any) {
  return {std::move(*any.mutable_type_url()), std::move(*any.mutable_value())};
}

std::size_t Bytes(const std::vector<journal::Payload>& payloads) {
  std::size_t bytes = 0;
  for (const journal::Payload& payload : payloads) bytes += payload.value.size();
  return bytes;
}

// The client sees the published text; what the user function said goes into the details.
absl::Status WithDetails(const std::string& text, const Failure& failure) {
  google::rpc::Status details;
  details.set_code(static_cast<int>(absl::StatusCode::kUnknown));
  details.set_message(text);
  details.add_details()->PackFrom(failure);
  absl::Status status = absl::UnknownError(text);
  status.SetPayload(base::kStatusDetails, absl::Cord(details.SerializeAsString()));
  return status;
}

}  // namespace

EventSourcedEntity::EventSourcedEntity(base::EntityKey key, std::string service, const Environment& environment,
                                       Host& host)
    : key_(std::move(key)), service_(std::move(service)), environment_(environment), host_(host) {}

EventSourcedEntity::~EventSourcedEntity() { environment_.strand.Cancel(timer_); }

void EventSourcedEntity::Deliver(Command command) {
  ++environment_.metrics.received_commands;
  if (waiting_.size() >= environment_.limits.max_waiting_commands) {
    std::erase_if(waiting_, [](Waiting& each) {
      if (!*each.command.abandoned) return false;
      each.command.done(absl::CancelledError("nobody waits for it any more"));
      return true;
    });
  }
  if (waiting_.size() >= environment_.limits.max_waiting_commands) {
    ++environment_.metrics.failed_commands;
    command.done(absl::ResourceExhaustedError(absl::StrCat(waiting_.size(), " commands already wait for ", Name())));
    return;
  }
  waiting_.push_back({std::move(command), environment_.strand.Now()});
  if (state_ == State::kReady) {
    SendNext();
    return;
  }
  ++environment_.metrics.stashed_commands;
  if (state_ == State::kStopped) {
    Start();
    return;
  }
  const Command& queued = waiting_.back().command;
  queued.trace->Add(environment_.strand.Now(), trace::StepKind::kQueued, queued.subject,
                    absl::StrCat(waiting_.size(), " waiting"));
}

void EventSourcedEntity::Passivate() {
  ++environment_.metrics.passivated_entities;
  HalfClose();
}

void EventSourcedEntity::Abort(const absl::Status& reason) {
  for (Waiting& each : std::exchange(waiting_, {})) {
    ++environment_.metrics.failed_commands;
    each.command.done(reason);
  }
  if (state_ == State::kStopped) return;
  DropStream();
  if (state_ == State::kStoring) return;
  state_ = State::kClosing;
  reopen_ = false;
  if (outstanding_.has_value()) Finish(reason);
  Restart();
}

// ---- replay

void EventSourcedEntity::Start() {
  ++environment_.metrics.activated_entities;
  started_ = environment_.strand.Now();
  reopen_ = false;
  state_ = State::kLoading;
  const bool snapshots = environment_.replay_from == ReplayFrom::kNewestSnapshot;
  LoadPage(snapshots ? std::nullopt : std::optional<base::SequenceNumber>(0), Page::kFirst);
}

void EventSourcedEntity::LoadPage(std::optional<base::SequenceNumber> after, Page which) {
  page_asked_ = true;
  auto loaded =
      stream_lifetime_.Guard([this, which](absl::StatusOr<journal::Replay>& page) { OnPage(std::move(page), which); });
  environment_.journal.Load(
      key_, after, environment_.limits.replay_page_bytes,
      [&strand = environment_.strand, loaded = std::move(loaded)](absl::StatusOr<journal::Replay> page) mutable {
        strand.Post([loaded = std::move(loaded), page = std::move(page)]() mutable { loaded(page); });
      });
}

void EventSourcedEntity::OnPage(absl::StatusOr<journal::Replay> page, Page which) {
  page_asked_ = false;
  auto connection = host_.CurrentConnection();
  if (!page.ok() || connection == nullptr) {
    Abort(page.ok() ? absl::UnavailableError("the user function has gone") : page.status());
    return;
  }
  if (which == Page::kFirst) {
    sequence_ = page->snapshot.has_value() ? page->snapshot->sequence : 0;
    OpenStream(*connection, std::move(page->snapshot));
  }
  SendEvents(std::move(page->events));
  if (page->complete) {
    BecomeReady();
  } else {
    SetTimer(environment_.limits.relay_timeout, &EventSourcedEntity::OnReplayTimeout);
    ContinueReplay();
  }
}

void EventSourcedEntity::OpenStream(userfunction::Connection& connection, std::optional<journal::Snapshot> snapshot) {
  last_command_id_ = 0;
  stream_ =
      connection.Open(kHandle, absl::InfiniteDuration(),
                      {.on_message = stream_lifetime_.Guard([this](const std::string& message) { OnMessage(message); }),
                       .on_closed = stream_lifetime_.Guard([this](const absl::Status& status) { OnClosed(status); }),
                       .on_writable = stream_lifetime_.Guard([this] {
                         if (state_ == State::kLoading && !page_asked_) ContinueReplay();
                       })});
  eventsourced::EventSourcedStreamIn in;
  in.mutable_init()->set_service_name(service_);
  in.mutable_init()->set_entity_id(key_.entity_id);
  if (snapshot.has_value()) {
    ++environment_.metrics.loaded_snapshots;
    environment_.metrics.loaded_snapshot_bytes += snapshot->payload.value.size();
    in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(snapshot->sequence);
    ToAny(std::move(snapshot->payload), *in.mutable_init()->mutable_snapshot()->mutable_snapshot());
  }
  stream_->Write(in.SerializeAsString());
}

void EventSourcedEntity::SendEvents(std::vector<journal::Event> events) {
  for (journal::Event& event : events) {
    ++environment_.metrics.loaded_events;
    environment_.metrics.loaded_event_bytes += event.payload.value.size();
    sequence_ = event.sequence;
    eventsourced::EventSourcedStreamIn in;
    in.mutable_event()->set_sequence(event.sequence);
    ToAny(std::move(event.payload), *in.mutable_event()->mutable_payload());
    stream_->Write(in.SerializeAsString());
  }
}

// A long history is read no faster than the user function takes it.
void EventSourcedEntity::ContinueReplay() {
  if (stream_->Unsent() < kReplayWindow) LoadPage(sequence_, Page::kNext);
}

void EventSourcedEntity::BecomeReady() {
  environment_.metrics.recovery_time.Add(environment_.strand.Now() - started_);
  if (!waiting_.empty()) {
    const Command& first = waiting_.front().command;
    first.trace->Add(environment_.strand.Now(), trace::StepKind::kReplayed, first.subject,
                     sequence_ == 0 ? "new entity" : absl::StrCat("up to event ", sequence_));
  }
  state_ = State::kReady;
  SendNext();
}

// ---- commands

void EventSourcedEntity::SendNext() {
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
  host_.OnIdle(true);
  SetTimer(environment_.limits.passivation_timeout, &EventSourcedEntity::Passivate);
}

void EventSourcedEntity::Send(Waiting next) {
  const absl::Time now = environment_.strand.Now();
  outstanding_ = std::move(next.command);
  outstanding_since_ = next.since;
  sent_ = now;
  if (now > next.since) {
    ++environment_.metrics.unstashed_commands;
    environment_.metrics.command_stash_time.Add(now - next.since);
  }
  state_ = State::kBusy;
  host_.OnIdle(false);
  SetTimer(environment_.limits.relay_timeout, &EventSourcedEntity::OnRelayTimeout);
  Trace(trace::StepKind::kSent, absl::StrCat("command ", last_command_id_ + 1), &outstanding_->payload);

  eventsourced::EventSourcedStreamIn in;
  cloudstate::Command& command = *in.mutable_command();
  command.set_entity_id(key_.entity_id);
  command.set_id(++last_command_id_);
  command.set_name(outstanding_->method);
  // The payload is wanted once more, as the cause of the events that it leads to.
  ToAny(outstanding_->payload, *command.mutable_payload());
  if (outstanding_->metadata.entries_size() > 0) *command.mutable_metadata() = std::move(outstanding_->metadata);
  stream_->Write(in.SerializeAsString());
}

void EventSourcedEntity::OnReplayTimeout() {
  ResetWith(
      absl::DeadlineExceededError(absl::StrCat("the user function did not take the replay of ", Name(), " within ",
                                               absl::FormatDuration(environment_.limits.relay_timeout))),
      "the user function does not take its replay");
}

void EventSourcedEntity::OnRelayTimeout() {
  ResetWith(absl::DeadlineExceededError(absl::StrCat("no reply from the user function to ", outstanding_->service, ".",
                                                     outstanding_->method, " within ",
                                                     absl::FormatDuration(environment_.limits.relay_timeout))),
            "the user function did not reply in time");
}

// ---- answers of the user function

void EventSourcedEntity::OnMessage(const std::string& message) {
  eventsourced::EventSourcedStreamOut out;
  const bool parsed = out.ParseFromString(message);
  if (state_ == State::kClosing || state_ == State::kStopped) return;  // nothing it says can matter now
  if (!parsed) {
    Reset("Unexpected entity message", "a message on its stream was no cloudstate.eventsourced.EventSourcedStreamOut");
    return;
  }
  switch (out.message_case()) {
    case eventsourced::EventSourcedStreamOut::kReply:
      OnReply(std::move(*out.mutable_reply()));
      return;
    case eventsourced::EventSourcedStreamOut::kFailure:
      OnFailure(out.failure());
      return;
    case eventsourced::EventSourcedStreamOut::MESSAGE_NOT_SET:
      Reset("Unexpected entity message", "a message on its stream was empty");
      return;
  }
}

void EventSourcedEntity::OnReply(eventsourced::EventSourcedReply reply) {
  if (state_ != State::kBusy) {
    Reset("Unexpected entity reply",
          absl::StrCat("there was a reply for command ", reply.command_id(), ", and no command was outstanding"));
    return;
  }
  if (reply.command_id() != last_command_id_) {
    Reset("Unexpected entity reply", absl::StrCat("there was a reply for command ", reply.command_id(),
                                                  ", and the outstanding one is ", last_command_id_));
    return;
  }
  environment_.metrics.command_processing_time.Add(environment_.strand.Now() - sent_);
  CancelTimer();
  Trace(trace::StepKind::kReplied,
        absl::StrCat("events: ", reply.events_size(), reply.has_snapshot() ? ", snapshot" : "",
                     reply.client_action().has_failure() ? ", failure" : ""));
  if (!reply.client_action().has_failure()) {
    Store(std::move(reply));
    return;
  }
  if (reply.client_action().failure().restart()) {
    reopen_ = true;
    HalfClose();
  } else {
    state_ = State::kReady;
  }
  Finish(Reply{std::move(*reply.mutable_client_action()), std::move(*reply.mutable_side_effects())});
  if (state_ == State::kReady) SendNext();
}

void EventSourcedEntity::OnFailure(const Failure& failure) {
  constexpr char kText[] = "Unexpected entity failure";
  const bool ours = state_ == State::kBusy && failure.command_id() != 0 && failure.command_id() == last_command_id_;
  const std::string report =
      absl::StrCat("it failed", failure.command_id() == 0 ? "" : " command ",
                   failure.command_id() == 0 ? "" : absl::StrCat(failure.command_id()), ": ", failure.description());
  ResetWith(ours ? WithDetails(kText, failure) : absl::UnknownError(kText), report);
}

void EventSourcedEntity::OnClosed(const absl::Status& status) {
  if (state_ == State::kStoring) {
    DropStream();  // what it answered is on its way to the disk and will be delivered
    return;
  }
  if (state_ == State::kClosing) {
    Restart();
    return;
  }
  const std::string report = absl::StrCat("its stream was ended by the user function: ", status.ToString());
  Reset("Unexpected entity termination", report);
}

// ---- storing

void EventSourcedEntity::Store(eventsourced::EventSourcedReply reply) {
  Reply answer{std::move(*reply.mutable_client_action()), std::move(*reply.mutable_side_effects())};
  if (reply.events().empty() && !reply.has_snapshot()) {
    state_ = State::kReady;
    Finish(std::move(answer));
    if (state_ == State::kReady) SendNext();
    return;
  }
  journal::Append append;
  append.key = key_;
  append.service = service_;
  append.expected = sequence_;
  append.events.reserve(static_cast<std::size_t>(reply.events_size()));
  for (google::protobuf::Any& event : *reply.mutable_events()) append.events.push_back(FromAny(event));
  if (reply.has_snapshot()) append.snapshot = FromAny(*reply.mutable_snapshot());
  append.cause = {outstanding_->trace->id, outstanding_->service, outstanding_->method,
                  std::move(outstanding_->payload)};
  append.time = environment_.strand.WallTime();

  state_ = State::kStoring;
  const Written written{append.events.size(), Bytes(append.events),
                        append.snapshot.has_value() ? std::optional(append.snapshot->value.size()) : std::nullopt,
                        environment_.strand.Now()};
  auto stored = lifetime_.Guard([this, written, answer = std::move(answer)](const absl::Status& status) mutable {
    OnStored(status, std::move(answer), written);
  });
  environment_.journal.Write(
      std::move(append), [&strand = environment_.strand, stored = std::move(stored)](absl::Status status) mutable {
        strand.Post([stored = std::move(stored), status = std::move(status)]() mutable { stored(status); });
      });
}

void EventSourcedEntity::OnStored(const absl::Status& status, Reply reply, const Written& written) {
  if (!status.ok()) {
    ResetWith(status, absl::StrCat("what it answered could not be stored: ", status.message()));
    return;
  }
  trace::EventSourcedMetrics& metrics = environment_.metrics;
  metrics.persist_time.Add(environment_.strand.Now() - written.since);
  metrics.persisted_events += written.events;
  metrics.persisted_event_bytes += written.event_bytes;
  if (written.snapshot_bytes.has_value()) {
    ++metrics.persisted_snapshots;
    metrics.persisted_snapshot_bytes += *written.snapshot_bytes;
  }
  const base::SequenceNumber first = sequence_ + 1;
  sequence_ += static_cast<base::SequenceNumber>(written.events);
  Trace(trace::StepKind::kStored, written.events == 0   ? absl::StrCat("snapshot at ", sequence_)
                                  : written.events == 1 ? absl::StrCat("event ", first)
                                                        : absl::StrCat("events ", first, " to ", sequence_));
  const bool lost_stream = stream_ == nullptr;
  state_ = lost_stream ? State::kClosing : State::kReady;
  Finish(std::move(reply));
  if (lost_stream) {
    Restart();
  } else if (state_ == State::kReady) {
    SendNext();
  }
}

void EventSourcedEntity::Finish(absl::StatusOr<Reply> outcome) {
  Command command = *std::exchange(outstanding_, std::nullopt);
  ++environment_.metrics.completed_commands;
  if (!outcome.ok() || outcome->action.has_failure()) ++environment_.metrics.failed_commands;
  environment_.metrics.command_total_time.Add(environment_.strand.Now() - outstanding_since_);
  command.done(std::move(outcome));
}

// ---- ends of a stream

void EventSourcedEntity::HalfClose() {
  state_ = State::kClosing;
  host_.OnIdle(false);
  stream_->HalfClose();
  SetTimer(environment_.limits.close_grace, &EventSourcedEntity::Restart);
}

// The stream has ended, or has had its time to: go on with another if there is a reason to.
void EventSourcedEntity::Restart() {
  DropStream();
  environment_.metrics.entity_active_time.Add(environment_.strand.Now() - started_);
  if (reopen_ || !waiting_.empty()) {
    Start();
    return;
  }
  state_ = State::kStopped;
  host_.OnStopped();
}

void EventSourcedEntity::Reset(const std::string& client_text, const std::string& report) {
  ResetWith(absl::UnknownError(client_text), report);
}

void EventSourcedEntity::ResetWith(absl::Status outcome, const std::string& report) {
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

void EventSourcedEntity::DropStream() {
  host_.OnIdle(false);
  CancelTimer();
  stream_lifetime_.Renew();
  stream_ = nullptr;
}

void EventSourcedEntity::SetTimer(absl::Duration delay, void (EventSourcedEntity::*action)()) {
  CancelTimer();
  timer_ = environment_.strand.After(delay, [this, action] { (this->*action)(); });
}

void EventSourcedEntity::CancelTimer() { environment_.strand.Cancel(std::exchange(timer_, base::TimerId::kNone)); }

void EventSourcedEntity::Trace(trace::StepKind kind, std::string detail, const journal::Payload* payload) {
  outstanding_->trace->Add(environment_.strand.Now(), kind, outstanding_->subject, std::move(detail), payload);
}

std::string EventSourcedEntity::Name() const { return absl::StrCat("entity ", key_.ToString(), " of ", service_); }

}  // namespace cloudstate::entities
