#include "emulator/serving/grpc_door.h"

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/serving/grpc_call.h"
#include "emulator/serving/health.h"
#include "emulator/serving/known_methods.h"
#include "emulator/serving/per_services.h"
#include "emulator/serving/reflection.h"

namespace cloudstate::serving {
namespace {

// Every path that is not reflection's or health's.
class BackendMethods final : public grpc::CallbackGenericService {
 public:
  BackendMethods(Backend& backend, AccessPolicy policy)
      : backend_(backend), policy_(std::move(policy)), known_([](std::shared_ptr<const Services> services) {
          return std::make_shared<const KnownMethods>(std::move(services));
        }) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    if (policy_) {
      if (auto refused = policy_(context->host(), "", "POST")) {
        return RefuseGrpcCall(absl::PermissionDeniedError(refused->text));
      }
    }
    const auto known = known_.Get(backend_.CurrentServices());
    const auto found = known->by_path.find(context->method());
    if (found == known->by_path.end()) {
      return RefuseGrpcCall(known->by_path.empty() ? NothingToCall(backend_)
                                                   : UnknownMethod(*known, context->method()));
    }
    return BeginGrpcCall(backend_, *context, known->services, *found->second);
  }

 private:
  Backend& backend_;
  const AccessPolicy policy_;
  PerServices<KnownMethods> known_;
};

// When its last object goes, gRPC takes itself down and now and then waits ten seconds for its own poller (1.51:
// grpc_iomgr_shutdown joins a thread that may have just begun to wait). So it stays up until the process ends.
void KeepGrpcUp() {
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    return true;
  }();
}

class GrpcServerDoor final : public GrpcDoor {
 public:
  GrpcServerDoor(const Options& options, Backend& backend)
      : methods_(backend, options.policy), health_(HealthService(backend)), reflections_(ReflectionServices(backend)) {}

  absl::Status Start(const Options& options) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(options.max_header_bytes));
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               static_cast<int>(absl::ToInt64Milliseconds(options.handshake_within)));
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&methods_);
    builder.RegisterService(health_.service.get());
    for (const auto& reflection : reflections_) builder.RegisterService(reflection.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return absl::InternalError("gRPC refused to start a server");
    return absl::OkStatus();
  }

  void Adopt(Connection connection) override {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = connection.listener_fd;
    parameters.fd = connection.fd;
    grpc::Slice received(connection.received);
    parameters.read_buffer = grpc::ByteBuffer(&received, 1);
    acceptor_->HandleNewConnection(&parameters);
  }

  void Shutdown(absl::Time deadline) override {
    health_.stop();
    server_->Shutdown(absl::ToChronoTime(deadline));
    server_->Wait();
  }

 private:
  BackendMethods methods_;
  Health health_;
  std::vector<std::unique_ptr<grpc::Service>> reflections_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;  // destroyed first
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcDoor>> GrpcDoor::Start(Options options, Backend& backend) {
  KeepGrpcUp();
  auto door = std::make_unique<GrpcServerDoor>(options, backend);
  if (absl::Status started = door->Start(options); !started.ok()) return started;
  return door;
}

}  // namespace cloudstate::serving
