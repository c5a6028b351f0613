#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::base {

// The one of the full names that people mean who write `written`: that name, or the only one that ends so. NOT_FOUND
// begins with `none`, such as "there is no service", and says what may have been meant or what there is;
// INVALID_ARGUMENT names those that could be meant.
absl::StatusOr<std::string> MeantName(std::string_view none, const std::string& written,
                                      const std::vector<std::string>& names);

}  // namespace cloudstate::base
