#include "samples/cpp/entity_stream.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {
namespace {

using eventsourced::EventSourcedInit;
using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;

// A proxy sends the next command only when it has the reply to the one before, so the stream never reads and writes at
// once, and no lock is needed.
class Stream final : public EntityStream {
 public:
  explicit Stream(const std::vector<EntityDescription>& entities) : entities_(entities) { StartRead(&in_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    out_.Clear();
    absl::Status status = Handle();
    if (!status.ok()) return End(status);
    if (out_.has_reply()) {
      StartWrite(&out_);
    } else {
      StartRead(&in_);
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok || ending_) return Finish(grpc::Status::OK);
    StartRead(&in_);
  }

  void OnDone() override { delete this; }

 private:
  absl::Status Handle() {
    if (in_.has_init()) return HandleInit(in_.init());
    if (!entity_) return absl::FailedPreconditionError("The first message of a stream must be init.");
    if (in_.has_event()) {
      sequence_ = in_.event().sequence();
      return entity_->OnEvent(in_.event().payload());
    }
    if (in_.has_command()) return HandleCommand(in_.command());
    return absl::InvalidArgumentError("A message with nothing in it came on the stream.");
  }

  absl::Status HandleInit(const EventSourcedInit& init) {
    if (entity_) return absl::FailedPreconditionError("init came twice on one stream.");
    for (const EntityDescription& description : entities_) {
      if (description.service_name == init.service_name()) description_ = &description;
    }
    if (!description_) {
      return absl::NotFoundError(absl::StrCat("No entity here serves '", init.service_name(), "'."));
    }
    entity_id_ = init.entity_id();
    entity_ = description_->create();
    if (!init.has_snapshot()) return absl::OkStatus();
    sequence_ = init.snapshot().snapshot_sequence();
    return entity_->OnSnapshot(init.snapshot().snapshot());
  }

  absl::Status HandleCommand(const Command& command) {
    eventsourced::EventSourcedReply& reply = *out_.mutable_reply();
    CommandContext context(command.id(), entity_id_, *entity_, reply);
    absl::Status status = entity_->OnCommand(command.name(), command.payload(), context);
    status.Update(context.apply_status());
    if (!status.ok()) return status;
    const std::int64_t before = sequence_;
    sequence_ += reply.events_size();
    const std::int64_t every = description_->snapshot_every;
    if (every > 0 && before / every != sequence_ / every) entity_->WriteSnapshot(*reply.mutable_snapshot());
    return absl::OkStatus();
  }

  void End(const absl::Status& status) {
    out_.Clear();
    Failure& failure = *out_.mutable_failure();
    failure.set_command_id(in_.has_command() ? in_.command().id() : 0);
    failure.set_description(std::string(status.message()));
    ending_ = true;
    StartWrite(&out_);
  }

  const std::vector<EntityDescription>& entities_;
  const EntityDescription* description_ = nullptr;
  std::unique_ptr<Entity> entity_;
  std::string entity_id_;
  std::int64_t sequence_ = 0;
  bool ending_ = false;
  EventSourcedStreamIn in_;
  EventSourcedStreamOut out_;
};

}  // namespace

EntityStream* ServeEntityStream(const std::vector<EntityDescription>& entities) {
  return std::make_unique<Stream>(entities).release();
}

}  // namespace cloudstate::samples
