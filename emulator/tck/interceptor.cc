#include "emulator/tck/interceptor.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "emulator/base/byte_buffer.h"

namespace cloudstate::tck {
namespace {

using GenericStub = grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer>;

constexpr char kDiscover[] = "/cloudstate.EntityDiscovery/discover";
constexpr char kReportError[] = "/cloudstate.EntityDiscovery/reportError";

// A call's place in the log: which one it is since which fresh start.
struct CallNumber {
  std::size_t generation = 0;
  std::size_t call = 0;
};

class Log {
 public:
  explicit Log(Waiting& waiting) : waiting_(waiting) {}

  CallNumber AddCall() {
    CallNumber number;
    waiting_.Apply([&] { number = {generation_, calls_++}; });
    return number;
  }

  void Add(CallNumber number, Passed::What what, const std::string& method, std::string message) {
    waiting_.Apply([&] {
      if (number.generation == generation_) passed_.push_back({number.call, what, method, std::move(message)});
    });
  }

  void AddDiscovery(const std::string& method, const std::string& message) {
    waiting_.Apply([&] {
      if (method == kDiscover) discoveries_.emplace_back().ParseFromString(message);
      if (method != kReportError) return;
      UserFunctionError error;
      error.ParseFromString(message);
      errors_.push_back(error.message());
    });
  }

  std::vector<Passed> Take(std::size_t count, absl::Time deadline) {
    waiting_.Until(deadline, [&] { return passed_.size() >= taken_ + count; });
    return TakeAtMost(count);
  }

  std::vector<Passed> TakeAtMost(std::size_t count) {
    std::vector<Passed> taken;
    waiting_.Apply([&] {
      while (taken.size() < count && taken_ < passed_.size()) taken.push_back(passed_[taken_++]);
    });
    return taken;
  }

  void StartAnew() {
    waiting_.Apply([&] {
      ++generation_;
      calls_ = 0;
      taken_ = 0;
      passed_.clear();
      errors_taken_ = errors_.size();
      replacement_.reset();
    });
    Release();
  }

  void Replace(std::size_t before, std::string message) {
    waiting_.Apply([&] {
      replacement_ = std::move(message);
      before_replacement_ = before;
    });
  }

  // What is to be said in place of the message that passes now on this call, if anything.
  std::optional<std::string> TakeReplacement(CallNumber number) {
    std::optional<std::string> taken;
    waiting_.Apply([&] {
      if (number.generation != generation_ || !replacement_.has_value()) return;
      if (before_replacement_-- == 0) taken.swap(replacement_);
    });
    return taken;
  }

  void HoldAnswers(std::size_t call) {
    waiting_.Apply([&] { holding_ = call; });
  }

  // False where nothing is to be held; then `pass` is not taken. It runs without the lock otherwise.
  bool HoldBack(CallNumber number, std::function<void()> pass) {
    bool held = false;
    waiting_.Apply([&] {
      held = number.generation == generation_ && number.call == holding_;
      if (held) held_.push_back(std::move(pass));
    });
    return held;
  }

  void Release() {
    std::vector<std::function<void()>> released;
    waiting_.Apply([&] {
      holding_.reset();
      released.swap(held_);
    });
    for (const auto& pass : released) pass();
  }

  std::optional<std::string> TakeError(absl::Time deadline) {
    waiting_.Until(deadline, [&] { return errors_taken_ < errors_.size(); });
    std::optional<std::string> taken;
    waiting_.Apply([&] {
      if (errors_taken_ < errors_.size()) taken = errors_[errors_taken_++];
    });
    return taken;
  }

  std::vector<ProxyInfo> discoveries() { return Copy(discoveries_); }
  std::vector<std::string> errors() { return Copy(errors_); }

 private:
  template <typename Values>
  Values Copy(const Values& values) {
    Values copy;
    waiting_.Apply([&] { copy = values; });
    return copy;
  }

  // All that follows is guarded by waiting_.
  Waiting& waiting_;
  std::size_t generation_ = 0;
  std::size_t calls_ = 0;
  std::vector<Passed> passed_;
  std::size_t taken_ = 0;
  std::vector<ProxyInfo> discoveries_;
  std::vector<std::string> errors_;
  std::size_t errors_taken_ = 0;
  std::optional<std::string> replacement_;
  std::size_t before_replacement_ = 0;
  std::optional<std::size_t> holding_;  // a call
  std::vector<std::function<void()>> held_;
};

// One call, from the proxy's side and on to the user function. What passes is written down before it is passed on: so
// an answer stands behind what it answers. Lives until gRPC has let go of both sides.
class Relay final : public grpc::ServerGenericBidiReactor {
 public:
  Relay(grpc::GenericCallbackServerContext& context, GenericStub& stub, Log& log)
      : context_(context), log_(log), method_(context.method()), kind_(KindOf(method_)), onward_(*this) {
    if (kind_ != nullptr) number_ = log_.AddCall();
    onward_.Begin(stub);
    StartRead(&from_proxy_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      if (context_.IsCancelled() || finished_) return;
      if (kind_ != nullptr && kind_->streamed_in) Add(Passed::What::kHalfClosed, "");
      onward_.HalfClose();
      return;
    }
    AddMessage(Passed::What::kToUserFunction, base::ToString(from_proxy_));
    onward_.Write(from_proxy_);
  }

  void OnWriteDone(bool) override { onward_.StartRead(&from_user_function_); }

  void OnCancel() override {
    if (!finished_) Add(Passed::What::kCancelled, "");
    onward_.context.TryCancel();
  }

  void OnDone() override { Release(); }

