#pragma once

#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {

// "unary", "takes a stream", "answers with a stream" or "streams both ways".
std::string Shape(const dev::v1::Method& method);

// Its HTTP routes, each on an indented line.
std::string RouteLines(const dev::v1::Method& method);

// Lines for a shell that call the method with its example: cloudstate-dev, curl where plain HTTP can do it, grpcurl.
std::vector<std::string> CallLines(const testing::MethodReference& method, const std::string& client_address);

// All that there is to know about a method. `input` describes its input type.
std::string FormatMethod(const testing::MethodReference& method, const dev::v1::TypeDescription& input,
                         const std::string& client_address, const Terminal& terminal);
std::string MethodToJson(const testing::MethodReference& method, const dev::v1::TypeDescription& input,
                         const std::string& client_address);

}  // namespace cloudstate::cli
