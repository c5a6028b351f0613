#include "emulator/runtime/named_types.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/names.h"
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

constexpr std::size_t kMostListed = 20;

std::string List(const std::vector<std::string>& names) {
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostListed)));
  return absl::StrCat(absl::StrJoin(first, ", "), names.size() > kMostListed ? ", …" : "");
}

absl::Status NoSuch(absl::string_view what, const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::string> known = names;
  for (const std::string& each : names) known.push_back(base::LastPart(each));
  const std::string guess = base::DidYouMean(name, known);
  return absl::InvalidArgumentError(absl::StrCat("The user function has no ", what, " '", name, "'",
                                                 guess.empty() ? absl::StrCat("; it has: ", List(names)) : guess));
}

// The one that is meant, or "" where there is none.
absl::StatusOr<std::string> Find(absl::string_view what, const std::string& name,
                                 const std::vector<std::string>& names) {
  if (std::ranges::count(names, name) > 0) return name;
  std::vector<std::string> fit;
  std::ranges::copy_if(names, std::back_inserter(fit), [&](const auto& each) { return base::LastPart(each) == name; });
  if (fit.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("The ", what, " '", name, "' could be any of ", absl::StrJoin(fit, ", "), ": give its full name"));
  }
  return fit.empty() ? "" : fit.front();
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
  if (found->empty()) return NoSuch("service", name, names);
  return &specification_->services.at(*found);
}

absl::StatusOr<const Descriptor*> NamedTypes::FindType(const std::string& name) const {
  absl::StatusOr<std::string> found = Find("message type", name, own_types_);
  if (found.ok() && found->empty()) found = Find("message type", name, types_);
  if (!found.ok()) return found.status();
  const Descriptor* type = specification_->pool->FindMessageTypeByName(found->empty() ? name : *found);
  if (type == nullptr) return NoSuch("message type", name, own_types_);
  return type;
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
