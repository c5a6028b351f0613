#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/client.h"
#include "emulator/fuzzing/method.h"
#include "emulator/userfunction/json_reader.h"

namespace cloudstate::cli {

// What the user function can be asked, as it was at discovery. Refers to no emulator.
class FuzzTypes {
 public:
  // Of the services whose name, or its last part, matches the glob: all for an empty one. NOT_FOUND where none does.
  static absl::StatusOr<std::unique_ptr<FuzzTypes>> Load(Client& client, const std::string& glob);

  const std::vector<fuzzing::Method>& methods() const { return methods_; }

  // The id of the entity that an input, in JSON, is for. INVALID_ARGUMENT where it is no input of the method.
  absl::StatusOr<std::string> EntityId(const fuzzing::Method& method, const std::string& json) const;

 private:
  explicit FuzzTypes(std::unique_ptr<google::protobuf::DescriptorPool> pool)
      : pool_(std::move(pool)), reader_(pool_.get()) {}

  absl::Status AddMethods(const dev::v1::Service& service);

  const std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  const userfunction::JsonReader reader_;
  std::vector<fuzzing::Method> methods_;
};

}  // namespace cloudstate::cli
