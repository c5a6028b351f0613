#include "emulator/simulation/client_attempt.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::simulation {
namespace {

// The emulator ends a call at its deadline. A client that hears nothing of it goes away a little later.
constexpr absl::Duration kGrace = absl::Seconds(1);

}  // namespace

Clients::Attempt::Attempt(Clients& clients, std::uint32_t caller, const Plan& plan,
                          std::function<void(absl::Status)> when_done)
    : client(caller),
      operation(plan.operation),
      has_effect(plan.has_effect),
      shared(plan.shared),
      stay(plan.stay),
      done(std::move(when_done)),
      clients_(&clients),
      complaints_(clients.complaints_),
      name_(absl::StrCat("client ", caller, ", ", Describe(clients.operations_[plan.operation]))) {}

void Clients::Attempt::Message(std::string payload) {
  const bool streamed = stay != absl::InfiniteDuration();
  if ((message.has_value() && !streamed) || finished_) complaints_->Add("answered-twice", name_ + ": one more message");
  if (finished_) return;
  if (shared.has_value() && clients_ != nullptr) clients_->shared_calls_.OnMessage(*shared, payload);
  message = std::move(payload);
}

void Clients::Attempt::Finish(absl::Status status) {
  if (std::exchange(finished_, true)) complaints_->Add("answered-twice", name_ + ": one more end");
  End(status);
}

void Clients::Attempt::WaitFor(absl::Duration deadline) {
  begun_ = clients_->strand_.Now();
  timer_ = clients_->strand_.After(deadline + kGrace, [this, deadline] {
    const auto self = shared_from_this();
    const auto& excused = clients_->excused_;
    if (!excused || !excused(begun_)) {
      complaints_->Add("open-call", absl::StrCat(name_, ": no answer ", absl::FormatDuration(kGrace),
                                                 " after its deadline of ", absl::FormatDuration(deadline)));
    }
    End(absl::DeadlineExceededError(absl::StrCat("the client has waited ", absl::FormatDuration(deadline + kGrace))));
    if (cancelled_) cancelled_();
  });
  if (stay >= deadline) return;
  leaving_ = clients_->strand_.After(stay, [this] {
    const auto self = shared_from_this();
    End(absl::OkStatus());
    if (cancelled_) cancelled_();
  });
}

void Clients::Attempt::OnDropped() {
  if (clients_ == nullptr) return;
  const auto self = shared_from_this();
  Clients& clients = *clients_;
  Forget();
  clients.Dropped(*this);
}

void Clients::Attempt::Forget() {
  if (clients_ == nullptr) return;
  clients_->strand_.Cancel(timer_);
  clients_->strand_.Cancel(leaving_);
  clients_ = nullptr;
}

void Clients::Attempt::End(const absl::Status& status) {
  if (clients_ == nullptr) return;
  const auto self = shared_from_this();
  Clients& clients = *clients_;
  Forget();
  clients.Ended(*this, status);
}

}  // namespace cloudstate::simulation
