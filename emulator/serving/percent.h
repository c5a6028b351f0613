#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cloudstate::serving {

enum class PercentDecoding {
  kAll,
  kAllButSlashes,  // "%2F" stays as it is: the text is several path segments
  kForm,           // as in a query: "+" is a space as well
};

// INVALID_ARGUMENT for a "%" without two hexadecimal digits, and for a result that is not UTF-8.
absl::StatusOr<std::string> PercentDecode(std::string_view text, PercentDecoding decoding);

}  // namespace cloudstate::serving
