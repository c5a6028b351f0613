#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// A message type of the services' pool with those within it, at most 500. NOT_FOUND: there is none of that name.
absl::StatusOr<dev::v1::TypeDescription> DescribeType(const serving::Services& services, const std::string& type);

}  // namespace cloudstate::admin
