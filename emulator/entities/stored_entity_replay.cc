// How a stored entity is brought to the user function: from the journal, page by page.

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/on_strand.h"
#include "emulator/base/planted_bug.h"
#include "emulator/entities/stored_entity.h"

namespace cloudstate::entities {
namespace {

constexpr std::size_t kReplayWindow = 64;  // messages given to the transport ahead of what it has taken

}  // namespace

void StoredEntity::Start() {
  ++environment_.metrics.activated_entities;
  started_ = environment_.strand.Now();
  reopen_ = false;
  state_ = State::kLoading;
  Load(Page::kFirst);
}

void StoredEntity::Load(Page which) {
  reading_.Begin(environment_.load.journal, environment_.strand, environment_.strand.Now());
  auto done = base::OnStrand(environment_.strand, stream_lifetime_,
                             [this, which](absl::StatusOr<journal::Replay> page) { OnPage(std::move(page), which); });
  const std::size_t max_bytes = environment_.limits.replay_page_bytes;
  if (which == Page::kFirst) {
    protocol_.LoadFirst(environment_.journal, key_, environment_.replay_from, max_bytes, std::move(done));
  } else {
    environment_.journal.Load(key_, sequence_, max_bytes, std::move(done));
  }
}

void StoredEntity::OnPage(absl::StatusOr<journal::Replay> page, Page which) {
  reading_.End();
  if (state_ != State::kLoading) return;  // it was retired meanwhile
  auto connection = host_.CurrentConnection();
  if (!page.ok() || connection == nullptr) {
    Abort(page.ok() ? absl::UnavailableError("the user function has gone") : page.status());
    return;
  }
  if (which == Page::kNext && page->last_sequence < sequence_) {
    Forget();  // of what the user function has seen, nothing is there any more
    return;
  }
  if (which == Page::kFirst) sequence_ = page->snapshot.has_value() ? page->snapshot->sequence : 0;
  if (!page->events.empty()) sequence_ = page->events.back().sequence;
  CountLoaded(*page);
  if (which == Page::kFirst) OpenStream(*connection, *page);
  if (IsPlanted(base::PlantedBug::kEventReplayedTwice) && !page->events.empty()) {
    stream_->Write(protocol_.Event(page->events.back()));
  }
  for (journal::Event& event : page->events) stream_->Write(protocol_.Event(std::move(event)));
  if (page->complete) {
    BecomeReady();
  } else {
    SetTimer(environment_.limits.relay_timeout, &StoredEntity::OnReplayTimeout);
    ContinueReplay();
  }
}

void StoredEntity::CountLoaded(const journal::Replay& page) {
  trace::EntityMetrics& metrics = environment_.metrics;
  metrics.loaded_events += page.events.size();
  for (const journal::Event& event : page.events) metrics.loaded_event_bytes += event.payload.value.size();
  if (!page.snapshot.has_value()) return;
  ++metrics.loaded_snapshots;
  metrics.loaded_snapshot_bytes += page.snapshot->payload.value.size();
}

void StoredEntity::OpenStream(userfunction::Connection& connection, journal::Replay& page) {
  last_command_id_ = 0;
  stream_ =
      connection.Open(protocol_.method(), absl::InfiniteDuration(),
                      {.on_message = stream_lifetime_.Guard([this](const std::string& message) { OnMessage(message); }),
                       .on_closed = stream_lifetime_.Guard([this](const absl::Status& status) { OnClosed(status); }),
                       .on_writable = stream_lifetime_.Guard([this] {
                         if (state_ == State::kLoading && !reading_.running()) ContinueReplay();
                       })});
  stream_->Write(protocol_.Init(service_, key_.entity_id, page));
}

// A long history is read no faster than the user function takes it.
void StoredEntity::ContinueReplay() {
  if (stream_->Unsent() < kReplayWindow) Load(Page::kNext);
}

void StoredEntity::BecomeReady() {
  environment_.metrics.recovery_time.Add(environment_.strand.Now() - started_);
  if (!waiting_.empty()) {
    const Command& first = waiting_.front().command;
    first.trace->Add(environment_.strand.Now(), trace::StepKind::kReplayed, first.number,
                     sequence_ == 0 ? "new entity" : absl::StrCat("up to event ", sequence_));
  }
  state_ = State::kReady;
  SendNext();
}

void StoredEntity::OnReplayTimeout() {
  ResetWith(
      absl::DeadlineExceededError(absl::StrCat("the user function did not take the replay of ", Name(), " within ",
                                               absl::FormatDuration(environment_.limits.relay_timeout))),
      "the user function does not take its replay");
}

void StoredEntity::Forget() {
  switch (state_) {
    case State::kStopped:
    case State::kClosing:
      break;  // it is loaded anew anyway
    case State::kLoading:
      state_ = State::kClosing;
      Restart();
      break;
    case State::kReady:
      HalfClose();
      break;
    case State::kBusy:
      FailAsDeleted();
      break;
    case State::kStoring:
      forgotten_ = true;
      DropStream();
      break;
  }
}

void StoredEntity::Evict() {
  switch (state_) {
    case State::kStopped:
    case State::kClosing:
      break;  // it is loaded anew anyway
    case State::kLoading:
      state_ = State::kClosing;
      Restart();
      break;
    case State::kReady:
      Passivate();
      break;
    case State::kBusy:
    case State::kStoring:
      evicting_ = true;
      break;
  }
}

// A person has deleted it, and the user function has done nothing wrong: only the command fails.
void StoredEntity::FailAsDeleted() {
  absl::Status deleted = absl::AbortedError(absl::StrCat(Name(), journal::kDeletedMeanwhile));
  Trace(trace::StepKind::kFailed, std::string(deleted.message()));
  DropStream();
  state_ = State::kClosing;
  Finish(std::move(deleted));
  Restart();
}

}  // namespace cloudstate::entities
