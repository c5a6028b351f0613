#include "tests/bench/model_calls.h"

#include "absl/strings/str_cat.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/tck/model/action.pb.h"
#include "cloudstate/tck/model/eventsourced.pb.h"
#include "cloudstate/tck/model/valueentity.pb.h"
#include "tests/bench/grpc_calls.h"

namespace cloudstate::bench {
namespace {

constexpr char kModelService[] = "cloudstate.tck.model.action.ActionTckModel";
constexpr std::size_t kAnswerBytes = 20;

std::string Path(const std::string& method) { return absl::StrCat("/", kModelService, "/", method); }

action::ActionCommand Named(const std::string& method) {
  action::ActionCommand command;
  command.set_service_name(kModelService);
  command.set_name(method);
  return command;
}

void SetPayload(action::ActionCommand& command) {
  command.mutable_payload()->set_type_url("type.googleapis.com/cloudstate.tck.model.action.Request");
  command.mutable_payload()->set_value(ActionMessage(kAnswerBytes));
}

std::string Message(std::size_t) { return ActionMessage(kAnswerBytes); }

}  // namespace

std::string ActionMessage(std::size_t answer_bytes) {
  tck::model::action::Request request;
  request.add_groups()->add_steps()->mutable_reply()->set_message(std::string(answer_bytes, 'x'));
  return request.SerializeAsString();
}

std::unique_ptr<Calls> ActionCalls(const std::string& address) {
  return UnaryCalls(address, Path("ProcessUnary"), Message);
}

std::unique_ptr<Calls> ActionStreams(const std::string& address, std::size_t lanes) {
  return StreamedCalls(address, Path("ProcessStreamed"), lanes, nullptr, Message);
}

std::unique_ptr<Calls> DirectActionCalls(const std::string& address) {
  return UnaryCalls(address, "/cloudstate.action.ActionProtocol/handleUnary", [](std::size_t) {
    action::ActionCommand command = Named("ProcessUnary");
    SetPayload(command);
    return command.SerializeAsString();
  });
}

std::unique_ptr<Calls> DirectActionStreams(const std::string& address, std::size_t lanes) {
  return StreamedCalls(
      address, "/cloudstate.action.ActionProtocol/handleStreamed", lanes,
      [] { return Named("ProcessStreamed").SerializeAsString(); },
      [](std::size_t) {
        action::ActionCommand command;
        SetPayload(command);
        return command.SerializeAsString();
      });
}

std::unique_ptr<Calls> EventSourcedCalls(const std::string& address) {
  return UnaryCalls(address, "/cloudstate.tck.model.EventSourcedTckModel/Process", [](std::size_t entity) {
    tck::model::Request request;
    request.set_id(absl::StrCat("entity-", entity));
    return request.SerializeAsString();
  });
}

std::unique_ptr<Calls> ValueEntityCalls(const std::string& address) {
  return UnaryCalls(address, "/cloudstate.tck.model.valueentity.ValueEntityTckModel/Process", [](std::size_t entity) {
    tck::model::valueentity::Request request;
    request.set_id(absl::StrCat("entity-", entity));
    return request.SerializeAsString();
  });
}

}  // namespace cloudstate::bench
