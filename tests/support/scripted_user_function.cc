#include "tests/support/scripted_user_function.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "cloudstate/entity.grpc.pb.h"

namespace cloudstate::support {
namespace {

using Record = ScriptedUserFunction::Record;
using StreamRecord = ScriptedUserFunction::StreamRecord;

// The record, shared by the streams and the test.
class Log {
 public:
  std::size_t AddStream(StreamRecord stream) {
    absl::MutexLock lock(&mutex_);
    record_.streams.push_back(std::move(stream));
    return record_.streams.size() - 1;
  }

  void Change(const std::function<void(Record&)>& change) {
    absl::MutexLock lock(&mutex_);
    change(record_);
  }

  void ChangeStream(std::size_t number, const std::function<void(StreamRecord&)>& change) {
    Change([&](Record& record) { change(record.streams[number]); });
  }

  Record Get() const {
    absl::MutexLock lock(&mutex_);
    return record_;
  }

  bool WaitUntil(const std::function<bool(const Record&)>& condition, absl::Duration timeout) const {
    auto holds = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return condition(record_); };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&holds), timeout);
  }

 private:
  mutable absl::Mutex mutex_;
  Record record_ ABSL_GUARDED_BY(mutex_);
};

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

StreamRecord Opened(const grpc::GenericCallbackServerContext& context) {
  StreamRecord stream;
  stream.method = context.method();
  for (const auto& [name, value] : context.client_metadata()) {
    stream.headers.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  const auto deadline = context.deadline();
  stream.time_left = deadline == std::chrono::system_clock::time_point::max()
                         ? absl::InfiniteDuration()
                         : absl::FromChrono(deadline) - absl::Now();
  return stream;
}

// Deals in bytes, so that one class serves every method, and a test can write what is no message.
class Stream final : public grpc::ServerGenericBidiReactor, public ScriptedStream {
 public:
  Stream(const Script& script, Log& log, grpc::GenericCallbackServerContext& context)
      : script_(script),
        log_(log),
        context_(context),
        method_(context.method()),
        number_(log.AddStream(Opened(context))) {
    if (script_.on_open) script_.on_open(*this);
    ReadUnlessPaused();
  }

  std::size_t number() const override { return number_; }
  const std::string& method() const override { return method_; }

  void WriteBytes(std::string bytes) override {
    absl::MutexLock lock(&mutex_);
    if (status_) return;
    unsent_.push_back(ToBuffer(bytes));
    if (unsent_.size() == 1) StartWrite(&unsent_.front());
  }

  void Finish() override { EndWith(grpc::Status::OK); }

  void Break(int status_code, std::string description) override {
    EndWith(grpc::Status(static_cast<grpc::StatusCode>(status_code), std::move(description)));
  }

  void Pause() override {
    absl::MutexLock lock(&mutex_);
    paused_ = true;
  }

  void Resume() override {
    {
      absl::MutexLock lock(&mutex_);
      paused_ = false;
      if (!std::exchange(held_up_, false)) return;
    }
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return OnHalfClose();
    const std::string message = ToBytes(in_);
    log_.ChangeStream(number_, [&](StreamRecord& stream) { stream.received.push_back(message); });
    if (script_.on_message) script_.on_message(*this, message);
    ReadUnlessPaused();
  }

  void OnWriteDone(bool ok) override {
    if (ok) log_.ChangeStream(number_, [](StreamRecord& stream) { ++stream.sent; });
    {
      absl::MutexLock lock(&mutex_);
      unsent_.pop_front();
      if (!ok) unsent_.clear();
      if (!unsent_.empty()) {
        StartWrite(&unsent_.front());
        return;
      }
      ok = ok && !status_;
      if (!ok && !status_) return;  // the end is on its way
    }
    if (!ok) return grpc::ServerGenericBidiReactor::Finish(*status_);
    if (script_.on_all_written) script_.on_all_written(*this);
  }

  void OnCancel() override {
    log_.ChangeStream(number_, [](StreamRecord& stream) { stream.cancelled = true; });
    Finish();
  }

  void OnDone() override {
    log_.ChangeStream(number_, [](StreamRecord& stream) { stream.ended = true; });
  }

 private:
  void ReadUnlessPaused() {
    {
      absl::MutexLock lock(&mutex_);
      held_up_ = paused_;
      if (held_up_) return;
    }
    StartRead(&in_);
  }

  // Reading has also come to an end when the call has been cancelled or finished from here; that is no half-close.
  void OnHalfClose() {
    {
      absl::MutexLock lock(&mutex_);
      if (status_ || context_.IsCancelled()) return;
    }
    log_.ChangeStream(number_, [](StreamRecord& stream) { stream.half_closed = true; });
    if (script_.on_half_close) {
      script_.on_half_close(*this);
    } else if (absl::EndsWith(method_, "/handle")) {
      Finish();
    }
  }

  // Whoever finds the end decided and nothing left to write finishes the call; it happens once.
  void EndWith(grpc::Status status) {
    {
      absl::MutexLock lock(&mutex_);
      if (status_) return;
      status_ = std::move(status);
      if (!unsent_.empty()) return;
    }
    grpc::ServerGenericBidiReactor::Finish(*status_);
  }

  const Script& script_;
  Log& log_;
  grpc::GenericCallbackServerContext& context_;
  const std::string method_;
  const std::size_t number_;
  grpc::ByteBuffer in_;
  absl::Mutex mutex_;
  std::deque<grpc::ByteBuffer> unsent_ ABSL_GUARDED_BY(mutex_);  // the first one is being written
  std::optional<grpc::Status> status_;                           // how the call is to end; set once, under the lock
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  bool held_up_ ABSL_GUARDED_BY(mutex_) = false;  // a read is due as soon as it is not paused
};

class Discovery final : public EntityDiscovery::CallbackService {
 public:
  Discovery(const Script& script, Log& log) : script_(script), log_(log) {}

  grpc::ServerUnaryReactor* discover(grpc::CallbackServerContext* context, const ProxyInfo* proxy,
                                     EntitySpec* answer) override {
    *answer = script_.on_discover ? script_.on_discover(*proxy) : script_.spec;
    log_.Change([&](Record& record) { record.discoveries.push_back(*proxy); });
    return FinishNow(*context);
  }

  grpc::ServerUnaryReactor* reportError(grpc::CallbackServerContext* context, const UserFunctionError* error,
                                        google::protobuf::Empty*) override {
    log_.Change([&](Record& record) { record.errors.push_back(error->message()); });
    return FinishNow(*context);
  }

 private:
  static grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext& context) {
    grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const Script& script_;
  Log& log_;
};

class Streams final : public grpc::CallbackGenericService {
 public:
  Streams(const Script& script, Log& log) : script_(script), log_(log) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    auto stream = std::make_unique<Stream>(script_, log_, *context);
    absl::MutexLock lock(&mutex_);
    return streams_.emplace_back(std::move(stream)).get();
  }

 private:
  const Script& script_;
  Log& log_;
  absl::Mutex mutex_;
  // Kept to the end, so that a test may hold on to a stream that has ended.
  std::vector<std::unique_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
};

