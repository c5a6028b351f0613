#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"
#include "emulator/entities/any_payload.h"
#include "emulator/routing/router.h"

// What a router does with what a command came to: its side effects, and then the reply, forward or failure.

namespace cloudstate::routing {
namespace {

// A synchronous effect: it may end before what comes behind it can be left for it to do.
struct Awaited {
  bool ended = false;
  base::Task then;
};

// What becomes of a side effect: its answers are dropped, and a failure of it fails nothing.
class EffectOutlet final : public Outlet {
 public:
  EffectOutlet(std::shared_ptr<ClientCall> call, trace::CommandNumber number, std::string name, base::Task ended)
      : call_(std::move(call)), number_(number), name_(std::move(name)), ended_(std::move(ended)) {}

  void Reply(cloudstate::Reply) override {}
  void WhenReady(base::Task then) override { std::move(then)(); }

  void End(absl::Status status) override {
    if (!status.ok()) {
      call_->Trace(trace::StepKind::kFailed, number_, std::string(status.message()));
      base::LogWarning(absl::StrCat("side effect ", name_, " failed: ", status.message()));
    }
    if (ended_) std::exchange(ended_, nullptr)();
  }

 private:
  const std::shared_ptr<ClientCall> call_;
  const trace::CommandNumber number_;
  const std::string name_;
  base::Task ended_;  // empty where nobody waits
};

}  // namespace

void Router::Perform(const std::shared_ptr<const Target>& target, ClientAction action, Effects effects,
                     std::shared_ptr<Outlet> outlet) {
  if (effects.empty()) {
    Act(*target, std::move(action), std::move(outlet));
    return;
  }
  RunEffects(target, std::make_shared<Effects>(std::move(effects)), 0,
             [this, target, action = std::move(action), outlet = std::move(outlet)]() mutable {
               Act(*target, std::move(action), std::move(outlet));
             });
}

// In their order; a synchronous one is awaited before the next.
void Router::RunEffects(std::shared_ptr<const Target> target, std::shared_ptr<Effects> effects, int next,
                        base::Task then) {
  static const auto* const kNeverAbandoned = new std::shared_ptr<const bool>(std::make_shared<bool>(false));
  for (int i = next; i < effects->size(); ++i) {
    SideEffect& effect = *effects->Mutable(i);
    Target caused = target->Next(trace::CommandOrigin::kSideEffect, effect.service_name(), effect.command_name());
    caused.payload = entities::FromAny(*effect.mutable_payload());
    caused.metadata = std::move(*effect.mutable_metadata());
    caused.abandoned = *kNeverAbandoned;
    target->call->Trace(trace::StepKind::kEffect, caused.number, effect.synchronous() ? "synchronous" : "not awaited",
                        &caused.payload);
    base::Task ended;
    auto awaited = std::make_shared<Awaited>();
    if (effect.synchronous()) {
      ended = [this, target, effects, i, awaited] {
        if (awaited->then) {
          RunEffects(target, effects, i + 1, std::move(awaited->then));
        } else {
          awaited->ended = true;
        }
      };
    }
    auto outlet = std::make_shared<EffectOutlet>(target->call, caused.number, caused.Name(), std::move(ended));
    Invoke(std::move(caused), std::move(outlet));
    if (effect.synchronous() && !awaited->ended) {
      awaited->then = std::move(then);
      return;
    }
  }
  std::move(then)();
}

void Router::Act(const Target& target, ClientAction action, std::shared_ptr<Outlet> outlet) {
  switch (action.action_case()) {
    case ClientAction::kReply:
      outlet->Reply(std::move(*action.mutable_reply()));
      outlet->End(absl::OkStatus());
      return;
    case ClientAction::kFailure:
      outlet->End(absl::UnknownError(action.failure().description()));
      return;
    case ClientAction::kForward: {
      Forward& forward = *action.mutable_forward();
      Target next = target.Next(trace::CommandOrigin::kForward, forward.service_name(), forward.command_name());
      next.payload = entities::FromAny(*forward.mutable_payload());
      next.metadata = std::move(*forward.mutable_metadata());
      target.call->Trace(trace::StepKind::kForwarded, next.number, "", &next.payload);
      Invoke(std::move(next), std::move(outlet));
      return;
    }
    case ClientAction::ACTION_NOT_SET:
      outlet->End(absl::OkStatus());
      return;
  }
}

}  // namespace cloudstate::routing
