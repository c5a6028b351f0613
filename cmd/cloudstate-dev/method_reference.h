#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"

namespace cloudstate::cli {

// Into the answer that it was found in.
struct MethodReference {
  const dev::v1::Service* service = nullptr;
  const dev::v1::Method* method = nullptr;
};

// The service that `name` means: its full name or, where only one ends so, the last part of it. NOT_FOUND and
// INVALID_ARGUMENT name the choices.
absl::StatusOr<const dev::v1::Service*> FindService(const dev::v1::ListServicesResponse& services,
                                                    const std::string& name);

// The method that `Service/Method` or `Service.Method` means, with the service as in FindService.
absl::StatusOr<MethodReference> FindMethod(const dev::v1::ListServicesResponse& services, const std::string& reference);

}  // namespace cloudstate::cli
