#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cloudstate/action.pb.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/entity.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// What went by in one call before, as it was without the fault.
template <typename In, typename Out>
struct Past {
  std::string_view method;  // of the protocol's service: handle, handleUnary…
  std::vector<In> requests;
  std::vector<Out> responses;
};

// Says what to pass on in place of a message.
template <typename In, typename Out, typename Message>
using Rewrite = std::function<std::vector<Message>(const Past<In, Out>& past, const Message& message)>;

enum class HalfClose {
  kPassedOn,
  kHidden,  // the model does not hear of it
  kEarly,   // the model hears of it after the first request; only in handleStreamedIn
};

// What a fault makes of the messages between proxy and model. What is not set changes nothing.
template <typename InMessage, typename OutMessage>
struct Rewrites {
  using In = InMessage;
  using Out = OutMessage;

  Rewrite<In, Out, In> request = {};
  Rewrite<In, Out, Out> response = {};
  std::function<bool(const Out& response)> ends_after = {};  // entities only; the proxy sees the call cancelled
  HalfClose half_close = HalfClose::kPassedOn;
};

using EventSourcedRewrites = Rewrites<eventsourced::EventSourcedStreamIn, eventsourced::EventSourcedStreamOut>;
using ValueEntityRewrites = Rewrites<valueentity::ValueEntityStreamIn, valueentity::ValueEntityStreamOut>;
using CrdtRewrites = Rewrites<crdt::CrdtStreamIn, crdt::CrdtStreamOut>;
using ActionRewrites = Rewrites<action::ActionCommand, action::ActionResponse>;

// One way to get the protocol wrong.
struct Fault {
  std::string name;
  std::string description;
  std::function<void(UserFunction& model)> model = {};
  std::function<void(EntitySpec& spec)> discovery = {};
  EventSourcedRewrites event_sourced = {};
  ValueEntityRewrites value_entities = {};
  CrdtRewrites crdts = {};
  ActionRewrites actions = {};
};

// A rewrite that only edits the message: edit(past, message) or edit(message).
template <typename Edit>
auto Edited(Edit edit) {
  return [edit](const auto& past, const auto& message) {
    auto edited = message;
    if constexpr (std::is_invocable_v<const Edit&, decltype(edited)&>) {
      edit(edited);
    } else {
      edit(past, edited);
    }
    return std::vector{std::move(edited)};
  };
}

std::vector<Fault> DiscoveryFaults();
std::vector<Fault> EventSourcedFaults();
std::vector<Fault> ValueEntityFaults();
std::vector<Fault> ActionFaults();
std::vector<Fault> CrdtFaults();

}  // namespace cloudstate::samples
