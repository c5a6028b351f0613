#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cloudstate/crdt.pb.h"
#include "samples/cpp/crdt.h"

namespace cloudstate::samples {

// One CRDT entity between the opening and the end of its stream.
class CrdtSession {
 public:
  using In = crdt::CrdtStreamIn;
  using Out = crdt::CrdtStreamOut;

  // `services` outlives the session.
  explicit CrdtSession(const std::vector<CrdtService>& services) : services_(services) {}

  // Takes a message of the proxy and adds to the empty `out` what is to be sent, in this order. Another status than OK
  // ends the stream, and nothing of it is sent.
  absl::Status Handle(const In& in, std::vector<Out>& out);

 private:
  absl::Status HandleInit(const crdt::CrdtInit& init);
  absl::Status HandleDelta(const crdt::CrdtDelta& delta);
  absl::Status HandleCommand(const Command& command, std::vector<Out>& out);
  absl::Status HandleCancelled(std::int64_t command_id, std::vector<Out>& out);
  void HandleDeleted();

  void UseFirstValue();
  // Writes what has changed, or nothing.
  void TakeChanges(WriteConsistency consistency, crdt::CrdtStateAction& action);
  bool HasChanges() const { return state_.value() && state_.value()->changed(); }
  // Lets all streamed calls speak after a change.
  void TellOfChange(std::vector<Out>& out);

  const std::vector<CrdtService>& services_;
  const CrdtService* service_ = nullptr;
  std::unique_ptr<CrdtEntity> entity_;
  CrdtState state_;
  bool deleted_ = false;
  std::map<std::int64_t, CrdtStreamedCall> calls_;  // by the id of their commands; goes before the entity
};

}  // namespace cloudstate::samples
