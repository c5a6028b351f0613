#include "emulator/userfunction/grpc_connection.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/byte_buffer.h"
#include "emulator/base/real_strand.h"

namespace cloudstate::userfunction {
namespace {

using GenericStub = grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer>;

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// The calls that gRPC has not let go of. Their ends are posted to the strand, which must not go away before.
class OpenCalls {
 public:
  void Add(grpc::ClientContext& context) {
    std::lock_guard lock(mutex_);
    contexts_.insert(&context);
    if (cancelled_) context.TryCancel();
  }

  void Remove(grpc::ClientContext& context) {
    std::lock_guard lock(mutex_);
    contexts_.erase(&context);
    if (contexts_.empty()) none_.notify_all();
  }

  void CancelAndWait() {
    std::unique_lock lock(mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
    none_.wait(lock, [&] { return contexts_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::set<grpc::ClientContext*> contexts_;
  bool cancelled_ = false;
};

// A context that is counted as long as it lives.
struct CountedContext {
  explicit CountedContext(OpenCalls& calls) : open_calls(calls) { open_calls.Add(context); }
  ~CountedContext() { open_calls.Remove(context); }
  CountedContext(const CountedContext&) = delete;
  CountedContext& operator=(const CountedContext&) = delete;

  OpenCalls& open_calls;
  grpc::ClientContext context;
};

// The transport's half of a stream: gRPC's threads call into it, and it lives until gRPC has let go of it. What the
// owner wants to hear is posted to the strand; the owner's callbacks are touched there only.
class StreamCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(base::Strand& strand, OpenCalls& open_calls, StreamHandler handler)
      : counted_(open_calls), strand_(strand), handler_(std::move(handler)) {}

  void Begin(GenericStub& stub, const std::string& method, absl::Duration timeout) {
    self_ = shared_from_this();
    if (timeout != absl::InfiniteDuration()) counted_.context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    stub.PrepareBidiStreamingCall(&counted_.context, method, {}, this);
    AddHold();  // writes come from the strand, outside of gRPC's callbacks
    StartRead(&incoming_);
    StartCall();
  }

  void Write(std::string message) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    outgoing_.push_back(base::ToByteBuffer(std::move(message)));
    if (outgoing_.size() == 1) StartWrite(&outgoing_.front());
  }

  void HalfClose() {
    std::lock_guard lock(mutex_);
    if (ended_ || half_closed_) return;
    half_closed_ = true;
    if (outgoing_.empty()) StartWritesDone();
  }

  std::size_t Unsent() {
    std::lock_guard lock(mutex_);
    return outgoing_.size();
  }

  // Both on the strand.
  void Pause() { paused_ = true; }

  void Resume() {
    paused_ = false;
    if (std::exchange(read_held_, false)) StartRead(&incoming_);
  }

  // On the strand: the owner has gone, perhaps from within one of its own callbacks, which therefore stay whole.
  void Detach() {
    detached_ = true;
    counted_.context.TryCancel();
    Resume();  // what a cancelled call still reads says that it has ended
  }

 private:
  // The next message is read when this one has been dealt with: a user function that floods us fills its own window.
  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        std::lock_guard lock(mutex_);
        ended_ = true;
      }
      RemoveHold();
      return;
    }
    strand_.Post([self = self_, message = base::ToString(incoming_)]() mutable {
      if (!self->detached_) self->handler_.on_message(std::move(message));
      self->read_held_ = self->paused_;
      if (!self->read_held_) self->StartRead(&self->incoming_);
    });
  }

  void OnWriteDone(bool ok) override {
    bool writable = false;
    {
      std::lock_guard lock(mutex_);
      outgoing_.pop_front();
      if (!ok || ended_) {
        outgoing_.clear();
      } else if (!outgoing_.empty()) {
        StartWrite(&outgoing_.front());
      } else if (half_closed_) {
        StartWritesDone();
      }
      writable = outgoing_.empty();
    }
    if (!writable) return;
    strand_.Post([self = self_] {
      if (!self->detached_ && self->handler_.on_writable) self->handler_.on_writable();
    });
  }

  void OnDone(const grpc::Status& status) override {
    strand_.Post([self = std::move(self_), status = ToStatus(status)]() mutable {
      if (!self->detached_) self->handler_.on_closed(std::move(status));
    });
  }

  CountedContext counted_;  // goes last
  base::Strand& strand_;
  StreamHandler handler_;  // with detached_: on the strand only
  bool detached_ = false;
  bool paused_ = false;     // on the strand only, as the next one
  bool read_held_ = false;  // the next message is asked for when the pause ends
  grpc::ByteBuffer incoming_;
  std::shared_ptr<StreamCall> self_;  // gRPC's share of the ownership

  std::mutex mutex_;
  std::deque<grpc::ByteBuffer> outgoing_;  // the first one is being written
  bool half_closed_ = false;
  bool ended_ = false;
};

class GrpcStream final : public Stream {
 public:
  explicit GrpcStream(std::shared_ptr<StreamCall> call) : call_(std::move(call)) {}
  ~GrpcStream() override { call_->Detach(); }
  void Write(std::string message) override { call_->Write(std::move(message)); }
  void HalfClose() override { call_->HalfClose(); }
  std::size_t Unsent() const override { return call_->Unsent(); }
  void Pause() override { call_->Pause(); }
  void Resume() override { call_->Resume(); }

