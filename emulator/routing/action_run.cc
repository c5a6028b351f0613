#include "emulator/routing/action_run.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::routing {
namespace {

constexpr std::size_t kMostUntaken = 16;  // messages that the user function has not taken, before the client waits

ClientAction TakeAction(action::ActionResponse& response) {
  ClientAction action;
  switch (response.response_case()) {
    case action::ActionResponse::kReply:
      *action.mutable_reply() = std::move(*response.mutable_reply());
      break;
    case action::ActionResponse::kForward:
      *action.mutable_forward() = std::move(*response.mutable_forward());
      break;
    case action::ActionResponse::kFailure:
      *action.mutable_failure() = std::move(*response.mutable_failure());
      break;
    case action::ActionResponse::RESPONSE_NOT_SET:
      break;
  }
  return action;
}

absl::string_view Describe(const action::ActionResponse& response) {
  switch (response.response_case()) {
    case action::ActionResponse::kReply:
      return "reply";
    case action::ActionResponse::kForward:
      return "forward";
    case action::ActionResponse::kFailure:
      return "failure";
    case action::ActionResponse::RESPONSE_NOT_SET:
      return "no reply";
  }
  return "";
}

}  // namespace

ActionRun::ActionRun(base::Strand& strand, std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
                     const AnswerSequence::Perform& perform, AnswerSequence::Takes takes, trace::EntityMetrics& metrics,
                     trace::LoadMeter& load)
    : strand_(strand),
      target_(std::move(target)),
      answers_(target_, std::move(outlet), perform, takes, *this),
      metrics_(metrics) {
  running_.Begin(load, strand, strand.Now());
  ++metrics_.received_commands;
}

void ActionRun::Start(userfunction::Connection& connection, entities::ActionCall::Request request,
                      std::string input_type_url, journal::Payload payload, base::Task half_closed) {
  input_type_url_ = std::move(input_type_url);
  half_closed_ = std::move(half_closed);
  auto self = shared_from_this();
  call_ = std::make_unique<entities::ActionCall>(
      connection, std::move(request),
      entities::ActionCall::Handler{
          .on_response = [self](action::ActionResponse response) { self->OnResponse(std::move(response)); },
          .on_end =
              [self](absl::Status status) {
                self->call_ended_ = std::move(status);
                self->answers_.CarryOut();
              },
          .on_writable =
              [self] {
                if (std::exchange(self->waits_to_send_, false)) self->PumpRequests();
              }});
  if (target_->requests != nullptr) {
    PumpRequests();
    return;
  }
  target_->call->Trace(trace::StepKind::kSent, target_->number, "", &payload);
  call_->Send(std::move(payload));
  call_->HalfClose();
}

void ActionRun::PumpRequests() {
  target_->requests->Read([&strand = strand_, weak = weak_from_this()](std::optional<std::string> message) {
    strand.Post([weak, message = std::move(message)]() mutable {
      if (auto self = weak.lock()) self->OnRequest(std::move(message));
    });
  });
}

void ActionRun::OnRequest(std::optional<std::string> message) {
  if (answers_.finished()) return;
  if (!message.has_value()) {
    target_->call->Trace(trace::StepKind::kSent, target_->number, absl::StrCat("the end, after ", sent_, " messages"));
    call_->HalfClose();
    std::move(half_closed_)();
    return;
  }
  journal::Payload payload{input_type_url_, *std::move(message)};
  if (++sent_ <= kTracedMessages) target_->call->Trace(trace::StepKind::kSent, target_->number, "", &payload);
  call_->Send(std::move(payload));
  if (call_->Unsent() < kMostUntaken) {
    PumpRequests();
  } else {
    waits_to_send_ = true;
  }
}

void ActionRun::OnResponse(action::ActionResponse response) {
  if (answers_.finished()) return;
  if (++received_ <= kTracedMessages) {
    target_->call->Trace(trace::StepKind::kReplied, target_->number, std::string(Describe(response)));
  }
  answers_.Add({TakeAction(response), std::move(*response.mutable_side_effects())});
  if (answers_.finished() || paused_ || !answers_.busy()) return;
  paused_ = true;
  call_->Pause();
}

void ActionRun::OnCarriedOut() {
  if (answers_.finished()) return;
  if (call_ended_.has_value()) {
    Done(*std::move(call_ended_));
  } else if (std::exchange(paused_, false)) {
    call_->Resume();
  }
}

void ActionRun::OnOutcome(absl::Status status) { Done(std::move(status)); }

void ActionRun::Cancel(const absl::Status& reason) { Done(reason); }

void ActionRun::Done(absl::Status status) {
  if (answers_.finished()) return;
  target_->call->Trace(
      status.ok() ? trace::StepKind::kReplied : trace::StepKind::kFailed, target_->number,
      status.ok() ? absl::StrCat("the end, after ", received_, " responses") : std::string(status.message()));
  ++metrics_.completed_commands;
  if (!status.ok()) ++metrics_.failed_commands;
  metrics_.command_total_time.Add(running_.End());
  // It may be one of the call's own callbacks that led here.
  strand_.Post([call = std::move(call_)] {});
  answers_.Clear();
  answers_.Finish(std::move(status));
}

}  // namespace cloudstate::routing
