#include "emulator/serving/grpc_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/turn.h"
#include "emulator/serving/grpc_call.h"

namespace cloudstate::serving {
namespace {

using http2::Header;
using http2::kConstant;
using http2::Text;

constexpr std::uint32_t kMostCalls = 100'000;
// What a client may stream that nobody has asked for yet. More than a loopback carries in one round trip.
// Given back at once, so that no call waits for another one.
constexpr std::int32_t kConnectionWindow = 16 * 1024 * 1024;
// Of what is sent, where nghttp2 would end at 64 KiB: the client decides what it takes.
constexpr std::size_t kHeaderBlockBytes = 1024 * 1024;
// Calls that a client resets: so many at once, and so many a second. Load tests do.
constexpr std::uint64_t kResetsAtOnce = 100'000;
constexpr std::uint64_t kResetsPerSecond = 10'000;

}  // namespace

// nghttp2 calls these from within calls into it, that is with the lock held.
struct GrpcSession::Callbacks {
  static GrpcSession& Self(void* session) { return *static_cast<GrpcSession*>(session); }

  static bool BeginsRequest(const nghttp2_frame* frame) {
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (BeginsRequest(frame)) Self(self).request_ = GrpcRequest(Self(self).options_.max_header_bytes);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
    if (BeginsRequest(frame)) Self(self).request_.AddHeader(Text(name, name_size), Text(value, value_size));
    return 0;
  }

  static int OnData(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                    std::size_t size, void* self) {
    if (auto call = Self(self).Find(id)) call->OnData(Text(bytes, size));
    return nghttp2_session_consume_connection(session, size);
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_SETTINGS) Self(self).ready_ = true;
    if (BeginsRequest(frame)) Self(self).Begin(frame->hd.stream_id);
    const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!carries || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (auto call = Self(self).Find(frame->hd.stream_id)) call->OnHalfClose();
    return 0;
  }

  // A client that has its answer need not say more.
  static int OnSent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
      Self(self).Reset(frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  // Headers that are too large even for us; not those of a stream that has been closed meanwhile.
  static int OnNotSent(nghttp2_session*, const nghttp2_frame* frame, int error, void* self) {
    if (frame->hd.type == NGHTTP2_HEADERS && error == NGHTTP2_ERR_FRAME_SIZE_ERROR)
      Self(self).Reset(frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
    Self(self).Forget(id);
    return 0;
  }

  // How much of a call's messages goes into its next frame.
  static ssize_t ReadOutgoing(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t at_most,
                              std::uint32_t* flags, nghttp2_data_source*, void* self) {
    auto call = Self(self).Find(id);
    if (call == nullptr) return NGHTTP2_ERR_DEFERRED;
    const GrpcCall::Frame frame = call->NextFrame(at_most);
    if (frame.bytes == 0 && !frame.last) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (frame.last) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const GrpcTrailers trailers(call->outcome());
      std::vector<nghttp2_nv> headers;
      trailers.AppendTo(headers);
      nghttp2_submit_trailer(session, id, headers.data(), headers.size());
    }
    return static_cast<ssize_t>(frame.bytes);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                      nghttp2_data_source*, void* self) {
    http2::FrameOutput& output = Self(self).output_;
    if (output.full()) return NGHTTP2_ERR_WOULDBLOCK;
    auto call = Self(self).Find(frame->hd.stream_id);
    if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    output.bytes().append(Text(header, 9));
    call->Send(size, output.bytes());
    return 0;
  }
};

GrpcSession::GrpcSession(int socket, Options options)
    : socket_(socket), options_(std::move(options)), request_(options_.max_header_bytes) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::OnSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::OnNotSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::SendData);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);  // it would keep them for priorities
  nghttp2_option_set_max_send_header_block_length(option, kHeaderBlockBytes);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetsAtOnce, kResetsPerSecond);
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);  // gRPC's texts may have such spaces
  nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMostCalls},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(options_.max_header_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

GrpcSession::~GrpcSession() {
  nghttp2_session_del(session_);
  if (socket_ >= 0) close(socket_);
}

// ---- connection

void GrpcSession::Receive(std::string_view bytes) {
  auto lock = Lock();
  const ssize_t used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  // One that asks and asks and reads no answers is let go.
  const bool reads_nothing = output_.blocked() && nghttp2_session_get_outbound_queue_size(session_) > 2 * kMostCalls;
  if (used < 0 || reads_nothing) End();
  Unlock(std::move(lock));
}

GrpcSession::State GrpcSession::state() const {
  std::lock_guard lock(mutex_);
  return {.ready = ready_,
          .ended = ended_,
          .blocked = output_.blocked(),
          .deadline = deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.begin()->first};
}

void GrpcSession::Writable() {
  {
    auto lock = Lock();
    output_.Unblock();
  }
  Flush();
}

void GrpcSession::Expire() {
  auto lock = Lock();
  const absl::Time now = absl::Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::int32_t id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto call = Find(id);
    if (call->ended()) {  // and what it was answered is not taken
      Reset(id, NGHTTP2_CANCEL);
    } else {
      call->Cancel(absl::DeadlineExceededError("the call's deadline has passed"));
      // Without a window nghttp2 does not even send the end.
      if (nghttp2_session_get_stream_remote_window_size(session_, id) == 0) Reset(id, NGHTTP2_CANCEL);
    }
  }
  Unlock(std::move(lock));
}

