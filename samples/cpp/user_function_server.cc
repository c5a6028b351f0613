#include "samples/cpp/user_function_server.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cloudstate/event_sourced.grpc.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "samples/cpp/entity_stream.h"

namespace cloudstate::samples {
namespace {

constexpr int kProtocolMajorVersion = 0;
constexpr int kProtocolMinorVersion = 2;

// Adds `file` after what it imports, each file once.
void AddFile(const google::protobuf::FileDescriptor& file, std::set<std::string>& added,
             google::protobuf::FileDescriptorSet& set) {
  if (!added.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, set);
  file.CopyTo(set.add_file());
}

EntitySpec Describe(const UserFunction& user_function) {
  EntitySpec spec;
  std::set<std::string> added;
  google::protobuf::FileDescriptorSet files;
  for (const EntityDescription& description : user_function.entities) {
    for (const google::protobuf::FileDescriptor* file : description.files) AddFile(*file, added, files);
    cloudstate::Entity& declared = *spec.add_entities();
    declared.set_entity_type("cloudstate.eventsourced.EventSourced");
    declared.set_service_name(description.service_name);
    declared.set_persistence_id(description.persistence_id);
    if (description.passivation_timeout != absl::InfiniteDuration()) {
      declared.mutable_passivation_strategy()->mutable_timeout()->set_timeout(
          absl::ToInt64Milliseconds(description.passivation_timeout));
    }
  }
  spec.set_proto(files.SerializeAsString());
  ServiceInfo& info = *spec.mutable_service_info();
  info.set_service_name(user_function.name);
  info.set_service_version(user_function.version);
  info.set_service_runtime("C++");
  info.set_support_library_name("cloudstate-dev-cpp-samples");
  info.set_support_library_version(user_function.version);
  info.set_protocol_major_version(kProtocolMajorVersion);
  info.set_protocol_minor_version(kProtocolMinorVersion);
  return spec;
}

class Discovery final : public EntityDiscovery::CallbackService {
 public:
  explicit Discovery(EntitySpec spec) : spec_(std::move(spec)) {}

  grpc::ServerUnaryReactor* discover(grpc::CallbackServerContext* context, const ProxyInfo*,
                                     EntitySpec* answer) override {
    *answer = spec_;
    return FinishNow(*context);
  }

  grpc::ServerUnaryReactor* reportError(grpc::CallbackServerContext* context, const UserFunctionError* error,
                                        google::protobuf::Empty*) override {
    std::cerr << "The proxy reports: " + error->message() + "\n";
    return FinishNow(*context);
  }

 private:
  static grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext& context) {
    grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const EntitySpec spec_;
};

class Streams final : public eventsourced::EventSourced::CallbackService {
 public:
  explicit Streams(std::vector<EntityDescription> entities) : entities_(std::move(entities)) {}

  EntityStream* handle(grpc::CallbackServerContext*) override { return ServeEntityStream(entities_); }

 private:
  const std::vector<EntityDescription> entities_;
};

class Server final : public UserFunctionServer {
 public:
  explicit Server(UserFunction user_function)
      : discovery_(Describe(user_function)), streams_(std::move(user_function.entities)) {}

  ~Server() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  absl::Status Listen(const std::string& address) {
    grpc::ServerBuilder builder;
    // Two servers on one port would share its connections; the second one should fail instead.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&discovery_);
    builder.RegisterService(&streams_);
    server_ = builder.BuildAndStart();
    if (server_ && port_ != 0) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("Cannot listen on ", address,
                                               ". Is the port in use? Set HOST and PORT to an address that is free."));
  }

  std::uint16_t port() const override { return static_cast<std::uint16_t>(port_); }

 private:
  Discovery discovery_;
  Streams streams_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<UserFunctionServer>> UserFunctionServer::Start(const std::string& address,
                                                                              UserFunction user_function) {
  auto server = std::make_unique<Server>(std::move(user_function));
  if (absl::Status status = server->Listen(address); !status.ok()) return status;
  return server;
}

int ServeUntilSignal(const std::string& address, UserFunction user_function) {
  // Blocked before gRPC starts its threads, which inherit the mask, so that sigwait alone takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const std::string name = user_function.name;
  auto server = UserFunctionServer::Start(address, std::move(user_function));
  if (!server.ok()) {
    std::cerr << name << ": " << server.status().message() << "\n";
    return 1;
  }
  std::cout << name << " serves on port " << (*server)->port() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace cloudstate::samples
