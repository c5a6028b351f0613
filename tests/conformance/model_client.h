#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cloudstate/entity.pb.h"
#include "cloudstate/tck/model/eventsourced.grpc.pb.h"
#include "google/protobuf/descriptor.pb.h"

namespace cloudstate::testing {

inline constexpr char kModel[] = "cloudstate.tck.model.EventSourcedTckModel";
inline constexpr char kTwo[] = "cloudstate.tck.model.EventSourcedTwo";
inline constexpr char kConfigured[] = "cloudstate.tck.model.EventSourcedConfigured";

// A connection that shares nothing with others to the same address, as that of another program.
inline std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// What a client of the conformance model gets for one call.
struct Outcome {
  grpc::Status status;
  std::string message;  // of the response
};

// Calls the model through the emulator. Calls end after 20 s at the latest.
class ModelClient {
 public:
  explicit ModelClient(const std::string& address)
      : channel_(Connect(address)),
        model_(tck::model::EventSourcedTckModel::NewStub(channel_)),
        two_(tck::model::EventSourcedTwo::NewStub(channel_)),
        configured_(tck::model::EventSourcedConfigured::NewStub(channel_)) {}

  Outcome Process(const tck::model::Request& request) const { return Call(*model_, &Model::Process, request); }
  Outcome CallTwo(const tck::model::Request& request) const { return Call(*two_, &Two::Call, request); }
  Outcome CallConfigured(const tck::model::Request& request) const {
    return Call(*configured_, &Configured::Call, request);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  using Model = tck::model::EventSourcedTckModel::Stub;
  using Two = tck::model::EventSourcedTwo::Stub;
  using Configured = tck::model::EventSourcedConfigured::Stub;

  template <typename Stub, typename Method>
  static Outcome Call(Stub& stub, Method method, const tck::model::Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    tck::model::Response response;
    Outcome outcome;
    outcome.status = (stub.*method)(&context, request, &response);
    outcome.message = response.message();
    return outcome;
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Two> two_;
  std::unique_ptr<Configured> configured_;
};

// What a request asks of the model, to be written in order: Ask("id").Emit("a").Fail("no").
class Ask {
 public:
  explicit Ask(const std::string& id) { request_.set_id(id); }
  // NOLINTNEXTLINE(google-explicit-constructor): it is a request, being written.
  operator const tck::model::Request&() const { return request_; }

  Ask& Emit(const std::string& value) {
    request_.add_actions()->mutable_emit()->set_value(value);
    return *this;
  }
  Ask& Fail(const std::string& text) {
    request_.add_actions()->mutable_fail()->set_message(text);
    return *this;
  }
  Ask& Forward(const std::string& id) {
    request_.add_actions()->mutable_forward()->set_id(id);
    return *this;
  }
  Ask& Effect(const std::string& id, bool synchronous) {
    tck::model::Effect& effect = *request_.add_actions()->mutable_effect();
    effect.set_id(id);
    effect.set_synchronous(synchronous);
    return *this;
  }

 private:
  tck::model::Request request_;
};

// What a user function reports that has the model's services, for scripts that answer for it. Of its descriptors only
// the services' own file is there: what that imports is for the proxy to know.
inline EntitySpec ModelSpecification() {
  google::protobuf::FileDescriptorSet files;
  tck::model::Request::descriptor()->file()->CopyTo(files.add_file());
  EntitySpec spec;
  spec.set_proto(files.SerializeAsString());
  for (const auto& [service, persistence_id] :
       {std::pair{kModel, "event-sourced-tck-model"}, {kTwo, "event-sourced-two"}}) {
    cloudstate::Entity& entity = *spec.add_entities();
    entity.set_entity_type("cloudstate.eventsourced.EventSourced");
    entity.set_service_name(service);
    entity.set_persistence_id(persistence_id);
  }
  spec.mutable_service_info()->set_service_name("scripted");
  spec.mutable_service_info()->set_protocol_minor_version(2);
  return spec;
}

}  // namespace cloudstate::testing
