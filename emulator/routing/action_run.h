#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "emulator/entities/action.h"
#include "emulator/routing/answer_sequence.h"
#include "emulator/trace/load_meter.h"
#include "emulator/trace/metrics.h"

namespace cloudstate::routing {

// One call of an action: passes the client's messages on, and has each response carried out, one after the other,
// before it takes more from the user function than the client takes from it. On the strand; keeps itself until its end.
class ActionRun final : public AnswerSequence::Owner,
                        public Cancellable,
                        public std::enable_shared_from_this<ActionRun> {
 public:
  // What is counted outlives this.
  ActionRun(base::Strand& strand, std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
            const AnswerSequence::Perform& perform, AnswerSequence::Takes takes, trace::EntityMetrics& metrics,
            trace::LoadMeter& load);

  // `payload` is the one message where the client does not stream; `half_closed` runs when it has streamed its last.
  void Start(userfunction::Connection& connection, entities::ActionCall::Request request, std::string input_type_url,
             journal::Payload payload, base::Task half_closed);

  void Cancel(const absl::Status& reason) override;

  void OnCarriedOut() override;
  void OnOutcome(absl::Status status) override;
  std::shared_ptr<void> Keep() override { return shared_from_this(); }

 private:
  void PumpRequests();
  void OnRequest(std::optional<std::string> message);
  void OnResponse(action::ActionResponse response);
  void Done(absl::Status status);

  base::Strand& strand_;
  const std::shared_ptr<const Target> target_;
  AnswerSequence answers_;  // finished at the end
  trace::EntityMetrics& metrics_;
  trace::Metered running_;
  std::string input_type_url_;
  base::Task half_closed_;
  std::unique_ptr<entities::ActionCall> call_;

  std::optional<absl::Status> call_ended_;
  bool paused_ = false;
  bool waits_to_send_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace cloudstate::routing
