#include "emulator/serving/grpc_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/view.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

using http2::Header;
using http2::kConstant;

}  // namespace

// ---- the backend's side

GrpcCall::GrpcCall(std::shared_ptr<GrpcSession> session, std::int32_t id, GrpcTarget target, GrpcRequest request,
                   absl::Time deadline, std::size_t max_message_bytes, const std::string& peer)
    : session_(std::move(session)),
      id_(id),
      target_(std::move(target)),
      deadline_(deadline),
      deframer_(max_message_bytes, request.decompress()),
      most_incoming_bytes_(max_message_bytes + static_cast<std::size_t>(GrpcSession::kStreamWindow)) {
  call_.service = target_.method->service()->full_name();
  call_.method = target_.method->name();
  call_.metadata = request.TakeMetadata();
  if (deadline_ != absl::InfiniteFuture()) call_.deadline = deadline_;
  call_.peer = peer;
}

void GrpcCall::Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) {
  {
    auto lock = session_->Lock();
    if (!end_.has_value()) {
      taken_ = std::move(taken);
      GiveMessage();
      return session_->Unlock(std::move(lock));
    }
  }
  taken(std::nullopt);
}

void GrpcCall::Headers(const Metadata& headers) {
  auto lock = session_->Lock();
  if (end_.has_value()) return;
  headers_ = headers;
  if (target_.method->server_streaming()) SubmitHeaders();
  session_->Unlock(std::move(lock));
}

void GrpcCall::Message(std::string payload) {
  auto lock = session_->Lock();
  if (end_.has_value()) return;
  outgoing_.Add(std::move(payload));
  if (!target_.method->server_streaming()) return;
  SubmitHeaders();
  session_->Resume(id_);
  session_->Unlock(std::move(lock));
}

void GrpcCall::Finish(absl::Status status) {
  Held held;
  auto lock = session_->Lock();
  if (end_.has_value()) return;
  if (!target_.method->server_streaming()) {
    if (status.ok() && outgoing_.unsent() != 1) {
      status = absl::InternalError(absl::StrCat(target_.method->full_name(), " was answered with ", outgoing_.unsent(),
                                                " messages instead of one"));
    }
    if (!status.ok()) outgoing_.Clear();
  }
  held = LetGo();
  End(std::move(status));
  session_->Unlock(std::move(lock));
}

std::size_t GrpcCall::Unsent() const {
  auto lock = session_->Lock();
  return outgoing_.unsent();
}

void GrpcCall::WhenWritable(absl::AnyInvocable<void()> writable) {
  auto lock = session_->Lock();
  if (end_.has_value()) return;
  if (outgoing_.unsent() > 0) {
    writable_ = std::move(writable);
    return;
  }
  session_->Later(std::move(writable));
  session_->Unlock(std::move(lock));
}

void GrpcCall::OnCancel(absl::AnyInvocable<void()> cancelled) {
  auto lock = session_->Lock();
  if (!end_.has_value()) {
    on_cancel_ = std::move(cancelled);
  } else if (cancelled_) {
    session_->Later(std::move(cancelled));
    session_->Unlock(std::move(lock));
  }
}

// ---- requests

void GrpcCall::Begin() {
  if (target_.method->client_streaming()) Start();
}

// What has been cancelled before its turn came is not started.
void GrpcCall::Start() {
  session_->Later([self = shared_from_this()] {
    {
      auto lock = self->session_->Lock();
      if (self->end_.has_value()) return;
    }
    if (self->target_.method->client_streaming()) self->call_.requests = self;
    self->target_.backend->Start(std::move(self->call_), self);
  });
}

void GrpcCall::OnData(std::string_view bytes) {
  if (end_.has_value()) return;
  credit_ += bytes.size();
  absl::Status status = deframer_.Feed(bytes, [this](std::string message) {
    incoming_bytes_ += message.size();
    incoming_.push_back(std::move(message));
  });
  if (!status.ok()) return Cancel(std::move(status));
  // The window bounds what comes; compressed, that can be a thousand times as much.
  if (incoming_.size() > 1 && incoming_bytes_ > most_incoming_bytes_) {
    return Cancel(absl::ResourceExhaustedError(
        absl::StrCat("the client sends more at once than ", target_.method->full_name(), " can take")));
  }
  if (target_.method->client_streaming()) return GiveMessage();
  if (incoming_.size() > 1) {
    return Cancel(absl::InternalError(
        absl::StrCat("the client sent more than one request message for ", target_.method->full_name())));
  }
  GiveCredit();
}

