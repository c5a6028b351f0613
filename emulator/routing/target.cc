#include "emulator/routing/target.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::routing {

std::string Target::Name() const { return absl::StrCat(service, ".", method); }

std::string Target::HowItCameAbout() const {
  std::string text;
  for (const Origin* each = origin.get(); each != nullptr; each = each->before.get()) {
    absl::StrAppend(&text, "\n", each->how, " ", each->command);
  }
  return text;
}

Target Target::Next(trace::CommandOrigin how, const std::string& next_service, const std::string& next_method) const {
  const absl::string_view words = how == trace::CommandOrigin::kForward ? "forwarded from" : "side-effect of";
  Target next;
  next.call = call;
  next.service = next_service;
  next.method = next_method;
  next.origin = std::make_shared<Origin>(Origin{words, Name(), origin, origin == nullptr ? 1 : origin->depth + 1});
  next.abandoned = abandoned;
  next.number = call->trace()->AddCommand(number, how, next_service, next_method);
  return next;
}

}  // namespace cloudstate::routing
