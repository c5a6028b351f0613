#pragma once

#include <string>

#include "absl/status/status.h"

namespace cloudstate::cli {

// Shows `url` in the person's web browser: the first of those that BROWSER names, or xdg-open. Does not wait for it.
// NOT_FOUND where none of them is there.
absl::Status OpenWebBrowser(const std::string& url);

// Where a browser on this machine finds what listens on `address`, HOST:PORT: under a wildcard address it is loopback.
std::string LocalUrl(const std::string& address);

}  // namespace cloudstate::cli
