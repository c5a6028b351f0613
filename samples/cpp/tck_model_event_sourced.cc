#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/tck/model/eventsourced.pb.h"
#include "google/protobuf/any.pb.h"
#include "samples/cpp/tck_model_services.h"
#include "samples/cpp/tck_model_steps.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace model = cloudstate::tck::model;

constexpr Method kTwoCall = {"cloudstate.tck.model.EventSourcedTwo", "Call"};

// Its state is the text of all events so far, one after the other.
class ModelEntity final : public EventSourcedEntity {
 public:
  absl::Status OnSnapshot(const Any& snapshot) override {
    model::Persisted persisted;
    if (!snapshot.UnpackTo(&persisted)) return UnknownType("snapshot", snapshot);
    state_ = persisted.value();
    return absl::OkStatus();
  }

  absl::Status OnEvent(const Any& event) override {
    model::Persisted persisted;
    if (!event.UnpackTo(&persisted)) return UnknownType("event", event);
    state_ += persisted.value();
    return absl::OkStatus();
  }

  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    model::Request request;
    if (name != "Process" || !payload.UnpackTo(&request)) return UnknownType(absl::StrCat("command ", name), payload);
    bool forwarded = false;
    for (const model::RequestAction& action : request.actions()) {
      Act(action, context);
      forwarded = forwarded || action.has_forward();
    }
    if (forwarded) return absl::OkStatus();
    model::Response response;
    response.set_message(state_);
    context.Reply(response);
    return absl::OkStatus();
  }

  void WriteSnapshot(Any& snapshot) const override {
    model::Persisted persisted;
    persisted.set_value(state_);
    snapshot.PackFrom(persisted);
  }

 private:
  static void Act(const model::RequestAction& action, EventSourcedContext& context) {
    if (!action.has_emit()) return CarryOutCommonStep<model::Request>(action, kTwoCall, context);
    model::Persisted event;
    event.set_value(action.emit().value());
    context.Emit(event);
  }

  std::string state_;
};

// Answers every call with an empty response and keeps nothing.
class SilentEntity final : public EventSourcedEntity {
 public:
  absl::Status OnSnapshot(const Any& snapshot) override { return UnknownType("snapshot", snapshot); }
  absl::Status OnEvent(const Any& event) override { return UnknownType("event", event); }
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    if (name != "Call" || !payload.Is<model::Request>()) return UnknownType(absl::StrCat("command ", name), payload);
    context.Reply(model::Response());
    return absl::OkStatus();
  }
  void WriteSnapshot(Any&) const override {}
};

EventSourcedService Describe(std::string service, std::string persistence_id) {
  return {
      .service_name = "cloudstate.tck.model." + std::move(service),
      .persistence_id = std::move(persistence_id),
      .snapshot_every = 0,
      .files = {model::Request::descriptor()->file()},
      .create = [] { return std::make_unique<SilentEntity>(); },
  };
}

}  // namespace

std::vector<EventSourcedService> EventSourcedModel() {
  EventSourcedService one = Describe("EventSourcedTckModel", "event-sourced-tck-model");
  one.snapshot_every = 5;
  one.create = [] { return std::make_unique<ModelEntity>(); };
  EventSourcedService two = Describe("EventSourcedTwo", "event-sourced-two");
  EventSourcedService configured = Describe("EventSourcedConfigured", "event-sourced-configured");
  configured.passivation_timeout = absl::Milliseconds(100);
  return {one, two, configured};
}

}  // namespace cloudstate::samples
