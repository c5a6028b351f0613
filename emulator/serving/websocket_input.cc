#include "emulator/serving/websocket_input.h"

#include <utility>

namespace cloudstate::serving {

void WebSocketInput::Read(Taken taken) {
  std::lock_guard lock(mutex_);
  if (!wake_) return;
  reader_ = std::move(taken);
  wake_();
}

WebSocketInput::Taken WebSocketInput::TakeReader() {
  std::lock_guard lock(mutex_);
  return std::exchange(reader_, nullptr);
}

void WebSocketInput::End() {
  Taken unused;  // destroyed without the lock: it may own anything
  std::lock_guard lock(mutex_);
  wake_ = nullptr;
  unused = std::exchange(reader_, nullptr);
}

}  // namespace cloudstate::serving
