#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/journal/journal.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::admin {

// Tells what payloads mean, by the types of one or more descriptor sets. For one thread.
class PayloadDecoder {
 public:
  PayloadDecoder();
  ~PayloadDecoder();
  PayloadDecoder(PayloadDecoder&&) noexcept;

  // Adds the types of a serialized FileDescriptorSet for good; they are asked before all others.
  // INVALID_ARGUMENT: they can't be used; the text says why.
  absl::Status Add(const std::string& descriptor_set);

  // Replaces what the previous call gave. `descriptor_sets` are a journal's, newest first: the first that knows a type
  // tells what it means. Those that can't be used are passed over, for the emulator has refused them as well.
  void SetStored(const std::vector<std::string>& descriptor_sets);

  dev::v1::Payload Decode(const journal::Payload& payload) const;

 private:
  struct Types;
  std::vector<std::unique_ptr<Types>> added_;
  std::vector<std::unique_ptr<Types>> stored_;
};

// Reads a file with a FileDescriptorSet, as `protoc --descriptor_set_out` writes, or with a single FileDescriptorProto,
// and returns it as a serialized FileDescriptorSet. Errors name the file.
absl::StatusOr<std::string> ReadDescriptorFile(const std::string& path);

}  // namespace cloudstate::admin
