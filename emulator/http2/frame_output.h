#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::http2 {

// nghttp2's views of text. It takes what it may not change as pointers to what may be changed.
inline std::string_view Text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
inline nghttp2_nv Header(std::string_view name, std::string_view value, int flags = NGHTTP2_NV_FLAG_NONE) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          static_cast<std::uint8_t>(flags)};
}
inline constexpr std::uint8_t kConstant = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;

// What a session that has a lock has to say, on its way into its socket. Everything is called with the lock held.
class FrameOutput {
 public:
  // Sends until nothing is left, or the socket takes nothing more, or the output is closed; lets go of the lock while
  // it does. At once if another thread is sending, which goes on with it. An error breaks the connection.
  absl::Status Flush(nghttp2_session* session, int socket, std::unique_lock<std::mutex>& lock);

  // The socket took nothing more. Somebody has to wait until it does, and say so.
  bool blocked() const { return blocked_; }
  void Unblock() { blocked_ = false; }
  // Nothing is sent any more, but for what a thread is sending right now.
  void Close() { closed_ = true; }
  bool sending() const { return sending_; }

  // For nghttp2's callback that sends a frame of DATA: whether it fits in, and where to.
  bool full() const { return bytes_.size() >= kBytes; }
  std::string& bytes() { return bytes_; }

 private:
  static constexpr std::size_t kBytes = 64 * 1024;

  // False when there is nothing to send.
  absl::StatusOr<bool> Fill(nghttp2_session* session);

  std::string bytes_;
  std::size_t sent_ = 0;
  bool sending_ = false;  // one thread is, which has the bytes meanwhile
  bool blocked_ = false;
  bool closed_ = false;
};

}  // namespace cloudstate::http2
