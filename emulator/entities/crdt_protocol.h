#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/entity.pb.h"
#include "emulator/crdt/value.h"
#include "emulator/userfunction/dialect.h"

namespace cloudstate::entities {

// How the stream of a CRDT entity is spoken. Within the emulator its messages are those of 0.2, whose deltas say whole
// values as well; this makes the bytes of either dialect of them, and reads those. Without state; lives for ever.
class CrdtProtocol {
 public:
  virtual ~CrdtProtocol() = default;

  // The gRPC path of the user function's stream.
  static constexpr std::string_view kMethod = "/cloudstate.crdt.Crdt/handle";

  // `whole` is the value as the change from nothing; absent where the entity does not exist.
  virtual std::string Init(const std::string& service, const std::string& entity_id,
                           std::optional<crdt::CrdtDelta> whole) const = 0;
  // The value of an entity that has come into being after init.
  virtual std::string FirstValue(crdt::CrdtDelta whole) const = 0;
  virtual std::string Change(crdt::CrdtDelta change) const = 0;
  virtual std::string Deletion() const = 0;
  virtual std::string Command(cloudstate::Command command) const = 0;
  virtual std::string Cancellation(cloudstate::StreamCancelled cancelled) const = 0;

  // What the user function says. It may say a whole value, as that of a new entity, though it was told of one that
  // others have made meanwhile: of this, the change from `known`, which is what it has been told and has told, if
  // anything. INVALID_ARGUMENT for what is no message, says nothing, or does not lead on from what is known.
  virtual absl::StatusOr<crdt::CrdtStreamOut> Parse(const std::string& message,
                                                    const std::optional<crdt::Value>& known) const = 0;
};

const CrdtProtocol& CrdtProtocolOf(userfunction::Dialect dialect);

// For the above.
const CrdtProtocol& CrdtProtocolV01();

}  // namespace cloudstate::entities
