#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "google/protobuf/descriptor.pb.h"

namespace cloudstate::userfunction {

// Descriptor files by name, none of which declares what another one declares too.
class DescriptorFiles {
 public:
  using Files = std::map<std::string, google::protobuf::FileDescriptorProto>;

  // Takes a file in: merged with one of the same name, or made an alias of another one that declares all of it.
  // INVALID_ARGUMENT where the two declare one name differently.
  absl::Status Add(google::protobuf::FileDescriptorProto file);

  // Takes in a file that we supply. Where something that it declares is there already, it becomes an alias of that
  // file.
  void Supply(google::protobuf::FileDescriptorProto file);

  bool Has(const std::string& name) const { return files_.contains(name); }
  const Files& files() const { return files_; }
  Files& files() { return files_; }

  // The name of the file that stands for `import`: itself, the one it is an alias of, or "" if there is neither.
  std::string Resolve(const std::string& import) const;

  // The file that declares a full name; "" if none does.
  std::string DeclaredBy(const std::string& symbol) const;

 private:
  absl::Status Merge(google::protobuf::FileDescriptorProto& into, google::protobuf::FileDescriptorProto file);
  // The first symbol of `file` that another file declares, and that file; both empty if there is none.
  std::pair<std::string, std::string> FirstConflict(const google::protobuf::FileDescriptorProto& file) const;
  void Insert(google::protobuf::FileDescriptorProto file);
  void Remove(const std::string& name);
  void Index(const google::protobuf::FileDescriptorProto& file);

  Files files_;
  absl::flat_hash_map<std::string, std::string> aliases_;
  absl::flat_hash_map<std::string, std::string> symbols_;  // full name to file
};

// Full names of the top-level and nested messages and enums, the services and extensions of a file.
std::vector<std::string> DeclaredSymbols(const google::protobuf::FileDescriptorProto& file);

// A type that something in a file refers to.
struct Reference {
  std::string type;  // as written: with a leading dot if it is a full name
  std::string user;  // full name of the field or method that needs it
};
std::vector<Reference> References(const google::protobuf::FileDescriptorProto& file);

}  // namespace cloudstate::userfunction
