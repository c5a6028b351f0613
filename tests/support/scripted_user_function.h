#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "cloudstate/event_sourced.pb.h"

namespace cloudstate::support {

// One call that the proxy makes for an entity or an action, of any streaming, and how a test answers it. Any thread;
// lives as long as its user function, and what is written after the call's end is dropped.
class ScriptedStream {
 public:
  virtual ~ScriptedStream() = default;
  virtual std::size_t number() const = 0;         // 0, 1, 2… in the order of opening
  virtual const std::string& method() const = 0;  // such as "/cloudstate.eventsourced.EventSourced/handle"

  void Write(const google::protobuf::Message& message) { WriteBytes(message.SerializeAsString()); }
  virtual void WriteBytes(std::string bytes) = 0;                    // need not be a message at all
  virtual void Finish() = 0;                                         // orderly, after what was written
  virtual void Break(int status_code, std::string description) = 0;  // the call ends with this gRPC status

  // After Pause at most one more message is taken, none if it is called from `on_open`: the proxy is held up once the
  // transport's window is full.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

// What the user function does. Handlers run on gRPC's threads; of one stream's, the messages come one at a time. They
// must not block.
struct Script {
  // The answer to discovery: this, unless `on_discover` returns something else.
  EntitySpec spec;
  std::function<EntitySpec(const ProxyInfo&)> on_discover;
  // A call has begun; nothing of it has been read.
  std::function<void(ScriptedStream&)> on_open;
  // Every message of every call, serialized. Nothing is answered by itself.
  std::function<void(ScriptedStream&, const std::string&)> on_message;
  // The proxy has half-closed. Without it: an entity's stream is finished, an action's call is left to `on_message`.
  std::function<void(ScriptedStream&)> on_half_close;
  // The transport has taken all that was written; the moment for one who writes no faster than is read.
  std::function<void(ScriptedStream&)> on_all_written;
};

// A user function that does whatever a test tells it to, right or wrong, and remembers what it was sent.
class ScriptedUserFunction {
 public:
  struct StreamRecord {
    std::string method;
    std::multimap<std::string, std::string> headers;  // names in lower case
    absl::Duration time_left;                         // until the deadline, when it was opened; infinite without one
    std::vector<std::string> received;                // serialized messages
    std::size_t sent = 0;                             // messages that the transport has taken
    bool half_closed = false;                         // by the proxy
    bool cancelled = false;                           // by the proxy, or the connection broke
    bool ended = false;                               // in whatever way
  };
  struct Record {
    std::vector<ProxyInfo> discoveries;
    std::vector<std::string> errors;  // what reportError said
    std::vector<StreamRecord> streams;
  };

  // `address` is HOST:PORT, port 0 for any free one. Ends the process with a message when it cannot be listened on.
  static std::unique_ptr<ScriptedUserFunction> Start(Script script, const std::string& address = "127.0.0.1:0");
  // Breaks what is open.
  virtual ~ScriptedUserFunction() = default;

  virtual std::uint16_t port() const = 0;
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  virtual Record record() const = 0;
  // Waits until `condition` holds for the record; false if it does not within `timeout`.
  virtual bool WaitUntil(const std::function<bool(const Record&)>& condition,
                         absl::Duration timeout = absl::Seconds(10)) const = 0;
};

// The message in these bytes; one with nothing set if they are none.
template <typename Message>
Message Parse(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) message.Clear();
  return message;
}

// For Script::on_message, where all calls have messages of one type: Handling<EventSourcedStreamIn>([](auto& stream,
// const auto& in) { … }).
template <typename Message, typename Handler>
std::function<void(ScriptedStream&, const std::string&)> Handling(Handler handler) {
  return [handler = std::move(handler)](ScriptedStream& stream, const std::string& bytes) {
    handler(stream, Parse<Message>(bytes));
  };
}

// Messages that tests write often.
eventsourced::EventSourcedStreamOut ReplyTo(std::int64_t command_id, const google::protobuf::Message& payload);

}  // namespace cloudstate::support
