#include <memory>
#include <string>
#include <utility>

#include "cloudstate/tck/model/action.pb.h"
#include "google/protobuf/any.pb.h"
#include "samples/cpp/tck_model_services.h"
#include "samples/cpp/tck_model_steps.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace model = cloudstate::tck::model::action;

constexpr Method kTwoCall = {"cloudstate.tck.model.action.ActionTwo", "Call"};

void Act(const model::ProcessStep& step, ActionContext& context) {
  if (!step.has_reply()) return CarryOutCommonStep<model::OtherRequest>(step, kTwoCall, context);
  model::Response response;
  response.set_message(step.reply().message());
  context.Reply(response);
}

void Act(const model::ProcessGroup& group, ActionContext& context) {
  for (const model::ProcessStep& step : group.steps()) Act(step, context);
}

absl::Status ProcessUnary(const Any& payload, ActionContext& context) {
  model::Request request;
  if (!payload.UnpackTo(&request)) return UnknownType("request", payload);
  for (const model::ProcessGroup& group : request.groups()) Act(group, context);
  return absl::OkStatus();
}

absl::Status Call(const Any& payload, ActionContext& context) {
  if (!payload.Is<model::OtherRequest>()) return UnknownType("request", payload);
  context.Reply(model::Response());
  return absl::OkStatus();
}

// All groups of all requests are one.
class AnswerOnce final : public ActionStream {
 public:
  absl::Status OnRequest(const Any& payload) override {
    model::Request request;
    if (!payload.UnpackTo(&request)) return UnknownType("request", payload);
    groups_.MergeFrom(request);
    return absl::OkStatus();
  }

  bool Next(ActionContext& context) override {
    for (const model::ProcessGroup& group : groups_.groups()) Act(group, context);
    return true;
  }

 private:
  model::Request groups_;
};

class AnswerEachGroup final : public ActionStream {
 public:
  absl::Status OnRequest(const Any& payload) override {
    next_ = 0;
    return payload.UnpackTo(&request_) ? absl::OkStatus() : UnknownType("request", payload);
  }

  bool Next(ActionContext& context) override {
    if (next_ == request_.groups_size()) return false;
    Act(request_.groups(next_), context);
    ++next_;
    return true;
  }

 private:
  model::Request request_;
  int next_ = 0;
};

template <typename Stream>
std::unique_ptr<ActionStream> Open(const Metadata&) {
  return std::make_unique<Stream>();
}

ActionService Describe(std::string service, std::map<std::string, ActionMethod> methods) {
  return {
      .service_name = "cloudstate.tck.model.action." + std::move(service),
      .files = {model::Request::descriptor()->file()},
      .methods = std::move(methods),
  };
}

}  // namespace

std::vector<ActionService> ActionModel() {
  return {Describe("ActionTckModel", {{"ProcessUnary", Unary{ProcessUnary}},
                                      {"ProcessStreamedIn", StreamedIn{Open<AnswerOnce>}},
                                      {"ProcessStreamedOut", StreamedOut{Open<AnswerEachGroup>}},
                                      {"ProcessStreamed", Streamed{Open<AnswerEachGroup>}}}),
          Describe("ActionTwo", {{"Call", Unary{Call}}})};
}

}  // namespace cloudstate::samples
