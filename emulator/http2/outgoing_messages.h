#pragma once

#include <list>
#include <string>
#include <utility>

namespace cloudstate::http2 {

// The messages of one call on their way out, as gRPC frames them.
class OutgoingMessages {
 public:
  void Add(std::string message) { messages_.push_back(std::move(message)); }
  // Nothing will follow.
  void Close() { closed_ = true; }
  void Clear();

  // Messages of which something has not been sent.
  std::size_t unsent() const { return messages_.size(); }
  // Something has been sent of a message, and not all of it.
  bool within_message() const { return sent_ > 0; }
  std::size_t SendableBytes(std::size_t at_most) const;
  // All has been sent but these bytes, and nothing will follow.
  bool EndsWith(std::size_t bytes) const { return closed_ && SendableBytes(bytes + 1) <= bytes; }
  // Appends the next `count` bytes, of those that are sendable, to `output`.
  void Send(std::size_t count, std::string& output);

 private:
  std::list<std::string> messages_;  // a list, because it is empty most of the time
  std::size_t sent_ = 0;             // of the first one, with its prefix
  bool closed_ = false;
};

}  // namespace cloudstate::http2
