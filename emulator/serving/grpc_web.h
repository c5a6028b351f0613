#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace cloudstate::serving {

// The bytes of gRPC-Web (the protocol description in grpc/doc/PROTOCOL-WEB.md). Pure.

enum class GrpcWebEncoding { kBinary, kText };  // kText: base64 of the same

// By a Content-Type, or one media range of an Accept header: application/grpc-web, -text, either with +proto or
// without, and with any parameters.
std::optional<GrpcWebEncoding> GrpcWebEncodingOf(absl::string_view content_type);

// "application/grpc-web+proto" and its like.
std::string GrpcWebContentType(GrpcWebEncoding encoding);

// The message of a request whose body has to be exactly one. INVALID_ARGUMENT for base64 or framing that is wrong,
// INTERNAL for no message or one that is marked as compressed without an encoding.
absl::StatusOr<std::string> ReadGrpcWebMessage(absl::string_view body, GrpcWebEncoding encoding);

// One frame of a response. In base64 each is padded for itself, so that it can be sent as it comes.
std::string GrpcWebMessage(absl::string_view payload, GrpcWebEncoding encoding);
std::string GrpcWebTrailers(const absl::Status& status, GrpcWebEncoding encoding);

}  // namespace cloudstate::serving
