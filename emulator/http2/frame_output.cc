#include "emulator/http2/frame_output.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace cloudstate::http2 {

absl::Status FrameOutput::Flush(nghttp2_session* session, int socket, std::unique_lock<std::mutex>& lock) {
  if (sending_) return absl::OkStatus();
  while (!blocked_ && !closed_) {
    const absl::StatusOr<bool> filled = Fill(session);
    if (!filled.ok()) return filled.status();
    if (!*filled) break;
    sending_ = true;
    lock.unlock();
    const ssize_t sent = send(socket, bytes_.data() + sent_, bytes_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    const int error = errno;
    lock.lock();
    sending_ = false;
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (error == EAGAIN) {
      blocked_ = true;
    } else if (error != EINTR) {
      return absl::UnavailableError(std::strerror(error));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> FrameOutput::Fill(nghttp2_session* session) {
  if (sent_ < bytes_.size()) return true;
  bytes_.clear();
  sent_ = 0;
  while (!full()) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session, &bytes);
    if (size < 0) return absl::UnavailableError(nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) break;
    bytes_.append(Text(bytes, static_cast<std::size_t>(size)));
  }
  if (bytes_.empty() && nghttp2_session_want_read(session) == 0) {
    return absl::UnavailableError("the peer has ended the connection, or does not speak HTTP/2 as it should");
  }
  return !bytes_.empty();
}

}  // namespace cloudstate::http2
