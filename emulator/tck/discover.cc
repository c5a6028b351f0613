#include "emulator/tck/discover.h"

#include "absl/strings/str_cat.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::tck {

EntitySpec Discover(Peer& user_function) {
  ProxyInfo info;
  info.set_protocol_major_version(0);
  info.set_protocol_minor_version(2);
  info.set_proxy_name("cloudstate-dev tck");
  info.set_proxy_version("1");
  for (const std::string& type : userfunction::SupportedEntityTypes()) info.add_supported_entity_types(type);
  const auto answer = user_function.Call("/cloudstate.EntityDiscovery/discover", info);
  if (!answer.ok()) throw CaseFailure{absl::StrCat("Discovery failed: ", Describe(answer.status()))};
  EntitySpec spec;
  if (!spec.ParseFromString(*answer)) throw CaseFailure{"The answer to discovery is no cloudstate.EntitySpec."};
  return spec;
}

}  // namespace cloudstate::tck
