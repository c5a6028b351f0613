#include "emulator/testing/known_types.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/userfunction/descriptors.h"
#include "emulator/userfunction/json_reader.h"
#include "emulator/userfunction/message_json.h"
#include "emulator/userfunction/payload_json.h"
#include "google/protobuf/descriptor.pb.h"

namespace cloudstate::testing {
namespace {

using google::protobuf::Descriptor;

void AddTypeNames(const google::protobuf::DescriptorProto& type, const std::string& scope,
                  std::vector<std::string>& names) {
  if (type.options().map_entry()) return;
  const std::string name = scope.empty() ? type.name() : absl::StrCat(scope, ".", type.name());
  names.push_back(name);
  for (const auto& nested : type.nested_type()) AddTypeNames(nested, name, names);
}

// The names that `written` means; a full name means itself only.
std::vector<std::string> Meant(const std::string& written, const std::vector<std::string>& names) {
  std::vector<std::string> meant;
  for (const std::string& name : names) {
    if (name == written) return {name};
    if (MeansName(written, name)) meant.push_back(name);
  }
  return meant;
}

// Why there is not exactly one.
absl::Status NotOne(const std::string& what, const std::string& written, const std::vector<std::string>& meant,
                    const std::vector<std::string>& names) {
  if (meant.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("several are called '", written, "': write one of ", absl::StrJoin(meant, ", ")));
  }
  std::vector<std::string> near = names;
  for (const std::string& name : names) near.push_back(LastPart(name));
  std::string hint = base::DidYouMean(written, near);
  constexpr std::size_t kFewNames = 8;
  if (hint.empty() && !names.empty() && names.size() <= kFewNames) {
    hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
  }
  return absl::NotFoundError(absl::StrCat("there is no ", what, " '", written, "'", hint));
}

// What is stored without a message: primitives and JSON, by the type URLs of support libraries.
bool IsNoMessage(const std::string& name) {
  return userfunction::PrimitiveType(name) != nullptr || name.starts_with(userfunction::kPrimitivePrefix) ||
         name.starts_with(userfunction::kJsonPrefix);
}

template <class Named>
std::vector<std::string> NamesOf(const google::protobuf::RepeatedPtrField<Named>& all) {
  std::vector<std::string> names;
  for (const Named& each : all) names.push_back(each.name());
  return names;
}

}  // namespace

struct KnownTypes::Parts {
  explicit Parts(std::unique_ptr<google::protobuf::DescriptorPool> types)
      : pool(std::move(types)), factory(pool.get()), json(factory), reader(pool.get()) {}

  std::unique_ptr<google::protobuf::DescriptorPool> pool;
  google::protobuf::DynamicMessageFactory factory;
  userfunction::MessageJson json;
  userfunction::JsonReader reader;
};

KnownTypes::KnownTypes() = default;
KnownTypes::~KnownTypes() = default;

absl::StatusOr<std::unique_ptr<KnownTypes>> KnownTypes::Build(dev::v1::ListServicesResponse services,
                                                              std::string_view file_descriptor_set) {
  auto pool = userfunction::BuildPool(file_descriptor_set, userfunction::Dialect::k0_2);
  if (!pool.ok()) return pool.status();
  google::protobuf::FileDescriptorSet files;
  if (!files.ParseFromArray(file_descriptor_set.data(), static_cast<int>(file_descriptor_set.size()))) {
    return absl::InvalidArgumentError("The types of the user function are no FileDescriptorSet.");
  }
  std::unique_ptr<KnownTypes> types(new KnownTypes());
  types->services_ = std::move(services);
  for (const auto& file : files.file()) {
    if (file.package() == "google.protobuf") continue;
    for (const auto& type : file.message_type()) AddTypeNames(type, file.package(), types->type_names_);
  }
  types->parts_ = std::make_unique<Parts>(*std::move(pool));
  return types;
}

std::string KnownTypes::Method::FullName() const { return absl::StrCat(service->name(), ".", method->name()); }

absl::StatusOr<const dev::v1::Service*> KnownTypes::FindService(const std::string& name) const {
  const std::vector<std::string> names = NamesOf(services_.services());
  const std::vector<std::string> meant = Meant(name, names);
  if (meant.size() != 1) return NotOne("service", name, meant, names);
  return &*std::find_if(services_.services().begin(), services_.services().end(),
                        [&](const auto& each) { return each.name() == meant.front(); });
}

