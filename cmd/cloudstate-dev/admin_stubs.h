#pragma once

#include <memory>
#include <tuple>

#include "cloudstate/dev/v1/cluster.grpc.pb.h"
#include "cloudstate/dev/v1/crdt.grpc.pb.h"
#include "cloudstate/dev/v1/dev.grpc.pb.h"
#include "cloudstate/dev/v1/figures.grpc.pb.h"
#include "cloudstate/dev/v1/replay.grpc.pb.h"
#include "cloudstate/dev/v1/scaling.grpc.pb.h"
#include "cloudstate/dev/v1/testing.grpc.pb.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// The admin contract's services behind one channel. Any thread.
class AdminStubs {
 public:
  explicit AdminStubs(const std::shared_ptr<grpc::Channel>& channel)
      : stubs_(dev::v1::Emulator::NewStub(channel), dev::v1::Cluster::NewStub(channel),
               dev::v1::Crdts::NewStub(channel), dev::v1::Figures::NewStub(channel), dev::v1::Replays::NewStub(channel),
               dev::v1::Scaling::NewStub(channel), dev::v1::Testing::NewStub(channel)) {}

  // By its type, such as dev::v1::Emulator::Stub.
  template <class Stub>
  Stub& Of() {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }

  // A method of any of them that has one request and one response.
  template <class Request, class Response, class Stub>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    grpc::ClientContext& context, const Request& request, Response& response) {
    return (Of<Stub>().*method)(&context, request, &response);
  }

 private:
  std::tuple<std::unique_ptr<dev::v1::Emulator::Stub>, std::unique_ptr<dev::v1::Cluster::Stub>,
             std::unique_ptr<dev::v1::Crdts::Stub>, std::unique_ptr<dev::v1::Figures::Stub>,
             std::unique_ptr<dev::v1::Replays::Stub>, std::unique_ptr<dev::v1::Scaling::Stub>,
             std::unique_ptr<dev::v1::Testing::Stub>>
      stubs_;
};

}  // namespace cloudstate::cli