class Server final : public ScriptedUserFunction {
 public:
  Server(Script script, const std::string& address)
      : script_(std::move(script)), discovery_(script_, log_), streams_(script_, log_) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Who reads nothing holds the proxy up after 64 KiB, however fast the connection has been before.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&discovery_);
    builder.RegisterCallbackGenericService(&streams_);
    server_ = builder.BuildAndStart();
    if (server_ && port_ != 0) return;
    std::cerr << "The scripted user function cannot listen on " << address << ".\n";
    std::abort();
  }

  ~Server() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::uint16_t port() const override { return static_cast<std::uint16_t>(port_); }
  Record record() const override { return log_.Get(); }
  bool WaitUntil(const std::function<bool(const Record&)>& condition, absl::Duration timeout) const override {
    return log_.WaitUntil(condition, timeout);
  }

 private:
  const Script script_;
  Log log_;
  Discovery discovery_;
  Streams streams_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::unique_ptr<ScriptedUserFunction> ScriptedUserFunction::Start(Script script, const std::string& address) {
  return std::make_unique<Server>(std::move(script), address);
}

eventsourced::EventSourcedStreamOut ReplyTo(std::int64_t command_id, const google::protobuf::Message& payload) {
  eventsourced::EventSourcedStreamOut message;
  message.mutable_reply()->set_command_id(command_id);
  message.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(payload);
  return message;
}

}  // namespace cloudstate::support
