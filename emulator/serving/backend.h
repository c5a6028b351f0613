#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "emulator/base/status.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

// What can be called now. Immutable: a user function that comes back changed makes a new one, and calls in progress
// keep the one they started with.
struct Services {
  // Owns or outlives every descriptor below; also the types that reflection and JSON look up.
  const google::protobuf::DescriptorPool* pool = nullptr;
  std::vector<const google::protobuf::ServiceDescriptor*> services;
};

// The messages that a client streams in. They are taken one at a time, and what nobody asks for stays with the client.
class RequestStream {
 public:
  virtual ~RequestStream() = default;

  // `taken` runs once, on any thread, perhaps before Read returns: with the next serialized input message, or with
  // nothing once the client has half-closed. One Read at a time. When the client goes away, or the call ends, it may
  // run with nothing or be dropped: the responder's OnCancel tells the difference, though perhaps a moment later.
  virtual void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) = 0;
};

// One client's call, by whichever protocol it came.
struct Call {
  std::string service;  // full name
  std::string method;
  std::string payload;                           // serialized input message; unused for a client-streamed method
  std::shared_ptr<RequestStream> requests = {};  // for a client-streamed method, else null
  Metadata metadata;                             // the client's headers; "-bin" ones as bytes
  std::optional<absl::Time> deadline;            // on absl::Now()'s clock
  std::string peer;                              // address of the client, for the traces
  absl::string_view protocol = "grpc";           // or "http", "grpc-web", "websocket", "admin"; static text
};

// Takes the answer to one call. Any thread; the calls for one Responder must not overlap. Exactly one Finish ends it,
// and nothing may follow. After the client has gone, everything is accepted and dropped.
class Responder {
 public:
  virtual ~Responder() = default;

  // Response headers; before the first Message, at most once.
  virtual void Headers(const Metadata& headers) = 0;

  // One serialized output message. A unary method has exactly one before an OK Finish.
  virtual void Message(std::string payload) = 0;

  // Ends the call. A status payload under kStatusDetails travels as grpc-status-details-bin.
  virtual void Finish(absl::Status status) = 0;

  // Messages handed over that the client has not taken yet; a producer that can wait keeps this small.
  virtual std::size_t Unsent() const = 0;

  // Runs `writable` once, on any thread, when Unsent is 0, perhaps before this returns. It is dropped when the call
  // ends. One at a time.
  virtual void WhenWritable(absl::AnyInvocable<void()> writable) = 0;

  // `cancelled` runs once, on any thread, if the client goes away or its deadline passes before Finish. Set at most
  // once, and before the backend's Start returns.
  virtual void OnCancel(absl::AnyInvocable<void()> cancelled) = 0;
};

using base::kStatusDetails;

// The response header that names the call's trace. gRPC clients are spared it.
inline constexpr char kTraceHeader[] = "x-cloudstate-trace";

// The request header that picks the node of the cluster that is to take the call: its number.
inline constexpr char kNodeHeader[] = "x-cloudstate-node";

// What stands behind a front door: the user function's services, or the emulator's own admin services.
// Any thread may call both functions, also while a call is being answered.
class Backend {
 public:
  virtual ~Backend() = default;

  // Never null; `services` is empty while there is no user function.
  virtual std::shared_ptr<const Services> CurrentServices() const = 0;

  // Why there is nothing to call, for UNAVAILABLE answers to unknown paths; OK when the services are known.
  virtual absl::Status Availability() const = 0;

  // Begins a call. Returns at once.
  virtual void Start(Call call, std::shared_ptr<Responder> responder) = 0;
};

}  // namespace cloudstate::serving
