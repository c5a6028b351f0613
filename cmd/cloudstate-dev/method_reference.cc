#include "cmd/cloudstate-dev/method_reference.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cloudstate::cli {
namespace {

template <typename Named>
std::string Names(const google::protobuf::RepeatedPtrField<Named>& all) {
  return absl::StrJoin(all, ", ", [](std::string* out, const Named& each) { out->append(each.name()); });
}

}  // namespace

absl::StatusOr<const dev::v1::Service*> FindService(const dev::v1::ListServicesResponse& services,
                                                    const std::string& name) {
  std::vector<const dev::v1::Service*> found;
  for (const dev::v1::Service& service : services.services()) {
    if (service.name() == name) return &service;
    if (absl::EndsWith(service.name(), "." + name)) found.push_back(&service);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return absl::NotFoundError(
        services.services().empty()
            ? "The emulator knows no services yet: its user function has not been reached. See `cloudstate-dev status`."
            : absl::StrCat("There is no service '", name, "'. There are ", Names(services.services()), "."));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Several services are called '", name, "'. Name one of ",
      absl::StrJoin(found, ", ", [](std::string* out, const auto* each) { out->append(each->name()); }), "."));
}

absl::StatusOr<MethodReference> FindMethod(const dev::v1::ListServicesResponse& services,
                                           const std::string& reference) {
  const std::size_t begin = absl::StartsWith(reference, "/") ? 1 : 0;
  std::size_t separator = reference.find('/', begin);
  if (separator == std::string::npos) separator = reference.rfind('.');
  if (separator == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", reference, "' is no method. Write it as SERVICE/METHOD; `cloudstate-dev services` lists them."));
  }
  absl::StatusOr<const dev::v1::Service*> service = FindService(services, reference.substr(begin, separator - begin));
  if (!service.ok()) return service.status();
  const std::string method = reference.substr(separator + 1);
  for (const dev::v1::Method& each : (*service)->methods()) {
    if (each.name() == method) return MethodReference{*service, &each};
  }
  return absl::NotFoundError(
      absl::StrCat((*service)->name(), " has no method '", method, "'. It has ", Names((*service)->methods()), "."));
}

}  // namespace cloudstate::cli
