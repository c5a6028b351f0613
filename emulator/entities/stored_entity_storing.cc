// How what a stored entity's user function has answered goes to the journal.

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/on_strand.h"
#include "emulator/base/planted_bug.h"
#include "emulator/entities/stored_entity.h"

namespace cloudstate::entities {
namespace {

std::size_t Bytes(const std::vector<journal::Payload>& payloads) {
  std::size_t bytes = 0;
  for (const journal::Payload& payload : payloads) bytes += payload.value.size();
  return bytes;
}

}  // namespace

void StoredEntity::Store(StoredReply reply) {
  journal::Append append;
  append.key = key_;
  append.service = service_;
  append.expected = sequence_;
  append.events = std::move(reply.events);
  append.snapshot = std::move(reply.snapshot);
  append.cause = {outstanding_->trace->id, outstanding_->service, outstanding_->method,
                  std::move(outstanding_->payload)};
  append.time = environment_.strand.WallTime();
  append.fence = environment_.fence;

  state_ = State::kStoring;
  if (IsPlanted(base::PlantedBug::kAnswerBeforeStored)) AnswerEarly(Reply(reply.reply));
  const Written written{append.events.size(), Bytes(append.events),
                        append.snapshot.has_value() ? std::optional(append.snapshot->value.size()) : std::nullopt};
  writing_.Begin(environment_.load.journal, environment_.strand, environment_.strand.Now());
  auto stored = [this, written, answer = std::move(reply.reply)](const absl::Status& status) mutable {
    OnStored(status, std::move(answer), written);
  };
  environment_.journal.Write(std::move(append), base::OnStrand(environment_.strand, lifetime_, std::move(stored)));
}

void StoredEntity::OnStored(const absl::Status& status, Reply reply, const Written& written) {
  const absl::Duration took = writing_.End();
  const bool forgotten = std::exchange(forgotten_, false);
  // ABORTED has two reasons; the other one is that the sequence number was wrong, as it is behind a deletion.
  if (absl::IsAborted(status) && !environment_.journal.Holds(environment_.fence)) {
    LosePlace();
    return;
  }
  if (absl::IsAborted(status) && forgotten) {
    FailAsDeleted();
    return;
  }
  if (!status.ok() && IsPlanted(base::PlantedBug::kStaleStateKept)) {
    state_ = State::kReady;
    Finish(status);
    if (state_ == State::kReady) SendNext();
    return;
  }
  if (!status.ok()) {
    ResetWith(status, absl::StrCat("what it answered could not be stored: ", status.message()));
    return;
  }
  trace::EntityMetrics& metrics = environment_.metrics;
  metrics.persist_time.Add(took);
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

}  // namespace cloudstate::entities
