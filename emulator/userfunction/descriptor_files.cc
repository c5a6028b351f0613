#include "emulator/userfunction/descriptor_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/repeated_field.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::RepeatedPtrField;

std::string Join(const std::string& scope, const std::string& name) {
  return scope.empty() ? name : absl::StrCat(scope, ".", name);
}

void AddMessageSymbols(const DescriptorProto& message, const std::string& scope, std::vector<std::string>& symbols) {
  const std::string name = Join(scope, message.name());
  symbols.push_back(name);
  for (const auto& nested : message.nested_type()) AddMessageSymbols(nested, name, symbols);
  for (const auto& nested : message.enum_type()) symbols.push_back(Join(name, nested.name()));
  for (const auto& extension : message.extension()) symbols.push_back(Join(name, extension.name()));
}

void AddFieldReferences(const FieldDescriptorProto& field, const std::string& scope,
                        std::vector<Reference>& references) {
  const std::string user = Join(scope, field.name());
  if (!field.type_name().empty()) references.push_back({.type = field.type_name(), .user = user});
  if (!field.extendee().empty()) references.push_back({.type = field.extendee(), .user = user});
}

void AddMessageReferences(const DescriptorProto& message, const std::string& scope,
                          std::vector<Reference>& references) {
  const std::string name = Join(scope, message.name());
  for (const auto& field : message.field()) AddFieldReferences(field, name, references);
  for (const auto& extension : message.extension()) AddFieldReferences(extension, name, references);
  for (const auto& nested : message.nested_type()) AddMessageReferences(nested, name, references);
}

// What tools add or leave out without changing what is declared.
void StripIncidentals(FieldDescriptorProto& field) { field.clear_json_name(); }
void StripIncidentals(DescriptorProto& message) {
  for (auto& field : *message.mutable_field()) StripIncidentals(field);
  for (auto& extension : *message.mutable_extension()) StripIncidentals(extension);
  for (auto& nested : *message.mutable_nested_type()) StripIncidentals(nested);
}
template <typename Declaration>
void StripIncidentals(Declaration&) {}

template <typename Declaration>
bool SameDeclaration(Declaration a, Declaration b) {
  if (a.SerializeAsString() == b.SerializeAsString()) return true;
  StripIncidentals(a);
  StripIncidentals(b);
  return a.SerializeAsString() == b.SerializeAsString();
}

// Adds to `into` what only `from` has.
template <typename Declaration>
absl::Status MergeDeclarations(RepeatedPtrField<Declaration>& into, RepeatedPtrField<Declaration>& from,
                               const FileDescriptorProto& file, absl::string_view kind) {
  for (Declaration& declaration : from) {
    const auto same_name = std::ranges::find(into, declaration.name(), [](const auto& each) { return each.name(); });
    if (same_name == into.end()) {
      *into.Add() = std::move(declaration);
    } else if (!SameDeclaration(*same_name, declaration)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the reported descriptors contain ", file.name(), " twice, with two different definitions of ", kind, " ",
          Join(file.package(), declaration.name()), "; build the user function from one version of it"));
    }
  }
  return absl::OkStatus();
}

// Whether everything that `file` declares is declared alike by `other`.
bool IsContainedIn(FileDescriptorProto file, FileDescriptorProto other) {
  const int messages = other.message_type_size();
  const int enums = other.enum_type_size();
  const int services = other.service_size();
  const int extensions = other.extension_size();
  const bool alike = MergeDeclarations(*other.mutable_message_type(), *file.mutable_message_type(), file, "").ok() &&
                     MergeDeclarations(*other.mutable_enum_type(), *file.mutable_enum_type(), file, "").ok() &&
                     MergeDeclarations(*other.mutable_service(), *file.mutable_service(), file, "").ok() &&
                     MergeDeclarations(*other.mutable_extension(), *file.mutable_extension(), file, "").ok();
  return alike && file.package() == other.package() && messages == other.message_type_size() &&
         enums == other.enum_type_size() && services == other.service_size() && extensions == other.extension_size();
}

}  // namespace

std::vector<std::string> DeclaredSymbols(const FileDescriptorProto& file) {
  std::vector<std::string> symbols;
  for (const auto& message : file.message_type()) AddMessageSymbols(message, file.package(), symbols);
  for (const auto& each : file.enum_type()) symbols.push_back(Join(file.package(), each.name()));
  for (const auto& service : file.service()) symbols.push_back(Join(file.package(), service.name()));
  for (const auto& extension : file.extension()) symbols.push_back(Join(file.package(), extension.name()));
  return symbols;
}

