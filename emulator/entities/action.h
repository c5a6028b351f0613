#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cloudstate/action.pb.h"
#include "emulator/entities/entity.h"
#include "emulator/userfunction/dialect.h"

namespace cloudstate::entities {

// One call of an action at the user function, in any of the four shapes. On the strand of its owner; destroying it
// cancels the call.
class ActionCall {
 public:
  struct Request {
    std::string service;  // full name
    std::string method;
    bool streams_in = false;
    bool streams_out = false;
    userfunction::Dialect dialect = userfunction::Dialect::k0_2;  // 0.1 calls it a function, and knows no metadata
    Metadata metadata;
    absl::Duration timeout = absl::InfiniteDuration();
  };
  struct Handler {
    // Each response: a reply, a forward, a failure or nothing, with its side effects. Without streams_out at most one,
    // and only once the user function has ended the call well.
    absl::AnyInvocable<void(action::ActionResponse)> on_response;
    // The last callback. UNKNOWN for what breaks the protocol or ends in an error of the user function's; UNAVAILABLE
    // when it has gone; DEADLINE_EXCEEDED after the timeout.
    absl::AnyInvocable<void(absl::Status)> on_end;
    // Unsent has become 0.
    absl::AnyInvocable<void()> on_writable;
  };

  ActionCall(userfunction::Connection& connection, Request request, Handler handler);

  // One input message; without streams_in exactly one. Then HalfClose.
  void Send(journal::Payload payload);
  void HalfClose();
  std::size_t Unsent() const;

  // After Pause at most one more response comes before Resume.
  void Pause();
  void Resume();

 private:
  void OnMessage(const std::string& message);
  void OnClosed(const absl::Status& status);
  void End(absl::Status status);

  Request request_;
  Handler handler_;
  std::unique_ptr<userfunction::Stream> stream_;  // null at the end
  std::optional<action::ActionResponse> held_;    // the one response, until the call has ended well
};

}  // namespace cloudstate::entities
