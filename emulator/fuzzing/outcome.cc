#include "emulator/fuzzing/outcome.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "emulator/base/names.h"
#include "emulator/base/printable.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::CausedCommand;
using dev::v1::CommandTrace;
using dev::v1::Payload;

constexpr std::size_t kMostShown = 200;

Said Say(const Payload& payload) { return {payload.type_url(), payload.json()}; }

// As much of it as is good to read.
std::string Short(const std::string& text) {
  if (text.size() <= kMostShown) return text;
  return std::string(base::Beginning(text, kMostShown)) + "…";
}

// Traces leave out long payloads.
bool IsLeftOut(const Said& said) { return said.type_url.empty() && said.json.empty(); }

bool Same(const Said& one, const Said& other, Compared compared) {
  if (IsLeftOut(one) || IsLeftOut(other)) return true;
  if (one.type_url != other.type_url) return false;
  if (compared == Compared::kShape || one.json == other.json) return true;
  return google::protobuf::util::MessageDifferencer::Equals(one.Parsed(), other.Parsed());
}

bool Same(const Further& one, const Further& other, Compared compared) {
  return one.method == other.method && one.synchronous == other.synchronous &&
         Same(one.payload, other.payload, compared);
}

std::string Text(const Said& said) { return absl::StrCat(base::TypeName(said.type_url), " ", Short(said.json)); }
std::string Text(const Further& further) { return absl::StrCat(further.method, " ", Short(further.payload.json)); }

template <class Item>
std::string Text(const std::vector<Item>& items) {
  std::string text;
  for (const Item& item : items) absl::StrAppend(&text, text.empty() ? "" : ", ", Text(item));
  return items.empty() ? "none" : text;
}

template <class Item>
bool Same(const std::vector<Item>& some, const std::vector<Item>& others, Compared compared) {
  if (some.size() != others.size()) return false;
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (!Same(some[i], others[i], compared)) return false;
  }
  return true;
}

// How it ended: in a reply, a forward, a failure or nothing of these.
std::string EndText(const Outcome& outcome) {
  if (outcome.code != 0) return absl::StrCat("the failure '", Short(outcome.message), "'");
  if (outcome.forward.has_value()) return absl::StrCat("the forward to ", Text(*outcome.forward));
  return outcome.reply.has_value() ? absl::StrCat("the reply ", Short(outcome.reply->json)) : "no reply";
}

bool SameEnd(const Outcome& one, const Outcome& other, Compared compared) {
  if (one.code != other.code || one.forward.has_value() != other.forward.has_value()) return false;
  if (one.code != 0) return compared == Compared::kShape || one.message == other.message;
  if (one.forward.has_value()) return Same(*one.forward, *other.forward, compared);
  if (one.reply.has_value() != other.reply.has_value()) return false;
  return !one.reply.has_value() || Same(*one.reply, *other.reply, compared);
}

void Mask(Said& said, const std::string& id, const std::string& placeholder) {
  said.json = absl::StrReplaceAll(said.json, {{id, placeholder}});
}

}  // namespace

google::protobuf::Value Said::Parsed() const {
  google::protobuf::Value value;
  if (!google::protobuf::util::JsonStringToMessage(json, &value).ok()) value.set_string_value(json);
  return value;
}

Outcome OfReplay(const dev::v1::ReplayOutcome& outcome) {
  Outcome result;
  result.code = outcome.code();
  result.message = outcome.message();
  if (outcome.has_reply()) result.reply = Say(outcome.reply());
  const auto further = [](const dev::v1::ReplayFurther& each) {
    return Further{absl::StrCat(each.service(), ".", each.method()), Say(each.payload()), each.synchronous()};
  };
  if (outcome.has_forward()) {
    result.forward = further(outcome.forward());
    result.forward->synchronous = false;  // means nothing
  }
  for (const auto& effect : outcome.effects()) result.effects.push_back(further(effect));
  for (const Payload& event : outcome.events()) result.events.push_back(Say(event));
  return result;
}

Outcome OfTrace(const CommandTrace& trace, const std::vector<Payload>& events) {
  Outcome result;
  result.code = trace.code();
  result.message = trace.message();
  for (const dev::v1::Step& step : trace.steps()) {
    if (step.kind() == "answered" && trace.code() == 0) result.reply = Say(step.payload());
    if (step.command() < 1 || step.command() > trace.caused_size()) continue;
    const CausedCommand& caused = trace.caused(step.command() - 1);
    if (caused.parent() != 0) continue;
    Further further{absl::StrCat(caused.service(), ".", caused.method()), Say(step.payload()), false};
    if (step.kind() == "forwarded") result.forward = std::move(further);
    if (step.kind() != "effect") continue;
    further.synchronous = step.detail() == "synchronous";
    result.effects.push_back(std::move(further));
  }
  for (const Payload& event : events) result.events.push_back(Say(event));
  // What became of it there is not this command's.
  if (result.forward.has_value()) {
    result.reply = std::nullopt;
    result.code = 0;
    result.message.clear();
  }
  return result;
}

Outcome Masked(Outcome outcome, const std::string& entity_id, const std::string& placeholder) {
  outcome.message = absl::StrReplaceAll(outcome.message, {{entity_id, placeholder}});
  if (outcome.reply.has_value()) Mask(*outcome.reply, entity_id, placeholder);
  if (outcome.forward.has_value()) Mask(outcome.forward->payload, entity_id, placeholder);
  for (Further& effect : outcome.effects) Mask(effect.payload, entity_id, placeholder);
  for (Said& event : outcome.events) Mask(event, entity_id, placeholder);
  return outcome;
}

std::string Difference(const Outcome& actual, const Outcome& expected, Compared compared) {
  if (!SameEnd(actual, expected, compared)) return absl::StrCat(EndText(actual), ", not ", EndText(expected));
  if (!Same(actual.events, expected.events, compared)) {
    return absl::StrCat("the events ", Text(actual.events), ", not ", Text(expected.events));
  }
  if (!Same(actual.effects, expected.effects, compared)) {
    return absl::StrCat("the side effects ", Text(actual.effects), ", not ", Text(expected.effects));
  }
  return "";
}

}  // namespace cloudstate::fuzzing
