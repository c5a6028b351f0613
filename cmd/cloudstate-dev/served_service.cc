#include "cmd/cloudstate-dev/served_service.h"

#include "absl/strings/str_cat.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {

absl::Status UseServedService(Client& client, std::string& service) {
  if (service.empty()) return absl::OkStatus();
  const auto services = client.Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  if (services->services().empty()) return absl::OkStatus();
  const auto found = testing::FindService(*services, service);
  if (!found.ok()) {
    return absl::Status(found.status().code(),
                        absl::StrCat("--service: ", absl::string_view(found.status().message())));
  }
  service = (*found)->name();
  return absl::OkStatus();
}

}  // namespace cloudstate::cli
