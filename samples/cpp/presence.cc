#include "samples/cpp/presence.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"
#include "presence/presence.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::presence;

api::OnlineStatus StatusOf(const Vote& vote) {
  api::OnlineStatus status;
  status.set_online(vote.votes_for() > 0);
  return status;
}

class PresenceEntity final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return Vote(); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    if (name == "Connect" && payload.Is<api::User>()) {
      Connect(context);
    } else if (name == "Monitor" && payload.Is<api::User>()) {
      Monitor(context);
    } else {
      return UnknownType(absl::StrCat("command ", name), payload);
    }
    return absl::OkStatus();
  }

 private:
  void Connect(CrdtContext& context) {
    ++connected_;
    context.Change<Vote>().Set(true);
    context.Reply(google::protobuf::Empty());
    context.KeepOpen({.on_cancel = [this](CrdtCancelContext& cancelled) {
      if (--connected_ == 0) cancelled.Change<Vote>().Set(false);
      return absl::OkStatus();
    }});
  }

  void Monitor(CrdtContext& context) {
    // A stream that ended together with its calls has left this node's vote behind.
    if (connected_ == 0) context.Change<Vote>().Set(false);
    const api::OnlineStatus status = StatusOf(context.Get<Vote>());
    context.Reply(status);
    context.KeepOpen({.on_change = [told = status.online()](CrdtChangeContext& changed) mutable {
      const api::OnlineStatus now = StatusOf(changed.Get<Vote>());
      if (now.online() != told) changed.Reply(now);
      told = now.online();
    }});
  }

  int connected_ = 0;  // clients of the user, on this node
};

}  // namespace

UserFunction Presence() {
  return {.name = "presence",
          .version = "1.0.0",
          .crdts = {{
              .service_name = "com.example.presence.Presence",
              .files = {api::User::descriptor()->file()},
              .create = [](const std::string&) { return std::make_unique<PresenceEntity>(); },
          }}};
}

}  // namespace cloudstate::samples
