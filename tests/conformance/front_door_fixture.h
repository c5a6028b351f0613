#pragma once

#include <arpa/inet.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/serving/front_door.h"
#include "google/api/httpbody.pb.h"
#include "google/protobuf/descriptor.pb.h"

// What the suites of the front door have in common: a backend in the test's hands and clients.

namespace cloudstate::serving {

inline constexpr char kEchoFile[] = R"pb(
  name: "echo.proto"
  package: "test"
  syntax: "proto3"
  dependency: "text.proto"
  service {
    name: "Echo"
    method { name: "Say" input_type: ".test.Text" output_type: ".test.Text" }
    method { name: "Count" input_type: ".test.Text" output_type: ".test.Text" server_streaming: true }
    method { name: "Collect" input_type: ".test.Text" output_type: ".test.Text" client_streaming: true }
    method {
      name: "Chat"
      input_type: ".test.Text"
      output_type: ".test.Text"
      client_streaming: true
      server_streaming: true
    }
  }
  service { name: "Another" })pb";

inline constexpr char kTextFile[] = R"pb(
  name: "text.proto"
  package: "test"
  syntax: "proto3"
  message_type {
    name: "Text"
    field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "text" }
  })pb";

struct OwnedServices : Services {
  google::protobuf::DescriptorPool owned;
};

// The services in the files, whose descriptors are in protobuf's text form and in the order of their dependencies.
inline std::shared_ptr<const Services> ServicesIn(const std::vector<std::string>& files,
                                                  const std::vector<std::string>& names) {
  auto services = std::make_shared<OwnedServices>();
  services->pool = &services->owned;
  for (const std::string& text : files) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file));
    EXPECT_NE(services->owned.BuildFile(file), nullptr);
  }
  for (const std::string& name : names) services->services.push_back(services->owned.FindServiceByName(name));
  return services;
}

// google/api/httpbody.proto and what it needs, for ServicesIn.
inline std::vector<std::string> HttpBodyFiles() {
  const auto text_of = [](const google::protobuf::FileDescriptor& file) {
    google::protobuf::FileDescriptorProto proto;
    file.CopyTo(&proto);
    return proto.DebugString();
  };
  const auto& file = *google::api::HttpBody::descriptor()->file();
  return {text_of(*file.dependency(0)), text_of(file)};
}

inline std::shared_ptr<const Services> EchoServices() {
  return ServicesIn({kTextFile, kEchoFile}, {"test.Echo", "test.Another"});
}

// A test.Text as it is serialized, of a text shorter than 128 bytes or of any length.
inline std::string Text(const std::string& text) {
  std::string size;
  for (std::size_t rest = text.size(); size.empty() || rest > 0; rest >>= 7) {
    size += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return "\x0a" + size + text;
}

// The bytes of a literal that has zeros among them.
template <std::size_t size>
std::string Bytes(const char (&literal)[size]) {
  return std::string(literal, size - 1);
}

inline bool Await(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
    poll(nullptr, 0, 1);
  }
  return true;
}

// Answers by what the test sets; counts what it is asked and told.
class FakeBackend final : public Backend {
 public:
  using Answer = std::function<void(const Call&, Responder&)>;

  std::shared_ptr<const Services> CurrentServices() const override {
    std::lock_guard lock(mutex_);
    return services_;
  }
  absl::Status Availability() const override {
    return CurrentServices()->services.empty() ? absl::UnavailableError("no user function at 127.0.0.1:8080")
                                               : absl::OkStatus();
  }
  void Start(Call call, std::shared_ptr<Responder> responder) override {
    responder->OnCancel([this] { ++cancelled; });
    Answer answer;
    {
      std::lock_guard lock(mutex_);
      last_ = call;
      kept_.push_back(responder);
      answer = answer_;
    }
    ++started;
    if (answer) answer(call, *responder);
  }

  void Set(std::shared_ptr<const Services> services) {
    std::lock_guard lock(mutex_);
    services_ = std::move(services);
  }
  void Set(Answer answer) {
    std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  Call last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }
  std::shared_ptr<Responder> responder() const {
    std::lock_guard lock(mutex_);
    return kept_.back();
  }

