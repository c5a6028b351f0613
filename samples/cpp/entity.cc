#include "samples/cpp/entity.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"

namespace cloudstate::samples {

CommandContext::CommandContext(std::int64_t command_id, std::string_view entity_id, Entity& entity,
                               eventsourced::EventSourcedReply& reply)
    : command_id_(command_id), entity_id_(entity_id), entity_(entity), reply_(reply) {
  reply_.set_command_id(command_id);
}

void CommandContext::Emit(const google::protobuf::Message& event) {
  if (failed_) return;
  google::protobuf::Any* packed = reply_.add_events();
  packed->PackFrom(event);
  emitted_ = true;
  apply_status_.Update(entity_.OnEvent(*packed));
}

void CommandContext::Effect(Method method, const google::protobuf::Message& command, EffectMode mode) {
  if (failed_) return;
  SideEffect* effect = reply_.add_side_effects();
  effect->set_service_name(std::string(method.service));
  effect->set_command_name(std::string(method.name));
  effect->mutable_payload()->PackFrom(command);
  effect->set_synchronous(mode == EffectMode::kSynchronous);
}

void CommandContext::Reply(const google::protobuf::Message& message) {
  if (failed_) return;
  reply_.mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(message);
}

void CommandContext::Forward(Method method, const google::protobuf::Message& command) {
  if (failed_) return;
  cloudstate::Forward* forward = reply_.mutable_client_action()->mutable_forward();
  forward->set_service_name(std::string(method.service));
  forward->set_command_name(std::string(method.name));
  forward->mutable_payload()->PackFrom(command);
}

void CommandContext::Fail(std::string description) {
  failed_ = true;
  reply_.clear_events();
  reply_.clear_side_effects();
  Failure* failure = reply_.mutable_client_action()->mutable_failure();
  failure->set_command_id(command_id_);
  failure->set_description(std::move(description));
  // The events have been applied here but will not be stored: only a replay brings the state back to what is stored.
  failure->set_restart(emitted_);
}

absl::Status UnknownType(const std::string& what, const google::protobuf::Any& payload) {
  return absl::InvalidArgumentError(
      absl::StrCat("This ", what, " cannot be read here: its type is '", payload.type_url(), "'."));
}

}  // namespace cloudstate::samples
