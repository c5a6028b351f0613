#include "emulator/userfunction/descriptors.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "emulator/userfunction/descriptor_files.h"
#include "google/protobuf/descriptor.pb.h"
#include "protocol/descriptors/descriptor_sets.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

constexpr absl::string_view kWellKnown = "google/protobuf/";
constexpr absl::string_view kWellKnownPackage = "google.protobuf";

FileDescriptorSet ParseEmbedded(std::string_view bytes) {
  FileDescriptorSet set;
  const bool parsed = set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!parsed) std::abort();  // invariant: what protoc wrote at build time is a descriptor set
  return set;
}

// Makes the reported files complete and consistent.
class Completion {
 public:
  explicit Completion(Dialect dialect) {
    const auto cloudstate = dialect == Dialect::k0_1 ? protocol::DescriptorSetV01() : protocol::DescriptorSetV02();
    for (const std::string_view bytes : {protocol::DescriptorSetGoogle(), cloudstate}) {
      FileDescriptorSet set = ParseEmbedded(bytes);
      for (FileDescriptorProto& file : *set.mutable_file()) {
        if (absl::StartsWith(file.name(), kWellKnown)) files_.Supply(file);
        supply_.Supply(std::move(file));
      }
    }
  }

  absl::Status AddReported(FileDescriptorSet set) {
    for (FileDescriptorProto& file : *set.mutable_file()) {
      if (absl::StartsWith(file.name(), kWellKnown) && files_.Has(file.name())) continue;
      pending_.push_back(file.name());
      if (file.package() == kWellKnownPackage) {
        files_.Supply(std::move(file));
        continue;
      }
      if (absl::Status status = files_.Add(std::move(file)); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Supplies what is missing, then rewrites every file's imports.
  absl::Status Complete() {
    while (!pending_.empty()) {
      const std::string name = files_.Resolve(pending_.back());
      pending_.pop_back();
      const FileDescriptorProto file = files_.files().at(name);
      for (const std::string& import : file.dependency()) SupplyFile(import);
      for (const Reference& reference : References(file)) {
        if (DeclaringFile(reference).empty()) return Undeclared(file, reference);
      }
    }
    for (auto& [name, file] : files_.files()) RewriteImports(file);
    return absl::OkStatus();
  }

  const DescriptorFiles& files() const { return files_; }

 private:
  void SupplyFile(const std::string& name) {
    if (!files_.Resolve(name).empty() || !supply_.Has(name)) return;
    files_.Supply(supply_.files().at(name));
    pending_.push_back(name);
  }

  // The file, of those reported or supplied, that declares what is referred to; "" if none does. It is supplied if need
  // be.
  std::string DeclaringFile(const Reference& reference) {
    if (absl::StartsWith(reference.type, ".")) return FileOf(reference.type.substr(1));
    for (std::string scope = reference.user; !scope.empty();) {
      const auto dot = scope.rfind('.');
      scope.resize(dot == std::string::npos ? 0 : dot);
      const std::string name = scope.empty() ? reference.type : absl::StrCat(scope, ".", reference.type);
      if (std::string file = FileOf(name); !file.empty()) return file;
    }
    return "";
  }

  std::string FileOf(const std::string& symbol) {
    if (std::string file = files_.DeclaredBy(symbol); !file.empty()) return file;
    if (const std::string supplied = supply_.DeclaredBy(symbol); !supplied.empty()) SupplyFile(supplied);
    return files_.DeclaredBy(symbol);
  }

  absl::Status Undeclared(const FileDescriptorProto& file, const Reference& reference) const {
    std::vector<std::string> missing;
    for (const std::string& import : file.dependency()) {
      if (files_.Resolve(import).empty()) missing.push_back(import);
    }
    const std::string hint =
        missing.empty() ? "" : absl::StrCat(" (imports that are missing: ", absl::StrJoin(missing, ", "), ")");
    return absl::InvalidArgumentError(absl::StrCat(
        file.name(), ": ", reference.user, " needs ", absl::StripPrefix(reference.type, "."),
        ", which no reported file declares", hint, "; add the file that declares it to the reported descriptors"));
  }

  void RewriteImports(FileDescriptorProto& file) {
    std::vector<std::string> imports;
    std::vector<int> public_imports;
    const auto add = [&](const std::string& import) {
      if (import.empty() || import == file.name() || std::ranges::find(imports, import) != imports.end()) return false;
      imports.push_back(import);
      return true;
    };
    for (int i = 0; i < file.dependency_size(); ++i) {
      const bool is_public = std::ranges::find(file.public_dependency(), i) != file.public_dependency().end();
      if (add(files_.Resolve(file.dependency(i))) && is_public)
        public_imports.push_back(static_cast<int>(imports.size()) - 1);
    }
    const auto visible = Visible(imports);
    for (const Reference& reference : References(file)) {
      if (const std::string declaring = DeclaringFile(reference); !visible.contains(declaring)) add(declaring);
    }
    file.mutable_dependency()->Assign(imports.begin(), imports.end());
    file.mutable_public_dependency()->Assign(public_imports.begin(), public_imports.end());
    file.clear_weak_dependency();
  }

  // What a file with these imports sees: them, and what they import publicly.
  absl::flat_hash_set<std::string> Visible(std::vector<std::string> unvisited) const {
    absl::flat_hash_set<std::string> visible;
    while (!unvisited.empty()) {
      const std::string name = std::move(unvisited.back());
      unvisited.pop_back();
      if (!visible.insert(name).second) continue;
      const FileDescriptorProto& file = files_.files().at(name);
      for (const int index : file.public_dependency()) {
        if (index < 0 || index >= file.dependency_size()) continue;
        if (std::string import = files_.Resolve(file.dependency(index)); !import.empty()) {
          unvisited.push_back(std::move(import));
        }
      }
    }
    return visible;
  }

  DescriptorFiles supply_;
  DescriptorFiles files_;
  std::vector<std::string> pending_;  // files whose needs have not been looked at
};

class ErrorCollector final : public DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& symbol, const google::protobuf::Message*, ErrorLocation,
                const std::string& message) override {
    errors_.push_back(absl::StrCat(file, ": ", symbol, ": ", message));
  }
  std::string Text() const { return absl::StrJoin(errors_, "; "); }

 private:
  std::vector<std::string> errors_;
};

// Builds files after their imports.
class Builder {
 public:
  explicit Builder(const DescriptorFiles& files) : files_(files), pool_(std::make_unique<DescriptorPool>()) {}

