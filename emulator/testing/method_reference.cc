#include "emulator/testing/method_reference.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "emulator/base/meant_name.h"
#include "emulator/base/names.h"

namespace cloudstate::testing {
namespace {

// Of services or methods.
template <class Named>
absl::StatusOr<const Named*> Find(const std::string& none, const std::string& name,
                                  const google::protobuf::RepeatedPtrField<Named>& all) {
  std::vector<std::string> names;
  for (const Named& each : all) names.push_back(each.name());
  const absl::StatusOr<std::string> meant = base::MeantName(none, name, names);
  if (!meant.ok()) return meant.status();
  return &*std::find_if(all.begin(), all.end(), [&](const Named& each) { return each.name() == *meant; });
}

}  // namespace

std::string MethodReference::FullName() const { return absl::StrCat(service->name(), ".", method->name()); }

absl::StatusOr<const dev::v1::Service*> FindService(const dev::v1::ListServicesResponse& services,
                                                    const std::string& name) {
  if (services.services().empty()) {
    return absl::NotFoundError(
        "there are no services yet: the user function has not been reached, see `cloudstate-dev status`");
  }
  return Find("there is no service", name, services.services());
}

absl::StatusOr<MethodReference> FindMethod(const dev::v1::ListServicesResponse& services, const std::string& name,
                                           const std::string& default_service) {
  const std::string written(absl::StripPrefix(name, "/"));
  std::size_t separator = written.find('/');
  if (separator == std::string::npos) separator = written.rfind('.');
  const bool alone = separator == std::string::npos;
  const std::string service_name = alone ? default_service : written.substr(0, separator);
  const std::string method_name = alone ? written : written.substr(separator + 1);
  if (!service_name.empty()) {
    const auto service = FindService(services, service_name);
    if (!service.ok()) return service.status();
    const std::string none = absl::StrCat(base::LastPart((*service)->name()), " has no method");
    const auto method = Find(none, method_name, (*service)->methods());
    if (!method.ok()) return method.status();
    return MethodReference{*service, *method};
  }
  std::vector<MethodReference> all;
  std::vector<std::string> names;
  for (const dev::v1::Service& service : services.services()) {
    for (const dev::v1::Method& each : service.methods()) {
      all.push_back({&service, &each});
      names.push_back(all.back().FullName());
    }
  }
  const absl::StatusOr<std::string> meant = base::MeantName("there is no method", written, names);
  if (!meant.ok()) return meant.status();
  return *std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.FullName() == *meant; });
}

}  // namespace cloudstate::testing
