#include "emulator/userfunction/grpc_call.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "emulator/base/turn.h"

namespace cloudstate::userfunction {
namespace {

// Then others have their turn.
constexpr int kMessagesAtATime = 16;

class GrpcStream final : public Stream {
 public:
  explicit GrpcStream(std::shared_ptr<GrpcCall> call) : call_(std::move(call)) {}
  ~GrpcStream() override { call_->Detach(); }
  void Write(std::string message) override { call_->Write(std::move(message)); }
  void HalfClose() override { call_->HalfClose(); }
  std::size_t Unsent() const override { return call_->Unsent(); }
  void Pause() override { call_->Pause(); }
  void Resume() override { call_->Resume(); }

 private:
  std::shared_ptr<GrpcCall> call_;
};

// The one message that a unary call is answered with.
struct UnaryAnswer {
  absl::AnyInvocable<void(absl::StatusOr<std::string>)> done;
  std::string message;
  int messages = 0;

  void Done(absl::Status outcome) {
    if (outcome.ok() && messages != 1) {
      outcome = absl::InternalError(absl::StrCat("a unary call was answered with ", messages, " messages"));
    }
    if (outcome.ok()) {
      done(std::move(message));
    } else {
      done(std::move(outcome));
    }
  }
};

}  // namespace

// ---- one call

GrpcCall::GrpcCall(std::shared_ptr<GrpcConnection> connection, std::string method, StreamHandler handler)
    : Call(connection->max_message_bytes_),
      connection_(std::move(connection)),
      method_(std::move(method)),
      handler_(std::move(handler)) {}

void GrpcCall::Begin(absl::Duration timeout) {
  if (timeout != absl::InfiniteDuration()) {
    deadline_ = connection_->strand_.Now() + timeout;
    timer_ = connection_->strand_.After(timeout, [self = shared_from_this()] {
      self->timer_ = base::TimerId::kNone;
      self->End(absl::DeadlineExceededError("the user function did not end the call in time"));
    });
  }
  connection_->Start(shared_from_this());
}

void GrpcCall::Start(std::shared_ptr<Http2Session> session) {
  const absl::Duration timeout = deadline_ - connection_->strand_.Now();
  session_ = std::move(session);
  absl::Status status = session_->Open(shared_from_this(), {method_, connection_->address_, timeout});
  if (!status.ok()) return End(std::move(status));
  for (std::string& message : std::exchange(unopened_, {})) session_->Write(*this, std::move(message));
  if (half_closed_) session_->HalfClose(*this);
  connection_->FlushSoon(session_);
}

void GrpcCall::Write(std::string message) {
  if (closed_) return;
  if (message.size() > connection_->max_message_bytes_) {
    return End(absl::ResourceExhaustedError(absl::StrCat(
        "a message of ", message.size(), " bytes is larger than the limit of ", connection_->max_message_bytes_)));
  }
  if (session_ == nullptr) {
    unopened_.push_back(std::move(message));
    return;
  }
  session_->Write(*this, std::move(message));
  connection_->FlushSoon(session_);
}

void GrpcCall::HalfClose() {
  if (closed_ || std::exchange(half_closed_, true) || session_ == nullptr) return;
  session_->HalfClose(*this);
  connection_->FlushSoon(session_);
}

std::size_t GrpcCall::Unsent() const { return session_ == nullptr ? unopened_.size() : session_->Unsent(*this); }

void GrpcCall::Resume() {
  if (std::exchange(paused_, false) && session_ != nullptr) TakeNewsSoon();
}

void GrpcCall::Detach() {
  if (std::exchange(closed_, true)) return;
  connection_->strand_.Cancel(timer_);
  if (session_ == nullptr) return connection_->StopWaiting(*this);
  session_->Cancel(*this, absl::CancelledError());
  connection_->FlushSoon(session_);
  connection_->StartWaiting();
}

void GrpcCall::End(absl::Status outcome) {
  if (closed_) return;
  if (session_ == nullptr) {
    auto self = shared_from_this();  // what waits may be held by nobody else
    connection_->StopWaiting(*this);
    connection_->strand_.Post(
        [self = std::move(self), outcome = std::move(outcome)]() mutable { self->Closed(std::move(outcome)); });
    return;
  }
  session_->Cancel(*this, std::move(outcome));
  connection_->FlushSoon(session_);
  TakeNewsSoon();
}

void GrpcCall::TakeNews() {
  for (int i = 0; i < kMessagesAtATime; ++i) {
    if (closed_) return;
    Http2Session::Taken taken = session_->Take(*this, paused_);
    if (taken.flush) connection_->FlushSoon(session_);
    if (taken.outcome.has_value()) return Closed(*std::move(taken.outcome));
    if (taken.drained && handler_.on_writable) handler_.on_writable();
    if (taken.message.has_value() && !closed_) handler_.on_message(*std::move(taken.message));
    if (!taken.more) return;
  }
  TakeNewsSoon();
}

void GrpcCall::TakeNewsSoon() {
  connection_->strand_.Post([self = shared_from_this()] { self->TakeNews(); });
}

void GrpcCall::Closed(absl::Status outcome) {
  if (std::exchange(closed_, true)) return;
  connection_->strand_.Cancel(timer_);
  connection_->StartWaiting();
  handler_.on_closed(std::move(outcome));
}

// ---- the connection

std::unique_ptr<Stream> GrpcConnection::Open(std::string_view method, absl::Duration timeout, StreamHandler handler) {
  auto call = std::make_shared<GrpcCall>(shared_from_this(), std::string(method), std::move(handler));
  call->Begin(timeout);
  return std::make_unique<GrpcStream>(std::move(call));
}

void GrpcConnection::Call(std::string_view method, std::string request, absl::Duration timeout,
                          absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) {
  auto answer = std::make_shared<UnaryAnswer>();
  answer->done = std::move(done);
  auto call = std::make_shared<GrpcCall>(
      shared_from_this(), std::string(method),
      StreamHandler{.on_message =
                        [answer](std::string message) {
                          answer->message = std::move(message);
                          ++answer->messages;
                        },
                    .on_closed = [answer](absl::Status outcome) { answer->Done(std::move(outcome)); },
                    .on_writable = {}});
  call->Begin(timeout);
  call->Write(std::move(request));
  call->HalfClose();
}

void GrpcConnection::AddSession(std::shared_ptr<Http2Session> session) {
  sessions_.push_back(std::move(session));
  StartWaiting();
  if (!waiting_.empty()) want_session_();
}

void GrpcConnection::Lose(absl::Status reason) {
  lost_ = std::move(reason);
  sessions_.clear();
  while (!waiting_.empty()) waiting_.front()->End(lost_);
}

void GrpcConnection::Start(std::shared_ptr<GrpcCall> call) {
  if (!lost_.ok()) return call->End(lost_);
  waiting_.push_back(std::move(call));
  StartWaiting();
  if (!waiting_.empty()) want_session_();
}

void GrpcConnection::StartWaiting() {
  while (!waiting_.empty()) {
    const auto session = std::find_if(sessions_.begin(), sessions_.end(), [](auto& each) { return each->HasRoom(); });
    if (session == sessions_.end()) return;
    const std::shared_ptr<GrpcCall> call = std::move(waiting_.front());
    waiting_.pop_front();
    call->Start(*session);
  }
}

void GrpcConnection::StopWaiting(const GrpcCall& call) {
  std::erase_if(waiting_, [&](const auto& each) { return each.get() == &call; });
}

void GrpcConnection::FlushSoon(const std::shared_ptr<Http2Session>& session) {
  if (std::find(to_flush_.begin(), to_flush_.end(), session) != to_flush_.end()) return;
  to_flush_.push_back(session);
  if (to_flush_.size() > 1) return;
  base::Turn::Defer([self = shared_from_this()] { self->strand_.Post([self] { self->Flush(); }); });
}

void GrpcConnection::Flush() {
  for (const auto& session : std::exchange(to_flush_, {})) {
    for (const auto& call : session->Flush()) call->TakeNews();
  }
}

}  // namespace cloudstate::userfunction
