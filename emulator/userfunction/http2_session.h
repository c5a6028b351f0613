#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/http2/frame_output.h"
#include "emulator/userfunction/grpc_exchange.h"

namespace cloudstate::userfunction {

// A gRPC client's end of one HTTP/2 connection: calls on one side, by nghttp2 frames on a connected socket on the
// other.
//
// Threads: one, the reader, calls Receive, Writable and Close; the rest may be called by any. Calls are never told
// anything from here, where a lock is held: there is news of them, and it is taken with Take.
class Http2Session {
 public:
  // What a session keeps of a call; the session that opened it guards all of it.
  class Call {
   public:
    explicit Call(std::size_t max_message_bytes) : exchange_(max_message_bytes) {}
    virtual ~Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    // Takes what there is to Take. Called by whoever was given the news, never by the session.
    virtual void TakeNews() = 0;

   private:
    friend class Http2Session;
    GrpcExchange exchange_;
    std::int32_t id_ = 0;  // of its stream; 0 when it has none any more
    bool in_news_ = false;
    bool drained_ = false;  // unsent has fallen to 0, and nobody has been told
  };

  // Calls that have something to Take.
  using News = std::vector<std::shared_ptr<Call>>;

  struct Request {
    std::string_view path;
    std::string_view authority;
    absl::Duration timeout;  // may be infinite
  };

  struct Taken {
    std::optional<std::string> message;
    std::optional<absl::Status> outcome;  // the last
    bool drained = false;                 // nothing is unsent any more
    bool more = false;                    // Take again
    bool flush = false;                   // something is there to Flush
  };

  // Takes over the socket, which does not block. `wake_reader` is called when the reader should look at Events and
  // broken again: from any thread, with the lock held, and not after Close.
  Http2Session(int socket, absl::AnyInvocable<void() const> wake_reader);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // ---- the reader

  int socket() const { return socket_; }
  short Events() const;  // that poll should wait for
  // Reads what has come, up to some size; false if nothing has.
  bool Receive(News& news);
  // The socket takes bytes again.
  News Writable();
  // The peer has spoken HTTP/2.
  bool ready() const;
  // OK as long as the connection can be used.
  absl::Status broken() const;
  // Ends all calls with `reason`, and those opened from now on. Messages that nobody has taken are dropped if asked
  // for, and in any case those of calls that are paused.
  enum class Untaken { kKept, kDropped };
  News Close(absl::Status reason, Untaken untaken);

  // ---- calls

  // Whether the peer takes one more call now; otherwise it would wait for another one to end.
  bool HasRoom() const;
  // UNAVAILABLE if the connection is closed or used up. What is said to a call is sent with the next Flush.
  absl::Status Open(std::shared_ptr<Call> call, const Request& request);
  void Write(Call& call, std::string message);
  void HalfClose(Call& call);
  std::size_t Unsent(const Call& call) const;
  // Resets the call; `outcome` is its last news.
  void Cancel(Call& call, absl::Status outcome);
  // A paused call is given no messages.
  Taken Take(Call& call, bool paused);

  // Sends what is there to be sent. Returns at once when another thread is sending, which goes on with it, or when the
  // socket takes nothing.
  News Flush();

 private:
  struct Callbacks;

  std::shared_ptr<Call> Find(std::int32_t id) const;
  void PutInNews(const std::shared_ptr<Call>& call);
  // All with the lock held.
  void Forget(Call& call);
  void Reset(Call& call, std::uint32_t error_code);
  void Break(absl::Status reason);

  const int socket_;
  const absl::AnyInvocable<void() const> wake_reader_;
  std::string input_;  // the reader's

  mutable std::mutex mutex_;
  nghttp2_session* session_ = nullptr;
  absl::flat_hash_map<std::int32_t, std::shared_ptr<Call>> calls_;
  News news_;
  bool ready_ = false;
  bool closed_ = false;
  absl::Status broken_;
  http2::FrameOutput output_;
};

}  // namespace cloudstate::userfunction
