#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/journal/journal.h"
#include "emulator/userfunction/specification.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::runtime {

// Services and message types of a user function, by the names that people write, as in base/meant_name.h. Any thread.
// Errors are INVALID_ARGUMENT, with what there is instead.
class NamedTypes {
 public:
  explicit NamedTypes(std::shared_ptr<const userfunction::Specification> specification);

  const std::shared_ptr<const userfunction::Specification>& specification() const { return specification_; }

  absl::StatusOr<const userfunction::ServiceSpec*> FindService(const std::string& name) const;

  // What is stored for a message that a person wrote down, as the contract's SeededMessage says.
  absl::StatusOr<journal::Payload> ToPayload(const dev::v1::SeededMessage& message) const;

  // All files, each before those that import it: a serialized google.protobuf.FileDescriptorSet.
  std::string FileDescriptorSet() const;

 private:
  absl::StatusOr<const google::protobuf::Descriptor*> FindType(const std::string& name) const;
  absl::StatusOr<journal::Payload> ToMessage(std::string type_url, const google::protobuf::Descriptor& type,
                                             const dev::v1::SeededMessage& message) const;

  const std::shared_ptr<const userfunction::Specification> specification_;
  std::vector<const google::protobuf::FileDescriptor*> files_;  // each before those that import it
  std::vector<std::string> types_;                              // full names
  std::vector<std::string> own_types_;                          // without those that come with every user function
};

}  // namespace cloudstate::runtime