void GrpcCall::OnHalfClose() {
  if (end_.has_value()) return;
  half_closed_ = true;
  if (!deframer_.between_messages()) return Cancel(absl::InternalError("the client's last message is not whole"));
  if (target_.method->client_streaming()) return GiveMessage();
  if (incoming_.empty()) {
    return Cancel(
        absl::InternalError(absl::StrCat("the client sent no request message for ", target_.method->full_name())));
  }
  call_.payload = std::move(incoming_.front());
  incoming_.clear();
  Start();
}

void GrpcCall::GiveMessage() {
  if (!taken_) return;
  if (!incoming_.empty()) {
    incoming_bytes_ -= incoming_.front().size();
    session_->Later([taken = std::exchange(taken_, nullptr), message = std::move(incoming_.front())]() mutable {
      taken(std::move(message));
    });
    incoming_.pop_front();
  } else if (half_closed_) {
    session_->Later([taken = std::exchange(taken_, nullptr)]() mutable { taken(std::nullopt); });
  } else {
    GiveCredit();
  }
}

void GrpcCall::GiveCredit() {
  const std::size_t bytes = std::exchange(credit_, 0);
  if (bytes > 0) session_->Consume(id_, bytes);
}

// ---- answers

void GrpcCall::SubmitHeaders() {
  if (std::exchange(headers_submitted_, true)) return;
  const std::vector<ResponseHeader> own = ResponseHeaders(headers_);
  std::list<std::string> encoded;
  std::vector<nghttp2_nv> headers = {Header(":status", "200", kConstant),
                                     Header("content-type", "application/grpc", kConstant)};
  for (const ResponseHeader& each : own) {
    if (each.name == kTraceHeader) continue;
    std::string_view value = base::ToStd(each.value);
    if (each.kind == HeaderKind::kBytes) value = encoded.emplace_back(http2::BinaryHeaderText(value));
    headers.push_back(Header(each.name, value));
  }
  session_->SubmitHeaders(id_, headers, true);
  headers_.Clear();
}

void GrpcCall::End(absl::Status status) {
  end_ = std::move(status);
  incoming_.clear();
  if (cancelled_ && (framed_ || outgoing_.within_message())) return session_->Reset(id_, NGHTTP2_CANCEL);
  if (cancelled_) outgoing_.Clear();
  outgoing_.Close();
  if (headers_submitted_ || outgoing_.unsent() > 0 || headers_.entries_size() > 0) {
    SubmitHeaders();
    return session_->Resume(id_);
  }
  headers_submitted_ = true;
  std::vector<nghttp2_nv> headers = {Header(":status", "200", kConstant),
                                     Header("content-type", "application/grpc", kConstant)};
  const GrpcTrailers trailers(*end_);
  trailers.AppendTo(headers);
  session_->SubmitHeaders(id_, headers, false);
}

GrpcCall::Held GrpcCall::LetGo() {
  return {std::exchange(taken_, nullptr), std::exchange(on_cancel_, nullptr), std::exchange(writable_, nullptr)};
}

void GrpcCall::Cancel(absl::Status status) {
  if (end_.has_value()) return;
  cancelled_ = true;
  session_->Later([held = LetGo()]() mutable {
    if (held.on_cancel) held.on_cancel();
  });
  End(std::move(status));
}

void GrpcCall::OnClosed() {
  outgoing_.Clear();
  incoming_.clear();
  if (end_.has_value()) return;
  cancelled_ = true;
  end_ = absl::CancelledError("the client has gone");
  session_->Later([held = LetGo()]() mutable {
    if (held.on_cancel) held.on_cancel();
  });
}

GrpcCall::Frame GrpcCall::NextFrame(std::size_t at_most) {
  const std::size_t bytes = outgoing_.SendableBytes(at_most);
  framed_ = bytes > 0;
  return {bytes, outgoing_.EndsWith(bytes)};
}

void GrpcCall::Send(std::size_t count, std::string& output) {
  outgoing_.Send(count, output);
  framed_ = false;
  if (writable_ && outgoing_.unsent() == 0) session_->Later(std::exchange(writable_, nullptr));
}

// ---- trailers

void GrpcTrailers::AppendTo(std::vector<nghttp2_nv>& headers) const {
  for (const auto& [name, value] : texts_) headers.push_back(Header(name, value));
}

}  // namespace cloudstate::serving
