#include "cmd/cloudstate-dev/check_history_names.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/stored_events.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/testing/field_check.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The names of fields below a type, as far as it says which there are: a map has any, and the JSON of well-known types
// is their own.
absl::Status CheckFields(const std::string& written, const Descriptor* type, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (type != nullptr && absl::StartsWith(type->full_name(), "google.protobuf.")) return absl::OkStatus();
    const FieldDescriptor* field = type == nullptr ? nullptr : testing::FindField(*type, testing::JsonName(names[i]));
    if (field == nullptr) {
      std::vector<std::string> fields;
      for (int each = 0; type != nullptr && each < type->field_count(); ++each) {
        fields.push_back(type->field(each)->json_name());
      }
      return absl::InvalidArgumentError(absl::StrCat("--ignore ", written, ": there is no field '", names[i], "'",
                                                     type == nullptr ? "" : absl::StrCat(" in ", type->name()),
                                                     base::DidYouMean(names[i], fields)));
    }
    if (field->is_map()) {
      field = field->message_type()->FindFieldByNumber(2);
      ++i;  // a key
    }
    type = field->message_type();
  }
  return absl::OkStatus();
}

// "ItemAdded" of "com.example.ItemAdded.by": as types are written, they begin with a capital.
std::string TypeMeant(const std::vector<std::string>& parts) {
  std::size_t end = parts.size();
  while (end > 0 && (parts[end - 1].empty() || !absl::ascii_isupper(static_cast<unsigned char>(parts[end - 1][0])))) {
    --end;
  }
  if (end == 0) end = std::max<std::size_t>(parts.size() - 1, 1);
  return absl::StrJoin(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(end), ".");
}

// Some type that the user function no longer has, or that is no message.
absl::StatusOr<bool> IsStored(Client& client, const std::vector<dev::v1::Entity>& entities,
                              const std::string& written) {
  for (const dev::v1::Entity& entity : entities) {
    const auto events = StoredEvents(client, {entity.persistence_id(), entity.entity_id()});
    if (!events.ok()) return events.status();
    for (const dev::v1::Event& event : *events) {
      const std::string& type = event.payload().type_url();
      if (absl::StartsWith(written, base::TypeName(type) + ".") || absl::StartsWith(written, ShortType(type) + "."))
        return true;
    }
  }
  return false;
}

absl::Status ResolveRead(const dev::v1::ListServicesResponse& services, HistoryCheck& check) {
  const auto add = [&check](const std::string& service) { check.read_services.insert(service); };
  const auto found = testing::FindMethod(services, check.read);
  if (found.ok()) {
    add(found->service->name());
    check.read = found->method->name();
    return absl::OkStatus();
  }
  // Several services may have it: then each entity is asked by its own.
  for (const dev::v1::Service& service : services.services()) {
    for (const dev::v1::Method& method : service.methods()) {
      if (method.name() == check.read) add(service.name());
    }
  }
  if (!check.read_services.empty()) return absl::OkStatus();
  return absl::Status(found.status().code(), absl::StrCat("--read: ", absl::string_view(found.status().message())));
}

}  // namespace

absl::StatusOr<std::string> FindIgnoredField(const testing::KnownTypes& types, const std::string& written) {
  const std::vector<std::string> parts = absl::StrSplit(written, '.');
  // The longest type: one may stand within another.
  for (std::size_t end = parts.size(); end > 0; --end) {
    const auto begin_of_field = parts.begin() + static_cast<std::ptrdiff_t>(end);
    const std::string name = absl::StrJoin(parts.begin(), begin_of_field, ".");
    const auto type = types.FindType(name);
    const bool several = absl::IsInvalidArgument(type.status());
    if (several && end > 1)
      return absl::Status(type.status().code(), absl::StrCat("--ignore: ", absl::string_view(type.status().message())));
    if (!several && (!type.ok() || *type == nullptr)) continue;
    if (end == parts.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--ignore takes a type and one of its fields, as in ", written, ".FIELD"));
    }
    if (several) return written;
    const std::vector<std::string> names(begin_of_field, parts.end());
    if (absl::Status status = CheckFields(written, *type, names); !status.ok()) return status;
    return absl::StrCat((*type)->full_name(), ".", absl::StrJoin(names, "."));
  }
  const absl::Status none = types.FindType(TypeMeant(parts)).status();
  return absl::NotFoundError(absl::StrCat("--ignore ", written, ": ", absl::string_view(none.message())));
}

absl::Status ResolveNames(Client& client, const std::vector<dev::v1::Entity>& entities, HistoryCheck& check) {
  if (check.read.empty() && check.ignored.empty()) return absl::OkStatus();
  auto services = client.Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  if (!check.read.empty()) {
    if (absl::Status status = ResolveRead(*services, check); !status.ok()) return status;
  }
  const auto known = client.Call(&Client::TestingStub::GetTypes, dev::v1::GetTypesRequest());
  if (!known.ok()) return known.status();
  const auto types = testing::KnownTypes::Build(*std::move(services), known->file_descriptor_set());
  if (!types.ok()) return types.status();
  for (std::string& field : check.ignored) {
    absl::StatusOr<std::string> found = FindIgnoredField(**types, field);
    if (found.ok()) {
      field = *std::move(found);
      continue;
    }
    if (!absl::IsNotFound(found.status())) return found.status();
    const absl::StatusOr<bool> stored = IsStored(client, entities, field);
    if (!stored.ok()) return stored.status();
    if (!*stored) return found.status();
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::cli
