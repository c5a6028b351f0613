#include <utility>

#include "cloudstate/event_sourced.pb.h"
#include "emulator/entities/any_payload.h"
#include "emulator/entities/entity_protocol.h"

namespace cloudstate::entities {
namespace {

using eventsourced::EventSourcedReply;
using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;

// Loaded from the newest snapshot and the events behind it.
class EventSourcedProtocol final : public EntityProtocol {
 public:
  std::string_view method() const override { return "/cloudstate.eventsourced.EventSourced/handle"; }
  std::string_view name() const override { return "entity"; }

  void LoadFirst(journal::Journal& journal, const base::EntityKey& key, ReplayFrom from, std::size_t max_bytes,
                 absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) const override {
    const bool snapshots = from == ReplayFrom::kNewestSnapshot;
    journal.Load(key, snapshots ? std::nullopt : std::optional<base::SequenceNumber>(0), max_bytes, std::move(done));
  }

  std::string Init(const std::string& service, const std::string& entity_id, journal::Replay& page) const override {
    EventSourcedStreamIn in;
    in.mutable_init()->set_service_name(service);
    in.mutable_init()->set_entity_id(entity_id);
    if (page.snapshot.has_value()) {
      in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(page.snapshot->sequence);
      ToAny(std::move(page.snapshot->payload), *in.mutable_init()->mutable_snapshot()->mutable_snapshot());
    }
    return in.SerializeAsString();
  }

  std::string Event(journal::Event event) const override {
    EventSourcedStreamIn in;
    in.mutable_event()->set_sequence(event.sequence);
    ToAny(std::move(event.payload), *in.mutable_event()->mutable_payload());
    return in.SerializeAsString();
  }

  std::string Command(cloudstate::Command command) const override {
    EventSourcedStreamIn in;
    *in.mutable_command() = std::move(command);
    return in.SerializeAsString();
  }

  absl::StatusOr<Answer> Parse(const std::string& message) const override {
    EventSourcedStreamOut out;
    if (!out.ParseFromString(message)) {
      return absl::InvalidArgumentError("a message on its stream was no cloudstate.eventsourced.EventSourcedStreamOut");
    }
    if (out.has_failure()) return std::move(*out.mutable_failure());
    if (!out.has_reply()) return absl::InvalidArgumentError("a message on its stream was empty");
    EventSourcedReply& from = *out.mutable_reply();
    StoredReply reply;
    reply.command_id = from.command_id();
    reply.reply = {std::move(*from.mutable_client_action()), std::move(*from.mutable_side_effects())};
    reply.events.reserve(static_cast<std::size_t>(from.events_size()));
    for (google::protobuf::Any& event : *from.mutable_events()) reply.events.push_back(FromAny(event));
    if (from.has_snapshot()) reply.snapshot = FromAny(*from.mutable_snapshot());
    return reply;
  }
};

}  // namespace

const EntityProtocol& EventSourced() {
  static const EventSourcedProtocol kProtocol;
  return kProtocol;
}

}  // namespace cloudstate::entities
