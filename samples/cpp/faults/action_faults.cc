#include <algorithm>

#include "cloudstate/tck/model/action.pb.h"
#include "samples/cpp/faults/fault.h"

namespace cloudstate::samples {
namespace {

using In = action::ActionCommand;
using Out = action::ActionResponse;
using History = Past<In, Out>;
namespace model = cloudstate::tck::model::action;

bool StreamsResponses(const History& past) {
  return past.method == "handleStreamedOut" || past.method == "handleStreamed";
}

// Edits what the client has asked of the model; leaves alone what has no request in it.
template <typename Edit>
void EditRequest(In& in, Edit edit) {
  model::Request request;
  if (!in.has_payload() || !in.payload().UnpackTo(&request)) return;
  edit(request);
  in.mutable_payload()->PackFrom(request);
}

void MergeGroups(const History& past, In& in) {
  if (!StreamsResponses(past)) return;
  EditRequest(in, [](model::Request& request) {
    for (int i = 1; i < request.groups_size(); ++i) request.mutable_groups(0)->MergeFrom(request.groups(i));
    if (request.groups_size() > 1) request.mutable_groups()->DeleteSubrange(1, request.groups_size() - 1);
  });
}

// Leaves the first step of those that say what the client gets.
void KeepFirstReply(const History& past, In& in) {
  if (past.method != "handleUnary") return;
  EditRequest(in, [](model::Request& request) {
    bool answered = false;
    for (model::ProcessGroup& group : *request.mutable_groups()) {
      auto& steps = *group.mutable_steps();
      const auto is_late = [&](const model::ProcessStep& step) {
        return (step.has_reply() || step.has_forward()) && std::exchange(answered, true);
      };
      steps.erase(std::remove_if(steps.begin(), steps.end(), is_late), steps.end());
    }
  });
}

std::vector<Out> RepeatFirstResponse(const History& past, const Out& out) {
  if (StreamsResponses(past) && past.responses.empty()) return {out, out};
  return {out};
}

std::vector<Out> SkipFirstResponse(const History& past, const Out& out) {
  if (StreamsResponses(past) && past.responses.empty()) return {};
  return {out};
}

void DropStreamedEffects(const History& past, Out& out) {
  if (StreamsResponses(past)) out.clear_side_effects();
}

void ReplyToNothing(Out& out) {
  if (out.response_case() == Out::RESPONSE_NOT_SET) {
    out.mutable_reply()->mutable_payload()->PackFrom(model::Response());
  }
}

std::vector<Fault> AnswerFaults() {
  return {
      {.name = "action-failure-without-text",
       .description = "fails without saying why",
       .actions = {.response = Edited([](Out& out) {
                     if (out.has_failure()) out.mutable_failure()->clear_description();
                   })}},
      {.name = "action-forward-to-itself",
       .description = "forwards to the model in place of the second service",
       .actions = {.response = Edited([](Out& out) {
                     if (out.has_forward())
                       out.mutable_forward()->set_service_name("cloudstate.tck.model.action.ActionTckModel");
                   })}},
      {.name = "action-effects-reversed",
       .description = "sends side effects in the opposite order",
       .actions = {.response = Edited([](Out& out) {
                     std::reverse(out.mutable_side_effects()->begin(), out.mutable_side_effects()->end());
                   })}},
      {.name = "action-effects-not-synchronous",
       .description = "never asks for synchronous side effects",
       .actions = {.response = Edited([](Out& out) {
                     for (SideEffect& effect : *out.mutable_side_effects()) effect.set_synchronous(false);
                   })}},
      {.name = "action-empty-reply-for-none",
       .description = "sends an empty reply where there should be none",
       .actions = {.response = Edited(ReplyToNothing)}},
      {.name = "action-first-reply-counts",
       .description = "answers unary calls with the first reply, not the last",
       .actions = {.request = Edited(KeepFirstReply)}},
  };
}

std::vector<Fault> StreamFaults() {
  return {
      {.name = "action-groups-merged",
       .description = "answers all groups of a request in one response of a stream",
       .actions = {.request = Edited(MergeGroups)}},
      {.name = "action-one-response-too-many",
       .description = "sends the first response of a stream twice",
       .actions = {.response = RepeatFirstResponse}},
      {.name = "action-first-response-missing",
       .description = "does not send the first response of a stream",
       .actions = {.response = SkipFirstResponse}},
      {.name = "action-no-effects-in-streams",
       .description = "drops the side effects of streamed responses",
       .actions = {.response = Edited(DropStreamedEffects)}},
      {.name = "action-ignores-half-close",
       .description = "does not end a stream when the requests have ended",
       .actions = {.half_close = HalfClose::kHidden}},
      {.name = "action-streamed-in-answers-early",
       .description = "answers streamed requests after the first one",
       .actions = {.half_close = HalfClose::kEarly}},
  };
}

}  // namespace

std::vector<Fault> ActionFaults() {
  std::vector<Fault> faults = AnswerFaults();
  std::vector<Fault> streams = StreamFaults();
  std::move(streams.begin(), streams.end(), std::back_inserter(faults));
  return faults;
}

}  // namespace cloudstate::samples
