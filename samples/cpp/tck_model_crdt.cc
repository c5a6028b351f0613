#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/tck/model/crdt.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "samples/cpp/tck_model_crdt_values.h"
#include "samples/cpp/tck_model_services.h"
#include "samples/cpp/tck_model_steps.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace model = tck::model::crdt;

constexpr Method kTwoCall = {"cloudstate.tck.model.crdt.CrdtTwo", "Call"};

WriteConsistency ConsistencyOf(const model::Update& update) {
  if (update.write_consistency() == model::MAJORITY) return WriteConsistency::kMajority;
  return update.write_consistency() == model::ALL ? WriteConsistency::kAll : WriteConsistency::kLocal;
}

model::Response ResponseWith(const Crdt& value) {
  model::Response response;
  *response.mutable_state() = StateOf(value);
  return response;
}

void Update(const model::Update& update, CrdtContext& context) {
  const absl::Status updated = UpdateCrdt(update, context.ChangeValue());
  if (!updated.ok()) context.Fail(std::string(updated.message()));
}

void Process(const model::Request& request, CrdtContext& context) {
  bool forwarded = false;
  for (const model::RequestAction& action : request.actions()) {
    forwarded = forwarded || action.has_forward();
    if (action.has_update()) {
      Update(action.update(), context);
      context.SetWriteConsistency(ConsistencyOf(action.update()));
    } else if (action.has_delete_()) {
      context.Delete();
    } else {
      CarryOutCommonStep<model::Request>(action, kTwoCall, context);
    }
  }
  if (!forwarded) context.Reply(ResponseWith(context.value()));
}

void TellOfChange(const model::StreamedRequest& request, CrdtChangeContext& context) {
  for (const model::Effect& effect : request.effects()) {
    model::Request two;
    two.set_id(effect.id());
    context.Effect(kTwoCall, two, effect.synchronous() ? EffectMode::kSynchronous : EffectMode::kAsynchronous);
  }
  const model::Response response = ResponseWith(context.value());
  if (request.has_end_state() &&
      google::protobuf::util::MessageDifferencer::Equals(response.state(), request.end_state())) {
    context.EndStream();
  }
  if (!request.empty()) context.Reply(response);
}

void ProcessStreamed(const model::StreamedRequest& request, CrdtContext& context) {
  if (request.has_initial_update()) Update(request.initial_update(), context);
  if (!request.empty()) context.Reply(ResponseWith(context.value()));
  CrdtStreamedCall call = {.on_change = [request](CrdtChangeContext& changed) { TellOfChange(request, changed); }};
  if (request.has_cancel_update()) {
    call.on_cancel = [update = request.cancel_update()](CrdtCancelContext& cancelled) {
      return UpdateCrdt(update, cancelled.ChangeValue());
    };
  }
  context.KeepOpen(std::move(call));
}

class ModelEntity final : public CrdtEntity {
 public:
  explicit ModelEntity(std::string id) : id_(std::move(id)) {}

  std::optional<Crdt> FirstValue() const override { return NamedCrdt(id_); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    if (!NamedCrdt(id_)) {
      context.Fail(absl::StrCat("The id '", id_, "' does not begin with a type of CRDTs."));
    } else if (model::Request request; name == "Process" && payload.UnpackTo(&request)) {
      Process(request, context);
    } else if (model::StreamedRequest streamed; name == "ProcessStreamed" && payload.UnpackTo(&streamed)) {
      ProcessStreamed(streamed, context);
    } else {
      return UnknownType(absl::StrCat("command ", name), payload);
    }
    return absl::OkStatus();
  }

 private:
  const std::string id_;
};

// Has no value, and can only be deleted.
class SecondEntity final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return std::nullopt; }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    model::Request request;
    if (name != "Call" || !payload.UnpackTo(&request)) return UnknownType(absl::StrCat("command ", name), payload);
    for (const model::RequestAction& action : request.actions()) {
      if (action.has_delete_()) context.Delete();
    }
    context.Reply(model::Response());
    return absl::OkStatus();
  }
};

CrdtService Describe(std::string service) {
  return {
      .service_name = "cloudstate.tck.model.crdt." + std::move(service),
      .files = {model::Request::descriptor()->file()},
      .create = [](const std::string&) { return std::make_unique<SecondEntity>(); },
  };
}

}  // namespace

std::vector<CrdtService> CrdtModel() {
  CrdtService one = Describe("CrdtTckModel");
  one.create = [](const std::string& id) { return std::make_unique<ModelEntity>(id); };
  CrdtService two = Describe("CrdtTwo");
  CrdtService configured = Describe("CrdtConfigured");
  configured.passivation_timeout = absl::Milliseconds(100);
  return {one, two, configured};
}

}  // namespace cloudstate::samples