  absl::StatusOr<std::unique_ptr<DescriptorPool>> Build() && {
    for (const auto& [name, file] : files_.files()) {
      if (absl::Status status = BuildFile(file); !status.ok()) return status;
    }
    return std::move(pool_);
  }

 private:
  absl::Status BuildFile(const FileDescriptorProto& file) {
    if (pool_->FindFileByName(file.name()) != nullptr) return absl::OkStatus();
    const bool circle = std::ranges::find(path_, file.name()) != path_.end();
    path_.push_back(file.name());
    if (circle) {
      return absl::InvalidArgumentError(
          absl::StrCat("the reported descriptors import each other in a circle: ", absl::StrJoin(path_, " -> ")));
    }
    for (const std::string& import : file.dependency()) {
      if (absl::Status status = BuildFile(files_.files().at(import)); !status.ok()) return status;
    }
    path_.pop_back();
    ErrorCollector errors;
    if (pool_->BuildFileCollectingErrors(file, &errors) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("the reported descriptors are not valid: ", errors.Text()));
    }
    return absl::OkStatus();
  }

  const DescriptorFiles& files_;
  std::unique_ptr<DescriptorPool> pool_;
  std::vector<std::string> path_;  // files whose imports are being built
};

}  // namespace

absl::StatusOr<std::unique_ptr<DescriptorPool>> BuildPool(std::string_view serialized_set, Dialect dialect) {
  FileDescriptorSet set;
  if (!set.ParseFromArray(serialized_set.data(), static_cast<int>(serialized_set.size()))) {
    return absl::InvalidArgumentError("the reported descriptors are no serialized google.protobuf.FileDescriptorSet");
  }
  Completion completion(dialect);
  if (absl::Status status = completion.AddReported(std::move(set)); !status.ok()) return status;
  if (absl::Status status = completion.Complete(); !status.ok()) return status;
  return Builder(completion.files()).Build();
}

}  // namespace cloudstate::userfunction
