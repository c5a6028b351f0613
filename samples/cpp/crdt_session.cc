#include "samples/cpp/crdt_session.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {
namespace {

crdt::CrdtWriteConsistency OnTheWire(WriteConsistency consistency) {
  switch (consistency) {
    case WriteConsistency::kLocal:
      break;
    case WriteConsistency::kMajority:
      return crdt::MAJORITY;
    case WriteConsistency::kAll:
      return crdt::ALL;
  }
  return crdt::LOCAL;
}

}  // namespace

absl::Status CrdtSession::Handle(const In& in, std::vector<Out>& out) {
  if (in.has_init()) return HandleInit(in.init());
  if (!service_) return absl::FailedPreconditionError("The first message of a stream must be init.");
  if (in.has_command()) return HandleCommand(in.command(), out);
  if (in.has_delta()) {
    absl::Status status = HandleDelta(in.delta());
    if (status.ok()) TellOfChange(out);
    return status;
  }
  if (in.has_stream_cancelled()) return HandleCancelled(in.stream_cancelled().id(), out);
  if (!in.has_delete_()) return absl::InvalidArgumentError("A message with nothing in it came on the stream.");
  HandleDeleted();
  return absl::OkStatus();
}

absl::Status CrdtSession::HandleInit(const crdt::CrdtInit& init) {
  if (service_) return absl::FailedPreconditionError("init came twice on one stream.");
  for (const CrdtService& service : services_) {
    if (service.service_name == init.service_name()) service_ = &service;
  }
  if (!service_) return absl::NotFoundError(absl::StrCat("No CRDT entity here serves '", init.service_name(), "'."));
  entity_ = service_->create(init.entity_id());
  return init.has_delta() ? HandleDelta(init.delta()) : absl::OkStatus();
}

absl::Status CrdtSession::HandleDelta(const crdt::CrdtDelta& delta) {
  if (deleted_) return absl::FailedPreconditionError("A delta came after the entity was deleted.");
  UseFirstValue();
  if (state_.value()) return state_.value()->Apply(delta);
  absl::StatusOr<Crdt> value = Crdt::FromDelta(delta);
  if (value.ok()) state_.Set(*std::move(value));
  return value.status();
}

absl::Status CrdtSession::HandleCommand(const Command& command, std::vector<Out>& out) {
  Out answer;
  crdt::CrdtReply& reply = *answer.mutable_reply();
  reply.set_command_id(command.id());
  CrdtContext context(state_, command.streamed(), reply);
  if (deleted_) {
    context.Fail("Entity deleted");
  } else {
    UseFirstValue();
    const absl::Status status = entity_->OnCommand(command.name(), command.payload(), context);
    if (!status.ok()) return status;
  }
  if (context.failed()) {
    state_.Undo();
    reply.mutable_client_action()->mutable_failure()->set_command_id(command.id());
    out.push_back(std::move(answer));
    return absl::OkStatus();
  }
  state_.Keep();
  if (context.deleted()) {
    HandleDeleted();
    reply.mutable_state_action()->mutable_delete_();
    out.push_back(std::move(answer));
    return absl::OkStatus();
  }
  const bool open = command.streamed() && context.call();
  const bool changed = HasChanges();
  reply.set_streamed(open);
  if (changed) TakeChanges(context.consistency(), *reply.mutable_state_action());
  out.push_back(std::move(answer));
  if (changed) TellOfChange(out);
  if (open) calls_.insert_or_assign(command.id(), *std::move(context.call()));
  return absl::OkStatus();
}

absl::Status CrdtSession::HandleCancelled(std::int64_t command_id, std::vector<Out>& out) {
  Out answer;
  crdt::CrdtStreamCancelledResponse& response = *answer.mutable_stream_cancelled_response();
  response.set_command_id(command_id);
  // There is none if it has ended meanwhile; the proxy waits for an answer all the same.
  const auto call = calls_.extract(command_id);
  if (call && call.mapped().on_cancel) {
    CrdtCancelContext context(state_, response);
    if (absl::Status status = call.mapped().on_cancel(context); !status.ok()) return status;
    state_.Keep();
  }
  const bool changed = HasChanges();
  if (changed) TakeChanges(WriteConsistency::kLocal, *response.mutable_state_action());
  out.push_back(std::move(answer));
  if (changed) TellOfChange(out);
  return absl::OkStatus();
}

void CrdtSession::HandleDeleted() {
  deleted_ = true;
  state_ = CrdtState();  // nothing of it is told any more
  calls_.clear();
}

void CrdtSession::UseFirstValue() {
  if (state_.value()) return;
  if (std::optional<Crdt> first = entity_->FirstValue()) state_.Set(*std::move(first));
}

void CrdtSession::TakeChanges(WriteConsistency consistency, crdt::CrdtStateAction& action) {
  state_.value()->TakeDelta(*action.mutable_update());
  action.set_write_consistency(OnTheWire(consistency));
}

void CrdtSession::TellOfChange(std::vector<Out>& out) {
  for (auto call = calls_.begin(); call != calls_.end();) {
    Out answer;
    crdt::CrdtStreamedMessage& message = *answer.mutable_streamed_message();
    CrdtChangeContext context(state_, message);
    if (call->second.on_change) call->second.on_change(context);
    if (context.failed()) {
      message.mutable_client_action()->mutable_failure()->set_command_id(call->first);
      message.set_end_stream(true);
    }
    const bool speaks = message.has_client_action() || message.side_effects_size() > 0 || message.end_stream();
    message.set_command_id(call->first);
    call = message.end_stream() ? calls_.erase(call) : std::next(call);
    if (speaks) out.push_back(std::move(answer));
  }
}

}  // namespace cloudstate::samples
