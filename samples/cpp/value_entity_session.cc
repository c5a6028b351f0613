#include "samples/cpp/value_entity_session.h"

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {

absl::Status ValueEntitySession::Handle(const In& in, Out& out) {
  if (in.has_init()) return HandleInit(in.init());
  if (!service_) return absl::FailedPreconditionError("The first message of a stream must be init.");
  if (in.has_command()) return HandleCommand(in.command(), *out.mutable_reply());
  return absl::InvalidArgumentError("A message with nothing in it came on the stream.");
}

absl::Status ValueEntitySession::HandleInit(const valueentity::ValueEntityInit& init) {
  if (service_) return absl::FailedPreconditionError("init came twice on one stream.");
  for (const ValueEntityService& service : services_) {
    if (service.service_name == init.service_name()) service_ = &service;
  }
  if (!service_) {
    return absl::NotFoundError(absl::StrCat("No value entity here serves '", init.service_name(), "'."));
  }
  entity_id_ = init.entity_id();
  // A state without a value is that of a new entity, or of one that was deleted.
  if (init.state().has_value()) state_ = init.state().value();
  return absl::OkStatus();
}

absl::Status ValueEntitySession::HandleCommand(const Command& command, valueentity::ValueEntityReply& reply) {
  reply.set_command_id(command.id());
  ValueEntityContext context(entity_id_, state_ ? &*state_ : nullptr, reply);
  if (absl::Status status = service_->on_command(command.name(), command.payload(), context); !status.ok()) {
    return status;
  }
  if (context.failed()) {
    reply.clear_state_action();
    reply.mutable_client_action()->mutable_failure()->set_command_id(command.id());
  } else if (reply.state_action().has_update()) {
    state_ = reply.state_action().update().value();
  } else if (reply.state_action().has_delete_()) {
    state_.reset();
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::samples
