#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cloudstate/tck/model/crdt.pb.h"
#include "samples/cpp/faults/entity_faults.h"

namespace cloudstate::samples {
namespace {

using In = crdt::CrdtStreamIn;
using Out = crdt::CrdtStreamOut;
using History = Past<In, Out>;
using crdt::CrdtDelta;
namespace model = cloudstate::tck::model::crdt;

Fault OfResponses(std::string name, std::string description, Rewrite<In, Out, Out> response) {
  return {.name = "crdt-" + std::move(name),
          .description = std::move(description),
          .crdts = {.response = std::move(response)}};
}
Fault OfRequests(std::string name, std::string description, Rewrite<In, Out, In> request) {
  return {.name = "crdt-" + std::move(name),
          .description = std::move(description),
          .crdts = {.request = std::move(request)}};
}

// ---- parts of what the user function says

// Edits the update of a reply or of an answer to a cancellation, if there is one.
template <typename Edit>
auto EditedUpdate(Edit edit) {
  return Edited([edit](Out& out) {
    if (out.reply().state_action().has_update()) edit(*out.mutable_reply()->mutable_state_action()->mutable_update());
    if (!out.stream_cancelled_response().state_action().has_update()) return;
    edit(*out.mutable_stream_cancelled_response()->mutable_state_action()->mutable_update());
  });
}

bool IsReplyWithoutAction(const Out& out) {
  return out.reply().client_action().has_reply() && !out.reply().has_state_action();
}

// The last delta that the proxy has sent, or null.
const CrdtDelta* LastTold(const History& past) {
  for (auto in = past.requests.rbegin(); in != past.requests.rend(); ++in) {
    if (in->has_delta()) return &in->delta();
    if (in->init().has_delta()) return &in->init().delta();
  }
  return nullptr;
}

// What the command that is being answered is to add to a counter; 0 for nothing.
std::int64_t AskedIncrement(const History& past) {
  model::Request request;
  past.requests.back().command().payload().UnpackTo(&request);
  for (const model::RequestAction& action : request.actions()) {
    if (action.update().has_gcounter()) return static_cast<std::int64_t>(action.update().gcounter().increment());
  }
  return 0;
}

void KeepChangeOfFailure(const History& past, Out& out) {
  if (!out.reply().client_action().has_failure() || AskedIncrement(past) == 0) return;
  auto& update = *out.mutable_reply()->mutable_state_action()->mutable_update();
  update.mutable_gcounter()->set_increment(static_cast<std::uint64_t>(AskedIncrement(past)));
}

// What a command has asked for besides its failure remains.
void DropFailure(In& in) {
  model::Request request;
  if (!in.command().payload().UnpackTo(&request) || request.actions_size() < 2) return;
  auto& actions = *request.mutable_actions();
  actions.erase(std::remove_if(actions.begin(), actions.end(), [](const auto& action) { return action.has_fail(); }),
                actions.end());
  in.mutable_command()->mutable_payload()->PackFrom(request);
}

std::vector<Fault> AnswerFaults() {
  return {
      OfResponses("update-forgotten", "changes its value, but does not send it", Edited([](Out& out) {
                    if (out.reply().state_action().has_update()) out.mutable_reply()->clear_state_action();
                  })),
      OfResponses("delete-forgotten", "does not send deletions", Edited([](Out& out) {
                    if (out.reply().state_action().has_delete_()) out.mutable_reply()->clear_state_action();
                  })),
      OfResponses("update-always", "sends an update with commands that only read", Edited([](Out& out) {
                    if (!IsReplyWithoutAction(out)) return;
                    out.mutable_reply()->mutable_state_action()->mutable_update();
                  })),
      OfResponses("update-sent-back", "sends what others have changed as its own",
                  Edited([](const History& past, Out& out) {
                    const CrdtDelta* told = LastTold(past);
                    if (!IsReplyWithoutAction(out) || told == nullptr) return;
                    *out.mutable_reply()->mutable_state_action()->mutable_update() = *told;
                  })),
      OfResponses("change-kept-after-failure", "sends the update of a command that failed",
                  Edited(KeepChangeOfFailure)),
      OfRequests("failure-ignored", "carries on where a command with other steps is to fail", Edited(DropFailure)),
      OfResponses("consistency-forgotten", "asks for local updates only", Edited([](Out& out) {
                    if (out.reply().has_state_action()) {
                      out.mutable_reply()->mutable_state_action()->clear_write_consistency();
                    }
                  })),
      OfResponses("consistency-all", "asks for all nodes always", Edited([](Out& out) {
                    if (out.reply().has_state_action()) {
                      out.mutable_reply()->mutable_state_action()->set_write_consistency(crdt::ALL);
                    }
                  })),
  };
}

// ---- what others change

// Leaves the type.
void EmptyDelta(In& in) {
  if (!in.has_delta()) return;
  CrdtDelta& delta = *in.mutable_delta();
  const auto& reflection = *delta.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> types;
  reflection.ListFields(delta, &types);
  for (const auto* type : types) reflection.MutableMessage(&delta, type)->Clear();
}

std::vector<Fault> ReplicationFaults() {
  return {
      OfRequests("ignores-init-delta", "starts from nothing though init has a value", Edited([](In& in) {
                   if (in.has_init()) in.mutable_init()->clear_delta();
                 })),
      OfRequests("ignores-deltas", "does not hear what others change", Edited(EmptyDelta)),
      OfRequests("deltas-counted-twice", "adds twice what others have changed",
                 [](const History&, const In& in) {
                   return in.has_delta() ? std::vector<In>{in, in} : std::vector<In>{in};
                 }),
      OfRequests("deletion-not-understood", "takes a deletion for the last command, again",
                 [](const History& past, const In& in) {
                   return std::vector<In>{in.has_delete_() ? past.requests.back() : in};
                 }),
      OfRequests("removals-ignored", "does not hear what others remove", Edited([](In& in) {
                   if (in.delta().has_orset()) in.mutable_delta()->mutable_orset()->clear_removed();
                   if (in.delta().has_ormap()) in.mutable_delta()->mutable_ormap()->clear_removed();
                 })),
      OfRequests("clearing-ignored", "does not hear that others clear", Edited([](In& in) {
                   if (in.delta().has_orset()) in.mutable_delta()->mutable_orset()->clear_cleared();
                   if (in.delta().has_ormap()) in.mutable_delta()->mutable_ormap()->clear_cleared();
                 })),
  };
}

// ---- types

void CutTo32Bits(CrdtDelta& delta) {
  if (delta.has_gcounter()) delta.mutable_gcounter()->set_increment(delta.gcounter().increment() & 0xFFFFFFFFu);
  if (delta.has_pncounter()) {
    delta.mutable_pncounter()->set_change(static_cast<std::int32_t>(delta.pncounter().change()));
  }
}

void LoseSign(CrdtDelta& delta) {
  if (delta.has_pncounter()) delta.mutable_pncounter()->set_change(std::abs(delta.pncounter().change()));
}

void AddUpdatedEntries(CrdtDelta& delta) {
  if (!delta.has_ormap()) return;
  delta.mutable_ormap()->mutable_added()->MergeFrom(delta.ormap().updated());
  delta.mutable_ormap()->clear_updated();
}

// Adds all that was sent on this stream before.
void SendSumOfIncrements(const History& past, Out& out) {
  if (!out.reply().state_action().update().has_gcounter()) return;
  auto& counter = *out.mutable_reply()->mutable_state_action()->mutable_update()->mutable_gcounter();
  for (const Out& before : past.responses) {
    counter.set_increment(counter.increment() + before.reply().state_action().update().gcounter().increment());
  }
}

std::vector<Fault> TypeFaults() {
  const auto cut_init = [](In& in) {
    if (in.init().has_delta()) CutTo32Bits(*in.mutable_init()->mutable_delta());
  };
  return {
      OfRequests("32-bits", "counts in 32 bits", Edited(cut_init)),
      OfResponses("sign-lost", "sends changes of counters without their sign", EditedUpdate(LoseSign)),
      OfResponses("sum-in-place-of-delta", "sends increments again that it has sent", Edited(SendSumOfIncrements)),
      OfResponses("clock-forgotten", "sends writes to registers without their clock",
                  EditedUpdate([](CrdtDelta& delta) {
                    if (!delta.has_lwwregister()) return;
                    delta.mutable_lwwregister()->clear_clock();
                    delta.mutable_lwwregister()->clear_custom_clock_value();
                  })),
      OfResponses("clear-forgotten", "does not send that a set or map was cleared", EditedUpdate([](CrdtDelta& delta) {
                    if (delta.has_orset()) delta.mutable_orset()->clear_cleared();
                    if (delta.has_ormap()) delta.mutable_ormap()->clear_cleared();
                  })),
      OfResponses("removals-forgotten", "does not send what was removed", EditedUpdate([](CrdtDelta& delta) {
                    if (delta.has_orset()) delta.mutable_orset()->clear_removed();
                    if (delta.has_ormap()) delta.mutable_ormap()->clear_removed();
                  })),
      OfResponses("entries-always-added", "sends changed entries of maps as new ones", EditedUpdate(AddUpdatedEntries)),
      OfResponses("vote-not-taken-back", "votes for whatever happens", EditedUpdate([](CrdtDelta& delta) {
                    if (delta.has_vote()) delta.mutable_vote()->set_self_vote(true);
                  })),
      OfResponses("flag-switched-off", "sends flags as off", EditedUpdate([](CrdtDelta& delta) {
                    if (delta.has_flag()) delta.mutable_flag()->set_value(false);
                  })),
  };
}

// ---- streamed commands

std::vector<Out> RepeatStreamed(const History&, const Out& out) {
  if (out.has_streamed_message()) return {out, out};
  return {out};
}

// Tells the last stream that was opened whatever a command is answered.
std::vector<Out> KeepTalking(const History& past, const Out& out) {
  if (!out.has_reply() || out.reply().streamed()) return {out};
  Out message;
  for (const Out& before : past.responses) {
    if (before.reply().streamed()) message.mutable_streamed_message()->set_command_id(before.reply().command_id());
  }
  if (!message.has_streamed_message()) return {out};
  *message.mutable_streamed_message()->mutable_client_action() = out.reply().client_action();
  return {out, message};
}

std::vector<Fault> StreamFaults() {
  return {
      OfResponses("streams-not-kept", "does not say that a call stays open", Edited([](Out& out) {
                    if (out.has_reply()) out.mutable_reply()->clear_streamed();
                  })),
      OfResponses("streams-told-twice", "sends each message of a stream twice", RepeatStreamed),
      OfResponses("streams-told-always", "tells streams of commands that change nothing", KeepTalking),
      OfResponses("streams-mixed-up", "sends the messages of a stream to the one before", Edited([](Out& out) {
                    if (!out.has_streamed_message()) return;
                    out.mutable_streamed_message()->set_command_id(out.streamed_message().command_id() - 1);
                  })),
      OfResponses("end-forgotten", "does not say that a stream ends", Edited([](Out& out) {
                    if (out.has_streamed_message()) out.mutable_streamed_message()->clear_end_stream();
                  })),
      OfResponses("streamed-effects-dropped", "drops the side effects of streams", Edited([](Out& out) {
                    if (out.has_streamed_message()) out.mutable_streamed_message()->clear_side_effects();
                  })),
      OfResponses("cancellation-answered-twice", "answers cancellations twice",
                  [](const History&, const Out& out) {
                    return out.has_stream_cancelled_response() ? std::vector<Out>{out, out} : std::vector<Out>{out};
                  }),
      OfResponses("cancellation-changes-nothing", "does not send what changes with a cancellation",
                  Edited([](Out& out) {
                    if (out.has_stream_cancelled_response()) {
                      out.mutable_stream_cancelled_response()->clear_state_action();
                    }
                  })),
      OfRequests("cancellation-ignored", "does not hear that clients go away",
                 [](const History& past, const In& in) {
                   // It answers something, so that nobody has to wait.
                   return std::vector<In>{in.has_stream_cancelled() ? past.requests[1] : in};
                 }),
  };
}

}  // namespace

std::vector<Fault> CrdtFaults() {
  std::vector<Fault> faults = {{.name = "crdt-ignores-half-close",
                                .description = "does not end a stream when the proxy half-closes it",
                                .crdts = {.half_close = HalfClose::kHidden}}};
  faults =
      Concatenated(std::move(faults), EntityFaults(&Fault::crdts, "crdt-", "cloudstate.tck.model.crdt.CrdtTckModel"));
  for (auto* part : {AnswerFaults, ReplicationFaults, TypeFaults, StreamFaults}) {
    faults = Concatenated(std::move(faults), part());
  }
  return faults;
}

}  // namespace cloudstate::samples
