#include "cloudstate/tck/model/valueentity.pb.h"
#include "samples/cpp/faults/entity_faults.h"

namespace cloudstate::samples {
namespace {

using In = valueentity::ValueEntityStreamIn;
using Out = valueentity::ValueEntityStreamOut;
using History = Past<In, Out>;
namespace model = cloudstate::tck::model::valueentity;

// The value before the command that is being answered.
model::Persisted ValueBefore(const History& past) {
  model::Persisted value;
  past.requests.front().init().state().value().UnpackTo(&value);
  for (const Out& out : past.responses) {
    const valueentity::ValueEntityAction& action = out.reply().state_action();
    if (action.has_update()) action.update().value().UnpackTo(&value);
    if (action.has_delete_()) value.Clear();
  }
  return value;
}

void ReplyWithOldValue(const History& past, Out& out) {
  if (!out.reply().client_action().has_reply()) return;
  model::Response response;
  response.set_message(ValueBefore(past).value());
  out.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(response);
}

// Carries out what a command that failed had asked for.
void KeepChangeOfFailure(const History& past, Out& out) {
  if (!out.reply().client_action().has_failure()) return;
  model::Request request;
  past.requests.back().command().payload().UnpackTo(&request);
  for (const model::RequestAction& action : request.actions()) {
    if (!action.has_update()) continue;
    model::Persisted value;
    value.set_value(action.update().value());
    out.mutable_reply()->mutable_state_action()->mutable_update()->mutable_value()->PackFrom(value);
  }
}

std::vector<Fault> ValueFaults() {
  return {
      {.name = "value-entity-update-forgotten",
       .description = "changes its value, but does not send it",
       .value_entities = {.response = Edited([](Out& out) {
                            if (out.reply().state_action().has_update()) out.mutable_reply()->clear_state_action();
                          })}},
      {.name = "value-entity-delete-forgotten",
       .description = "does not send deletions",
       .value_entities = {.response = Edited([](Out& out) {
                            if (out.reply().state_action().has_delete_()) out.mutable_reply()->clear_state_action();
                          })}},
      {.name = "value-entity-delete-as-empty-update",
       .description = "updates to an empty value where it should delete",
       .value_entities = {.response = Edited([](Out& out) {
                            if (!out.reply().state_action().has_delete_()) return;
                            out.mutable_reply()->mutable_state_action()->mutable_update()->mutable_value()->PackFrom(
                                model::Persisted());
                          })}},
      {.name = "value-entity-update-always",
       .description = "sends an update with commands that only read",
       .value_entities = {.response = Edited([](const History& past, Out& out) {
                            if (!out.has_reply() || out.reply().has_state_action()) return;
                            out.mutable_reply()->mutable_state_action()->mutable_update()->mutable_value()->PackFrom(
                                ValueBefore(past));
                          })}},
      {.name = "value-entity-ignores-init-state",
       .description = "starts from nothing though init has a value",
       .value_entities = {.request = Edited([](In& in) {
                            if (in.has_init()) in.mutable_init()->clear_state();
                          })}},
      {.name = "value-entity-replies-with-old-value",
       .description = "replies with the value before the command",
       .value_entities = {.response = Edited(ReplyWithOldValue)}},
      {.name = "value-entity-change-kept-after-failure",
       .description = "sends the update of a command that failed",
       .value_entities = {.response = Edited(KeepChangeOfFailure)}},
  };
}

}  // namespace

std::vector<Fault> ValueEntityFaults() {
  return Concatenated(
      EntityFaults(&Fault::value_entities, "value-entity-", "cloudstate.tck.model.valueentity.ValueEntityTckModel"),
      ValueFaults());
}

}  // namespace cloudstate::samples
