#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/entities/any_payload.h"
#include "emulator/entities/entity_protocol.h"

namespace cloudstate::entities {
namespace {

using valueentity::ValueEntityAction;
using valueentity::ValueEntityReply;
using valueentity::ValueEntityStreamIn;
using valueentity::ValueEntityStreamOut;

// Loaded from its last version alone.
class ValueEntityProtocol final : public EntityProtocol {
 public:
  std::string_view method() const override { return "/cloudstate.valueentity.ValueEntity/handle"; }
  std::string_view name() const override { return "Value entity"; }

  void LoadFirst(journal::Journal& journal, const base::EntityKey& key, ReplayFrom, std::size_t,
                 absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) const override {
    journal.LoadLast(key, std::move(done));
  }

  std::string Init(const std::string& service, const std::string& entity_id, journal::Replay& page) const override {
    ValueEntityStreamIn in;
    in.mutable_init()->set_service_name(service);
    in.mutable_init()->set_entity_id(entity_id);
    auto& state = *in.mutable_init()->mutable_state();
    for (journal::Event& version : std::exchange(page.events, {})) {
      if (version.payload.type_url != kDeletedValue) ToAny(std::move(version.payload), *state.mutable_value());
    }
    return in.SerializeAsString();
  }

  // The value went with init.
  std::string Event(journal::Event) const override { return {}; }

  std::string Command(cloudstate::Command command) const override {
    ValueEntityStreamIn in;
    *in.mutable_command() = std::move(command);
    return in.SerializeAsString();
  }

  absl::StatusOr<Answer> Parse(const std::string& message) const override {
    ValueEntityStreamOut out;
    if (!out.ParseFromString(message)) {
      return absl::InvalidArgumentError("a message on its stream was no cloudstate.valueentity.ValueEntityStreamOut");
    }
    if (out.has_failure()) return std::move(*out.mutable_failure());
    if (!out.has_reply()) return absl::InvalidArgumentError("a message on its stream was empty");
    ValueEntityReply& from = *out.mutable_reply();
    StoredReply reply;
    reply.command_id = from.command_id();
    reply.reply = {std::move(*from.mutable_client_action()), std::move(*from.mutable_side_effects())};
    ValueEntityAction& action = *from.mutable_state_action();
    if (action.has_delete_()) {
      reply.events.push_back({std::string(kDeletedValue), ""});
    } else if (action.has_update()) {
      if (!action.update().has_value() || action.update().value().type_url() == kDeletedValue) {
        return absl::InvalidArgumentError(
            absl::StrCat("its reply to command ", reply.command_id, " was to update it without a value"));
      }
      reply.events.push_back(FromAny(*action.mutable_update()->mutable_value()));
    }
    return reply;
  }
};

}  // namespace

const EntityProtocol& ValueEntity() {
  static const ValueEntityProtocol kProtocol;
  return kProtocol;
}

}  // namespace cloudstate::entities
