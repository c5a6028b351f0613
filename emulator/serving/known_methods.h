#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "emulator/serving/backend.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

// The methods of the services by their gRPC path, "/package.Service/Method".
struct KnownMethods {
  explicit KnownMethods(std::shared_ptr<const Services> known);

  std::shared_ptr<const Services> services;
  absl::flat_hash_map<std::string, const google::protobuf::MethodDescriptor*> by_path;
};

// UNAVAILABLE with the backend's own text, for any call while no service is known.
absl::Status NothingToCall(const Backend& backend);

// UNIMPLEMENTED for a path that is not known, naming what is.
absl::Status UnknownMethod(const KnownMethods& known, const std::string& path);

}  // namespace cloudstate::serving