void GrpcSession::Drain() {
  auto lock = Lock();
  draining_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  Unlock(std::move(lock));
}

void GrpcSession::Close(const absl::Status& reason) {
  {
    auto lock = Lock();
    options_.wake = nullptr;
    for (const auto& [id, call] : calls_) call->Cancel(reason);
    Unlock(std::move(lock));
  }
  Flush();
  auto lock = Lock();
  output_.Close();
  for (const auto& [id, call] : calls_) call->OnClosed();
  calls_.clear();
  deadlines_.clear();
  nghttp2_session_del(std::exchange(session_, nullptr));
  shutdown(socket_, SHUT_RDWR);
  CloseSocket();
  Unlock(std::move(lock));
}

// ---- calls

void GrpcSession::Unlock(std::unique_lock<std::mutex> lock) {
  const bool flush = session_ != nullptr && !ended_ && !flush_deferred_ && !output_.blocked() && !output_.sending() &&
                     (nghttp2_session_want_write(session_) != 0 || nghttp2_session_want_read(session_) == 0);
  if (put_off_.empty() && !flush) return;
  flush_deferred_ = flush_deferred_ || flush;
  std::vector<base::Task> tasks = std::exchange(put_off_, {});
  lock.unlock();
  const base::Turn turn;
  for (base::Task& each : tasks) base::Turn::Defer(std::move(each));
  if (flush) base::Turn::Defer([self = shared_from_this()] { self->Flush(); });
}

void GrpcSession::SubmitHeaders(std::int32_t id, const std::vector<nghttp2_nv>& headers, bool messages_follow) {
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::ReadOutgoing;
  nghttp2_submit_response(session_, id, headers.data(), headers.size(), messages_follow ? &provider : nullptr);
}

// Fails where nothing was deferred, which is fine.
void GrpcSession::Resume(std::int32_t id) { nghttp2_session_resume_data(session_, id); }

void GrpcSession::Consume(std::int32_t id, std::size_t bytes) { nghttp2_session_consume_stream(session_, id, bytes); }

void GrpcSession::Reset(std::int32_t id, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code);
}

void GrpcSession::Flush() {
  auto lock = Lock();
  flush_deferred_ = false;
  if (session_ == nullptr || ended_ || output_.blocked()) return;
  if (!output_.Flush(session_, socket_, lock).ok()) End();
  if (session_ == nullptr) return CloseSocket();
  if (output_.blocked()) Wake();
  Unlock(std::move(lock));
}

// ---- with the lock held

std::shared_ptr<GrpcCall> GrpcSession::Find(std::int32_t id) const {
  auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

void GrpcSession::Begin(std::int32_t id) {
  GrpcRequest request = std::exchange(request_, GrpcRequest(options_.max_header_bytes));
  // What is started could be ended by the goodbye that is on its way, and tried again by the client.
  if (draining_) return Reset(id, NGHTTP2_REFUSED_STREAM);
  if (request.error().code() == absl::StatusCode::kResourceExhausted) return Refuse(id, request.error());
  if (!request.is_grpc()) return SubmitHeaders(id, {Header(":status", "415", kConstant)}, false);
  auto found = options_.find(request);
  if (const auto* status = std::get_if<absl::Status>(&found)) return Refuse(id, *status);
  if (!request.error().ok()) return Refuse(id, request.error());
  const auto timeout = request.timeout();
  const absl::Time deadline = timeout.has_value() ? absl::Now() + *timeout : absl::InfiniteFuture();
  auto call = std::make_shared<GrpcCall>(shared_from_this(), id, std::get<GrpcTarget>(std::move(found)),
                                         std::move(request), deadline, options_.max_message_bytes, options_.peer);
  if (timeout.has_value()) deadlines_.emplace(deadline, id);
  call->Begin();
  calls_.emplace(id, std::move(call));
}

void GrpcSession::Refuse(std::int32_t id, const absl::Status& status) {
  std::vector<nghttp2_nv> headers = {Header(":status", "200", kConstant),
                                     Header("content-type", "application/grpc", kConstant),
                                     Header("grpc-accept-encoding", kAcceptedEncodings, kConstant)};
  const GrpcTrailers trailers(status);
  trailers.AppendTo(headers);
  SubmitHeaders(id, headers, false);
}

void GrpcSession::Forget(std::int32_t id) {
  auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const std::shared_ptr<GrpcCall> call = std::move(found->second);
  calls_.erase(found);
  deadlines_.erase({call->deadline(), id});
  call->OnClosed();
}

void GrpcSession::End() {
  if (!std::exchange(ended_, true)) Wake();
}

void GrpcSession::Wake() {
  if (options_.wake) options_.wake();
}

// A thread that is sending closes it when it has.
void GrpcSession::CloseSocket() {
  if (!output_.sending() && socket_ >= 0) close(std::exchange(socket_, -1));
}

}  // namespace cloudstate::serving
