#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::userfunction {

// One bidirectional call to the user function, in serialized messages. Lives on the strand that opened it. Destroying
// an open stream cancels it; no callback runs after that.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void Write(std::string message) = 0;
  // No more messages from here; the user function is expected to end the call.
  virtual void HalfClose() = 0;
  // Messages given to Write that the transport has not taken yet.
  virtual std::size_t Unsent() const = 0;
  // After Pause at most one more message arrives before Resume; the user function is held up when its window is full.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

// Callbacks run on the strand of the stream's owner.
struct StreamHandler {
  absl::AnyInvocable<void(std::string message)> on_message;
  // The last callback: the user function ended the call, or the connection broke.
  absl::AnyInvocable<void(absl::Status)> on_closed;
  // Unsent has become small again; may be empty.
  absl::AnyInvocable<void()> on_writable;
};

// The seam to a user function: real ones are behind gRPC, simulated ones in the same process.
class Connection {
 public:
  virtual ~Connection() = default;
  // `method` is a gRPC path, such as "/cloudstate.eventsourced.EventSourced/handle", of a method with any streaming.
  // After `timeout`, which the user function is told, the call ends with DEADLINE_EXCEEDED; infinite for none.
  virtual std::unique_ptr<Stream> Open(std::string_view method, absl::Duration timeout, StreamHandler handler) = 0;
  virtual void Call(std::string_view method, std::string request, absl::Duration timeout,
                    absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) = 0;
};

}  // namespace cloudstate::userfunction
