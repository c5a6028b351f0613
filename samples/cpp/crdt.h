#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "samples/cpp/answer.h"
#include "samples/cpp/crdt_values.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace cloudstate::crdt {
class CrdtReply;
class CrdtStreamCancelledResponse;
class CrdtStreamedMessage;
}  // namespace cloudstate::crdt

namespace cloudstate::samples {

// The value of one entity on one node, and what it was before the command that is being carried out.
class CrdtState {
 public:
  // Null: there is none.
  const Crdt* value() const { return value_ ? &*value_ : nullptr; }
  Crdt* value() { return value_ ? &*value_ : nullptr; }
  void Set(Crdt value) { value_ = std::move(value); }

  // The value, which must be there, for a command to change. After that: what it changed stays, or is undone.
  Crdt& Change();
  void Keep() { before_.reset(); }
  void Undo();

 private:
  std::optional<Crdt> value_;
  std::optional<Crdt> before_;
};

// How many nodes must know of an update before the client hears anything.
enum class WriteConsistency { kLocal, kMajority, kAll };

// What a streamed call may do when the value has changed, by a command on this node or elsewhere. Reply and effects
// make up one more message for the client; without them there is none. After Fail the call has ended.
class CrdtChangeContext : public Answer<crdt::CrdtStreamedMessage> {
 public:
  CrdtChangeContext(const CrdtState& state, crdt::CrdtStreamedMessage& message) : Answer(message), state_(state) {}

  template <typename Type>
  const Type& Get() const {
    return *state_.value()->As<Type>();
  }
  const Crdt& value() const { return *state_.value(); }

  // The message, if any, is the last one.
  void EndStream();

 private:
  const CrdtState& state_;
};

// What a streamed call may do when its client has gone.
class CrdtCancelContext {
 public:
  CrdtCancelContext(CrdtState& state, crdt::CrdtStreamCancelledResponse& response)
      : state_(state), response_(response) {}

  template <typename Type>
  Type& Change() {
    return *state_.Change().As<Type>();
  }
  Crdt& ChangeValue() { return state_.Change(); }

  void Effect(Method method, const google::protobuf::Message& command, EffectMode mode = EffectMode::kAsynchronous);

 private:
  CrdtState& state_;
  crdt::CrdtStreamCancelledResponse& response_;
};

// How a streamed call goes on after its first reply.
struct CrdtStreamedCall {
  std::function<void(CrdtChangeContext& context)> on_change = {};
  // A status other than OK ends the stream.
  std::function<absl::Status(CrdtCancelContext& context)> on_cancel = {};
};

// What a CRDT entity may do with one command. `Type` is that of the entity's value.
class CrdtContext : public Answer<crdt::CrdtReply> {
 public:
  CrdtContext(CrdtState& state, bool streamed, crdt::CrdtReply& reply)
      : Answer(reply), state_(state), streamed_(streamed) {}

  // The value as this command has left it so far.
  template <typename Type>
  const Type& Get() const {
    return *state_.value()->As<Type>();
  }
  const Crdt& value() const { return *state_.value(); }

  // To change it. What has changed is told to the proxy when the command has been carried out, and undone if it fails.
  // For that the first call of a command copies the value.
  template <typename Type>
  Type& Change() {
    return *state_.Change().As<Type>();
  }
  Crdt& ChangeValue() { return state_.Change(); }
  // For good, on all nodes; what else the command changes does not count. Whatever comes later fails.
  void Delete();
  // LOCAL unless told otherwise.
  void SetWriteConsistency(WriteConsistency consistency) { consistency_ = consistency; }

  // Whether the client takes more than one message.
  bool streamed() const { return streamed_; }
  // Keeps a streamed call open; its reply, if any, is its first message. It is not told of what this command changes.
  void KeepOpen(CrdtStreamedCall call) { call_ = std::move(call); }

  bool deleted() const { return deleted_; }
  WriteConsistency consistency() const { return consistency_; }
  std::optional<CrdtStreamedCall>& call() { return call_; }

 private:
  CrdtState& state_;
  const bool streamed_;
  bool deleted_ = false;
  WriteConsistency consistency_ = WriteConsistency::kLocal;
  std::optional<CrdtStreamedCall> call_;
};

// One entity on one node while its stream is open. It outlives its streamed calls. Calls never overlap, but come from
// different threads.
class CrdtEntity {
 public:
  virtual ~CrdtEntity() = default;
  // The value while no node has one; it decides the type. Null: the entity has none, and its commands ask for none.
  virtual std::optional<Crdt> FirstValue() const = 0;
  // A status other than OK means that the command cannot be understood: it ends the stream.
  virtual absl::Status OnCommand(const std::string& name, const google::protobuf::Any& payload,
                                 CrdtContext& context) = 0;
};

// A service of which every entity is a CRDT.
struct CrdtService {
  std::string service_name;                                       // full name, as in its proto file
  absl::Duration passivation_timeout = absl::InfiniteDuration();  // infinite: as the proxy likes
  // The file of the service, and those of what is in the values. What they import comes along.
  std::vector<const google::protobuf::FileDescriptor*> files;
  // Any thread; several at once.
  std::function<std::unique_ptr<CrdtEntity>(const std::string& entity_id)> create;
};

}  // namespace cloudstate::samples
