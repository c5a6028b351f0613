#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace cloudstate::base {

// "; did you mean 'latency'?" for the name that is nearly `word`, or the empty text.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& names);

}  // namespace cloudstate::base
