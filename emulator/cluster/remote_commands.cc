#include "emulator/cluster/remote_commands.h"

#include <memory>
#include <utility>
#include <vector>

#include "emulator/base/status.h"
#include "emulator/entities/any_payload.h"

namespace cloudstate::cluster {
namespace {

void Encode(const absl::Status& status, wire::Outcome& outcome) {
  outcome.set_code(static_cast<std::int32_t>(status.code()));
  outcome.set_message(std::string(status.message()));
  if (auto details = status.GetPayload(base::kStatusDetails)) outcome.set_details(std::string(*details));
}

absl::StatusOr<entities::Reply> Decode(wire::Outcome& outcome) {
  if (outcome.code() != 0) {
    absl::Status status(static_cast<absl::StatusCode>(outcome.code()), outcome.message());
    if (!outcome.details().empty()) status.SetPayload(base::kStatusDetails, absl::Cord(outcome.details()));
    return status;
  }
  entities::Reply reply;
  reply.action = std::move(*outcome.mutable_action());
  reply.side_effects = std::move(*outcome.mutable_side_effects());
  return reply;
}

void EncodeSteps(trace::Trace& trace, wire::Outcome& outcome) {
  for (trace::Step& each : trace.steps) {
    wire::Step& step = *outcome.add_steps();
    step.set_at(absl::ToUnixNanos(trace.begin + each.at));
    step.set_kind(static_cast<std::uint32_t>(each.kind));
    step.set_detail(std::move(each.detail));
    if (each.payload.has_value()) entities::ToAny(*std::move(each.payload), *step.mutable_payload());
  }
}

void DecodeSteps(wire::Outcome& outcome, entities::Command& command) {
  for (wire::Step& step : *outcome.mutable_steps()) {
    journal::Payload payload;
    if (step.has_payload()) payload = entities::FromAny(*step.mutable_payload());
    command.trace->Add(absl::FromUnixNanos(step.at()), static_cast<trace::StepKind>(step.kind()), command.number,
                       std::move(*step.mutable_detail()), step.has_payload() ? &payload : nullptr);
  }
}

}  // namespace

wire::Command RemoteCommands::Send(Receiver to, std::uint64_t epoch, const std::string& entity_id,
                                   entities::Command command) {
  wire::Command sent;
  sent.set_id(++last_id_);
  sent.set_epoch(epoch);
  sent.set_service(command.service);
  sent.set_method(command.method);
  sent.set_entity_id(entity_id);
  entities::ToAny(std::move(command.payload), *sent.mutable_payload());
  if (command.metadata.entries_size() > 0) *sent.mutable_metadata() = std::move(command.metadata);
  sent.set_trace_id(command.trace->id);
  sent_.emplace(last_id_, Sent{to, std::move(command)});
  return sent;
}

void RemoteCommands::OnOutcome(wire::Outcome outcome) {
  auto found = sent_.extract(outcome.id());
  if (found.empty()) return;
  entities::Command& command = found.mapped().command;
  DecodeSteps(outcome, command);
  command.done(Decode(outcome));
}

void RemoteCommands::FailAll(const Receiver& to, const absl::Status& reason) {
  std::vector<entities::Command> lost;  // first taken out: what fails may send further ones
  for (auto each = sent_.begin(); each != sent_.end();) {
    if (each->second.to == to) {
      lost.push_back(std::move(each->second.command));
      each = sent_.erase(each);
    } else {
      ++each;
    }
  }
  for (entities::Command& command : lost) command.done(reason);
}

entities::Command ReceiveCommand(wire::Command command, const base::Strand& strand,
                                 std::function<void(wire::Outcome)> answer) {
  // Who sent it does not tell when nobody waits any more.
  static const auto* const kNeverAbandoned = new std::shared_ptr<const bool>(std::make_shared<bool>(false));
  entities::Command received;
  received.service = std::move(*command.mutable_service());
  received.method = std::move(*command.mutable_method());
  received.payload = entities::FromAny(*command.mutable_payload());
  received.metadata = std::move(*command.mutable_metadata());
  received.trace = std::make_shared<trace::Trace>();
  received.trace->id = std::move(*command.mutable_trace_id());
  received.trace->begin = strand.Now();
  received.abandoned = *kNeverAbandoned;
  received.done = [id = command.id(), trace = received.trace,
                   answer = std::move(answer)](absl::StatusOr<entities::Reply> reply) {
    wire::Outcome outcome;
    outcome.set_id(id);
    if (reply.ok()) {
      *outcome.mutable_action() = std::move(reply->action);
      *outcome.mutable_side_effects() = std::move(reply->side_effects);
    } else {
      Encode(reply.status(), outcome);
    }
    EncodeSteps(*trace, outcome);
    answer(std::move(outcome));
  };
  return received;
}

}  // namespace cloudstate::cluster
