#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/base/strand.h"
#include "emulator/http2/frame_output.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/grpc_request.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

class GrpcCall;

// What answers a request.
struct GrpcTarget {
  Backend* backend = nullptr;
  std::shared_ptr<const Services> services;  // keeps `method`
  const google::protobuf::MethodDescriptor* method = nullptr;
};

// A gRPC server's end of one HTTP/2 connection: nghttp2's frames on a connected socket on one side, calls on the other.
//
// Threads: one, the door's, calls what is under "connection". Calls are answered by any. All state, that of the calls
// too, has one lock; what a backend is to be told while it is held is put off until it is not (base::Turn), and so is
// sending, which thus sends many answers at once.
class GrpcSession final : public std::enable_shared_from_this<GrpcSession> {
 public:
  // Bytes of a streamed request that a client may send ahead of what the backend has asked for.
  static constexpr std::int32_t kStreamWindow = 256 * 1024;

  struct Options {
    std::size_t max_message_bytes = 0;
    std::size_t max_header_bytes = 0;
    std::string peer;
    // Finds what answers a request, or why nothing does. On the door's thread.
    std::function<std::variant<GrpcTarget, absl::Status>(const GrpcRequest&)> find;
    // The door's thread should look at `state` again. Any thread, with the lock held; not after Close.
    absl::AnyInvocable<void()> wake;
  };

  // Takes over the socket, which does not block.
  GrpcSession(int socket, Options options);
  ~GrpcSession();
  GrpcSession(const GrpcSession&) = delete;
  GrpcSession& operator=(const GrpcSession&) = delete;

  // ---- connection

  void Receive(std::string_view bytes);
  struct State {
    bool ready = false;    // the client has spoken HTTP/2
    bool ended = false;    // nothing more is to be read or sent: close it
    bool blocked = false;  // the socket takes nothing: call Writable when it does
    absl::Time deadline;   // when Expire has to be called; infinite without deadlines
  };
  State state() const;
  void Writable();
  void Expire();
  // Refuses further calls, and has ended when the others have.
  void Drain();
  // Ends all calls with the reason, as far as the client still takes it.
  void Close(const absl::Status& reason);

  // ---- calls: between Lock and Unlock only

  std::unique_lock<std::mutex> Lock() { return std::unique_lock(mutex_); }
  // Then tells what has been put off and sends what there is to send, or has it done at the end of this thread's turn.
  void Unlock(std::unique_lock<std::mutex> lock);
  void Later(base::Task task) { put_off_.push_back(std::move(task)); }
  // Those of `id` must be in progress. `headers` are copied.
  void SubmitHeaders(std::int32_t id, const std::vector<nghttp2_nv>& headers, bool messages_follow);
  void Resume(std::int32_t id);
  void Consume(std::int32_t id, std::size_t bytes);
  void Reset(std::int32_t id, std::uint32_t error_code);

 private:
  struct Callbacks;

  // All with the lock held.
  std::shared_ptr<GrpcCall> Find(std::int32_t id) const;
  void Begin(std::int32_t id);
  void Refuse(std::int32_t id, const absl::Status& status);
  void Forget(std::int32_t id);
  void End();
  void Wake();
  void CloseSocket();

  void Flush();

  int socket_;
  Options options_;

  mutable std::mutex mutex_;
  nghttp2_session* session_ = nullptr;  // none once it is closed
  absl::flat_hash_map<std::int32_t, std::shared_ptr<GrpcCall>> calls_;
  std::set<std::pair<absl::Time, std::int32_t>> deadlines_;
  GrpcRequest request_;  // whose headers are coming
  std::vector<base::Task> put_off_;
  bool ready_ = false;
  bool ended_ = false;
  bool draining_ = false;
  bool flush_deferred_ = false;
  http2::FrameOutput output_;
};

}  // namespace cloudstate::serving
