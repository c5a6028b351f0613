#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cloudstate/dev/v1/dev.grpc.pb.h"
#include "tests/conformance/client_call.h"
#include "tests/conformance/kinds.h"
#include "tests/support/emulator_process.h"
#include "tests/support/scripted_user_function.h"

namespace cloudstate::kinds {

using support::ScriptedStream;
using support::ScriptedUserFunction;

// What the user function does instead of behaving well; each may be empty. Handlers may outlive the test that set them,
// but what they refer to need only live until its calls have ended.
struct Behaviour {
  std::function<void(ScriptedStream&)> on_open;
  std::function<void(ScriptedStream&, const Received&)> on_message;
  std::function<void(ScriptedStream&)> on_half_close;
  std::function<void(ScriptedStream&)> on_all_written;
};

// Entities reply "good" and store the command's text, actions reply "good": once, or to each message where both sides
// stream.
void BehaveWell(ScriptedStream& stream, const Received& received);
void BehaveWellAtHalfClose(ScriptedStream& stream);

// Answers one command, or one action's call, and ends what has to be ended then.
void AnswerWith(ScriptedStream& stream, const Received& received, const Answer& answer);

// The real emulator with a scripted user function of every kind. Tests may share one, each with entities of its own.
class World {
 public:
  explicit World(std::vector<std::string> arguments = {}, EntitySpec specification = KindsSpecification());

  // From now on, for what comes then; a default one behaves well.
  void Use(Behaviour behaviour);

  ScriptedUserFunction& user_function() { return *user_function_; }
  support::EmulatorProcess& emulator() { return *emulator_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // The user function goes as if it had been killed, and comes back at the same address.
  void StopUserFunction();
  void StartUserFunction();

  Outcome Call(Kind kind, const Request& request) { return CallNow(channel_, kind, {request}); }
  std::future<Outcome> Later(Kind kind, const Request& request) { return CallLater(channel_, kind, {request}); }

  // Waits until the emulator holds so many commands that wait for any entity.
  bool WaitForWaiting(int commands);
  // Number of the last event, or version, that is stored; 0 for nothing.
  std::int64_t LastSequence(Kind kind, const std::string& id);
  // The newest trace of a call of this kind, or with one of this kind in it, for a request of this id, as soon as it is
  // there.
  dev::v1::CommandTrace TraceOf(Kind kind, const std::string& id);
  // Of the emulator, in bytes.
  std::size_t ResidentMemory();

 private:
  support::Script Following();
  std::shared_ptr<const Behaviour> behaviour();

  const EntitySpec specification_;
  absl::Mutex mutex_;
  std::shared_ptr<const Behaviour> behaviour_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ScriptedUserFunction> user_function_;
  std::string address_;  // of the user function
  std::optional<support::EmulatorProcess> emulator_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<dev::v1::Emulator::Stub> admin_;
};

// One entity as the user function sees it: its streams and what each of them got.
class EntityView {
 public:
  EntityView(World& world, Kind kind, std::string id) : world_(world), kind_(kind), id_(std::move(id)) {}

  // Of the streams for this entity in the order of opening: "init id; event 1 a; command 1; ".
  std::vector<std::string> Streams() const;
  // What reportError said about it.
  std::vector<std::string> Errors() const;
  // Waits until stream `number` of the entity has got this much, and perhaps more.
  bool WaitFor(std::size_t number, const std::string& messages) const;
  bool WaitForErrors(std::size_t count) const;
  bool WaitForStream(std::size_t number,
                     const std::function<bool(const ScriptedUserFunction::StreamRecord&)>& condition) const;

 private:
  using Record = ScriptedUserFunction::Record;
  std::vector<const ScriptedUserFunction::StreamRecord*> StreamsIn(const Record& record) const;
  std::vector<std::string> ErrorsIn(const Record& record) const;

  World& world_;
  const Kind kind_;
  const std::string id_;
};

}  // namespace cloudstate::kinds
