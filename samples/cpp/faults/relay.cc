#include "samples/cpp/faults/relay.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/action.grpc.pb.h"
#include "cloudstate/crdt.grpc.pb.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cloudstate/event_sourced.grpc.pb.h"
#include "cloudstate/value_entity.grpc.pb.h"
#include "samples/cpp/listening.h"

namespace cloudstate::samples {
namespace {

using action::ActionCommand;
using action::ActionProtocol;
using action::ActionResponse;
using eventsourced::EventSourced;
using valueentity::ValueEntity;

// One call's messages on their way through a fault. Any thread.
template <typename Rewrites>
class Exchange {
 public:
  using In = typename Rewrites::In;
  using Out = typename Rewrites::Out;

  Exchange(const Rewrites& rewrites, std::string_view method) : rewrites_(rewrites) { past_.method = method; }

  std::vector<In> Request(const In& in) {
    const std::lock_guard lock(mutex_);
    std::vector<In> passed = rewrites_.request ? rewrites_.request(past_, in) : std::vector<In>{in};
    past_.requests.push_back(in);
    return passed;
  }

  std::vector<Out> Response(const Out& out) {
    const std::lock_guard lock(mutex_);
    std::vector<Out> passed = rewrites_.response ? rewrites_.response(past_, out) : std::vector<Out>{out};
    past_.responses.push_back(out);
    return passed;
  }

 private:
  const Rewrites& rewrites_;
  std::mutex mutex_;
  Past<In, Out> past_;
};

// Relays a stream in both directions. Where the responses end before the requests do, the proxy sees the call
// cancelled, since a synchronous server cannot end it in another way while it is being read.
template <typename Rewrites, typename Proxy, typename Model>
grpc::Status RelayStream(const Rewrites& rewrites, std::string_view method, grpc::ServerContext& context, Proxy& proxy,
                         Model& model) {
  Exchange<Rewrites> exchange(rewrites, method);
  std::atomic<bool> requests_ended = false;
  std::jthread requests([&] {
    typename Rewrites::In in;
    while (proxy.Read(&in)) {
      for (const auto& message : exchange.Request(in)) model.Write(message);
    }
    requests_ended = true;
    if (rewrites.half_close != HalfClose::kHidden) model.WritesDone();
  });
  typename Rewrites::Out out;
  while (model.Read(&out)) {
    for (const auto& message : exchange.Response(out)) proxy.Write(message);
    if (rewrites.ends_after && rewrites.ends_after(out)) break;
  }
  if (!requests_ended) context.TryCancel();
  requests.join();
  return grpc::Status::OK;
}

class DiscoveryRelay final : public EntityDiscovery::Service {
 public:
  DiscoveryRelay(const std::shared_ptr<grpc::Channel>& model, const Fault& fault)
      : model_(EntityDiscovery::NewStub(model)), fault_(fault) {}

  grpc::Status discover(grpc::ServerContext* context, const ProxyInfo* info, EntitySpec* spec) override {
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const grpc::Status status = model_->discover(call.get(), *info, spec);
    if (status.ok() && fault_.discovery) fault_.discovery(*spec);
    return status;
  }

  grpc::Status reportError(grpc::ServerContext* context, const UserFunctionError* error,
                           google::protobuf::Empty* answer) override {
    const auto call = grpc::ClientContext::FromServerContext(*context);
    return model_->reportError(call.get(), *error, answer);
  }

 private:
  const std::unique_ptr<EntityDiscovery::Stub> model_;
  const Fault& fault_;
};

template <typename Protocol, typename Rewrites>
class EntityRelay final : public Protocol::Service {
 public:
  EntityRelay(const std::shared_ptr<grpc::Channel>& model, const Rewrites& rewrites)
      : model_(Protocol::NewStub(model)), rewrites_(rewrites) {}

  grpc::Status handle(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<typename Rewrites::Out, typename Rewrites::In>* proxy) override {
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const auto model = model_->handle(call.get());
    return RelayStream(rewrites_, "handle", *context, *proxy, *model);
  }

