// What our emulator must say of itself and of the user function that it serves.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/tck/case.h"
#include "emulator/userfunction/specification.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace cloudstate::tck::discovery {
namespace {

using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

ServerReflectionResponse AskReflection(WireStream& stream, const ServerReflectionRequest& request) {
  stream.Send(request);
  const WireStream::Arrival arrival = stream.Take("a reflection response");
  ServerReflectionResponse response;
  if (!arrival.message.has_value() || !response.ParseFromString(*arrival.message)) {
    throw CaseFailure{"No reflection response came."};
  }
  return response;
}

void ExpectIntroduction(Driver& driver) {
  const std::vector<ProxyInfo> discoveries = driver.interceptor().discoveries();
  if (discoveries.empty()) throw CaseFailure{"The user function was not asked what it declares."};
  ProxyInfo expected;
  expected.set_protocol_minor_version(2);
  expected.set_proxy_name("cloudstate-dev");
  expected.set_proxy_version(discoveries.front().proxy_version());
  for (const std::string& type : userfunction::SupportedEntityTypes()) expected.add_supported_entity_types(type);
  ExpectSame(expected, discoveries.front().SerializeAsString());
}

void ExpectNoErrors(Driver& driver) {
  const std::vector<std::string> errors = driver.interceptor().errors();
  if (!errors.empty()) throw CaseFailure{absl::StrCat("The emulator reports: ", absl::StrJoin(errors, "\n"))};
}

void ExpectServicesListed(Driver& driver) {
  std::vector<std::string> expected;
  for (const cloudstate::Entity& entity : driver.specification().entities()) expected.push_back(entity.service_name());
  std::sort(expected.begin(), expected.end());
  expected.insert(expected.begin(), "grpc.reflection.v1alpha.ServerReflection");
  WireStream& stream = driver.client().Open(kReflection);
  for (const char* argument : {"", "*", "whatever"}) {
    ServerReflectionRequest request;
    request.set_list_services(argument);
    const ServerReflectionResponse response = AskReflection(stream, request);
    std::vector<std::string> listed;
    for (const auto& service : response.list_services_response().service()) listed.push_back(service.name());
    if (listed == expected) continue;
    throw CaseFailure{"Other services are listed than were declared.",
                      CompareLines(absl::StrJoin(expected, "\n"), absl::StrJoin(listed, "\n"))};
  }
  stream.HalfClose();
  stream.ExpectEnd();
}

void ExpectNothingKnown(Driver& driver) {
  WireStream& stream = driver.client().Open(kReflection);
  ServerReflectionRequest request;
  request.set_file_containing_symbol("no.such.Symbol");
  const ServerReflectionResponse response = AskReflection(stream, request);
  const bool empty =
      response.has_file_descriptor_response() && response.file_descriptor_response().file_descriptor_proto_size() == 0;
  if (!empty) throw CaseFailure{absl::StrCat("What came is no empty list of files: ", MessageLine(response))};
  stream.HalfClose();
  stream.ExpectEnd();
}

HttpRequest Probe(const std::string& value) {
  return {.method = "GET", .target = "/", .headers = {{"K-Network-Probe", value}}};
}

}  // namespace

Section EmulatorSection() {
  Section section{"emulator/discovery", Part::kEmulator, {}, {}};
  section.cases = {
      {"proxy-info", "The emulator introduces itself with its version, its name and the types that it serves.",
       ExpectIntroduction},
      {"no-errors", "The emulator finds nothing wrong with what is declared.", ExpectNoErrors},
      {"reflection", "Reflection lists itself, then the services that were declared, sorted.", ExpectServicesListed},
      {"reflection-unknown-symbol", "Reflection knows no file for a symbol that is not there.", ExpectNothingKnown},
      {"probe", "A network probe on the client port is answered.",
       [](Driver& d) {
         d.ExpectHttp(Probe("queue"), {200, "queue", "text/plain; charset=utf-8"});
       }},
      {"probe-unknown", "A probe for something else is refused.",
       [](Driver& d) {
         d.ExpectHttp(Probe("other"), {400, "unexpected probe header value: other", "text/plain; charset=utf-8"});
       }},
  };
  return section;
}

}  // namespace cloudstate::tck::discovery
