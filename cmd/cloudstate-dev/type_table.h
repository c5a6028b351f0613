#pragma once

#include <string>

#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// The fields of the described type by their JSON names, those of messages within it indented below them. A type's
// fields are shown once, so that types within themselves come to an end.
std::string FormatFields(const dev::v1::TypeDescription& type, const Terminal& terminal);

}  // namespace cloudstate::cli
