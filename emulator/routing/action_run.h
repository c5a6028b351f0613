#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "emulator/entities/action.h"
#include "emulator/routing/target.h"
#include "emulator/trace/metrics.h"

namespace cloudstate::routing {

// One call of an action: passes the client's messages on, and has each response carried out, one after the other,
// before it takes more from the user function than the client takes from it. On the strand; keeps itself until its end.
class ActionRun final : public Outlet, public Cancellable, public std::enable_shared_from_this<ActionRun> {
 public:
  // Carries out a response: its effects, then its action, whose outcome goes to the outlet.
  using Perform = std::function<void(const std::shared_ptr<const Target>&, ClientAction,
                                     google::protobuf::RepeatedPtrField<SideEffect>, std::shared_ptr<Outlet>)>;

  ActionRun(base::Strand& strand, std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
            const Perform& perform, trace::EntityMetrics& metrics);

  // `payload` is the one message where the client does not stream; `half_closed` runs when it has streamed its last.
  // With kFirstReply the call is over when there is one: the client can take no more.
  enum class Takes { kEveryReply, kFirstReply };
  void Start(userfunction::Connection& connection, entities::ActionCall::Request request, Takes takes,
             std::string input_type_url, journal::Payload payload, base::Task half_closed);

  // The outcome of the response that is being carried out.
  void Reply(cloudstate::Reply reply) override;
  void End(absl::Status status) override;
  void WhenReady(base::Task then) override;

  void Cancel(const absl::Status& reason) override;

 private:
  void PumpRequests();
  void OnRequest(std::optional<std::string> message);
  void OnResponse(action::ActionResponse response);
  void CarryOut();
  void Done(absl::Status status);

  base::Strand& strand_;
  const std::shared_ptr<const Target> target_;
  std::shared_ptr<Outlet> outlet_;  // null at the end
  const Perform& perform_;
  trace::EntityMetrics& metrics_;
  const absl::Time started_;
  Takes takes_ = Takes::kEveryReply;
  std::string input_type_url_;
  base::Task half_closed_;
  std::unique_ptr<entities::ActionCall> call_;

  std::deque<action::ActionResponse> responses_;  // not carried out yet
  std::optional<absl::Status> call_ended_;
  bool carrying_ = false;  // a response is being carried out
  bool looping_ = false;   // CarryOut is on the stack
  bool paused_ = false;
  bool waits_to_send_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace cloudstate::routing
