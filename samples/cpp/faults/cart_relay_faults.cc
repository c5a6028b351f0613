#include <utility>

#include "absl/strings/str_cat.h"
#include "samples/cpp/checkout.h"
#include "samples/cpp/faults/cart_faults.h"
#include "samples/cpp/faults/relay.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace cloudstate::samples {
namespace {

using In = eventsourced::EventSourcedStreamIn;
using Out = eventsourced::EventSourcedStreamOut;
using History = Past<In, Out>;
using com::example::shoppingcart::AddLineItem;

constexpr char kEvent[] = "persistence.ItemAdded";
constexpr char kRenamedEvent[] = "persistence.ProductAdded";

// The command that is answered; nothing where it is another one.
AddLineItem Added(const History& past) {
  AddLineItem add;
  if (!past.requests.empty()) past.requests.back().command().payload().UnpackTo(&add);
  return add;
}

void Rename(const std::string& from, const std::string& to, google::protobuf::Any& event) {
  const std::size_t at = event.type_url().rfind(from);
  if (at != std::string::npos) event.mutable_type_url()->replace(at, from.size(), to);
}

// What it stored before has a name that it does not know any more.
void RenameStored(In& in) {
  if (!in.has_event()) return;
  google::protobuf::Any& event = *in.mutable_event()->mutable_payload();
  Rename(kEvent, "persistence.Forgotten", event);
  Rename(kRenamedEvent, kEvent, event);
}

void RenameNew(Out& out) {
  if (!out.has_reply()) return;
  for (google::protobuf::Any& event : *out.mutable_reply()->mutable_events()) Rename(kEvent, kRenamedEvent, event);
}

std::vector<Out> HangWithoutName(const History& past, const Out& out) {
  const AddLineItem add = Added(past);
  if (add.quantity() > 0 && add.name().empty()) return {};
  return {out};
}

void AnswerAnother(const History& past, Out& out) {
  if (out.has_reply() && Added(past).quantity() == 7) {
    out.mutable_reply()->set_command_id(out.reply().command_id() + 1);
  }
}

std::vector<Out> AnswerTwice(const History& past, const Out& out) {
  if (Added(past).quantity() == 7) return {out, out};
  return {out};
}

}  // namespace

std::vector<Fault> CartMessageFaults() {
  return {
      {.name = "hang",
       .description = "never answers where a name is empty",
       .event_sourced = {.response = HangWithoutName}},
      {.name = "wrong-command-id",
       .description = "answers another command where a quantity is 7",
       .event_sourced = {.response = Edited(AnswerAnother)}},
      {.name = "replies-twice",
       .description = "answers twice where a quantity is 7",
       .event_sourced = {.response = AnswerTwice}},
      {.name = "open-stream",
       .description = "leaves streams open",
       .event_sourced = {.half_close = HalfClose::kHidden}},
      {.name = "renamed-event",
       .description = "does not know the name any more that its events had",
       .event_sourced = {.request = Edited(RenameStored), .response = Edited(RenameNew)}},
      {.name = "missing-effect",
       .description = "does not count what is sold",
       .actions = {.response = Edited([](action::ActionResponse& out) { out.clear_side_effects(); })}},
  };
}

std::vector<FaultName> CartFaults() {
  std::vector<FaultName> names;
  for (auto* of_place : {CartCodeFaults, CartMessageFaults}) {
    for (Fault& fault : of_place()) names.push_back({std::move(fault.name), std::move(fault.description)});
  }
  return names;
}

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartFaultyCart(const std::string& address,
                                                                    const std::string& name) {
  for (const Fault& fault : CartCodeFaults()) {
    if (fault.name != name) continue;
    UserFunction checkout = Checkout();
    fault.model(checkout);
    return UserFunctionServer::Start(address, std::move(checkout));
  }
  for (Fault& fault : CartMessageFaults()) {
    if (fault.name != name) continue;
    auto checkout = UserFunctionServer::Start("127.0.0.1:0", Checkout());
    if (!checkout.ok()) return checkout.status();
    return StartRelay(address, *std::move(checkout), std::move(fault));
  }
  return absl::NotFoundError(absl::StrCat("There is no fault '", name, "'. --list-faults names those that there are."));
}

}  // namespace cloudstate::samples
