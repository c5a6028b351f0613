#include "emulator/tck/passed.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"

namespace cloudstate::tck {
namespace {

using google::protobuf::Message;

const std::map<std::string, MethodKind>& MethodKinds() {
  static const auto& kinds = *new std::map<std::string, MethodKind>([] {
    const Message* command = &action::ActionCommand::default_instance();
    const Message* response = &action::ActionResponse::default_instance();
    std::map<std::string, MethodKind> all = {
        {"/cloudstate.eventsourced.EventSourced/handle",
         {&eventsourced::EventSourcedStreamIn::default_instance(),
          &eventsourced::EventSourcedStreamOut::default_instance(), true, true}},
        {"/cloudstate.valueentity.ValueEntity/handle",
         {&valueentity::ValueEntityStreamIn::default_instance(), &valueentity::ValueEntityStreamOut::default_instance(),
          true, true}},
        {"/cloudstate.crdt.Crdt/handle",
         {&crdt::CrdtStreamIn::default_instance(), &crdt::CrdtStreamOut::default_instance(), true, true}}};
    for (const char* service : {"/cloudstate.action.ActionProtocol/", "/cloudstate.function.StatelessFunction/"}) {
      all[absl::StrCat(service, "handleUnary")] = {command, response, false, false};
      all[absl::StrCat(service, "handleStreamedIn")] = {command, response, true, false};
      all[absl::StrCat(service, "handleStreamedOut")] = {command, response, false, true};
      all[absl::StrCat(service, "handleStreamed")] = {command, response, true, true};
    }
    return all;
  }());
  return kinds;
}

}  // namespace

const MethodKind* KindOf(const std::string& method) {
  const auto found = MethodKinds().find(method);
  return found == MethodKinds().end() ? nullptr : &found->second;
}

std::unique_ptr<Message> ParsePassed(const Passed& passed) {
  const bool in = passed.what == Passed::What::kToUserFunction;
  const MethodKind* kind = KindOf(passed.method);
  if (kind == nullptr || !(in || passed.what == Passed::What::kToProxy)) return nullptr;
  std::unique_ptr<Message> message((in ? kind->in : kind->out)->New());
  return message->ParseFromString(passed.message) ? std::move(message) : nullptr;
}

std::string DescribePassed(const Passed& passed) {
  const char* what = "";
  switch (passed.what) {
    case Passed::What::kToUserFunction:
      what = "to the user function";
      break;
    case Passed::What::kToProxy:
      what = "to the proxy";
      break;
    case Passed::What::kHalfClosed:
      what = "half-closed by the proxy";
      break;
    case Passed::What::kCancelled:
      what = "cancelled by the proxy";
      break;
    case Passed::What::kEnded:
      what = "ended by the user function";
      break;
  }
  return absl::StrCat("#", passed.call, " ", what);
}

}  // namespace cloudstate::tck
