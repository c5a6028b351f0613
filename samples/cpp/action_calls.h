#pragma once

#include <utility>
#include <vector>

#include "cloudstate/action.grpc.pb.h"
#include "samples/cpp/action.h"

namespace cloudstate::samples {

// The calls of a proxy in the four shapes. A call costs memory but no thread.
class ActionCalls final : public action::ActionProtocol::CallbackService {
 public:
  explicit ActionCalls(std::vector<ActionService> services) : services_(std::move(services)) {}

  grpc::ServerUnaryReactor* handleUnary(grpc::CallbackServerContext* context, const action::ActionCommand* command,
                                        action::ActionResponse* response) override;
  grpc::ServerReadReactor<action::ActionCommand>* handleStreamedIn(grpc::CallbackServerContext* context,
                                                                   action::ActionResponse* response) override;
  grpc::ServerWriteReactor<action::ActionResponse>* handleStreamedOut(grpc::CallbackServerContext* context,
                                                                      const action::ActionCommand* command) override;
  grpc::ServerBidiReactor<action::ActionCommand, action::ActionResponse>* handleStreamed(
      grpc::CallbackServerContext* context) override;

 private:
  const std::vector<ActionService> services_;
};

}  // namespace cloudstate::samples
