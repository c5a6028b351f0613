#include "tests/conformance/grpc_peer.h"

#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "emulator/base/byte_buffer.h"

namespace cloudstate::testing {
namespace {

class PeerCall;

struct Peer {
  std::mutex mutex;
  std::set<PeerCall*> swallowing;
  bool reading = false;
  int open = 0;
  int cancelled = 0;
  int written = 0;
};

class PeerCall final : public grpc::ServerGenericBidiReactor {
 public:
  PeerCall(Peer& peer, grpc::GenericCallbackServerContext& context)
      : peer_(peer), context_(context), method_(context.method().substr(sizeof "/peer/" - 1)) {
    {
      std::lock_guard lock(peer_.mutex);
      ++peer_.open;
      if (method_ == "swallow" && !peer_.reading) {
        peer_.swallowing.insert(this);
        return;
      }
    }
    StartRead(&request_);
  }

  void GoOn() { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return OnHalfClose();
    std::string message = base::ToString(request_);
    read_ += message.size();
    std::istringstream words(message);
    if (method_ == "fail") {
      int code = 0;
      std::string text;
      std::getline(words >> code >> std::ws, text);
      return End(grpc::Status(static_cast<grpc::StatusCode>(code), text));
    }
    if (method_ == "flood") {
      words >> flood_ >> size_;
      return Flood();
    }
    if (method_ == "echo") return Send(std::move(message));
    if (method_ == "read" || method_ == "deadline" || method_ == "counts") return Send(Answer());
    StartRead(&request_);
  }

  // A call is ended once, whatever comes first.
  void End(grpc::Status status) {
    if (!ended_.exchange(true)) Finish(std::move(status));
  }

  std::string Answer() {
    if (method_ == "deadline") {
      const auto left = context_.deadline() - std::chrono::system_clock::now();
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
    }
    std::lock_guard lock(peer_.mutex);
    if (method_ == "counts") {
      return std::to_string(peer_.open - 1) + " " + std::to_string(peer_.cancelled) + " " +
             std::to_string(peer_.written);
    }
    peer_.reading = true;
    for (PeerCall* each : std::exchange(peer_.swallowing, {})) each->GoOn();
    return "";
  }

  void OnHalfClose() {
    if (method_ == "swallow") {
      method_ = "done";
      return Send(std::to_string(read_));
    }
    if (method_ != "flood" && method_ != "silent" && method_ != "fail") End(grpc::Status::OK);
  }

  void Flood() {
    if (flood_-- == 0) return End(grpc::Status::OK);
    Send(std::string(size_, 'x'));
  }

  void Send(const std::string& message) {
    const grpc::Slice slice(message);
    response_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return;
    if (method_ == "done") return End(grpc::Status::OK);
    if (method_ != "flood") return StartRead(&request_);
    {
      std::lock_guard lock(peer_.mutex);
      ++peer_.written;
    }
    Flood();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(peer_.mutex);
      ++peer_.cancelled;
      peer_.swallowing.erase(this);
    }
    End(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    {
      std::lock_guard lock(peer_.mutex);
      --peer_.open;
    }
    delete this;  // gRPC's way: the reactor belongs to itself
  }

  Peer& peer_;
  grpc::GenericCallbackServerContext& context_;
  std::string method_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::atomic<bool> ended_ = false;
  std::size_t read_ = 0;
  int flood_ = 0;
  std::size_t size_ = 0;
};

class PeerService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new PeerCall(peer_, *context);
  }

  Peer peer_;
};

}  // namespace

int ServeAsGrpcPeer(const std::string& port, const std::string& max_streams) {
  PeerService service;
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort("127.0.0.1:" + port, grpc::InsecureServerCredentials(), &bound);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(-1);
  if (max_streams != "0") builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, std::stoi(max_streams));
  builder.RegisterCallbackGenericService(&service);
  auto server = builder.BuildAndStart();
  if (server == nullptr) bound = 0;
  std::cout << bound << std::endl;
  char none = 0;
  while (read(STDIN_FILENO, &none, 1) > 0) {
  }
  _exit(0);
}

std::unique_ptr<GrpcPeer> GrpcPeer::Start(std::uint16_t port, int max_streams) {
  int input[2];
  int output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  std::string self = "/proc/self/exe";
  std::string serve = kServe;
  std::string port_text = std::to_string(port);
  std::string streams_text = std::to_string(max_streams);
  char* arguments[] = {self.data(), serve.data(), port_text.data(), streams_text.data(), nullptr};
  // gRPC is not instrumented: what a thread sanitizer says of a process that uses it means nothing.
  std::string quiet = "TSAN_OPTIONS=report_bugs=0";
  char* environment[] = {quiet.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, environment) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  char text[16] = {};
  const ssize_t size = read(output[0], text, sizeof text - 1);
  close(output[0]);
  const int bound = size > 0 ? std::atoi(text) : 0;
  if (bound == 0) {
    std::cerr << "the peer could not listen on port " << port << "\n";
    std::abort();
  }
  return std::unique_ptr<GrpcPeer>(new GrpcPeer(pid, input[1], static_cast<std::uint16_t>(bound)));
}

GrpcPeer::~GrpcPeer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(input_);
}

}  // namespace cloudstate::testing
