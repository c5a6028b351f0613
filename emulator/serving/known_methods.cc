#include "emulator/serving/known_methods.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace cloudstate::serving {
namespace {

// More would be noise in a status message.
constexpr int kMostNames = 10;
constexpr std::size_t kShownPath = 200;

std::string Names(std::vector<std::string> names) {
  const std::size_t count = names.size();
  if (count <= kMostNames) return absl::StrJoin(names, ", ");
  names.resize(kMostNames);
  return absl::StrCat(absl::StrJoin(names, ", "), " and ", count - kMostNames, " more");
}

}  // namespace

KnownMethods::KnownMethods(std::shared_ptr<const Services> known) : services(std::move(known)) {
  for (const auto* service : services->services) {
    for (int i = 0; i < service->method_count(); ++i) {
      by_path.emplace(absl::StrCat("/", service->full_name(), "/", service->method(i)->name()), service->method(i));
    }
  }
}

absl::Status NothingToCall(const Backend& backend) {
  const absl::Status why = backend.Availability();
  return absl::UnavailableError(why.ok() ? "no services are known yet" : std::string(why.message()));
}

absl::Status UnknownMethod(const KnownMethods& known, const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  std::vector<std::string> service_names;
  for (const auto* service : known.services->services) {
    service_names.push_back(service->full_name());
    if (parts.size() != 3 || service->full_name() != parts[1]) continue;
    std::vector<std::string> method_names;
    for (int i = 0; i < service->method_count(); ++i) method_names.push_back(service->method(i)->name());
    return absl::UnimplementedError(
        absl::StrCat("service ", parts[1], " has no method ", parts[2], "; it has ", Names(std::move(method_names))));
  }
  return absl::UnimplementedError(absl::StrCat("no service is called by ", path.substr(0, kShownPath),
                                               "; known services: ", Names(std::move(service_names))));
}

}  // namespace cloudstate::serving
