#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "cloudstate/event_sourced.pb.h"

namespace cloudstate::support {

// How a test answers on one entity stream. Any thread; lives as long as its user function, and what is written after
// the stream's end is dropped.
class ScriptedStream {
 public:
  virtual ~ScriptedStream() = default;
  virtual std::size_t number() const = 0;  // 0, 1, 2… in the order of opening
  virtual void Write(const eventsourced::EventSourcedStreamOut& message) = 0;
  virtual void WriteBytes(std::string bytes) = 0;                    // need not be a message at all
  virtual void Finish() = 0;                                         // orderly, after what was written
  virtual void Break(int status_code, std::string description) = 0;  // the call ends with this gRPC status
};

// What the user function does. Handlers run on gRPC's threads, for one stream one at a time; they must not block.
struct Script {
  // The answer to discovery: this, unless `on_discover` returns something else.
  EntitySpec spec;
  std::function<EntitySpec(const ProxyInfo&)> on_discover;
  // Every message of every stream, `init` included. Nothing is answered by itself.
  std::function<void(ScriptedStream&, const eventsourced::EventSourcedStreamIn&)> on_message;
  // The proxy has half-closed. Without it: the stream is finished.
  std::function<void(ScriptedStream&)> on_half_close;
};

// A user function that does whatever a test tells it to, right or wrong, and remembers what it was sent.
class ScriptedUserFunction {
 public:
  struct StreamRecord {
    std::vector<eventsourced::EventSourcedStreamIn> received;
    bool half_closed = false;  // by the proxy
    bool cancelled = false;    // by the proxy, or the connection broke
    bool ended = false;        // in whatever way
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

// Messages that tests write often.
eventsourced::EventSourcedStreamOut ReplyTo(std::int64_t command_id, const google::protobuf::Message& payload);
eventsourced::EventSourcedStreamOut FailureOf(std::int64_t command_id, const std::string& description);

}  // namespace cloudstate::support
