#pragma once

#include <string_view>

namespace cloudstate::protocol {

// Serialized google.protobuf.FileDescriptorSets of files that user functions import and may leave out of what they
// report. Static data; any thread.

// cloudstate/*.proto of protocol 0.1.
std::string_view DescriptorSetV01();

// cloudstate/*.proto of protocol 0.2.
std::string_view DescriptorSetV02();

// google/protobuf/*.proto and google/api/*.proto, each after what it imports.
std::string_view DescriptorSetGoogle();

}  // namespace cloudstate::protocol
