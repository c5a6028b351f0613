#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/base/strand.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/http2_session.h"

namespace cloudstate::userfunction {

class GrpcConnection;

// The strand's half of a call: what its owner says goes to a session, what the session has goes to the owner. Held by
// its owner, by the session while it is open, and by tasks on the strand. Everything is called on the strand.
class GrpcCall final : public Http2Session::Call, public std::enable_shared_from_this<GrpcCall> {
 public:
  GrpcCall(std::shared_ptr<GrpcConnection> connection, std::string method, StreamHandler handler);

  void Begin(absl::Duration timeout);
  // Gives it the session that it waits for.
  void Start(std::shared_ptr<Http2Session> session);
  void Write(std::string message);
  void HalfClose();
  std::size_t Unsent() const;
  void Pause() { paused_ = true; }
  void Resume();
  // The owner has gone, perhaps from within one of its callbacks, which therefore stay whole.
  void Detach();
  // Ends it from here; the owner is told, from a task.
  void End(absl::Status outcome);

  void TakeNews() override;

 private:
  void TakeNewsSoon();
  void Closed(absl::Status outcome);

  const std::shared_ptr<GrpcConnection> connection_;
  const std::string method_;
  StreamHandler handler_;
  absl::Time deadline_ = absl::InfiniteFuture();
  base::TimerId timer_ = base::TimerId::kNone;
  std::shared_ptr<Http2Session> session_;  // none while it waits
  std::vector<std::string> unopened_;      // messages from that time
  bool half_closed_ = false;
  bool paused_ = false;
  bool closed_ = false;  // the owner has been told, or has gone
};

// The connection to one user function. Where it allows so many calls over one HTTP/2 connection only, and some servers
// do, there are further ones. Lives on a strand.
class GrpcConnection final : public Connection, public std::enable_shared_from_this<GrpcConnection> {
 public:
  // `want_session` asks for AddSession, again and again until it comes.
  GrpcConnection(std::string address, std::size_t max_message_bytes, base::Strand& strand,
                 absl::AnyInvocable<void()> want_session)
      : address_(std::move(address)),
        max_message_bytes_(max_message_bytes),
        strand_(strand),
        want_session_(std::move(want_session)) {}

  std::unique_ptr<Stream> Open(std::string_view method, absl::Duration timeout, StreamHandler handler) override;
  void Call(std::string_view method, std::string request, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override;

  void AddSession(std::shared_ptr<Http2Session> session);
  // Fails what waits, and what comes from now on. The sessions fail what is open.
  void Lose(absl::Status reason);

 private:
  friend class GrpcCall;

  void Start(std::shared_ptr<GrpcCall> call);
  void StartWaiting();
  void StopWaiting(const GrpcCall& call);
  // Sends at the end of this thread's turn: what many tasks write, for many calls, goes out together.
  void FlushSoon(const std::shared_ptr<Http2Session>& session);
  void Flush();

  const std::string address_;
  const std::size_t max_message_bytes_;
  base::Strand& strand_;
  absl::AnyInvocable<void()> want_session_;
  std::vector<std::shared_ptr<Http2Session>> sessions_;
  std::vector<std::shared_ptr<Http2Session>> to_flush_;
  std::deque<std::shared_ptr<GrpcCall>> waiting_;
  absl::Status lost_;
};

}  // namespace cloudstate::userfunction
