#include "emulator/testing/known_types.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/meant_name.h"
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

// What is stored without a message: primitives and JSON, by the type URLs of support libraries.
bool IsNoMessage(const std::string& name) {
  return userfunction::PrimitiveType(name) != nullptr || name.starts_with(userfunction::kPrimitivePrefix) ||
         name.starts_with(userfunction::kJsonPrefix);
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

absl::StatusOr<const Descriptor*> KnownTypes::FindType(const std::string& name) const {
  if (IsNoMessage(name)) return nullptr;
  const std::string written = TypeName(name);
  if (const Descriptor* type = TypeOf(written); type != nullptr) return type;
  const absl::StatusOr<std::string> meant = base::MeantName("there is no message type", written, type_names_);
  if (!meant.ok()) return meant.status();
  return TypeOf(*meant);
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

std::optional<Actual> KnownTypes::Recognized(const Actual& json, const std::string& type_name) const {
  const Descriptor* type = TypeOf(type_name);
  if (type == nullptr) return std::nullopt;
  const absl::StatusOr<std::string> bytes = Encode(json.full, *type);
  if (!bytes.ok()) return std::nullopt;
  Actual message = Decode(type_name, *bytes, "");
  return JsonText(message.full) == JsonText(json.full) ? std::make_optional(std::move(message)) : std::nullopt;
}

}  // namespace cloudstate::testing
