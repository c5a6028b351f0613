#include "tests/bench/grpc_calls.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <future>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "cloudstate/event_sourced.grpc.pb.h"

namespace cloudstate::bench {
namespace {

using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

using BytesStub = grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer>;

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

class Unary final : public Calls {
 public:
  Unary(const std::string& address, std::string path, MessageFor request)
      : path_(std::move(path)), request_(std::move(request)), stub_(Connect(address)) {}

  void Make(std::size_t, std::size_t entity, Done done) override {
    struct Call {
      grpc::ClientContext context;
      grpc::ByteBuffer request;
      grpc::ByteBuffer response;
    };
    auto call = std::make_shared<Call>();
    call->request = ToBuffer(request_(entity));
    Call& state = *call;
    stub_.UnaryCall(
        &state.context, path_, {}, &state.request, &state.response,
        [call = std::move(call), done = std::move(done)](const grpc::Status& status) { done(ToStatus(status)); });
  }

 private:
  const std::string path_;
  const MessageFor request_;
  BytesStub stub_;
};

// One lane's stream of bytes. A message is answered when an answer has come and its write has ended, in either order.
class ByteStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  ByteStream(BytesStub& stub, const std::string& path, const std::function<std::string()>& first) {
    stub.PrepareBidiStreamingCall(&context_, path, {}, this);
    AddHold();  // writes start outside of gRPC's callbacks
    if (first) {
      out_ = ToBuffer(first());
      StartWrite(&out_);
    } else {
      opened_.set_value();
      open_ = true;
    }
    StartRead(&in_);
    StartCall();
  }

  ~ByteStream() override {
    context_.TryCancel();
    ended_.get_future().wait();
  }

  void WaitUntilOpen() { opened_.get_future().wait(); }

  void Send(const std::string& message, Calls::Done done) {
    done_ = std::move(done);
    awaited_ = 2;
    out_ = ToBuffer(message);
    StartWrite(&out_);
  }

 private:
  void OnWriteDone(bool) override {
    if (std::exchange(open_, true)) {
      Arrived();
    } else {
      opened_.set_value();
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    StartRead(&in_);
    Arrived();
  }

  void OnDone(const grpc::Status& status) override {
    if (awaited_ > 0) std::exchange(done_, nullptr)(absl::UnknownError("the stream ended: " + status.error_message()));
    ended_.set_value();
  }

  void Arrived() {
    if (--awaited_ == 0) std::exchange(done_, nullptr)(absl::OkStatus());
  }

  grpc::ClientContext context_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  bool open_ = false;
  std::atomic<int> awaited_ = 0;
  Calls::Done done_;
  std::promise<void> opened_;
  std::promise<void> ended_;
};

class Streamed final : public Calls {
 public:
  Streamed(const std::string& address, const std::string& path, std::size_t lanes,
           const std::function<std::string()>& first, MessageFor message)
      : message_(std::move(message)), stub_(Connect(address)) {
    for (std::size_t i = 0; i < lanes; ++i) streams_.push_back(std::make_unique<ByteStream>(stub_, path, first));
    for (const auto& stream : streams_) stream->WaitUntilOpen();
  }

  void Make(std::size_t lane, std::size_t entity, Done done) override {
    streams_[lane]->Send(message_(entity), std::move(done));
  }

 private:
  const MessageFor message_;
  BytesStub stub_;
  std::vector<std::unique_ptr<ByteStream>> streams_;
};

// One entity's stream. A command is answered when its reply has come and its write has ended, in either order.
class EntityStream final : public grpc::ClientBidiReactor<EventSourcedStreamIn, EventSourcedStreamOut> {
 public:
  EntityStream(eventsourced::EventSourced::Stub& stub, const std::string& service, std::string entity_id)
      : entity_id_(std::move(entity_id)) {
    stub.async()->handle(&context_, this);
    AddHold();  // writes start outside of gRPC's callbacks
    in_.mutable_init()->set_service_name(service);
    in_.mutable_init()->set_entity_id(entity_id_);
    StartWrite(&in_);
    StartRead(&out_);
    StartCall();
  }

  ~EntityStream() override {
    context_.TryCancel();
    ended_.get_future().wait();
  }

  void Send(const EntityCommand& sent, std::string payload, Calls::Done done) {
    done_ = std::move(done);
    awaited_ = 2;
    Command& command = *in_.mutable_command();
    command.set_entity_id(entity_id_);
    command.set_id(++last_id_);
    command.set_name(sent.method);
    command.mutable_payload()->set_type_url(sent.type_url);
    command.mutable_payload()->set_value(std::move(payload));
    StartWrite(&in_);
  }

  // Blocks until the init has been written.
  void WaitUntilOpen() { opened_.get_future().wait(); }

 private:
  void OnWriteDone(bool) override {
    if (last_id_ == 0) {
      opened_.set_value();
    } else {
      Arrived();
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    status_ = out_.reply().command_id() == last_id_ && out_.reply().client_action().has_reply()
                  ? absl::OkStatus()
                  : absl::InternalError("the user function did not answer the command: " + out_.ShortDebugString());
    StartRead(&out_);
    Arrived();
  }

  void OnDone(const grpc::Status&) override { ended_.set_value(); }

  void Arrived() {
    if (--awaited_ == 0) std::exchange(done_, nullptr)(status_);
  }

  const std::string entity_id_;
  grpc::ClientContext context_;
  EventSourcedStreamIn in_;
  EventSourcedStreamOut out_;
  std::int64_t last_id_ = 0;
  std::atomic<int> awaited_ = 0;
  absl::Status status_;
  Calls::Done done_;
  std::promise<void> opened_;
  std::promise<void> ended_;
};

class Streams final : public EntityStreamCalls {
 public:
  Streams(const std::string& address, const std::string& service, std::size_t entities,
          const std::function<std::string(std::size_t)>& entity_id)
      : stub_(eventsourced::EventSourced::NewStub(Connect(address))) {
    for (std::size_t i = 0; i < entities; ++i) {
      streams_.push_back(std::make_unique<EntityStream>(*stub_, service, entity_id(i)));
    }
    for (const auto& stream : streams_) stream->WaitUntilOpen();
  }

  void Send(EntityCommand command) override { command_ = std::move(command); }

  void Make(std::size_t, std::size_t entity, Done done) override {
    streams_[entity]->Send(command_, command_.payload(entity), std::move(done));
  }

 private:
  EntityCommand command_;
  const std::unique_ptr<eventsourced::EventSourced::Stub> stub_;
  std::vector<std::unique_ptr<EntityStream>> streams_;
};

}  // namespace

std::unique_ptr<Calls> UnaryCalls(const std::string& address, std::string path, MessageFor request) {
  return std::make_unique<Unary>(address, std::move(path), std::move(request));
}

std::unique_ptr<Calls> StreamedCalls(const std::string& address, const std::string& path, std::size_t lanes,
                                     const std::function<std::string()>& first, MessageFor message) {
  return std::make_unique<Streamed>(address, path, lanes, first, std::move(message));
}

absl::Status WaitForServer(const std::string& address, absl::Duration timeout) {
  if (Connect(address)->WaitForConnected(absl::ToChronoTime(absl::Now() + timeout))) return absl::OkStatus();
  return absl::DeadlineExceededError("nothing answers at " + address);
}

std::unique_ptr<EntityStreamCalls> OpenEntityStreams(const std::string& address, const std::string& service,
                                                     std::size_t entities,
                                                     const std::function<std::string(std::size_t)>& entity_id) {
  return std::make_unique<Streams>(address, service, entities, entity_id);
}

}  // namespace cloudstate::bench
