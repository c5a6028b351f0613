#include "samples/cpp/answer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"

namespace cloudstate::samples {
namespace {

using action::ActionResponse;
using crdt::CrdtReply;
using crdt::CrdtStreamedMessage;
using eventsourced::EventSourcedReply;
using valueentity::ValueEntityReply;

// An action's response has itself what the entities' replies have in their `client_action`.
ActionResponse& ClientActionOf(ActionResponse& response) { return response; }
ClientAction& ClientActionOf(CrdtReply& reply) { return *reply.mutable_client_action(); }
ClientAction& ClientActionOf(CrdtStreamedMessage& message) { return *message.mutable_client_action(); }
ClientAction& ClientActionOf(EventSourcedReply& reply) { return *reply.mutable_client_action(); }
ClientAction& ClientActionOf(ValueEntityReply& reply) { return *reply.mutable_client_action(); }

template <typename Target>
void Address(Target& target, Method method, const google::protobuf::Message& command) {
  target.set_service_name(std::string(method.service));
  target.set_command_name(std::string(method.name));
  target.mutable_payload()->PackFrom(command);
}

}  // namespace

void WriteEffect(Method method, const google::protobuf::Message& command, EffectMode mode, SideEffect& effect) {
  Address(effect, method, command);
  effect.set_synchronous(mode == EffectMode::kSynchronous);
}

template <typename Message>
void Answer<Message>::Reply(const google::protobuf::Message& message) {
  if (!failed_) ClientActionOf(message_).mutable_reply()->mutable_payload()->PackFrom(message);
}

template <typename Message>
void Answer<Message>::Forward(Method method, const google::protobuf::Message& command) {
  if (!failed_) Address(*ClientActionOf(message_).mutable_forward(), method, command);
}

template <typename Message>
void Answer<Message>::Effect(Method method, const google::protobuf::Message& command, EffectMode mode) {
  if (failed_) return;
  WriteEffect(method, command, mode, *message_.add_side_effects());
}

template <typename Message>
void Answer<Message>::Fail(std::string description) {
  failed_ = true;
  message_.clear_side_effects();
  ClientActionOf(message_).mutable_failure()->set_description(std::move(description));
}

template class Answer<ActionResponse>;
template class Answer<CrdtReply>;
template class Answer<CrdtStreamedMessage>;
template class Answer<EventSourcedReply>;
template class Answer<ValueEntityReply>;

absl::Status UnknownType(const std::string& what, const google::protobuf::Any& payload) {
  return absl::InvalidArgumentError(
      absl::StrCat("This ", what, " cannot be read here: its type is '", payload.type_url(), "'."));
}

}  // namespace cloudstate::samples
