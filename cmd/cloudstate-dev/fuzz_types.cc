#include "cmd/cloudstate-dev/fuzz_types.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/names.h"
#include "emulator/tck/filter.h"
#include "emulator/userfunction/descriptors.h"
#include "emulator/userfunction/entity_id.h"

namespace cloudstate::cli {
namespace {

bool IsWanted(const std::string& service, const std::string& glob) {
  if (glob.empty() || tck::MatchesGlob(glob, service)) return true;
  return tck::MatchesGlob(glob, base::LastPart(service));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FuzzTypes>> FuzzTypes::Load(Client& client, const std::string& glob) {
  auto types = client.Call(&Client::TestingStub::GetTypes, dev::v1::GetTypesRequest());
  if (!types.ok()) return types.status();
  auto services = client.Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  auto pool = userfunction::BuildPool(types->file_descriptor_set(), userfunction::Dialect::k0_2);
  if (!pool.ok()) return pool.status();
  std::unique_ptr<FuzzTypes> result(new FuzzTypes(*std::move(pool)));
  std::string names;
  for (const dev::v1::Service& service : services->services()) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", service.name());
    if (!IsWanted(service.name(), glob)) continue;
    if (absl::Status status = result->AddMethods(service); !status.ok()) return status;
  }
  if (!result->methods_.empty()) return result;
  return absl::NotFoundError(absl::StrCat("No service matches '", glob, "'. The user function has ", names, "."));
}

absl::Status FuzzTypes::AddMethods(const dev::v1::Service& service) {
  for (const dev::v1::Method& each : service.methods()) {
    fuzzing::Method method;
    method.service = service.name();
    method.name = each.name();
    method.kind = userfunction::KindOf(service.entity_type()).value_or(fuzzing::Kind::kAction);
    method.persistence_id = service.persistence_id();
    method.input = pool_->FindMessageTypeByName(each.input_type());
    if (method.input == nullptr) {
      return absl::InternalError(absl::StrCat("The emulator does not tell what ", each.input_type(), " is."));
    }
    method.key_fields.assign(each.key_fields().begin(), each.key_fields().end());
    method.takes_stream = each.client_streaming();
    method.answers_with_stream = each.server_streaming();
    methods_.push_back(std::move(method));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FuzzTypes::EntityId(const fuzzing::Method& method, const std::string& json) const {
  absl::StatusOr<std::string> input = reader_.Read(json, *method.input);
  if (!input.ok()) return input.status();
  const auto extractor = userfunction::EntityIdExtractor::Create(*method.input);
  if (!extractor.ok()) return extractor.status();
  return extractor->Extract(*input);
}

}  // namespace cloudstate::cli
