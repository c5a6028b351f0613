#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/tck/model/valueentity.pb.h"
#include "google/protobuf/any.pb.h"
#include "samples/cpp/tck_model_services.h"
#include "samples/cpp/tck_model_steps.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace model = cloudstate::tck::model::valueentity;

constexpr Method kTwoCall = {"cloudstate.tck.model.valueentity.ValueEntityTwo", "Call"};

void Act(const model::RequestAction& action, ValueEntityContext& context) {
  if (action.has_delete_()) return context.Delete();
  if (!action.has_update()) return CarryOutCommonStep<model::Request>(action, kTwoCall, context);
  model::Persisted value;
  value.set_value(action.update().value());
  context.Update(value);
}

absl::Status Process(const std::string& name, const Any& payload, ValueEntityContext& context) {
  model::Request request;
  if (name != "Process" || !payload.UnpackTo(&request)) return UnknownType(absl::StrCat("command ", name), payload);
  bool forwarded = false;
  for (const model::RequestAction& action : request.actions()) {
    Act(action, context);
    forwarded = forwarded || action.has_forward();
  }
  model::Persisted state;
  if (context.state() && !context.state()->UnpackTo(&state)) return UnknownType("value", *context.state());
  if (forwarded) return absl::OkStatus();
  model::Response response;
  response.set_message(state.value());
  context.Reply(response);
  return absl::OkStatus();
}

absl::Status Call(const std::string& name, const Any& payload, ValueEntityContext& context) {
  if (name != "Call" || !payload.Is<model::Request>()) return UnknownType(absl::StrCat("command ", name), payload);
  context.Reply(model::Response());
  return absl::OkStatus();
}

ValueEntityService Describe(std::string service, std::string persistence_id) {
  return {
      .service_name = "cloudstate.tck.model.valueentity." + std::move(service),
      .persistence_id = std::move(persistence_id),
      .files = {model::Request::descriptor()->file()},
      .on_command = Call,
  };
}

}  // namespace

std::vector<ValueEntityService> ValueEntityModel() {
  ValueEntityService one = Describe("ValueEntityTckModel", "value-entity-tck-model");
  one.on_command = Process;
  ValueEntityService two = Describe("ValueEntityTwo", "value-entity-two");
  ValueEntityService configured = Describe("ValueEntityConfigured", "value-entity-configured");
  configured.passivation_timeout = absl::Milliseconds(100);
  return {one, two, configured};
}

}  // namespace cloudstate::samples
