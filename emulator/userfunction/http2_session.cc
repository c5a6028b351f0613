#include "emulator/userfunction/http2_session.h"

#include <nghttp2/nghttp2.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::userfunction {
namespace {

using http2::Header;
using http2::kConstant;
using http2::Text;

constexpr std::size_t kInputBytes = 64 * 1024;
// What a call that is paused holds at most, besides one message. More than a loopback carries in one round trip.
constexpr std::int32_t kStreamWindow = 256 * 1024;
// Given back at once, so that no call waits for another one.
constexpr std::int32_t kConnectionWindow = 16 * 1024 * 1024;

// nghttp2 ends the connection over a header, such as an error's text, of more than 64 KiB. The peer is told before,
// which gRPC's own servers don't heed.
constexpr std::uint32_t kHeaderBytes = 60 * 1024;

absl::Status Broken(int error) { return absl::UnavailableError(std::strerror(error)); }

}  // namespace

// nghttp2 calls these from within calls into it, that is with the lock held.
struct Http2Session::Callbacks {
  static Http2Session& Self(void* session) { return *static_cast<Http2Session*>(session); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
    if (auto call = Self(self).Find(frame->hd.stream_id)) {
      call->exchange_.OnHeader(Text(name, name_size), Text(value, value_size));
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                    std::size_t size, void* self) {
    if (const int error = nghttp2_session_consume_connection(session, size); error != 0) return error;
    auto call = Self(self).Find(id);
    if (call == nullptr) return 0;
    call->exchange_.OnData(Text(bytes, size));
    if (call->exchange_.finished()) Self(self).Reset(*call, NGHTTP2_CANCEL);
    if (call->exchange_.finished() || call->exchange_.has_messages()) Self(self).PutInNews(call);
    const std::size_t credit = call->exchange_.TakeCredit();
    return credit == 0 ? 0 : nghttp2_session_consume_stream(session, id, credit);
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_SETTINGS) Self(self).ready_ = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(self).Break(absl::UnavailableError("the peer said goodbye"));
    const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!carries || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    auto call = Self(self).Find(frame->hd.stream_id);
    if (call == nullptr) return 0;
    call->exchange_.OnEnd();
    // The peer is done with the call; our half may still be open.
    if (nghttp2_session_get_stream_local_close(session, frame->hd.stream_id) == 0) {
      Self(self).Reset(*call, NGHTTP2_NO_ERROR);
    } else {
      Self(self).Forget(*call);
    }
    Self(self).PutInNews(call);
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* self) {
    auto call = Self(self).Find(id);
    if (call == nullptr) return 0;
    call->exchange_.Finish(OutcomeOfReset(error_code));
    Self(self).Forget(*call);
    Self(self).PutInNews(call);
    return 0;
  }

  // How much of a call's messages goes into its next frame.
  static ssize_t ReadOutgoing(nghttp2_session*, std::int32_t id, std::uint8_t*, std::size_t at_most,
                              std::uint32_t* flags, nghttp2_data_source*, void* self) {
    auto call = Self(self).Find(id);
    if (call == nullptr) return NGHTTP2_ERR_DEFERRED;
    const std::size_t bytes = call->exchange_.outgoing().SendableBytes(at_most);
    const bool last = call->exchange_.outgoing().EndsWith(bytes);
    if (bytes == 0 && !last) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                      nghttp2_data_source*, void* self) {
    if (Self(self).output_.full()) return NGHTTP2_ERR_WOULDBLOCK;
    auto call = Self(self).Find(frame->hd.stream_id);
    if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const bool had_unsent = call->exchange_.outgoing().unsent() > 0;
    Self(self).output_.bytes().append(Text(header, 9));
    call->exchange_.outgoing().Send(size, Self(self).output_.bytes());
    if (had_unsent && call->exchange_.outgoing().unsent() == 0) {
      call->drained_ = true;
      Self(self).PutInNews(call);
    }
    return 0;
  }
};

Http2Session::Http2Session(int socket, absl::AnyInvocable<void() const> wake_reader)
    : socket_(socket), wake_reader_(std::move(wake_reader)), input_(kInputBytes, '\0') {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::SendData);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(options, 1);  // gRPC's texts may have such spaces
  nghttp2_session_client_new2(&session_, callbacks, this, options);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  constexpr std::array<nghttp2_settings_entry, 3> kSettings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeaderBytes},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, kSettings.data(), kSettings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
  close(socket_);
}

// ---- the reader

short Http2Session::Events() const {
  std::lock_guard lock(mutex_);
  return output_.blocked() ? POLLIN | POLLOUT : POLLIN;
}

bool Http2Session::Receive(News& news) {
  const ssize_t size = recv(socket_, input_.data(), input_.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  std::lock_guard lock(mutex_);
  if (size <= 0) {
    Break(size < 0 ? Broken(errno) : absl::UnavailableError("the peer closed the connection"));
    return false;
  }
  const ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(input_.data()),
                                                static_cast<std::size_t>(size));
  if (used < 0) Break(absl::UnavailableError(nghttp2_strerror(static_cast<int>(used))));
  news = std::exchange(news_, {});
  return true;
}

Http2Session::News Http2Session::Writable() {
  {
    std::lock_guard lock(mutex_);
    output_.Unblock();
  }
  return Flush();
}