 private:
  // The half that is a client of the user function.
  class Onward final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Onward(Relay& relay) : relay_(relay) {}

    void Begin(GenericStub& stub) {
      context.set_deadline(relay_.context_.deadline());
      stub.PrepareBidiStreamingCall(&context, relay_.method_, {}, this);
      AddHold();  // writes come from the proxy's side
      StartRead(&relay_.from_user_function_);
      StartCall();
    }

    void Write(const grpc::ByteBuffer& message) {
      std::lock_guard lock(mutex_);
      if (!over_) StartWrite(&message);
    }

    void HalfClose() {
      std::lock_guard lock(mutex_);
      if (!over_) StartWritesDone();
    }

    void OnReadDone(bool ok) override {
      if (ok) return relay_.AnswerRead();
      {
        std::lock_guard lock(mutex_);
        over_ = true;
      }
      RemoveHold();
    }
    void OnWriteDone(bool) override { relay_.StartRead(&relay_.from_proxy_); }
    void OnDone(const grpc::Status& status) override { relay_.End(status); }

    grpc::ClientContext context;

   private:
    Relay& relay_;
    std::mutex mutex_;
    bool over_ = false;
  };

  void AnswerRead() {
    answered_ = true;
    if (kind_ == nullptr || !log_.HoldBack(number_, [this] { PassAnswerOn(); })) PassAnswerOn();
  }

  void PassAnswerOn() {
    if (kind_ != nullptr) {
      if (const std::optional<std::string> other = log_.TakeReplacement(number_)) {
        const grpc::Slice slice(*other);
        from_user_function_ = grpc::ByteBuffer(&slice, 1);
      }
    }
    AddMessage(Passed::What::kToProxy, base::ToString(from_user_function_));
    StartWrite(&from_user_function_);
  }

  void End(const grpc::Status& status) {
    finished_ = true;
    if (kind_ != nullptr && (kind_->streamed_out || !answered_ || !status.ok())) {
      Add(Passed::What::kEnded, status.ok() ? "" : status.error_message());
    }
    Finish(status);
    Release();
  }

  void Add(Passed::What what, std::string message) {
    if (kind_ != nullptr) log_.Add(number_, what, method_, std::move(message));
  }

  void AddMessage(Passed::What what, std::string message) {
    if (kind_ != nullptr) {
      log_.Add(number_, what, method_, std::move(message));
    } else if (what == Passed::What::kToUserFunction) {
      log_.AddDiscovery(method_, message);
    }
  }

  // Both sides end by themselves; the second one to do so takes this with it.
  void Release() {
    if (--sides_ == 0) delete this;
  }

  grpc::GenericCallbackServerContext& context_;
  Log& log_;
  const std::string method_;
  const MethodKind* const kind_;  // null for discovery and what is not known
  CallNumber number_;
  grpc::ByteBuffer from_proxy_;
  grpc::ByteBuffer from_user_function_;
  std::atomic<bool> answered_ = false;
  std::atomic<bool> finished_ = false;
  std::atomic<int> sides_ = 2;
  Onward onward_;
};

class Service final : public grpc::CallbackGenericService {
 public:
  Service(const std::string& user_function, Log& log) : log_(log) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = std::make_unique<GenericStub>(
        grpc::CreateCustomChannel(user_function, grpc::InsecureChannelCredentials(), arguments));
  }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return std::make_unique<Relay>(*context, *stub_, log_).release();
  }

 private:
  Log& log_;
  std::unique_ptr<GenericStub> stub_;
};

// gRPC ends the threads of its callbacks with the last server and channel that has any, and now and then frees their
// queue twice on the way (1.51: AddressSanitizer sees it in one of forty runs of the kit on a busy machine). A server
// that nobody can call keeps them as long as the process.
bool KeepCallbackThreads() {
  static const grpc::Server* const kKeeper = [] {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(std::make_unique<grpc::CallbackGenericService>().release());
    return builder.BuildAndStart().release();
  }();
  return kKeeper != nullptr;
}

class GrpcInterceptor final : public Interceptor {
 public:
  GrpcInterceptor(const std::string& user_function, Waiting& waiting) : log_(waiting), service_(user_function, log_) {}
  ~GrpcInterceptor() override {
    log_.Release();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  absl::Status Listen() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port_ != 0) return absl::OkStatus();
    return absl::UnavailableError("the interceptor finds no free port");
  }

  std::uint16_t port() const override { return static_cast<std::uint16_t>(port_); }
  std::vector<Passed> Take(std::size_t count, absl::Time deadline) override { return log_.Take(count, deadline); }
  std::vector<Passed> TakeLeftOver() override { return log_.TakeAtMost(SIZE_MAX); }
  void StartAnew() override { log_.StartAnew(); }
  void Replace(std::size_t before, std::string message) override { log_.Replace(before, std::move(message)); }
  void HoldAnswers(std::size_t call) override { log_.HoldAnswers(call); }
  void Release() override { log_.Release(); }
  std::vector<ProxyInfo> discoveries() const override { return log_.discoveries(); }
  std::vector<std::string> errors() const override { return log_.errors(); }
  std::optional<std::string> TakeError(absl::Time deadline) override { return log_.TakeError(deadline); }

 private:
  mutable Log log_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Interceptor>> Interceptor::Start(const std::string& user_function, Waiting& waiting) {
  if (!KeepCallbackThreads()) return absl::UnavailableError("gRPC starts no server");
  auto interceptor = std::make_unique<GrpcInterceptor>(user_function, waiting);
  if (absl::Status status = interceptor->Listen(); !status.ok()) return status;
  return interceptor;
}

}  // namespace cloudstate::tck
