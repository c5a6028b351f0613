#include "emulator/http2/outgoing_messages.h"

#include <algorithm>

#include "emulator/http2/grpc_framing.h"

namespace cloudstate::http2 {

void OutgoingMessages::Clear() {
  messages_.clear();
  sent_ = 0;
}

std::size_t OutgoingMessages::SendableBytes(std::size_t at_most) const {
  std::size_t bytes = 0;
  for (const std::string& message : messages_) {
    bytes += kPrefixBytes + message.size();
    if (bytes >= at_most + sent_) return at_most;
  }
  return bytes - sent_;
}

void OutgoingMessages::Send(std::size_t count, std::string& output) {
  while (count > 0) {
    const std::string& message = messages_.front();
    if (sent_ < kPrefixBytes) {
      const auto prefix = MessagePrefix(message.size());
      const std::size_t part = std::min(count, kPrefixBytes - sent_);
      output.append(prefix.data() + sent_, part);
      sent_ += part;
      count -= part;
    }
    const std::size_t done = sent_ - std::min(sent_, kPrefixBytes);
    const std::size_t part = std::min(count, message.size() - done);
    output.append(message, done, part);
    sent_ += part;
    count -= part;
    if (sent_ < kPrefixBytes + message.size()) continue;
    messages_.pop_front();
    sent_ = 0;
  }
}

}  // namespace cloudstate::http2
