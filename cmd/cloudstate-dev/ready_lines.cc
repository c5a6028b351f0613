#include "cmd/cloudstate-dev/ready_lines.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "emulator/serving/transcoder.h"
#include "emulator/userfunction/payload_json.h"

namespace cloudstate::cli {
namespace {

using google::protobuf::MethodDescriptor;

std::unique_ptr<serving::Transcoder> Routes(const userfunction::Specification& specification) {
  auto services = std::make_shared<serving::Services>();
  services->pool = specification.pool.get();
  services->services = specification.SortedServices();
  auto transcoder = serving::Transcoder::Create(services);
  return transcoder.ok() ? *std::move(transcoder) : nullptr;
}

const serving::Route* BestRoute(const std::vector<serving::Route>& routes) {
  const serving::Route* best = nullptr;
  int best_score = -1;
  for (const serving::Route& route : routes) {
    if (route.method->client_streaming() || route.method->server_streaming()) continue;
    const int score = ShownByRoute(route.generated, route.body);
    if (score > best_score) best = &route;
    best_score = std::max(score, best_score);
  }
  return best;
}

}  // namespace

std::string ServiceLines(const userfunction::Specification& specification) {
  const auto transcoder = Routes(specification);
  std::string text;
  for (const auto* service : specification.SortedServices()) {
    const userfunction::ServiceSpec& spec = specification.services.at(service->full_name());
    absl::StrAppend(&text, "  ", service->full_name(), "  (", spec.entity_type);
    if (spec.kind != userfunction::EntityKind::kAction) absl::StrAppend(&text, ", persisted as ", spec.persistence_id);
    absl::StrAppend(&text, ")\n");
    for (int i = 0; i < service->method_count(); ++i) {
      absl::StrAppend(&text, "    ", service->method(i)->name());
      if (transcoder != nullptr) {
        for (const serving::Route& route : transcoder->routes()) {
          if (route.method != service->method(i) || route.generated) continue;
          absl::StrAppend(&text, "  ", route.http_method, " ", route.path);
        }
      }
      absl::StrAppend(&text, "\n");
    }
  }
  return text;
}

std::vector<std::string> ReadyLines(const userfunction::Specification& specification,
                                    const std::string& client_address) {
  const auto transcoder = Routes(specification);
  const serving::Route* route = transcoder == nullptr ? nullptr : BestRoute(transcoder->routes());
  if (route == nullptr) return {};
  const MethodDescriptor& method = *route->method;
  const std::string input = userfunction::ExampleJson(*method.input_type());
  return {CurlLine({route->http_method, route->path, route->body.empty() ? "" : input}, client_address),
          GrpcurlLine(method.service()->full_name(), method.name(), input, client_address)};
}

}  // namespace cloudstate::cli