bool Http2Session::ready() const {
  std::lock_guard lock(mutex_);
  return ready_;
}

absl::Status Http2Session::broken() const {
  std::lock_guard lock(mutex_);
  return broken_;
}

Http2Session::News Http2Session::Close(absl::Status reason, Untaken untaken) {
  std::lock_guard lock(mutex_);
  closed_ = true;
  output_.Close();
  broken_ = std::move(reason);
  for (auto& [id, call] : std::exchange(calls_, {})) {
    if (untaken == Untaken::kDropped) call->exchange_.DropMessages(broken_);
    call->exchange_.Finish(broken_);
    call->id_ = 0;
    PutInNews(call);
  }
  shutdown(socket_, SHUT_RDWR);  // closed when nobody can be sending any more
  return std::exchange(news_, {});
}

// ---- calls

bool Http2Session::HasRoom() const {
  std::lock_guard lock(mutex_);
  return calls_.size() < nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

absl::Status Http2Session::Open(std::shared_ptr<Call> call, const Request& request) {
  std::lock_guard lock(mutex_);
  if (!broken_.ok()) return broken_;
  const std::string timeout = request.timeout == absl::InfiniteDuration() ? "" : http2::TimeoutText(request.timeout);
  const std::array<nghttp2_nv, 9> headers = {
      Header(":method", "POST", kConstant),
      Header(":scheme", "http", kConstant),
      Header(":path", request.path, NGHTTP2_NV_FLAG_NO_COPY_NAME),
      Header(":authority", request.authority, NGHTTP2_NV_FLAG_NO_COPY_NAME),
      Header("te", "trailers", kConstant),
      Header("content-type", "application/grpc", kConstant),
      Header("user-agent", "cloudstate-dev", kConstant),
      Header("grpc-accept-encoding", "identity", kConstant),
      Header("grpc-timeout", timeout, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_INDEX),
  };
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::ReadOutgoing;
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, headers.data(),
                                                 headers.size() - (timeout.empty() ? 1 : 0), &provider, nullptr);
  if (id < 0) {  // its 2^30 streams have been used up, say: a new connection has new ones
    Break(absl::UnavailableError(nghttp2_strerror(id)));
    return broken_;
  }
  call->id_ = id;
  calls_.emplace(id, std::move(call));
  return absl::OkStatus();
}

void Http2Session::Write(Call& call, std::string message) {
  std::lock_guard lock(mutex_);
  if (call.id_ == 0) return;
  call.exchange_.outgoing().Add(std::move(message));
  call.drained_ = false;
  nghttp2_session_resume_data(session_, call.id_);  // fails where nothing was deferred, which is fine
}

void Http2Session::HalfClose(Call& call) {
  std::lock_guard lock(mutex_);
  if (call.id_ == 0) return;
  call.exchange_.outgoing().Close();
  nghttp2_session_resume_data(session_, call.id_);
}

std::size_t Http2Session::Unsent(const Call& call) const {
  std::lock_guard lock(mutex_);
  return call.exchange_.outgoing().unsent();
}

void Http2Session::Cancel(Call& call, absl::Status outcome) {
  std::lock_guard lock(mutex_);
  call.exchange_.DropMessages(outcome);
  call.exchange_.Finish(std::move(outcome));
  if (call.id_ != 0) Reset(call, NGHTTP2_CANCEL);
}

Http2Session::Taken Http2Session::Take(Call& call, bool paused) {
  std::lock_guard lock(mutex_);
  call.in_news_ = false;
  if (paused && closed_) call.exchange_.DropMessages(broken_);
  Taken taken;
  taken.drained = std::exchange(call.drained_, false);
  if (!paused) taken.message = call.exchange_.NextMessage();
  if (!taken.message.has_value()) taken.outcome = call.exchange_.TakeOutcome();
  taken.more = taken.message.has_value() && (call.exchange_.has_messages() || call.exchange_.finished());
  if (call.id_ != 0) {
    const std::size_t credit = call.exchange_.TakeCredit();
    if (credit > 0) nghttp2_session_consume_stream(session_, call.id_, credit);
    taken.flush = nghttp2_session_want_write(session_) != 0;
  }
  return taken;
}

Http2Session::News Http2Session::Flush() {
  std::unique_lock lock(mutex_);
  if (output_.blocked()) return {};
  if (absl::Status status = output_.Flush(session_, socket_, lock); !status.ok()) Break(std::move(status));
  if (output_.blocked() && !closed_) wake_reader_();
  return std::exchange(news_, {});
}

// ---- with the lock held

std::shared_ptr<Http2Session::Call> Http2Session::Find(std::int32_t id) const {
  auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

void Http2Session::PutInNews(const std::shared_ptr<Call>& call) {
  if (!std::exchange(call->in_news_, true)) news_.push_back(call);
}

void Http2Session::Forget(Call& call) { calls_.erase(std::exchange(call.id_, 0)); }

void Http2Session::Reset(Call& call, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call.id_, error_code);
  Forget(call);
}

void Http2Session::Break(absl::Status reason) {
  if (!broken_.ok()) return;
  broken_ = std::move(reason);
  wake_reader_();
}

}  // namespace cloudstate::userfunction
