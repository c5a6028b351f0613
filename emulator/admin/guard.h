#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace cloudstate::admin {

// Whether the admin port answers a request. A web page elsewhere can make a browser send requests to this machine, also
// under the page's own name that it lets point here (DNS rebinding): so the name asked for must be this machine's, and
// a page must have come from here. `host` is the Host header or :authority, `origin` the Origin header if there is one,
// `listen` the HOST:PORT that the admin port was told to listen on.
//
// Good hosts: localhost and what ends in .localhost, loopback addresses, the host in `listen`; and where that is a
// wildcard (0.0.0.0, [::]) any address, because an address can't be rebound. PERMISSION_DENIED says what is wrong.
absl::Status CheckHostAndOrigin(std::string_view host, std::optional<std::string_view> origin, std::string_view listen);

}  // namespace cloudstate::admin
