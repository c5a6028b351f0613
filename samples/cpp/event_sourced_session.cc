#include "samples/cpp/event_sourced_session.h"

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {

absl::Status EventSourcedSession::Handle(const In& in, Out& out) {
  if (in.has_init()) return HandleInit(in.init());
  if (!entity_) return absl::FailedPreconditionError("The first message of a stream must be init.");
  if (in.has_event()) {
    sequence_ = in.event().sequence();
    return entity_->OnEvent(in.event().payload());
  }
  if (in.has_command()) return HandleCommand(in.command(), *out.mutable_reply());
  return absl::InvalidArgumentError("A message with nothing in it came on the stream.");
}

absl::Status EventSourcedSession::HandleInit(const eventsourced::EventSourcedInit& init) {
  if (entity_) return absl::FailedPreconditionError("init came twice on one stream.");
  for (const EventSourcedService& service : services_) {
    if (service.service_name == init.service_name()) service_ = &service;
  }
  if (!service_) {
    return absl::NotFoundError(absl::StrCat("No event-sourced entity here serves '", init.service_name(), "'."));
  }
  entity_id_ = init.entity_id();
  entity_ = service_->create();
  if (!init.has_snapshot()) return absl::OkStatus();
  sequence_ = init.snapshot().snapshot_sequence();
  return entity_->OnSnapshot(init.snapshot().snapshot());
}

absl::Status EventSourcedSession::HandleCommand(const Command& command, eventsourced::EventSourcedReply& reply) {
  reply.set_command_id(command.id());
  EventSourcedContext context(entity_id_, *entity_, reply);
  absl::Status status = entity_->OnCommand(command.name(), command.payload(), context);
  status.Update(context.apply_status());
  if (!status.ok()) return status;
  if (context.failed()) {
    reply.clear_events();
    Failure& failure = *reply.mutable_client_action()->mutable_failure();
    failure.set_command_id(command.id());
    // The events have been applied here but will not be stored: only a replay brings the state back to what is stored.
    failure.set_restart(context.emitted());
    return absl::OkStatus();
  }
  const std::int64_t before = sequence_;
  sequence_ += reply.events_size();
  const std::int64_t every = service_->snapshot_every;
  if (every > 0 && before / every != sequence_ / every) entity_->WriteSnapshot(*reply.mutable_snapshot());
  return absl::OkStatus();
}

}  // namespace cloudstate::samples
