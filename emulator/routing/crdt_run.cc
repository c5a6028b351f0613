#include "emulator/routing/crdt_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::routing {

CrdtRun::CrdtRun(cluster::Node& node, std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
                 const AnswerSequence::Perform& perform, AnswerSequence::Takes takes)
    : node_(node),
      strand_(node.strand()),
      target_(std::move(target)),
      answers_(target_, std::move(outlet), perform, takes, *this) {}

void CrdtRun::Start(std::string entity_id, std::shared_ptr<entities::CrdtCommand> command, absl::Duration limit) {
  entity_id_ = std::move(entity_id);
  command_ = command;
  auto self = shared_from_this();
  command->answered = [self](entities::Reply answer) { self->OnAnswer(std::move(answer)); };
  command->ended = [self](absl::Status status) { self->OnEnded(std::move(status)); };
  if (limit != absl::InfiniteDuration()) {
    timer_ = strand_.After(limit, [weak = weak_from_this(), limit] {
      auto waiting = weak.lock();
      if (waiting == nullptr) return;
      waiting->Cancel(absl::DeadlineExceededError(
          absl::StrCat(waiting->target_->Name(), " did not end within ", absl::FormatDuration(limit))));
    });
  }
  node_.DeliverCrdt(entity_id_, std::move(command));
}

void CrdtRun::OnAnswer(entities::Reply answer) {
  if (answers_.waiting_bytes() > kMostWaitingBytes) {
    Finish(absl::ResourceExhaustedError(absl::StrCat("the answers of ", target_->Name(),
                                                     " come faster than they are taken: more than ",
                                                     kMostWaitingBytes >> 20, " MiB of them wait")));
  }
  // Even then: effects that take their time, of a user function that does not stop.
  if (answers_.waiting_bytes() > kMostWaitingBytes) {
    const std::string text = absl::StrCat("an answer of ", target_->Name(), " with ", answer.side_effects.size(),
                                          " side effects was dropped: too many wait");
    target_->call->Trace(trace::StepKind::kFailed, target_->number, text);
    base::LogWarning(text);
    return;
  }
  answers_.Add(std::move(answer));
}

void CrdtRun::OnEnded(absl::Status status) {
  ended_ = std::move(status);
  command_ = nullptr;
  answers_.CarryOut();
}

void CrdtRun::OnCarriedOut() {
  if (ended_.has_value()) Finish(*ended_);
}

void CrdtRun::OnOutcome(absl::Status status) { Finish(std::move(status)); }

void CrdtRun::Cancel(const absl::Status& reason) { Finish(reason); }

void CrdtRun::Finish(absl::Status status) {
  if (answers_.finished()) return;
  strand_.Cancel(std::exchange(timer_, base::TimerId::kNone));
  if (command_ != nullptr) {
    // It may be the entity's own answer that led here, and perhaps it is the last.
    strand_.Post([self = shared_from_this(), command = std::move(command_)] {
      if (!self->ended_.has_value()) self->node_.CancelCrdt(self->entity_id_, command);
    });
  }
  answers_.Finish(std::move(status));
}

}  // namespace cloudstate::routing
