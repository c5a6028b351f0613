#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/admin_stubs.h"
#include "cmd/cloudstate-dev/commands.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// Where the emulator that the settings mean has its admin port: what --admin says or else the one that holds the data
// directory. None if no emulator holds that.
absl::StatusOr<std::optional<std::string>> FindEmulator(const Settings& settings);

// A running emulator's admin services. Calls block.
class Client {
 public:
  using Stub = dev::v1::Emulator::Stub;
  using ClusterStub = dev::v1::Cluster::Stub;
  using CrdtsStub = dev::v1::Crdts::Stub;
  using FiguresStub = dev::v1::Figures::Stub;
  using ReplaysStub = dev::v1::Replays::Stub;
  using ScalingStub = dev::v1::Scaling::Stub;
  using TestingStub = dev::v1::Testing::Stub;

  // UNAVAILABLE, saying what to do, if nothing answers there.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const std::string& address);

  // The emulator that the settings mean, or the one at the default address.
  static absl::StatusOr<std::unique_ptr<Client>> ConnectToAny(const Settings& settings);

  // A method of any of the services.
  template <class Request, class Response, class Service>
  absl::StatusOr<Response> Call(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    return Call(method, request, context);
  }
  // The same; `context` has a deadline, or somebody cancels it.
  template <class Request, class Response, class Service>
  absl::StatusOr<Response> Call(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, grpc::ClientContext& context) {
    Response response;
    grpc::Status status = stubs_.Call(method, context, request, response);
    if (!status.ok()) return Failure(status);
    return response;
  }

  // Hands over each message until the stream ends, which is always for a reason.
  template <class Request, class Message, class Service>
  absl::Status Follow(std::unique_ptr<grpc::ClientReader<Message>> (Service::*method)(grpc::ClientContext*,
                                                                                      const Request&),
                      const Request& request, const std::function<void(Message&)>& on_message) {
    grpc::ClientContext context;
    return Follow(method, request, on_message, context);
  }
  // The same; `context` has a deadline, or somebody cancels it. `on_begin` is called when nothing is missed from then
  // on.
  template <class Request, class Message, class Service>
  absl::Status Follow(std::unique_ptr<grpc::ClientReader<Message>> (Service::*method)(grpc::ClientContext*,
                                                                                      const Request&),
                      const Request& request, const std::function<void(Message&)>& on_message,
                      grpc::ClientContext& context, const std::function<void()>& on_begin = nullptr) {
    std::unique_ptr<grpc::ClientReader<Message>> reader = (stubs_.Of<Service>().*method)(&context, request);
    if (on_begin != nullptr) {
      reader->WaitForInitialMetadata();
      on_begin();
    }
    for (Message message; reader->Read(&message);) on_message(message);
    return Failure(reader->Finish());
  }

  // For what is neither.
  Stub& stub() { return stubs_.Of<Stub>(); }
  // What the end of an admin call means to people.
  absl::Status Failure(const grpc::Status& status) const;

  const std::string& address() const { return address_; }

 private:
  Client(std::string address, const std::shared_ptr<grpc::Channel>& channel)
      : address_(std::move(address)), stubs_(channel) {}

  std::string address_;
  AdminStubs stubs_;
};

}  // namespace cloudstate::cli
