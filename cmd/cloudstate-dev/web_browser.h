#pragma once

#include <string>

#include "absl/status/status.h"

namespace cloudstate::cli {

// Shows `url` in the person's web browser: the program that BROWSER names, or xdg-open. Does not wait for it. NOT_FOUND
// where neither can be started.
absl::Status OpenWebBrowser(const std::string& url);

// Where a browser on this machine finds what listens on `address`, HOST:PORT: under a wildcard address it is loopback.
std::string LocalUrl(const std::string& address);

}  // namespace cloudstate::cli
