#include <algorithm>

#include "cloudstate/tck/model/eventsourced.pb.h"
#include "samples/cpp/faults/entity_faults.h"

namespace cloudstate::samples {
namespace {

using In = eventsourced::EventSourcedStreamIn;
using Out = eventsourced::EventSourcedStreamOut;
using History = Past<In, Out>;
using tck::model::Persisted;

Persisted Unpack(const google::protobuf::Any& payload) {
  Persisted persisted;
  payload.UnpackTo(&persisted);
  return persisted;
}

// Takes this reply's events out of its snapshot.
void MakeSnapshotStale(Out& out) {
  if (!out.reply().has_snapshot()) return;
  Persisted snapshot = Unpack(out.reply().snapshot());
  std::size_t length = snapshot.value().size();
  for (const google::protobuf::Any& event : out.reply().events()) length -= Unpack(event).value().size();
  snapshot.mutable_value()->resize(length);
  out.mutable_reply()->mutable_snapshot()->PackFrom(snapshot);
}

void KeepEventsOfFailure(const History& past, Out& out) {
  if (!out.reply().client_action().has_failure()) return;
  tck::model::Request request;
  past.requests.back().command().payload().UnpackTo(&request);
  for (const tck::model::RequestAction& action : request.actions()) {
    if (!action.has_emit()) continue;
    Persisted event;
    event.set_value(action.emit().value());
    out.mutable_reply()->add_events()->PackFrom(event);
  }
}

std::vector<In> DropEventsAfterSnapshot(const History& past, const In& in) {
  if (in.has_event() && past.requests.front().init().has_snapshot()) return {};
  return {in};
}

std::vector<In> DoubleEvents(const History&, const In& in) {
  if (in.has_event()) return {in, in};
  return {in};
}

void SnapshotEvery(std::int64_t events, UserFunction& model) {
  for (EventSourcedService& service : model.event_sourced) {
    if (service.snapshot_every > 0) service.snapshot_every = events;
  }
}

std::vector<Fault> JournalFaults() {
  return {
      {.name = "event-sourced-no-snapshots",
       .description = "never sends a snapshot",
       .model = [](UserFunction& model) { SnapshotEvery(0, model); }},
      {.name = "event-sourced-snapshot-every-4",
       .description = "sends snapshots after 4 events in place of 5",
       .model = [](UserFunction& model) { SnapshotEvery(4, model); }},
      {.name = "event-sourced-stale-snapshot",
       .description = "sends snapshots of the state before the command",
       .event_sourced = {.response = Edited(MakeSnapshotStale)}},
      {.name = "event-sourced-events-dropped",
       .description = "changes its state, but sends no events",
       .event_sourced = {.response = Edited([](Out& out) { out.mutable_reply()->clear_events(); })}},
      {.name = "event-sourced-events-reversed",
       .description = "sends the events of a command in the opposite order",
       .event_sourced = {.response = Edited([](Out& out) {
                           auto& events = *out.mutable_reply()->mutable_events();
                           std::reverse(events.begin(), events.end());
                         })}},
      {.name = "event-sourced-events-kept-after-failure",
       .description = "sends the events of a command that failed",
       .event_sourced = {.response = Edited(KeepEventsOfFailure)}},
      {.name = "event-sourced-no-restart",
       .description = "keeps the state of events that failed with their command, and asks for no restart",
       .event_sourced = {.response = Edited([](Out& out) {
                           if (!out.reply().client_action().has_failure()) return;
                           out.mutable_reply()->mutable_client_action()->mutable_failure()->set_restart(false);
                         })}},
      {.name = "event-sourced-ignores-snapshot",
       .description = "starts from nothing though init has a snapshot",
       .event_sourced = {.request = Edited([](In& in) {
                           if (in.has_init()) in.mutable_init()->clear_snapshot();
                         })}},
      {.name = "event-sourced-ignores-events-after-snapshot",
       .description = "ignores the events that follow a snapshot",
       .event_sourced = {.request = DropEventsAfterSnapshot}},
      {.name = "event-sourced-applies-events-twice",
       .description = "applies each event of a replay twice",
       .event_sourced = {.request = DoubleEvents}},
  };
}

}  // namespace

std::vector<Fault> EventSourcedFaults() {
  return Concatenated(
      EntityFaults(&Fault::event_sourced, "event-sourced-", "cloudstate.tck.model.EventSourcedTckModel"),
      JournalFaults());
}

}  // namespace cloudstate::samples