  std::atomic<int> started = 0;
  std::atomic<int> cancelled = 0;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Services> services_ = EchoServices();
  Answer answer_ = [](const Call& call, Responder& responder) {
    responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  };
  Call last_;
  std::vector<std::shared_ptr<Responder>> kept_;  // as a backend may that is slow to notice
};

// Answers each message with itself, and the end with OK.
inline void EchoAll(const std::shared_ptr<RequestStream>& requests, const std::shared_ptr<Responder>& responder) {
  requests->Read([requests, responder](std::optional<std::string> message) {
    if (!message.has_value()) return responder->Finish(absl::OkStatus());
    responder->Message(*std::move(message));
    EchoAll(requests, responder);
  });
}

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval timeout{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  RawClient& Send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    return *this;
  }
  void EndInput() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

  // Everything until `mark` has come `times` times, or the server has closed the connection.
  std::string ReadUntil(const std::string& mark, int times = 1) {
    std::string all;
    while (Count(all, mark) < times && ReadSome(all)) {
    }
    return all;
  }
  std::string ReadToEnd() {
    std::string all;
    while (ReadSome(all)) {
    }
    return all;
  }
  // What is there, at least a byte; nothing when the server has closed the connection.
  std::string ReadOnce() {
    std::string some;
    ReadSome(some);
    return some;
  }
  // Whether the server closes the connection without a byte.
  bool EndsSilently() { return ReadToEnd().empty() && !timed_out_; }

 private:
  static int Count(const std::string& all, const std::string& mark) {
    int count = 0;
    for (auto at = all.find(mark); at != std::string::npos; at = all.find(mark, at + mark.size())) ++count;
    return count;
  }
  bool ReadSome(std::string& all) {
    char bytes[65536];
    const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
    timed_out_ = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (count <= 0) return false;
    all.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  bool timed_out_ = false;
};

inline std::string Post(const std::string& path, const std::string& body, const std::string& headers = "") {
  return absl::StrCat("POST ", path,
                      " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                      "\r\n", headers, "\r\n", body);
}

class FrontDoorTest : public testing::Test {
 protected:
  void SetUp() override { options_.backend = &backend_; }

  FrontDoor& Door() {
    if (door_ == nullptr) {
      auto started = FrontDoor::Start(options_);
      if (!started.ok()) throw std::runtime_error(std::string(started.status().message()));
      door_ = *std::move(started);
    }
    return *door_;
  }
  RawClient Connect() { return RawClient(Door().port()); }
  std::string Http(const std::string& request, const std::string& until) {
    RawClient client(Door().port());
    return client.Send(request).ReadUntil(until);
  }

  std::shared_ptr<grpc::Channel> Channel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", Door().port()), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  struct Reply {
    grpc::Status status;
    std::string payload;
  };
  Reply Unary(grpc::ClientContext& context, const std::string& path, const std::string& payload) {
    grpc::GenericStub stub(Channel());
    grpc::CompletionQueue queue;
    grpc::Slice slice(payload);
    const grpc::ByteBuffer request(&slice, 1);
    auto rpc = stub.PrepareUnaryCall(&context, path, request, &queue);
    rpc->StartCall();
    grpc::ByteBuffer response;
    Reply reply;
    rpc->Finish(&response, &reply.status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    grpc::Slice whole;
    if (response.Valid() && response.DumpToSingleSlice(&whole).ok()) {
      reply.payload.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    }
    return reply;
  }
  Reply Unary(const std::string& path, const std::string& payload) {
    grpc::ClientContext context;
    return Unary(context, path, payload);
  }

  FakeBackend backend_;
  FrontDoor::Options options_;
  std::unique_ptr<FrontDoor> door_;  // ends before the backend
};

inline std::string EntryOf(const Metadata& metadata, const std::string& key) {
  for (const auto& entry : metadata.entries()) {
    if (entry.key() == key)
      return entry.has_bytes_value() ? "bytes:" + entry.bytes_value() : "text:" + entry.string_value();
  }
  return "none";
}

inline Metadata OneEntry(const std::string& key, const std::string& value) {
  Metadata metadata;
  metadata.add_entries()->set_key(key);
  metadata.mutable_entries(0)->set_string_value(value);
  return metadata;
}

}  // namespace cloudstate::serving