std::vector<Reference> References(const FileDescriptorProto& file) {
  std::vector<Reference> references;
  for (const auto& message : file.message_type()) AddMessageReferences(message, file.package(), references);
  for (const auto& extension : file.extension()) AddFieldReferences(extension, file.package(), references);
  for (const auto& service : file.service()) {
    for (const auto& method : service.method()) {
      const std::string user = absl::StrCat(Join(file.package(), service.name()), ".", method.name());
      references.push_back({.type = method.input_type(), .user = user});
      references.push_back({.type = method.output_type(), .user = user});
    }
  }
  return references;
}

// Comments stay: they are told to people, and what is merged into a file comes behind all that they are about.
absl::Status DescriptorFiles::Add(FileDescriptorProto file) {
  if (const auto present = files_.find(file.name()); present != files_.end())
    return Merge(present->second, std::move(file));
  const auto [symbol, other] = FirstConflict(file);
  if (other.empty()) {
    Insert(std::move(file));
  } else if (IsContainedIn(file, files_.at(other))) {
    aliases_[file.name()] = other;
  } else if (IsContainedIn(files_.at(other), file)) {
    Remove(other);
    aliases_[other] = file.name();
    return Add(std::move(file));
  } else {
    return absl::InvalidArgumentError(absl::StrCat("the reported descriptors define ", symbol, " in both ", other,
                                                   " and ", file.name(),
                                                   ", and the two files differ; keep one of them"));
  }
  return absl::OkStatus();
}

void DescriptorFiles::Supply(FileDescriptorProto file) {
  file.clear_source_code_info();
  const std::string other = FirstConflict(file).second;
  if (other.empty()) {
    Insert(std::move(file));
  } else {
    aliases_[file.name()] = other;
  }
}

std::pair<std::string, std::string> DescriptorFiles::FirstConflict(const FileDescriptorProto& file) const {
  for (const std::string& symbol : DeclaredSymbols(file)) {
    if (std::string other = DeclaredBy(symbol); !other.empty()) return {symbol, std::move(other)};
  }
  return {};
}

void DescriptorFiles::Insert(FileDescriptorProto file) {
  Index(file);
  std::string name = file.name();
  files_.emplace(std::move(name), std::move(file));
}

void DescriptorFiles::Remove(const std::string& name) {
  files_.erase(name);
  absl::erase_if(symbols_, [&](const auto& entry) { return entry.second == name; });
}

absl::Status DescriptorFiles::Merge(FileDescriptorProto& into, FileDescriptorProto file) {
  if (into.package() != file.package()) {
    return absl::InvalidArgumentError(absl::StrCat("the reported descriptors contain ", file.name(),
                                                   " twice, once in package '", into.package(), "' and once in '",
                                                   file.package(), "'; give the files different paths"));
  }
  absl::Status status = MergeDeclarations(*into.mutable_message_type(), *file.mutable_message_type(), into, "message");
  status.Update(MergeDeclarations(*into.mutable_enum_type(), *file.mutable_enum_type(), into, "enum"));
  status.Update(MergeDeclarations(*into.mutable_service(), *file.mutable_service(), into, "service"));
  status.Update(MergeDeclarations(*into.mutable_extension(), *file.mutable_extension(), into, "extension"));
  for (std::string& import : *file.mutable_dependency()) {
    if (std::ranges::find(into.dependency(), import) == into.dependency().end()) into.add_dependency(std::move(import));
  }
  Index(into);
  return status;
}

void DescriptorFiles::Index(const FileDescriptorProto& file) {
  for (std::string& symbol : DeclaredSymbols(file)) symbols_.emplace(std::move(symbol), file.name());
}

std::string DescriptorFiles::Resolve(const std::string& import) const {
  std::string name = import;
  while (!files_.contains(name)) {
    const auto alias = aliases_.find(name);
    if (alias == aliases_.end()) return "";
    name = alias->second;
  }
  return name;
}

std::string DescriptorFiles::DeclaredBy(const std::string& symbol) const {
  const auto found = symbols_.find(symbol);
  return found != symbols_.end() ? found->second : "";
}

}  // namespace cloudstate::userfunction
