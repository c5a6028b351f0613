#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "emulator/tck/model_steps.h"

// The messages that are alike for the model's entities of all kinds. `Kind` is event_sourced::Kind, value::Kind or
// crdts::Kind, which name the kind's services and types. Its Change is the action that gives a new entity its value;
// what replies tell of that is its State, which can be made of a text. Ids of the model's entities begin with its
// kIdPrefix.
namespace cloudstate::tck {

enum class Restart { kNo, kYes };

template <typename Kind>
using Actions = std::vector<typename Kind::Action>;

template <typename Kind>
typename Kind::Request Request(const std::string& id, const Actions<Kind>& actions = {}) {
  typename Kind::Request request;
  request.set_id(id);
  for (const auto& action : actions) {
    std::visit([&message = *request.add_actions()](const auto& step) { Write(step, message); }, action);
  }
  return request;
}

template <typename Kind>
typename Kind::In Command(std::int64_t number, const std::string& name, const typename Kind::Request& request) {
  typename Kind::In in;
  in.mutable_command()->set_entity_id(request.id());
  in.mutable_command()->set_id(number);
  in.mutable_command()->set_name(name);
  in.mutable_command()->mutable_payload()->PackFrom(request);
  return in;
}

// A reply, to be completed. The kind's own Answer adds what becomes of the state, which is said first:
// Answer().Events({"a"}).Reply("a").
template <typename Kind>
class EntityAnswer {
 public:
  EntityAnswer& Reply(const typename Kind::State& state) {
    reply_.mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(Kind::Respond(state));
    return *this;
  }
  // As the model's other services reply.
  EntityAnswer& ReplyNothing() {
    reply_.mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(typename Kind::Response());
    return *this;
  }
  EntityAnswer& Forward(const std::string& id) {
    CallTwo(Kind::kTwo, Request<Kind>(id), *reply_.mutable_client_action()->mutable_forward());
    return *this;
  }
  EntityAnswer& Fail(const std::string& text, Restart restart = Restart::kNo) {
    auto& failure = *reply_.mutable_client_action()->mutable_failure();
    failure.set_description(text);
    failure.set_restart(restart == Restart::kYes);
    return *this;
  }
  EntityAnswer& Effect(const std::string& id, Mode mode = Mode::kAsynchronous) {
    auto& effect = *reply_.add_side_effects();
    CallTwo(Kind::kTwo, Request<Kind>(id), effect);
    effect.set_synchronous(mode == Mode::kSynchronous);
    return *this;
  }

  // As it is sent for command `number`.
  typename Kind::Out To(std::int64_t number) const {
    typename Kind::Out out;
    auto& reply = *out.mutable_reply();
    reply = reply_;
    reply.set_command_id(number);
    if (reply.client_action().has_failure()) {
      reply.mutable_client_action()->mutable_failure()->set_command_id(number);
    }
    return out;
  }

 protected:
  typename Kind::Reply& reply() { return reply_; }

 private:
  typename Kind::Reply reply_;
};

}  // namespace cloudstate::tck
