#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cloudstate/action.grpc.pb.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cloudstate/event_sourced.grpc.pb.h"
#include "cloudstate/value_entity.grpc.pb.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::testing {

// A proxy's part of the protocol, for tests that talk to a user function directly. What comes back is text: each
// message on one line.
class ProxyPart {
 public:
  // Calls that have not ended after `patience` are cancelled.
  explicit ProxyPart(const samples::UserFunctionServer& server, absl::Duration patience = absl::Seconds(20))
      : channel_(Connect(server)), patience_(patience) {}

  EntitySpec Discover() const {
    grpc::ClientContext context;
    EntitySpec spec;
    EntityDiscovery::NewStub(channel_)->discover(&context, ProxyInfo(), &spec);
    return spec;
  }

  // Sends each message and half-closes. After a command, waits for what comes back.
  std::vector<std::string> Drive(const std::vector<eventsourced::EventSourcedStreamIn>& messages) const {
    return DriveStream<eventsourced::EventSourcedStreamOut>(*eventsourced::EventSourced::NewStub(channel_), messages);
  }
  std::vector<std::string> Drive(const std::vector<valueentity::ValueEntityStreamIn>& messages) const {
    return DriveStream<valueentity::ValueEntityStreamOut>(*valueentity::ValueEntity::NewStub(channel_), messages);
  }

  std::vector<std::string> Unary(const action::ActionCommand& command) const {
    grpc::ClientContext context;
    SetDeadline(context);
    action::ActionResponse response;
    const grpc::Status status = actions()->handleUnary(&context, command, &response);
    return {Text(response), Text(status)};
  }

  std::vector<std::string> StreamedIn(const std::vector<action::ActionCommand>& commands) const {
    grpc::ClientContext context;
    SetDeadline(context);
    action::ActionResponse response;
    const auto stream = actions()->handleStreamedIn(&context, &response);
    for (const action::ActionCommand& command : commands) stream->Write(command);
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    return {Text(response), Text(status)};
  }

  std::vector<std::string> StreamedOut(const action::ActionCommand& command) const {
    grpc::ClientContext context;
    SetDeadline(context);
    const auto stream = actions()->handleStreamedOut(&context, command);
    return Rest<action::ActionResponse>(*stream);
  }

  std::vector<std::string> Streamed(const std::vector<action::ActionCommand>& commands) const {
    grpc::ClientContext context;
    SetDeadline(context);
    const auto stream = actions()->handleStreamed(&context);
    for (const action::ActionCommand& command : commands) stream->Write(command);
    stream->WritesDone();
    return Rest<action::ActionResponse>(*stream);
  }

  std::unique_ptr<action::ActionProtocol::Stub> actions() const { return action::ActionProtocol::NewStub(channel_); }

  static std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }
  static std::string Text(const grpc::Status& status) {
    return absl::StrCat("status ", static_cast<int>(status.error_code()));
  }

 private:
  static std::shared_ptr<grpc::Channel> Connect(const samples::UserFunctionServer& server) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server.port()), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  void SetDeadline(grpc::ClientContext& context) const {
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(patience_));
  }

  template <typename Out, typename Stream>
  static std::vector<std::string> Rest(Stream& stream) {
    std::vector<std::string> seen;
    for (Out out; stream.Read(&out);) seen.push_back(Text(out));
    seen.push_back(Text(stream.Finish()));
    return seen;
  }

  template <typename Out, typename Stub, typename In>
  std::vector<std::string> DriveStream(Stub& stub, const std::vector<In>& messages) const {
    grpc::ClientContext context;
    SetDeadline(context);
    const auto stream = stub.handle(&context);
    std::vector<std::string> seen;
    for (const In& message : messages) {
      stream->Write(message);
      Out out;
      if (message.has_command() && stream->Read(&out)) seen.push_back(Text(out));
    }
    stream->WritesDone();
    for (std::string& line : Rest<Out>(*stream)) seen.push_back(std::move(line));
    return seen;
  }

  std::shared_ptr<grpc::Channel> channel_;
  absl::Duration patience_;
};

}  // namespace cloudstate::testing
