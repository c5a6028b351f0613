#include "emulator/admin/guard.h"

#include <arpa/inet.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::admin {
namespace {

// "name:9001", "[::1]:9001" and "::1" without port and brackets, in lower case.
std::string HostWithoutPort(std::string_view host) {
  const std::size_t colon = host.find(':');
  const bool bare_v6_address = colon != std::string_view::npos && host.find(':', colon + 1) != std::string_view::npos;
  if (host.substr(0, 1) == "[") {
    host = host.substr(1, host.find(']') - 1);
  } else if (!bare_v6_address) {
    host = host.substr(0, colon);
  }
  return absl::AsciiStrToLower(std::string(host));
}

bool IsAddress(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || absl::EndsWith(host, ".localhost")) return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsGoodHost(const std::string& host, const std::string& listen) {
  if (IsLoopback(host)) return true;
  if (listen == "0.0.0.0" || listen == "::") return IsAddress(host);
  return !host.empty() && host == listen;
}

}  // namespace

absl::Status CheckHostAndOrigin(std::string_view host, std::optional<std::string_view> origin,
                                std::string_view listen) {
  const std::string name(host);
  if (!IsGoodHost(HostWithoutPort(host), HostWithoutPort(listen))) {
    return absl::PermissionDeniedError(absl::StrCat(
        "The admin port does not answer to the name '", name,
        "', so that no web page can reach it under a name of its own. Use localhost or 127.0.0.1, or start the "
        "emulator with --admin-listen and that name."));
  }
  const std::string own_origin = absl::StrCat("http://", name);
  const std::string page(origin.value_or(own_origin));
  if (!absl::EqualsIgnoreCase(page, own_origin)) {
    return absl::PermissionDeniedError(absl::StrCat("The admin port does not answer to web pages of '", page,
                                                    "', only to its own of ", own_origin, "."));
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::admin
