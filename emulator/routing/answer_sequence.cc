#include "emulator/routing/answer_sequence.h"

#include <utility>

namespace cloudstate::routing {
namespace {

constexpr std::size_t kBytesOfAnyAnswer = 512;  // what an answer takes however little it says

std::size_t RoughBytes(const entities::Reply& answer) {
  std::size_t bytes = kBytesOfAnyAnswer + answer.action.ByteSizeLong();
  for (const SideEffect& effect : answer.side_effects) bytes += kBytesOfAnyAnswer + effect.ByteSizeLong();
  return bytes;
}

}  // namespace

AnswerSequence::AnswerSequence(std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
                               const Perform& perform, Takes takes, Owner& owner)
    : target_(std::move(target)), outlet_(std::move(outlet)), perform_(perform), takes_(takes), owner_(owner) {}

void AnswerSequence::Add(entities::Reply answer) {
  Queue(std::move(answer));
  CarryOut();
}

void AnswerSequence::Queue(entities::Reply answer) {
  if (finished()) {
    if (answer.side_effects.empty()) return;
    answer.action.Clear();
  }
  // What is next is carried out at once, and is not worth measuring.
  const std::size_t bytes = carrying_ || !waiting_.empty() ? RoughBytes(answer) : 0;
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(answer), bytes});
}

// What an answer does may be done before this returns, or later.
void AnswerSequence::CarryOut() {
  if (looping_) return;
  const std::shared_ptr<void> keep = owner_.Keep();
  looping_ = true;
  while (!carrying_ && !waiting_.empty()) {
    carrying_ = true;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes;
    perform_(target_, std::move(next.answer.action), std::move(next.answer.side_effects),
             std::shared_ptr<Outlet>(keep, this));
  }
  looping_ = false;
  if (!carrying_) owner_.OnCarriedOut();
}

void AnswerSequence::Next() {
  carrying_ = false;
  CarryOut();
}

void AnswerSequence::Finish(absl::Status status) {
  if (finished()) return;
  const std::shared_ptr<Outlet> outlet = std::exchange(outlet_, nullptr);
  auto waiting = std::exchange(waiting_, {});
  waiting_bytes_ = 0;
  for (Waiting& each : waiting) Queue(std::move(each.answer));
  outlet->End(std::move(status));
  if (std::exchange(waits_for_outlet_, false)) Next();
}

void AnswerSequence::Clear() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

void AnswerSequence::Reply(cloudstate::Reply reply) {
  const std::shared_ptr<Outlet> outlet = outlet_;  // the reply may be all that it waits for
  if (outlet == nullptr) return;
  outlet->Reply(std::move(reply));
  if (takes_ == Takes::kFirstReply && !finished()) owner_.OnOutcome(absl::OkStatus());
}

void AnswerSequence::End(absl::Status status) {
  const std::shared_ptr<Outlet> outlet = outlet_;
  if (outlet != nullptr && status.ok()) {
    waits_for_outlet_ = true;
    outlet->WhenReady([keep = owner_.Keep(), this] {
      if (std::exchange(waits_for_outlet_, false)) Next();
    });
    return;
  }
  if (!finished()) owner_.OnOutcome(std::move(status));
  Next();
}

void AnswerSequence::WhenReady(base::Task then) {
  if (finished()) {
    std::move(then)();
  } else {
    outlet_->WhenReady(std::move(then));
  }
}

}  // namespace cloudstate::routing
