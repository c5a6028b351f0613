#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "emulator/serving/backend.h"

namespace cloudstate::serving {

// The messages of one WebSocket on their way from its thread to the backend's. Shared by both.
class WebSocketInput final : public RequestStream {
 public:
  using Taken = absl::AnyInvocable<void(std::optional<std::string>)>;

  // `wake` is called on any thread with the lock held, never after End: it must only leave a note for the WebSocket.
  explicit WebSocketInput(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Read(Taken taken) override;

  // For the WebSocket: who waits for the next message, if anybody does; each is given out once.
  Taken TakeReader();

  // For the WebSocket: nothing will be read any more. Who waits is dropped.
  void End();

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  Taken reader_;
};

}  // namespace cloudstate::serving
