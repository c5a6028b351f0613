#include "samples/cpp/user_function_server.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <csignal>
#include <iostream>
#include <utility>

#include "cloudstate/crdt.grpc.pb.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cloudstate/event_sourced.grpc.pb.h"
#include "cloudstate/value_entity.grpc.pb.h"
#include "samples/cpp/action_calls.h"
#include "samples/cpp/crdt_stream.h"
#include "samples/cpp/discovery.h"
#include "samples/cpp/entity_stream.h"
#include "samples/cpp/event_sourced_session.h"
#include "samples/cpp/listening.h"
#include "samples/cpp/value_entity_session.h"

namespace cloudstate::samples {
namespace {

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

template <typename Protocol, typename Session, typename Service>
class EntityStreams final : public Protocol::CallbackService {
 public:
  EntityStreams(std::vector<Service> services, Workers& workers) : services_(std::move(services)), workers_(workers) {}

  EntityStream<Session>* handle(grpc::CallbackServerContext*) override {
    return EntityStream<Session>::Serve(Session(services_), workers_);
  }

 private:
  const std::vector<Service> services_;
  Workers& workers_;
};

class CrdtStreams final : public crdt::Crdt::CallbackService {
 public:
  explicit CrdtStreams(std::vector<CrdtService> services) : services_(std::move(services)) {}

  CrdtStream* handle(grpc::CallbackServerContext*) override { return CrdtStream::Serve(services_); }

 private:
  const std::vector<CrdtService> services_;
};

class Server final : public UserFunctionServer {
 public:
  Server(UserFunction user_function, Work work)
      : workers_(std::move(work)),
        discovery_(Describe(user_function)),
        event_sourced_(std::move(user_function.event_sourced), workers_),
        value_entities_(std::move(user_function.value_entities), workers_),
        crdts_(std::move(user_function.crdts)),
        actions_(std::move(user_function.actions)) {}
  // A stream ends only when its command has been worked on.
  ~Server() override { workers_.Hurry(); }

  absl::Status Listen(const std::string& address) {
    return listening_.Start(address, {&discovery_, &event_sourced_, &value_entities_, &crdts_, &actions_});
  }

  std::uint16_t port() const override { return listening_.port(); }

 private:
  Workers workers_;
  Discovery discovery_;
  EntityStreams<eventsourced::EventSourced, EventSourcedSession, EventSourcedService> event_sourced_;
  EntityStreams<valueentity::ValueEntity, ValueEntitySession, ValueEntityService> value_entities_;
  CrdtStreams crdts_;
  ActionCalls actions_;
  Listening listening_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<UserFunctionServer>> UserFunctionServer::Start(const std::string& address,
                                                                              UserFunction user_function, Work work) {
  auto server = std::make_unique<Server>(std::move(user_function), std::move(work));
  if (absl::Status status = server->Listen(address); !status.ok()) return status;
  return server;
}

int ServeUntilSignal(const std::string& name, const StartServer& start) {
  // Blocked before gRPC starts its threads, which inherit the mask, so that sigwait alone takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto server = start();
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