absl::StatusOr<const dev::v1::Service*> KnownTypes::FindEntityService(const std::string& name,
                                                                      const std::string& default_service) const {
  if (!name.empty()) return FindService(name);
  if (!default_service.empty()) return FindService(default_service);
  std::vector<const dev::v1::Service*> found;
  for (const dev::v1::Service& service : services_.services()) {
    if (!service.persistence_id().empty()) found.push_back(&service);
  }
  if (found.size() == 1) return found.front();
  return absl::InvalidArgumentError("which service's entity it is must be said: with 'service', here or for the file");
}

absl::StatusOr<KnownTypes::Method> KnownTypes::FindMethod(const std::string& name,
                                                          const std::string& default_service) const {
  std::size_t separator = name.find('/');
  if (separator == std::string::npos) separator = name.rfind('.');
  const std::string service_name = separator == std::string::npos ? default_service : name.substr(0, separator);
  const std::string method_name = separator == std::string::npos ? name : name.substr(separator + 1);
  if (!service_name.empty()) {
    const auto service = FindService(service_name);
    if (!service.ok()) return service.status();
    for (const dev::v1::Method& each : (*service)->methods()) {
      if (each.name() == method_name) return Method{*service, &each};
    }
    const std::vector<std::string> names = NamesOf((*service)->methods());
    return NotOne(absl::StrCat("method of ", LastPart((*service)->name()), " called"), method_name, {}, names);
  }
  std::vector<Method> found;
  std::vector<std::string> names;
  for (const dev::v1::Service& service : services_.services()) {
    for (const dev::v1::Method& each : service.methods()) {
      if (each.name() == method_name) found.push_back({&service, &each});
      names.push_back(absl::StrCat(service.name(), ".", each.name()));
    }
  }
  if (found.size() == 1) return found.front();
  std::vector<std::string> meant;
  for (const Method& each : found) meant.push_back(each.FullName());
  return NotOne("method", name, meant, names);
}

absl::StatusOr<const Descriptor*> KnownTypes::FindType(const std::string& name) const {
  if (IsNoMessage(name)) return nullptr;
  const std::string written = TypeName(name);
  if (const Descriptor* type = TypeOf(written); type != nullptr) return type;
  const std::vector<std::string> meant = Meant(written, type_names_);
  if (meant.size() != 1) return NotOne("message type", written, meant, type_names_);
  return TypeOf(meant.front());
}

const Descriptor* KnownTypes::TypeOf(const std::string& full_name) const {
  return parts_->pool->FindMessageTypeByName(full_name);
}

absl::StatusOr<std::string> KnownTypes::Encode(const Json& value, const Descriptor& type) const {
  const bool nothing = value.kind_case() == Json::KIND_NOT_SET || value.has_null_value();
  return parts_->reader.Read(nothing ? "{}" : JsonText(value), type);
}

Actual KnownTypes::Decode(std::string_view type_name, std::string_view bytes, const std::string& json) const {
  if (const Descriptor* type = TypeOf(std::string(type_name)); type != nullptr) {
    const std::unique_ptr<google::protobuf::Message> message(parts_->factory.GetPrototype(type)->New());
    if (userfunction::ParsePartial(bytes, *message)) {
      absl::StatusOr<Actual> actual = ActualOf(*message, parts_->json, parts_->factory);
      if (actual.ok()) return *std::move(actual);
    }
  }
  absl::StatusOr<Json> parsed = ParseJson(json);
  return ActualOf(parsed.ok() ? *std::move(parsed) : TextValue(json));
}

Actual KnownTypes::Decode(const dev::v1::Payload& payload) const {
  return Decode(TypeName(payload.type_url()), payload.value(), payload.json());
}

Actual KnownTypes::Recognized(Actual json, const std::string& type_name) const {
  const Descriptor* type = TypeOf(type_name);
  if (type == nullptr) return json;
  const absl::StatusOr<std::string> bytes = Encode(json.full, *type);
  if (!bytes.ok()) return json;
  Actual message = Decode(type_name, *bytes, "");
  return JsonText(message.full) == JsonText(json.full) ? message : json;
}

bool MeansName(const std::string& written, const std::string& full_name) {
  const std::string name = TypeName(written);
  return name == full_name || absl::EndsWith(full_name, "." + name);
}

}  // namespace cloudstate::testing
