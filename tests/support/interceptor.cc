#include "tests/support/interceptor.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <ostream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cloudstate/event_sourced.grpc.pb.h"

namespace cloudstate::support {
namespace {

using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;

class Log {
 public:
  std::size_t AddStream() {
    absl::MutexLock lock(&mutex_);
    return streams_++;
  }

  void Add(Seen seen) {
    absl::MutexLock lock(&mutex_);
    seen_.push_back(std::move(seen));
  }

  std::vector<Seen> Take(std::size_t count, absl::Duration timeout) {
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return seen_.size() >= taken_ + count; };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&there), timeout);
    const std::size_t from = std::exchange(taken_, std::min(taken_ + count, seen_.size()));
    return {seen_.begin() + static_cast<std::ptrdiff_t>(from), seen_.begin() + static_cast<std::ptrdiff_t>(taken_)};
  }

 private:
  absl::Mutex mutex_;
  std::vector<Seen> seen_ ABSL_GUARDED_BY(mutex_);
  std::size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t streams_ ABSL_GUARDED_BY(mutex_) = 0;
};

class Discovery final : public EntityDiscovery::Service {
 public:
  explicit Discovery(const std::shared_ptr<grpc::Channel>& channel) : stub_(EntityDiscovery::NewStub(channel)) {}

  grpc::Status discover(grpc::ServerContext*, const ProxyInfo* proxy, EntitySpec* answer) override {
    {
      absl::MutexLock lock(&mutex_);
      discoveries_.push_back(*proxy);
    }
    grpc::ClientContext context;
    return stub_->discover(&context, *proxy, answer);
  }

  grpc::Status reportError(grpc::ServerContext*, const UserFunctionError* error,
                           google::protobuf::Empty* answer) override {
    {
      absl::MutexLock lock(&mutex_);
      errors_.push_back(error->message());
    }
    grpc::ClientContext context;
    return stub_->reportError(&context, *error, answer);
  }

  std::vector<ProxyInfo> discoveries() const {
    absl::MutexLock lock(&mutex_);
    return discoveries_;
  }

  std::vector<std::string> errors() const {
    absl::MutexLock lock(&mutex_);
    return errors_;
  }

 private:
  const std::unique_ptr<EntityDiscovery::Stub> stub_;
  mutable absl::Mutex mutex_;
  std::vector<ProxyInfo> discoveries_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> errors_ ABSL_GUARDED_BY(mutex_);
};

class Streams final : public eventsourced::EventSourced::Service {
 public:
  Streams(const std::shared_ptr<grpc::Channel>& channel, Log& log)
      : stub_(eventsourced::EventSourced::NewStub(channel)), log_(log) {}

  // What passes is written down before it is passed on: so an answer stands behind what it answers.
  grpc::Status handle(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<EventSourcedStreamOut, EventSourcedStreamIn>* proxy) override {
    const std::size_t number = log_.AddStream();
    grpc::ClientContext onward;
    const auto user_function = stub_->handle(&onward);
    std::thread back([&] {
      EventSourcedStreamOut out;
      while (user_function->Read(&out)) {
        log_.Add(FromUserFunction(number, out));
        proxy->Write(out);
      }
      log_.Add(StreamFinished(number));
      context->TryCancel();
    });
    EventSourcedStreamIn in;
    while (proxy->Read(&in)) {
      log_.Add(ToUserFunction(number, in));
      user_function->Write(in);
    }
    if (context->IsCancelled()) {
      log_.Add(Cancelled(number));
      onward.TryCancel();
    } else {
      log_.Add(HalfClosed(number));
      user_function->WritesDone();
    }
    back.join();
    return user_function->Finish();
  }

 private:
  const std::unique_ptr<eventsourced::EventSourced::Stub> stub_;
  Log& log_;
};

class Relay final : public Interceptor {
 public:
  explicit Relay(const std::string& user_function)
      : channel_(grpc::CreateChannel(user_function, grpc::InsecureChannelCredentials())),
        discovery_(channel_),
        streams_(channel_, log_) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&discovery_);
    builder.RegisterService(&streams_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) std::abort();
  }

  ~Relay() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const override { return absl::StrCat("127.0.0.1:", port_); }
  std::vector<Seen> Take(std::size_t count, absl::Duration timeout) override { return log_.Take(count, timeout); }
  std::vector<Seen> TakeLeftOver(absl::Duration quiet) override {
    absl::SleepFor(quiet);
    return log_.Take(SIZE_MAX / 2, absl::ZeroDuration());
  }
  std::vector<ProxyInfo> discoveries() const override { return discovery_.discoveries(); }
  std::vector<std::string> errors() const override { return discovery_.errors(); }

 private:
  Log log_;
  std::shared_ptr<grpc::Channel> channel_;
  Discovery discovery_;
  Streams streams_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Seen& seen) { return out << "#" << seen.stream << " " << seen.what; }

Seen ToUserFunction(std::size_t stream, const EventSourcedStreamIn& message) {
  return {stream, "to user function: " + message.ShortDebugString()};
}

Seen FromUserFunction(std::size_t stream, const EventSourcedStreamOut& message) {
  return {stream, "to proxy: " + message.ShortDebugString()};
}

Seen HalfClosed(std::size_t stream) { return {stream, "half-closed by the proxy"}; }
Seen Cancelled(std::size_t stream) { return {stream, "cancelled by the proxy"}; }
Seen StreamFinished(std::size_t stream) { return {stream, "ended by the user function"}; }

std::unique_ptr<Interceptor> Interceptor::Start(const std::string& user_function) {
  return std::make_unique<Relay>(user_function);
}

}  // namespace cloudstate::support
