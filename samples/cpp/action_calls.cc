#include "samples/cpp/action_calls.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::samples {
namespace {

using action::ActionCommand;
using action::ActionResponse;

template <typename Shape>
absl::StatusOr<const Shape*> Find(const std::vector<ActionService>& services, const ActionCommand& command) {
  for (const ActionService& service : services) {
    if (service.service_name != command.service_name()) continue;
    const auto method = service.methods.find(command.name());
    if (method == service.methods.end()) break;
    if (const Shape* shape = std::get_if<Shape>(&method->second)) return shape;
    return absl::InvalidArgumentError(
        absl::StrCat(command.service_name(), ".", command.name(), " is streamed in another way than it is called."));
  }
  return absl::NotFoundError(absl::StrCat("No action here serves ", command.service_name(), ".", command.name(), "."));
}

void Fail(const absl::Status& status, ActionResponse& response) {
  response.Clear();
  response.mutable_failure()->set_description(std::string(status.message()));
}

// One streamed call: the command that opened it, and what serves it.
class Call {
 public:
  explicit Call(const grpc::CallbackServerContext& context) : context_(context) {}

  template <typename Shape>
  absl::Status Open(const std::vector<ActionService>& services, ActionCommand command) {
    const auto shape = Find<Shape>(services, command);
    if (!shape.ok()) return shape.status();
    command_ = std::move(command);
    stream_ = (*shape)->open(command_.metadata());
    return absl::OkStatus();
  }

  bool is_open() const { return stream_ != nullptr; }
  const ActionCommand& command() const { return command_; }

  absl::Status OnRequest(const google::protobuf::Any& payload) { return stream_->OnRequest(payload); }

  // No more is to be read: since the client is done, or since it has gone. False in the second case.
  bool OnEndOfRequests() {
    if (context_.IsCancelled()) {
      OnCancel();
      return false;
    }
    if (stream_) stream_->OnHalfClose();
    return true;
  }

  void OnCancel() {
    if (stream_) std::exchange(stream_, nullptr)->OnCancel();
  }

  bool Next(ActionResponse& response) {
    response.Clear();
    ActionContext context(command_.metadata(), response);
    return stream_ && stream_->Next(context);
  }

 private:
  const grpc::CallbackServerContext& context_;
  ActionCommand command_;
  std::unique_ptr<ActionStream> stream_;
};

class StreamedInCall final : public grpc::ServerReadReactor<ActionCommand> {
 public:
  StreamedInCall(const grpc::CallbackServerContext& context, const std::vector<ActionService>& services,
                 ActionResponse& response)
      : services_(services), response_(response), call_(context) {
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      if (call_.OnEndOfRequests()) call_.Next(response_);
      return Finish(grpc::Status::OK);
    }
    const absl::Status status =
        call_.is_open() ? call_.OnRequest(in_.payload()) : call_.Open<StreamedIn>(services_, std::move(in_));
    if (status.ok()) return StartRead(&in_);
    Fail(status, response_);
    Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  const std::vector<ActionService>& services_;
  ActionResponse& response_;
  Call call_;
  ActionCommand in_;
};

class StreamedOutCall final : public grpc::ServerWriteReactor<ActionResponse> {
 public:
  StreamedOutCall(const grpc::CallbackServerContext& context, const std::vector<ActionService>& services,
                  const ActionCommand& command)
      : call_(context) {
    absl::Status status = call_.Open<StreamedOut>(services, command);
    if (status.ok()) status = call_.OnRequest(call_.command().payload());
    if (status.ok()) {
      call_.OnEndOfRequests();
      WriteNext();
    } else {
      Fail(status, out_);
      StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
    }
  }

  void OnWriteDone(bool ok) override {
    if (ok) return WriteNext();
    call_.OnCancel();
    Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (call_.Next(out_)) return StartWrite(&out_);
    Finish(grpc::Status::OK);
  }

  Call call_;
  ActionResponse out_;
};

// Reads and writes in turn, so that the proxy's pace in taking responses holds up the requests.
class StreamedCall final : public grpc::ServerBidiReactor<ActionCommand, ActionResponse> {
 public:
  StreamedCall(const grpc::CallbackServerContext& context, const std::vector<ActionService>& services)
      : services_(services), call_(context) {
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      half_closed_ = true;
      if (!call_.OnEndOfRequests()) return Finish(grpc::Status::OK);
      return WriteNext();
    }
    if (!call_.is_open()) {
      const absl::Status status = call_.Open<Streamed>(services_, std::move(in_));
      return status.ok() ? StartRead(&in_) : End(status);
    }
    const absl::Status status = call_.OnRequest(in_.payload());
    return status.ok() ? WriteNext() : End(status);
  }

  void OnWriteDone(bool ok) override {
    if (ok) return WriteNext();
    call_.OnCancel();
    Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (call_.Next(out_)) return StartWrite(&out_);
    if (half_closed_) return Finish(grpc::Status::OK);
    StartRead(&in_);
  }

  void End(const absl::Status& status) {
    Fail(status, out_);
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }

  const std::vector<ActionService>& services_;
  Call call_;
  bool half_closed_ = false;
  ActionCommand in_;
  ActionResponse out_;
};

}  // namespace

grpc::ServerUnaryReactor* ActionCalls::handleUnary(grpc::CallbackServerContext* context, const ActionCommand* command,
                                                   ActionResponse* response) {
  const auto method = Find<Unary>(services_, *command);
  absl::Status status = method.status();
  if (status.ok()) {
    ActionContext action(command->metadata(), *response);
    status = (*method)->handle(command->payload(), action);
  }
  if (!status.ok()) Fail(status, *response);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

// gRPC owns the reactors: each goes when its call has ended.

grpc::ServerReadReactor<ActionCommand>* ActionCalls::handleStreamedIn(grpc::CallbackServerContext* context,
                                                                      ActionResponse* response) {
  return std::make_unique<StreamedInCall>(*context, services_, *response).release();
}

grpc::ServerWriteReactor<ActionResponse>* ActionCalls::handleStreamedOut(grpc::CallbackServerContext* context,
                                                                         const ActionCommand* command) {
  return std::make_unique<StreamedOutCall>(*context, services_, *command).release();
}

grpc::ServerBidiReactor<ActionCommand, ActionResponse>* ActionCalls::handleStreamed(
    grpc::CallbackServerContext* context) {
  return std::make_unique<StreamedCall>(*context, services_).release();
}

}  // namespace cloudstate::samples