 private:
  const std::unique_ptr<typename Protocol::Stub> model_;
  const Rewrites& rewrites_;
};

class ActionRelay final : public ActionProtocol::Service {
 public:
  ActionRelay(const std::shared_ptr<grpc::Channel>& model, const ActionRewrites& rewrites)
      : model_(ActionProtocol::NewStub(model)), rewrites_(rewrites) {}

  grpc::Status handleUnary(grpc::ServerContext* context, const ActionCommand* command,
                           ActionResponse* response) override {
    Exchange<ActionRewrites> exchange(rewrites_, "handleUnary");
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const grpc::Status status = model_->handleUnary(call.get(), exchange.Request(*command).front(), response);
    *response = exchange.Response(*response).front();
    return status;
  }

  grpc::Status handleStreamedIn(grpc::ServerContext* context, grpc::ServerReader<ActionCommand>* proxy,
                                ActionResponse* response) override {
    Exchange<ActionRewrites> exchange(rewrites_, "handleStreamedIn");
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const auto model = model_->handleStreamedIn(call.get(), response);
    ActionCommand command;
    while (proxy->Read(&command)) {
      for (const ActionCommand& message : exchange.Request(command)) model->Write(message);
      if (rewrites_.half_close == HalfClose::kEarly && command.has_payload()) break;
    }
    if (rewrites_.half_close != HalfClose::kHidden) model->WritesDone();
    const grpc::Status status = model->Finish();
    *response = exchange.Response(*response).front();
    return status;
  }

  grpc::Status handleStreamedOut(grpc::ServerContext* context, const ActionCommand* command,
                                 grpc::ServerWriter<ActionResponse>* proxy) override {
    Exchange<ActionRewrites> exchange(rewrites_, "handleStreamedOut");
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const auto model = model_->handleStreamedOut(call.get(), exchange.Request(*command).front());
    ActionResponse response;
    while (model->Read(&response)) {
      for (const ActionResponse& message : exchange.Response(response)) proxy->Write(message);
    }
    return model->Finish();
  }

  grpc::Status handleStreamed(grpc::ServerContext* context,
                              grpc::ServerReaderWriter<ActionResponse, ActionCommand>* proxy) override {
    const auto call = grpc::ClientContext::FromServerContext(*context);
    const auto model = model_->handleStreamed(call.get());
    return RelayStream(rewrites_, "handleStreamed", *context, *proxy, *model);
  }

 private:
  const std::unique_ptr<ActionProtocol::Stub> model_;
  const ActionRewrites& rewrites_;
};

std::shared_ptr<grpc::Channel> ConnectTo(const UserFunctionServer& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server.port()), grpc::InsecureChannelCredentials(),
                                   arguments);
}

class Relay final : public UserFunctionServer {
 public:
  Relay(std::unique_ptr<UserFunctionServer> model, Fault fault) : model_(std::move(model)), fault_(std::move(fault)) {}

  absl::Status Listen(const std::string& address) {
    return listening_.Start(address, {&discovery_, &event_sourced_, &value_entities_, &crdts_, &actions_});
  }

  std::uint16_t port() const override { return listening_.port(); }

 private:
  const std::unique_ptr<UserFunctionServer> model_;
  const Fault fault_;
  const std::shared_ptr<grpc::Channel> channel_ = ConnectTo(*model_);
  DiscoveryRelay discovery_{channel_, fault_};
  EntityRelay<EventSourced, EventSourcedRewrites> event_sourced_{channel_, fault_.event_sourced};
  EntityRelay<ValueEntity, ValueEntityRewrites> value_entities_{channel_, fault_.value_entities};
  EntityRelay<crdt::Crdt, CrdtRewrites> crdts_{channel_, fault_.crdts};
  ActionRelay actions_{channel_, fault_.actions};
  Listening listening_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartRelay(const std::string& address,
                                                               std::unique_ptr<UserFunctionServer> model, Fault fault) {
  auto relay = std::make_unique<Relay>(std::move(model), std::move(fault));
  if (absl::Status status = relay->Listen(address); !status.ok()) return status;
  return relay;
}

}  // namespace cloudstate::samples
