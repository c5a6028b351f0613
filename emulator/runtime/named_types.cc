#include "emulator/runtime/named_types.h"

#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/meant_name.h"
#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/json_reader.h"
#include "emulator/userfunction/payload_json.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::runtime {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

// What a request names and the user function lacks is wrong with the request.
absl::StatusOr<std::string> Find(absl::string_view what, const std::string& name,
                                 const std::vector<std::string>& names) {
  absl::StatusOr<std::string> found = base::MeantName(absl::StrCat("the user function has no ", what), name, names);
  return found.ok() ? found : absl::InvalidArgumentError(found.status().message());
}

void AddWithImports(const FileDescriptor* file, std::set<const FileDescriptor*>& seen,
                    std::vector<const FileDescriptor*>& files) {
  if (file == nullptr || !seen.insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) AddWithImports(file->dependency(i), seen, files);
  files.push_back(file);
}

void AddTypes(const Descriptor& type, std::vector<std::string>& names) {
  if (type.options().map_entry()) return;
  names.push_back(type.full_name());
  for (int i = 0; i < type.nested_type_count(); ++i) AddTypes(*type.nested_type(i), names);
}

// Files of the pool may have other paths than those that were reported.
std::vector<const FileDescriptor*> FilesOf(const userfunction::Specification& specification) {
  std::set<const FileDescriptor*> seen;
  std::vector<const FileDescriptor*> files;
  google::protobuf::FileDescriptorSet reported;
  reported.ParseFromString(specification.descriptors);
  for (const auto& file : reported.file()) {
    AddWithImports(specification.pool->FindFileByName(file.name()), seen, files);
    const std::string prefix = file.package().empty() ? "" : file.package() + ".";
    for (const auto& type : file.message_type()) {
      const Descriptor* found = specification.pool->FindMessageTypeByName(prefix + type.name());
      AddWithImports(found == nullptr ? nullptr : found->file(), seen, files);
    }
  }
  for (const auto* service : specification.SortedServices()) AddWithImports(service->file(), seen, files);
  return files;
}

bool ComesWithAll(const FileDescriptor& file) {
  return absl::StartsWith(file.name(), "google/") || file.package() == "cloudstate" ||
         (absl::StartsWith(file.package(), "cloudstate.") && absl::StartsWith(file.name(), "cloudstate/"));
}

absl::StatusOr<std::string> ReadJson(const std::string& json, const Descriptor& type) {
  if (json.empty()) return "";
  if (absl::Status status = userfunction::CheckJson(json); !status.ok()) return status;
  return userfunction::JsonReader(type.file()->pool()).Read(json, type);
}

absl::StatusOr<journal::Payload> ToPrimitive(const dev::v1::SeededMessage& message) {
  const std::string name = message.type().substr(userfunction::kPrimitivePrefix.size());
  const Descriptor* type = userfunction::PrimitiveType(name);
  if (type == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("There is no primitive '", name,
                                                   "'; there are string, int32, int64, bool, bytes, float and double"));
  }
  absl::StatusOr<std::string> value = ReadJson(message.json(), *type);
  if (!value.ok()) return value.status();
  return journal::Payload{message.type(), *std::move(value)};
}

absl::StatusOr<journal::Payload> ToJsonObject(const dev::v1::SeededMessage& message) {
  google::protobuf::StringValue text;
  text.set_value(message.json().empty() ? "{}" : message.json());
  if (absl::Status status = userfunction::CheckJson(text.value()); !status.ok()) return status;
  return journal::Payload{message.type(), text.SerializeAsString()};
}

}  // namespace

NamedTypes::NamedTypes(std::shared_ptr<const userfunction::Specification> specification)
    : specification_(std::move(specification)), files_(FilesOf(*specification_)) {
  for (const FileDescriptor* file : files_) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      AddTypes(*file->message_type(i), types_);
      if (!ComesWithAll(*file)) AddTypes(*file->message_type(i), own_types_);
    }
  }
}

absl::StatusOr<const userfunction::ServiceSpec*> NamedTypes::FindService(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto* service : specification_->SortedServices()) names.push_back(service->full_name());
  const absl::StatusOr<std::string> found = Find("service", name, names);
  if (!found.ok()) return found.status();
  return &specification_->services.at(*found);
}

absl::StatusOr<const Descriptor*> NamedTypes::FindType(const std::string& name) const {
  if (const Descriptor* type = specification_->pool->FindMessageTypeByName(name)) return type;
  const absl::StatusOr<std::string> own = Find("message type", name, own_types_);
  const absl::StatusOr<std::string> found = own.ok() ? own : Find("message type", name, types_);
  if (!found.ok()) return own.status();
  return specification_->pool->FindMessageTypeByName(*found);
}

absl::StatusOr<journal::Payload> NamedTypes::ToPayload(const dev::v1::SeededMessage& message) const {
  const std::string& type = message.type();
  if (!message.json().empty() && !message.value().empty()) {
    return absl::InvalidArgumentError("It has both JSON and bytes: give one of them");
  }
  const bool is_json = type.starts_with(userfunction::kJsonPrefix);
  if (is_json || type.starts_with(userfunction::kPrimitivePrefix)) {
    if (!message.value().empty()) return journal::Payload{type, message.value()};
    return is_json ? ToJsonObject(message) : ToPrimitive(message);
  }
  const std::size_t slash = type.rfind('/');
  const bool is_url = slash != std::string::npos;
  const absl::StatusOr<const Descriptor*> found = FindType(is_url ? type.substr(slash + 1) : type);
  if (!found.ok()) return found.status();
  return ToMessage(is_url ? type : absl::StrCat("type.googleapis.com/", (*found)->full_name()), **found, message);
}

absl::StatusOr<journal::Payload> NamedTypes::ToMessage(std::string type_url, const Descriptor& type,
                                                       const dev::v1::SeededMessage& message) const {
  if (message.value().empty()) {
    absl::StatusOr<std::string> value = ReadJson(message.json(), type);
    if (!value.ok()) return value.status();
    return journal::Payload{std::move(type_url), *std::move(value)};
  }
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> parsed(factory.GetPrototype(&type)->New());
  if (!userfunction::ParsePartial(message.value(), *parsed)) {
    return absl::InvalidArgumentError(absl::StrCat("Its bytes are no ", type.full_name()));
  }
  return journal::Payload{std::move(type_url), message.value()};
}

std::string NamedTypes::FileDescriptorSet() const {
  google::protobuf::FileDescriptorSet set;
  for (const FileDescriptor* file : files_) {
    file->CopyTo(set.add_file());
    file->CopyJsonNameTo(set.mutable_file(set.file_size() - 1));
  }
  return set.SerializeAsString();
}

}  // namespace cloudstate::runtime
