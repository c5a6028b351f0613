#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/http2/grpc_framing.h"
#include "emulator/http2/outgoing_messages.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/grpc_session.h"
#include "emulator/serving/grpc_status.h"

namespace cloudstate::serving {

// One call. The backend answers it from any thread; its stream's side is the session's, whose lock guards all of it.
class GrpcCall final : public Responder, public RequestStream, public std::enable_shared_from_this<GrpcCall> {
 public:
  // `deadline` is on absl::Now()'s clock, or infinite.
  GrpcCall(std::shared_ptr<GrpcSession> session, std::int32_t id, GrpcTarget target, GrpcRequest request,
           absl::Time deadline, std::size_t max_message_bytes, const std::string& peer);

  // ---- the backend's side

  void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) override;
  void Headers(const Metadata& headers) override;
  void Message(std::string payload) override;
  void Finish(absl::Status status) override;
  std::size_t Unsent() const override;
  void WhenWritable(absl::AnyInvocable<void()> writable) override;
  void OnCancel(absl::AnyInvocable<void()> cancelled) override;

  // ---- the session's side, with its lock held

  // The headers have come: a call whose requests are streamed starts.
  void Begin();
  void OnData(std::string_view bytes);
  void OnHalfClose();
  // Ends it unless it has ended, and tells the backend.
  void Cancel(absl::Status status);
  // The stream has been closed.
  void OnClosed();
  bool ended() const { return end_.has_value(); }
  absl::Time deadline() const { return deadline_; }

  struct Frame {
    std::size_t bytes = 0;
    bool last = false;  // trailers follow
  };
  // What of the messages goes into the next frame; neither bytes nor the last: nothing now.
  Frame NextFrame(std::size_t at_most);
  void Send(std::size_t count, std::string& output);
  // Of a call that has ended.
  const absl::Status& outcome() const { return *end_; }

 private:
  // What is held for the backend. It may own anything, this call too, so that it is let go of without the lock.
  struct Held {
    absl::AnyInvocable<void(std::optional<std::string>)> taken;
    absl::AnyInvocable<void()> on_cancel;
    absl::AnyInvocable<void()> writable;
  };

  void Start();
  void GiveMessage();
  void GiveCredit();
  void SubmitHeaders();
  void End(absl::Status status);
  Held LetGo();

  const std::shared_ptr<GrpcSession> session_;
  const std::int32_t id_;
  const GrpcTarget target_;
  const absl::Time deadline_;

  // Requests.
  Call call_;  // as the backend gets it
  http2::Deframer deframer_;
  std::list<std::string> incoming_;  // a list, because it is empty most of the time
  std::size_t incoming_bytes_ = 0;
  const std::size_t most_incoming_bytes_;
  bool half_closed_ = false;
  std::size_t credit_ = 0;  // bytes that the client may be allowed on top when messages are asked for
  absl::AnyInvocable<void(std::optional<std::string>)> taken_;

  // Answers.
  Metadata headers_;
  bool headers_submitted_ = false;
  http2::OutgoingMessages outgoing_;
  bool framed_ = false;              // a frame of them has been begun, and will be asked for
  std::optional<absl::Status> end_;  // set once; nothing is accepted after it
  bool cancelled_ = false;
  absl::AnyInvocable<void()> on_cancel_;
  absl::AnyInvocable<void()> writable_;
};

// Owns the text that its headers point to.
class GrpcTrailers {
 public:
  explicit GrpcTrailers(const absl::Status& status) : texts_(GrpcStatusHeaders(status)) {}
  void AppendTo(std::vector<nghttp2_nv>& headers) const;

 private:
  const HttpHeaders texts_;
};

}  // namespace cloudstate::serving
