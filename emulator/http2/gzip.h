#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace cloudstate::http2 {

// Undoes gzip. RESOURCE_EXHAUSTED as soon as the result is larger than `max_bytes`; INTERNAL for what is not gzip, or
// not all of it.
absl::StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t max_bytes);

}  // namespace cloudstate::http2
