#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "emulator/userfunction/dialect.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::userfunction {

// Builds the types that a user function reported. `serialized_set` is a google.protobuf.FileDescriptorSet; several of
// them one after the other are one as well. What support libraries report is messy, so:
//
// - files may come in any order and more than once, and one file under several paths; different halves of it are
// merged;
// - google/protobuf/*, google/api/* and cloudstate/* of the dialect are supplied where they are missing;
// google/protobuf/* is
//   always ours, everything else the user function's own where it brings it;
// - an import that is missing is replaced by whichever file declares what is needed, and dropped if nothing is.
//
// The pool also knows every google/protobuf/* type, imported or not. It is complete: safe to use from any thread.
//
// INVALID_ARGUMENT, naming the file and the symbol, for what cannot be completed: a type that no file declares, two
// declarations of one name that differ, files that import each other in a circle, and what protobuf itself rejects.
absl::StatusOr<std::unique_ptr<google::protobuf::DescriptorPool>> BuildPool(std::string_view serialized_set,
                                                                            Dialect dialect);

}  // namespace cloudstate::userfunction
