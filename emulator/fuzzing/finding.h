#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/fuzzing/outcome.h"

namespace cloudstate::fuzzing {

// What can be wrong with a user function.
enum class FindingKind {
  kProtocol,    // it says what the protocol does not let it say
  kCrash,       // its process ends
  kHang,        // it does not answer
  kLoad,        // it does not take an entity's own events
  kChance,      // the same events and the same read, another answer
  kState,       // an entity answers what its events do not say
  kSnapshot,    // a snapshot does not say what the events before it say
  kIsolation,   // an entity that is new answers otherwise once there are others
  kOpenStream,  // a stream stays open when the entity is passivated
  kMemory,      // its process grows with each command
};

// As people and scripts read it, with what it means.
struct FindingName {
  FindingKind kind;
  std::string_view name;
  std::string_view meaning;
};
inline constexpr std::array<FindingName, 10> kFindingNames = {{
    {FindingKind::kProtocol, "protocol", "the user function says what the protocol does not let it say"},
    {FindingKind::kCrash, "crash", "the user function's process ends"},
    {FindingKind::kHang, "hang", "the user function does not answer in time"},
    {FindingKind::kLoad, "load", "an entity does not take its own events"},
    {FindingKind::kChance, "chance", "the same events and the same read lead to different answers"},
    {FindingKind::kState, "state", "an entity answers what its events do not say"},
    {FindingKind::kSnapshot, "snapshot", "a snapshot does not say what the events before it say"},
    {FindingKind::kIsolation, "isolation", "a new entity answers otherwise once there are others"},
    {FindingKind::kOpenStream, "open-stream", "a stream stays open when its entity is passivated"},
    {FindingKind::kMemory, "memory", "the user function's process grows with each command"},
}};

inline const FindingName& NameOf(FindingKind kind) { return kFindingNames[static_cast<std::size_t>(kind)]; }

struct Finding {
  FindingKind kind = FindingKind::kProtocol;
  std::string method;     // Service.Method of the step
  std::string entity_id;  // empty for actions
  std::string text;       // what was seen
  std::size_t step = 0;   // of the sequence, from 0: at which it was seen
  // What the step would have to come to, where that is known.
  std::optional<Outcome> expected = std::nullopt;
  // Seen only when the entity was loaded from its first event though it has a snapshot, which only a replay does.
  bool needs_first_event = false;

  // Whether both are about the same mistake, as far as that can be told.
  bool IsLike(const Finding& other) const { return kind == other.kind && method == other.method; }
};

}  // namespace cloudstate::fuzzing
