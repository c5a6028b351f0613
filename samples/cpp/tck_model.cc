#include "samples/cpp/tck_model.h"

#include "samples/cpp/tck_model_services.h"

namespace cloudstate::samples {

UserFunction TckModel() {
  return {.name = "tck-model",
          .version = "1.0.0",
          .event_sourced = EventSourcedModel(),
          .value_entities = ValueEntityModel(),
          .crdts = CrdtModel(),
          .actions = ActionModel()};
}

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartTckModel(const std::string& address) {
  return UserFunctionServer::Start(address, TckModel());
}

}  // namespace cloudstate::samples
