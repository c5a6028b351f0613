#include "emulator/serving/grpc_call.h"

#include <chrono>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "emulator/base/byte_buffer.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

// gRPC says "ipv4:127.0.0.1:5" and "ipv6:%5B::1%5D:5".
std::string ToPeer(const std::string& uri) {
  return absl::StrReplaceAll(uri.substr(uri.find(':') + 1), {{"%5B", "["}, {"%5D", "]"}});
}

absl::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

class GrpcCall final : public Responder, public RequestStream, public std::enable_shared_from_this<GrpcCall> {
 public:
  GrpcCall(Backend& backend, grpc::GenericCallbackServerContext& context, std::shared_ptr<const Services> services,
           const google::protobuf::MethodDescriptor& method)
      : backend_(backend), context_(context), services_(std::move(services)), method_(method) {}

  grpc::ServerGenericBidiReactor* Begin() {
    self_ = shared_from_this();
    if (method_.client_streaming()) {
      Call call = ToCall();
      call.requests = shared_from_this();
      backend_.Start(std::move(call), shared_from_this());
    } else {
      reactor_.StartRead(&request_);
    }
    return &reactor_;
  }

  void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) override {
    {
      std::lock_guard lock(mutex_);
      if (!end_.has_value()) {
        taken_ = std::move(taken);
        reactor_.StartRead(&request_);
        return;
      }
    }
    taken(std::nullopt);
  }

  void Headers(const Metadata& headers) override {
    std::lock_guard lock(mutex_);
    if (end_.has_value()) return;
    for (const ResponseHeader& header : ResponseHeaders(headers)) {
      if (header.name == kTraceHeader) continue;
      context_.AddInitialMetadata(header.name, std::string(header.value));
    }
    if (method_.server_streaming()) reactor_.StartSendInitialMetadata();
  }

  void Message(std::string payload) override {
    grpc::ByteBuffer buffer = base::ToByteBuffer(std::move(payload));
    std::lock_guard lock(mutex_);
    if (end_.has_value()) return;
    unsent_.push_back(std::move(buffer));
    if (method_.server_streaming()) Advance();
  }

  void Finish(absl::Status status) override {
    std::lock_guard lock(mutex_);
    if (end_.has_value()) return;
    if (!method_.server_streaming()) {
      if (status.ok() && unsent_.size() != 1) {
        status = absl::InternalError(
            absl::StrCat(method_.full_name(), " was answered with ", unsent_.size(), " messages instead of one"));
      }
      if (!status.ok()) unsent_.clear();
    }
    end_ = ToGrpcStatus(status);
    Advance();
  }

  std::size_t Unsent() const override {
    std::lock_guard lock(mutex_);
    return unsent_.size();
  }

  void WhenWritable(absl::AnyInvocable<void()> writable) override {
    {
      std::lock_guard lock(mutex_);
      if (end_.has_value()) return;
      if (!unsent_.empty()) {
        writable_ = std::move(writable);
        return;
      }
    }
    writable();
  }

  void OnCancel(absl::AnyInvocable<void()> cancelled) override {
    {
      std::lock_guard lock(mutex_);
      if (!cancelled_) {
        if (!end_.has_value()) on_cancel_ = std::move(cancelled);
        return;
      }
    }
    cancelled();
  }

 private:
  // gRPC's side. Its callbacks never run inside one of our calls into it, so those may be made with the lock held.
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(GrpcCall& call) : call_(call) {}
    void OnReadDone(bool ok) override { call_.Requested(ok); }
    void OnWriteDone(bool ok) override { call_.Written(ok); }
    void OnCancel() override { call_.Cancelled(); }
    void OnDone() override { call_.Done(); }

   private:
    GrpcCall& call_;
  };

  void Requested(bool ok) {
    if (method_.client_streaming()) {
      auto taken = std::exchange(taken_, nullptr);
      if (ok) {
        std::string message = base::ToString(request_);
        request_.Clear();
        taken(std::move(message));
      } else if (!context_.IsCancelled()) {
        taken(std::nullopt);
      }
      return;
    }
    if (!ok) {
      Finish(absl::InternalError(absl::StrCat("the client sent no request message for ", method_.full_name())));
      return;
    }
    Call call = ToCall();
    call.payload = base::ToString(request_);
    request_.Clear();
    backend_.Start(std::move(call), shared_from_this());
  }

  Call ToCall() {
    Call call;
    call.service = method_.service()->full_name();
    call.method = method_.name();
    for (const auto& [name, value] : context_.client_metadata()) {
      const HeaderKind kind = absl::EndsWith(View(name), "-bin") ? HeaderKind::kBytes : HeaderKind::kText;
      AddRequestHeader(View(name), View(value), kind, call.metadata);
    }
    const auto deadline = context_.deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) call.deadline = absl::FromChrono(deadline);
    call.peer = ToPeer(context_.peer());
    return call;
  }

  // The callbacks may own anything, this call too.
  void Done() {
    taken_ = nullptr;
    writable_ = nullptr;
    std::exchange(self_, nullptr).reset();
  }

  void Written(bool ok) {
    absl::AnyInvocable<void()> writable;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      unsent_.pop_front();
      if (!ok) unsent_.clear();
      if (unsent_.empty()) writable = std::exchange(writable_, nullptr);
      Advance();
    }
    if (writable) writable();
  }

  void Cancelled() {
    absl::AnyInvocable<void()> tell;
    {
      std::lock_guard lock(mutex_);
      if (end_.has_value()) return;
      cancelled_ = true;
      end_ = grpc::Status(grpc::StatusCode::CANCELLED, "cancelled by the client or its deadline");
      unsent_.resize(writing_ ? 1 : 0);
      tell = std::move(on_cancel_);
      Advance();
    }
    if (tell) tell();
  }

  // Starts what can be started now: one write at a time, the end after the last one, together with it where possible.
  void Advance() {
    if (writing_ || ended_) return;
    if (unsent_.empty()) {
      if (!end_.has_value()) return;
      ended_ = true;
      reactor_.Finish(*std::move(end_));
    } else if (end_.has_value() && unsent_.size() == 1) {
      ended_ = true;
      reactor_.StartWriteAndFinish(&unsent_.front(), {}, *std::move(end_));
    } else {
      writing_ = true;
      reactor_.StartWrite(&unsent_.front());
    }
  }

  Backend& backend_;
  grpc::GenericCallbackServerContext& context_;
  const std::shared_ptr<const Services> services_;  // keeps method_
  const google::protobuf::MethodDescriptor& method_;
  Reactor reactor_{*this};
  grpc::ByteBuffer request_;
  // Of the read that is under way; between a Read and its end nobody else touches it.
  absl::AnyInvocable<void(std::optional<std::string>)> taken_;
  std::shared_ptr<GrpcCall> self_;  // gRPC's share of the ownership

  mutable std::mutex mutex_;
  std::deque<grpc::ByteBuffer> unsent_;  // the first one is being written if writing_
  bool writing_ = false;
  std::optional<grpc::Status> end_;  // set once; nothing is accepted after it
  bool ended_ = false;
  bool cancelled_ = false;
  absl::AnyInvocable<void()> on_cancel_;
  absl::AnyInvocable<void()> writable_;
};

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  static grpc::ServerGenericBidiReactor* Begin(grpc::Status status) {
    auto refusal = std::make_unique<Refusal>();
    refusal->Finish(std::move(status));
    return refusal.release();
  }
  void OnDone() override { std::unique_ptr<Refusal> last(this); }
};

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto details = status.GetPayload(kStatusDetails);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details.has_value() ? std::string(*details) : std::string());
}

grpc::ServerGenericBidiReactor* BeginGrpcCall(Backend& backend, grpc::GenericCallbackServerContext& context,
                                              std::shared_ptr<const Services> services,
                                              const google::protobuf::MethodDescriptor& method) {
  return std::make_shared<GrpcCall>(backend, context, std::move(services), method)->Begin();
}

grpc::ServerGenericBidiReactor* RefuseGrpcCall(const absl::Status& status) {
  return Refusal::Begin(ToGrpcStatus(status));
}

}  // namespace cloudstate::serving
