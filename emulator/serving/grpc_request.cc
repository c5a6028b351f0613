#include "emulator/serving/grpc_request.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "emulator/base/view.h"
#include "emulator/http2/gzip.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

// What a header counts for besides its characters (RFC 9113, 6.5.2).
constexpr std::size_t kBytesOfAHeader = 32;

}  // namespace

void GrpcRequest::AddHeader(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + kBytesOfAHeader;
  if (header_bytes_ > max_header_bytes_) {
    metadata_.Clear();
    return Fail(absl::ResourceExhaustedError(
        absl::StrCat("the request's headers are larger than the limit of ", max_header_bytes_, " bytes")));
  }
  if (name == ":method") {
    is_post_ = value == "POST";
  } else if (name == ":path") {
    path_ = value;
  } else if (name == ":authority") {
    host_ = value;
  } else if (name == "host") {
    if (host_.empty()) host_ = value;
  } else if (name == "content-type") {
    constexpr std::string_view kGrpc = "application/grpc";
    is_grpc_content_ = value.starts_with(kGrpc) &&
                       (value.size() == kGrpc.size() || value[kGrpc.size()] == '+' || value[kGrpc.size()] == ';');
  } else if (name == "grpc-timeout") {
    timeout_ = http2::ParseTimeout(value);
    if (!timeout_.has_value()) {
      Fail(absl::InternalError(absl::StrCat("the header grpc-timeout is no time: ", base::ToAbsl(value))));
    }
  } else if (name == "grpc-encoding") {
    SetEncoding(value);
  } else if (!name.starts_with(':')) {
    AddMetadata(name, value);
  }
}

void GrpcRequest::AddMetadata(std::string_view name, std::string_view value) {
  if (!name.ends_with("-bin"))
    return AddRequestHeader(base::ToAbsl(name), base::ToAbsl(value), HeaderKind::kText, metadata_);
  for (const absl::string_view each : absl::StrSplit(base::ToAbsl(value), ',')) {  // several headers may come as one
    const auto bytes = http2::ParseBinaryHeader(base::ToStd(each));
    if (!bytes.has_value())
      return Fail(absl::InternalError(absl::StrCat("the header ", base::ToAbsl(name), " is not base64")));
    AddRequestHeader(base::ToAbsl(name), *bytes, HeaderKind::kBytes, metadata_);
  }
}

void GrpcRequest::SetEncoding(std::string_view value) {
  if (value == "gzip") {
    decompress_ = http2::Gunzip;
  } else if (value != "identity") {
    Fail(absl::UnimplementedError(absl::StrCat("messages compressed with ", base::ToAbsl(value),
                                               " are not taken; accepted are ", kAcceptedEncodings)));
  }
}

void GrpcRequest::Fail(absl::Status error) {
  if (error_.ok()) error_ = std::move(error);
}

}  // namespace cloudstate::serving
