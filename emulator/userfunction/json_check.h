#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace cloudstate::userfunction {

// Whether `text` is exactly one JSON value as RFC 8259 has it, in valid UTF-8 and nested at most `max_depth` levels.
// INVALID_ARGUMENT says what was expected, with line and column (in bytes, from 1).
absl::Status CheckJson(std::string_view text, int max_depth = 100);

}  // namespace cloudstate::userfunction
