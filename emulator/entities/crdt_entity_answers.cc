// What the user function of a CRDT entity says, and the way of each call to its end.

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/entities/crdt_entity.h"

namespace cloudstate::entities {
namespace {

constexpr char kNotWritten[] = "Failed to update CRDT at requested write consistency";

std::string Describe(const crdt::CrdtReply& reply) {
  const crdt::CrdtStateAction& action = reply.state_action();
  return absl::StrCat(action.has_update()    ? "update, "
                      : action.has_delete_() ? "delete, "
                                             : "",
                      reply.streamed() ? "streamed, " : "", reply.client_action().has_failure() ? "failure, " : "",
                      "side effects: ", reply.side_effects_size());
}

}  // namespace

void CrdtEntity::OnMessage(const std::string& message) {
  if (state_ != State::kOpen) return;  // nothing it says can matter now
  absl::StatusOr<crdt::CrdtStreamOut> out = protocol_.Parse(message, copy_);
  if (!out.ok()) {
    Reset(std::string(out.status().message()));
  } else if (out->has_reply()) {
    OnReply(std::move(*out->mutable_reply()));
  } else if (out->has_streamed_message()) {
    OnStreamedMessage(std::move(*out->mutable_streamed_message()));
  } else if (out->has_stream_cancelled_response()) {
    OnCancelledResponse(std::move(*out->mutable_stream_cancelled_response()));
  } else {
    OnFailure(std::move(*out->mutable_failure()));
  }
}

void CrdtEntity::OnReply(crdt::CrdtReply reply) {
  const CallPointer call = Find(reply.command_id());
  if (call == nullptr || call->phase != Phase::kSent) {
    Reset(absl::StrCat("there was a reply for command ", reply.command_id(), ", which is not outstanding"));
    return;
  }
  if (reply.streamed() && !call->command->streamed) {
    Reset(absl::StrCat("its reply to command ", call->id, " was streamed, and ", call->command->method, " is not"));
    return;
  }
  environment_.metrics.command_processing_time.Add(call->handled.End());
  CancelTimer(call->timer);
  Trace(call, trace::StepKind::kReplied, Describe(reply));
  if (!CarryOut(call, reply.state_action(),
                {std::move(*reply.mutable_client_action()), std::move(*reply.mutable_side_effects())})) {
    return;
  }
  if (reply.streamed()) {
    SetPhase(call, Phase::kStreaming);
  } else {
    Finish(call, absl::OkStatus());
  }
  for (crdt::CrdtStreamedMessage& message : std::exchange(call->early, {})) AddStreamed(call, std::move(message));
  if (call->client_gone && call->phase == Phase::kStreaming) SendCancellation(call);
  Flush(call);
  GoOn(reply.state_action().has_delete_());
}

void CrdtEntity::OnStreamedMessage(crdt::CrdtStreamedMessage message) {
  const CallPointer call = Find(message.command_id());
  if (call != nullptr && call->phase == Phase::kSent && call->command->streamed) {
    call->early.push_back(std::move(message));  // some libraries send these ahead of the reply
    return;
  }
  if (call == nullptr) {
    ReportLeftOut(message);
    return;
  }
  AddStreamed(call, std::move(message));
  Flush(call);
  Pump();
}

void CrdtEntity::AddStreamed(const CallPointer& call, crdt::CrdtStreamedMessage message) {
  if (call->phase != Phase::kStreaming && call->phase != Phase::kCancelled) {
    ReportLeftOut(message);
    return;
  }
  call->answers.push_back(std::make_shared<Answer>(Answer{
      {std::move(*message.mutable_client_action()), std::move(*message.mutable_side_effects())}, absl::OkStatus()}));
  if (message.end_stream() && call->phase == Phase::kStreaming) Finish(call, absl::OkStatus());
}

void CrdtEntity::ReportLeftOut(const crdt::CrdtStreamedMessage& message) {
  host_.ReportError(absl::StrCat(Name(), ": a streamed message was left out, since command ", message.command_id(),
                                 " has no stream"));
}

void CrdtEntity::OnCancelledResponse(crdt::CrdtStreamCancelledResponse response) {
  const CallPointer call = Find(response.command_id());
  if (call == nullptr || (call->phase != Phase::kCancelled && call->phase != Phase::kGivenUp)) {
    Reset(absl::StrCat("there was a response to the cancellation of command ", response.command_id(),
                       ", which is not outstanding"));
    return;
  }
  if (call->phase == Phase::kGivenUp && response.side_effects_size() > 0) {
    host_.ReportError(absl::StrCat(Name(),
                                   ": side effects were left out, since the response to the cancellation of command ",
                                   call->id, " came too late"));
  }
  CancelTimer(call->timer);
  if (!CarryOut(call, response.state_action(), {{}, std::move(*response.mutable_side_effects())})) return;
  Finish(call, absl::OkStatus());
  GoOn(response.state_action().has_delete_());
}

void CrdtEntity::OnFailure(Failure failure) {
  const CallPointer call = failure.command_id() == 0 ? nullptr : Find(failure.command_id());
  if (call == nullptr || call->command == nullptr) {
    Reset(absl::StrCat("it failed", failure.command_id() == 0 ? "" : " command ",
                       failure.command_id() == 0 ? "" : absl::StrCat(failure.command_id()), ": ",
                       failure.description()));
    return;
  }
  Trace(call, trace::StepKind::kReplied, "failure");
  auto answer = std::make_shared<Answer>();
  *answer->reply.action.mutable_failure() = std::move(failure);
  answer->written = absl::OkStatus();
  call->answers.push_back(std::move(answer));
  Finish(call, absl::OkStatus());
  Pump();
}

// ---- changes

// False where that has reset the entity, and with it the call.
bool CrdtEntity::CarryOut(const CallPointer& call, const crdt::CrdtStateAction& action, Reply reply) {
  auto answer = std::make_shared<Answer>(Answer{std::move(reply), std::nullopt});
  call->answers.push_back(answer);
  if (action.has_delete_()) {
    environment_.replica.Delete(action.write_consistency(), Written(call, answer));
  } else if (!action.has_update()) {
    answer->written = absl::OkStatus();
  } else if (environment_.replica.state().deleted()) {
    answer->written = absl::UnknownError("Entity deleted");  // which the user function has not been told yet
  } else {
    return Update(call, action, answer);
  }
  return Find(call->id) == call;
}

bool CrdtEntity::Update(const CallPointer& call, const crdt::CrdtStateAction& action,
                        const std::shared_ptr<Answer>& answer) {
  const absl::Status status =
      environment_.replica.Update(action.update(), action.write_consistency(), Written(call, answer));
  if (!status.ok()) {
    call->answers.pop_back();
    // What does not fit at all says nothing to the client; the rest is about its command.
    if (!absl::IsInvalidArgument(status)) call->outcome = status;
    Reset(absl::StrCat("what it answered to command ", call->id, " cannot be done: ", status.message()));
    return false;
  }
  if (Find(call->id) != call) return false;
  if (!copy_.has_value()) copy_.emplace();
  if (!IsPlanted(base::PlantedBug::kOwnEchoed)) crdt::ApplyOwn(action.update(), *copy_);
  const CrdtReplica& replica = environment_.replica;
  behind_ = behind_ || !crdt::AgreeAfter(action.update(), *copy_, replica.state(), replica.self(), replica.voters());
  return true;
}

// May run before the change has returned.
absl::AnyInvocable<void(absl::Status)> CrdtEntity::Written(const CallPointer& call,
                                                           const std::shared_ptr<Answer>& answer) {
  return lifetime_.Guard(
      [this, call, answer, stream = streams_, since = environment_.strand.Now()](const absl::Status& status) {
        if (status.ok()) {
          ++environment_.metrics.persisted_events;
          environment_.metrics.persist_time.Add(environment_.strand.Now() - since);
          answer->written = status;
          Trace(call, trace::StepKind::kStored, "its change");
        } else {
          answer->written = absl::UnknownError(kNotWritten);
          Trace(call, trace::StepKind::kFailed, std::string(status.message()));
        }
        Flush(call);
        if (!status.ok() && state_ == State::kOpen && stream == streams_) {
          Reset(absl::StrCat("what it answered to command ", call->id, " could not be written: ", status.message()));
        } else {
          Pump();
        }
      });
}

// After an answer. Once it has deleted the entity, there is nothing more that it could say.
void CrdtEntity::GoOn(bool deleted) {
  if (deleted && state_ == State::kOpen) {
    CloseDeleted();
  } else {
    Pump();
  }
}

// ---- the way of a call to its end

CrdtEntity::CallPointer CrdtEntity::Find(std::int64_t command_id) const {
  const auto found = calls_.find(command_id);
  return found == calls_.end() ? nullptr : found->second;
}

void CrdtEntity::SetPhase(const CallPointer& call, Phase phase) {
  const auto holds = [](Phase each) -> std::size_t {
    return each == Phase::kSent || each == Phase::kCancelled ? 1 : 0;
  };
  if (phase != Phase::kSent) call->handled.End();
  outstanding_ += holds(phase);
  outstanding_ -= holds(std::exchange(call->phase, phase));
}

// The user function is told once it has replied, and only if it has more to say.
void CrdtEntity::LoseClient(const CallPointer& call) {
  if (std::exchange(call->client_gone, true)) return;
  if (call->phase == Phase::kStreaming && !IsPlanted(base::PlantedBug::kCancellationForgotten)) SendCancellation(call);
}

void CrdtEntity::SendCancellation(const CallPointer& call) {
  SetPhase(call, Phase::kCancelled);
  Trace(call, trace::StepKind::kSent, absl::StrCat("cancellation of command ", call->id));
  call->timer =
      environment_.strand.After(environment_.limits.close_grace, lifetime_.Guard([this, call] { GiveUpOn(call); }));
  cloudstate::StreamCancelled cancelled;
  cancelled.set_entity_id(key_.entity_id);
  cancelled.set_id(call->id);
  stream_->Write(protocol_.Cancellation(std::move(cancelled)));
}

void CrdtEntity::GiveUpOn(const CallPointer& call) {
  SetPhase(call, Phase::kGivenUp);
  Flush(call);
  Pump();
}

// Nothing is to come any more.
void CrdtEntity::Finish(const CallPointer& call, absl::Status outcome) {
  CancelTimer(call->timer);
  SetPhase(call, Phase::kAnswered);
  if (call->outcome.ok()) call->outcome = std::move(outcome);
  if (Find(call->id) == call) calls_.erase(call->id);
  Flush(call);
}

void CrdtEntity::FinishAll(const absl::Status& commands, const absl::Status& open_calls) {
  for (const auto& [id, call] : std::exchange(calls_, {})) {
    Finish(call, call->phase == Phase::kSent ? commands : open_calls);
  }
}

// Gives the client what may be given to it by now. Whatever is called from here may come back to the entity.
void CrdtEntity::Flush(const CallPointer& call) {
  while (call->command != nullptr && !call->answers.empty() && call->answers.front()->written.has_value()) {
    const std::shared_ptr<Answer> answer = std::move(call->answers.front());
    call->answers.pop_front();
    if (!answer->written->ok()) {
      End(call, *answer->written);
      return;
    }
    Give(call, std::move(answer->reply));
  }
  const bool over = call->phase == Phase::kAnswered || call->phase == Phase::kGivenUp;
  if (over && call->command != nullptr && call->answers.empty()) End(call, call->outcome);
}

void CrdtEntity::Give(const CallPointer& call, Reply reply) {
  if (call->client_gone) reply.action.Clear();
  const bool empty = reply.action.action_case() == ClientAction::ACTION_NOT_SET && reply.side_effects.empty();
  if (empty && (call->client_gone || call->command->streamed)) return;
  const bool failure = reply.action.has_failure();
  call->failed = call->failed || failure;
  const std::shared_ptr<CrdtCommand> command = call->command;
  command->answered(std::move(reply));
  if (failure) LoseClient(call);
}

void CrdtEntity::End(const CallPointer& call, const absl::Status& outcome) {
  const std::shared_ptr<CrdtCommand> command = std::exchange(call->command, nullptr);
  unended_.erase(command.get());
  if (call->phase != Phase::kGivenUp) {
    CancelTimer(call->timer);
    SetPhase(call, Phase::kAnswered);
    if (Find(call->id) == call) calls_.erase(call->id);
  }
  ++environment_.metrics.completed_commands;
  if (!outcome.ok() || call->failed) ++environment_.metrics.failed_commands;
  environment_.metrics.command_total_time.Add(environment_.strand.Now() - call->since);
  command->ended(outcome);
  TellIfStopped();
}

void CrdtEntity::Trace(const CallPointer& call, trace::StepKind kind, std::string detail,
                       const journal::Payload* payload) {
  if (call->command == nullptr) return;
  call->command->trace->Add(environment_.strand.Now(), kind, call->command->number, std::move(detail), payload);
}

}  // namespace cloudstate::entities
