#pragma once

#include "samples/cpp/answer.h"

namespace cloudstate::samples {

// Carries out a step that the model's services of every kind know: forward, effect and fail. `Request` is what `two`, a
// method of another service, takes.
template <typename Request, typename Step, typename Context>
void CarryOutCommonStep(const Step& step, Method two, Context& context) {
  Request request;
  if (step.has_forward()) {
    request.set_id(step.forward().id());
    context.Forward(two, request);
  } else if (step.has_effect()) {
    request.set_id(step.effect().id());
    context.Effect(two, request, step.effect().synchronous() ? EffectMode::kSynchronous : EffectMode::kAsynchronous);
  } else if (step.has_fail()) {
    context.Fail(step.fail().message());
  }
}

}  // namespace cloudstate::samples
