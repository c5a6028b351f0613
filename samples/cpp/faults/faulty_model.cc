#include "samples/cpp/faults/faulty_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "samples/cpp/faults/fault.h"
#include "samples/cpp/faults/relay.h"
#include "samples/cpp/tck_model.h"

namespace cloudstate::samples {
namespace {

std::vector<Fault> AllFaults() {
  std::vector<Fault> all;
  for (auto* of_kind : {DiscoveryFaults, EventSourcedFaults, ValueEntityFaults, ActionFaults, CrdtFaults}) {
    for (Fault& fault : of_kind()) all.push_back(std::move(fault));
  }
  return all;
}

}  // namespace

std::vector<FaultName> TckModelFaults() {
  std::vector<FaultName> names;
  for (Fault& fault : AllFaults()) names.push_back({std::move(fault.name), std::move(fault.description)});
  return names;
}

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartFaultyTckModel(const std::string& address,
                                                                        const std::string& fault) {
  for (Fault& candidate : AllFaults()) {
    if (candidate.name != fault) continue;
    UserFunction model = TckModel();
    if (candidate.model) candidate.model(model);
    auto server = UserFunctionServer::Start("127.0.0.1:0", std::move(model));
    if (!server.ok()) return server.status();
    return StartRelay(address, *std::move(server), std::move(candidate));
  }
  return absl::NotFoundError(
      absl::StrCat("There is no fault '", fault, "'. --list-faults names those that there are."));
}

}  // namespace cloudstate::samples
