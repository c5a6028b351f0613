#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/http2/grpc_framing.h"
#include "emulator/serving/backend.h"

namespace cloudstate::serving {

// What the header block of a request says.
class GrpcRequest {
 public:
  // As HTTP/2 counts them, more bytes of headers than that are an error.
  explicit GrpcRequest(std::size_t max_header_bytes) : max_header_bytes_(max_header_bytes) {}

  void AddHeader(std::string_view name, std::string_view value);

  // Whether it is a call at all: HTTP's status for other requests is 415.
  bool is_grpc() const { return is_post_ && is_grpc_content_; }
  // What is wrong with it.
  const absl::Status& error() const { return error_; }

  const std::string& path() const { return path_; }
  const std::string& host() const { return host_; }
  std::optional<absl::Duration> timeout() const { return timeout_; }
  http2::Decompress decompress() const { return decompress_; }
  Metadata TakeMetadata() { return std::move(metadata_); }

 private:
  void AddMetadata(std::string_view name, std::string_view value);
  void SetEncoding(std::string_view value);
  void Fail(absl::Status error);

  std::size_t max_header_bytes_;
  std::size_t header_bytes_ = 0;
  bool is_post_ = false;
  bool is_grpc_content_ = false;
  absl::Status error_;
  std::string path_;
  std::string host_;
  std::optional<absl::Duration> timeout_;
  http2::Decompress decompress_ = nullptr;
  Metadata metadata_;
};

// The encodings that a client may use: the value of grpc-accept-encoding.
inline constexpr char kAcceptedEncodings[] = "identity,gzip";

}  // namespace cloudstate::serving
