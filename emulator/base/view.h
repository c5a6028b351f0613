#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace cloudstate::base {

// Debian's Abseil has a string_view of its own, which neither converts to the standard's nor from it.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace cloudstate::base