 private:
  std::shared_ptr<StreamCall> call_;
};

struct UnaryCall {
  explicit UnaryCall(OpenCalls& open_calls) : counted(open_calls) {}

  CountedContext counted;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  absl::AnyInvocable<void(absl::StatusOr<std::string>)> done;
};

class GrpcConnection final : public Connection {
 public:
  GrpcConnection(std::shared_ptr<grpc::Channel> channel, base::Strand& strand, OpenCalls& open_calls)
      : strand_(strand), open_calls_(open_calls), stub_(std::move(channel)) {}

  std::unique_ptr<Stream> Open(std::string_view method, absl::Duration timeout, StreamHandler handler) override {
    auto call = std::make_shared<StreamCall>(strand_, open_calls_, std::move(handler));
    call->Begin(stub_, std::string(method), timeout);
    return std::make_unique<GrpcStream>(std::move(call));
  }

  void Call(std::string_view method, std::string request, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override {
    auto call = std::make_shared<UnaryCall>(open_calls_);
    call->counted.context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
    call->request = base::ToByteBuffer(std::move(request));
    call->done = std::move(done);
    UnaryCall& state = *call;
    stub_.UnaryCall(&state.counted.context, std::string(method), {}, &state.request, &state.response,
                    [&strand = strand_, call = std::move(call)](grpc::Status status) mutable {
                      strand.Post([call = std::move(call), status = std::move(status)] {
                        if (status.ok()) {
                          call->done(base::ToString(call->response));
                        } else {
                          call->done(ToStatus(status));
                        }
                      });
                    });
  }

 private:
  base::Strand& strand_;
  OpenCalls& open_calls_;
  GenericStub stub_;
};

// Gives up after a second: a host may swallow the attempt without an answer.
bool Connects(int fd, const addrinfo& address) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd connected{fd, POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  return poll(&connected, 1, 1000) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// Whether something accepts connections at host:port.
bool Listening(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return false;
  bool listening = false;
  for (addrinfo* each = found; each != nullptr && !listening; each = each->ai_next) {
    const int fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol);
    if (fd < 0) continue;
    listening = Connects(fd, *each);
    close(fd);
  }
  freeaddrinfo(found);
  return listening;
}

class GrpcTransportThread final : public GrpcTransport {
 public:
  GrpcTransportThread(std::string address, std::size_t max_message_bytes, base::Strand& strand, Handler handler)
      : address_(std::move(address)),
        max_message_bytes_(max_message_bytes),
        strand_(strand),
        handler_(std::make_shared<Handler>(std::move(handler))),
        thread_([this] { Run(); }) {}

  ~GrpcTransportThread() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    thread_.join();
    open_calls_.CancelAndWait();
    base::RunOn(strand_, [this] { *handler_ = {}; });  // after this nothing of ours is left on the strand
  }

 private:
  static constexpr std::chrono::milliseconds kFirstProbe{2};
  static constexpr std::chrono::milliseconds kLastProbe{1000};
  static constexpr std::chrono::milliseconds kStateCheck{200};

  bool StopWithin(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return stop_.wait_for(lock, time, [&] { return stopping_; });
  }

  // One round: wait for a listener, connect, watch the connection until it is lost.
  void Run() {
    auto pause = kFirstProbe;
    const auto colon = address_.rfind(':');
    std::string host = address_.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);  // IPv6
    const std::string port = address_.substr(colon + 1);
    while (!StopWithin(std::chrono::milliseconds(0))) {
      if (!Listening(host, port)) {
        if (StopWithin(pause)) return;
        pause = std::min(pause + pause / 4 + std::chrono::milliseconds(1), kLastProbe);
        continue;
      }
      pause = kFirstProbe;
      Serve();
      if (StopWithin(kFirstProbe)) return;
    }
  }

  void Serve() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(static_cast<int>(max_message_bytes_));
    arguments.SetMaxSendMessageSize(static_cast<int>(max_message_bytes_));
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // a command must not be sent twice
    auto channel = grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(2))) return;
    strand_.Post([handler = handler_, connection = std::make_shared<GrpcConnection>(channel, strand_, open_calls_)] {
      if (handler->up) handler->up(connection);
    });
    // What is asked is whether the state has changed since, not what it is: a connection that was lost may already be
    // there again, to another user function, because somebody called.
    while (!channel->WaitForStateChange(GRPC_CHANNEL_READY, std::chrono::system_clock::now() + kStateCheck)) {
      if (StopWithin(std::chrono::milliseconds(0))) return;
    }
    strand_.Post([handler = handler_, address = address_] {
      if (handler->down)
        handler->down(absl::UnavailableError(absl::StrCat("the connection to ", address, " was lost")));
    });
  }

  const std::string address_;
  const std::size_t max_message_bytes_;
  base::Strand& strand_;
  OpenCalls open_calls_;
  std::shared_ptr<Handler> handler_;  // shared with tasks on the strand, which alone call it
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<GrpcTransport> GrpcTransport::Start(std::string address, std::size_t max_message_bytes,
                                                    base::Strand& strand, Handler handler) {
  return std::make_unique<GrpcTransportThread>(std::move(address), max_message_bytes, strand, std::move(handler));
}

}  // namespace cloudstate::userfunction
