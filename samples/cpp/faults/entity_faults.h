#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "samples/cpp/faults/fault.h"

namespace cloudstate::samples {

// The faults that all kinds of entities can have. `kind` is the member of Fault for the kind, `prefix` that of
// the names, `model` the full name of the service that the kit drives.
template <typename StreamRewrites>
std::vector<Fault> EntityFaults(StreamRewrites Fault::*kind, const std::string& prefix, const std::string& model) {
  using Out = typename StreamRewrites::Out;
  std::vector<Fault> faults;
  const auto add = [&](const std::string& name, const std::string& description, StreamRewrites rewrites) {
    Fault fault = {.name = prefix + name, .description = description};
    fault.*kind = std::move(rewrites);
    faults.push_back(std::move(fault));
  };
  const auto respond = [](auto edit) { return StreamRewrites{.response = Edited(edit)}; };
  const auto is_failure = [](const Out& out) { return out.reply().client_action().has_failure(); };

  add("wrong-command-id", "replies with the id of the command after", respond([](Out& out) {
        if (out.has_reply()) out.mutable_reply()->set_command_id(out.reply().command_id() + 1);
      }));
  add("wrong-state-in-reply", "replies with a question mark for the state", respond([](Out& out) {
        if (!out.reply().client_action().has_reply()) return;
        // Of a field that is there twice, the last one counts.
        auto& payload = *out.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload();
        payload.mutable_value()->append("\x0a\x01?");
      }));
  add("effects-reversed", "sends side effects in the opposite order", respond([](Out& out) {
        if (!out.has_reply()) return;
        auto& effects = *out.mutable_reply()->mutable_side_effects();
        std::reverse(effects.begin(), effects.end());
      }));
  add("effects-not-synchronous", "never asks for synchronous side effects", respond([](Out& out) {
        if (!out.has_reply()) return;
        for (SideEffect& effect : *out.mutable_reply()->mutable_side_effects()) effect.set_synchronous(false);
      }));
  add("second-effect-dropped", "sends the first side effect of a command only", respond([](Out& out) {
        if (!out.has_reply()) return;
        auto& effects = *out.mutable_reply()->mutable_side_effects();
        if (effects.size() > 1) effects.DeleteSubrange(1, effects.size() - 1);
      }));
  add("forward-to-itself", "forwards to the model in place of the second service", respond([model](Out& out) {
        if (!out.reply().client_action().has_forward()) return;
        out.mutable_reply()->mutable_client_action()->mutable_forward()->set_service_name(model);
      }));
  add("failure-text-altered", "adds to the text of failures", respond([is_failure](Out& out) {
        if (!is_failure(out)) return;
        out.mutable_reply()->mutable_client_action()->mutable_failure()->mutable_description()->append("!");
      }));
  add("failure-as-stream-failure", "fails the stream where a command has failed", respond([is_failure](Out& out) {
        if (!is_failure(out)) return;
        const Failure failure = out.reply().client_action().failure();
        *out.mutable_failure() = failure;
      }));
  add("closes-after-failure", "ends the stream when a command has failed", StreamRewrites{.ends_after = is_failure});
  add("replies-twice", "sends each reply once more", StreamRewrites{.response = [](const auto&, const Out& out) {
        return std::vector<Out>{out, out};
      }});
  return faults;
}

inline std::vector<Fault> Concatenated(std::vector<Fault> first, std::vector<Fault> second) {
  std::move(second.begin(), second.end(), std::back_inserter(first));
  return first;
}

}  // namespace cloudstate::samples
