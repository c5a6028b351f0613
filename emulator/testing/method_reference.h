#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"

namespace cloudstate::testing {

// Into the answer that it was found in.
struct MethodReference {
  const dev::v1::Service* service = nullptr;
  const dev::v1::Method* method = nullptr;

  // "com.example.ShoppingCart.AddItem".
  std::string FullName() const;
};

// What people mean who write these names. NOT_FOUND says what may have been meant, INVALID_ARGUMENT that several are
// called so.

// The full name of a service or, where only one ends so, the last part of it.
absl::StatusOr<const dev::v1::Service*> FindService(const dev::v1::ListServicesResponse& services,
                                                    const std::string& name);
// "Service.Method" or "Service/Method", with the service as above; a method's name alone is of the default service or,
// where there is none, of the only one that has it.
absl::StatusOr<MethodReference> FindMethod(const dev::v1::ListServicesResponse& services, const std::string& name,
                                           const std::string& default_service = "");

}  // namespace cloudstate::testing
