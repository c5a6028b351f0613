#include "emulator/crdt/lww_register.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {
namespace {

bool Wins(const LwwRegister::Stamped& a, const LwwRegister::Stamped& b) {
  if (a.timestamp != b.timestamp) return a.timestamp > b.timestamp;
  return base::IsPlanted(base::PlantedBug::kTieToHigherReplica) ? b.writer < a.writer : a.writer < b.writer;
}

std::int64_t After(std::int64_t timestamp) {
  return timestamp == std::numeric_limits<std::int64_t>::max() ? timestamp : timestamp + 1;
}

}  // namespace

void LwwRegister::Write(std::string value, CrdtClock clock, std::int64_t custom, std::int64_t now, Writer& writer,
                        LwwRegister& delta) {
  const Stamped* last = this->value();
  Stamped stamped{std::move(value), now, writer.self()};
  if (clock == REVERSE) {
    stamped.timestamp = -now;
  } else if (clock == CUSTOM) {
    stamped.timestamp = custom;
  } else if (clock == CUSTOM_AUTO_INCREMENT) {
    stamped.timestamp = last == nullptr ? custom : std::max(custom, After(last->timestamp));
  } else if (last != nullptr) {
    stamped.timestamp = std::max(now, After(last->timestamp));
  }
  // A replica's own later write with the same stamp replaces its earlier one, as the writer expects.
  if (last != nullptr && Wins(*last, stamped)) return;
  writes_.Write(std::move(stamped), writer, delta.writes_, [](const Dot&) { return true; });
}

const LwwRegister::Stamped* LwwRegister::value() const {
  const Stamped* winner = nullptr;
  for (const auto& [dot, stamped] : writes_.values()) {
    // Of one replica's two with the same stamp, which only a concurrent removal can leave, the later.
    if (winner == nullptr || !Wins(*winner, stamped)) winner = &stamped;
  }
  return winner;
}

void LwwRegister::Prune(ReplicaId gone, Writer& writer, LwwRegister& delta) {
  const bool found = writes_.Of(gone) != nullptr;
  if (!found) return;
  // All that is known may go with it but what counts.
  writes_.Write(Stamped(*value()), writer, delta.writes_, [](const Dot&) { return true; });
}

}  // namespace cloudstate::crdt
