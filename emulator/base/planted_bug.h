#pragma once

#include <array>
#include <atomic>
#include <string_view>
#include <utility>

namespace cloudstate::base {

// Mistakes that the emulator can be told to make, so that tests can show that simulation finds them: each breaks one of
// the invariants of simulation/history.h or simulator.cc. Nothing but tests ever sets one,
// for the whole process: in it, or by the hidden `simulate --plant NAME`.
enum class PlantedBug {
  kNone,
  kWriteNotFenced,      // the journal takes writes under an epoch that is over
  kReadNotFenced,       // a shard's former owner answers reads
  kEpochNotRaised,      // a claim leaves the shard's epoch as it is
  kSequenceNotChecked,  // the journal appends wherever the writer believes to be
  kAnswerBeforeStored,  // an entity answers when it has asked for the write
  kDuplicateDelivered,  // a repeated segment is taken as a new one
  kTornRecordAccepted,  // the journal trusts a record without its checksum
  kRefusedButStored,    // a shard that moves fails what it is storing
  kCallForgotten,       // the end of a node's life leaves its clients without an answer
  kGossipNotRepeated,   // nobody tells a node again what it has missed
  kNoRejoin,            // a node that went down stays down
  kStaleStateKept,      // an entity whose write failed goes on with a state that has what was not stored
  kEventReplayedTwice,  // a replay repeats its last event
};

inline constexpr std::array kPlantedBugs = std::to_array<std::pair<std::string_view, PlantedBug>>({
    {"write-not-fenced", PlantedBug::kWriteNotFenced},
    {"read-not-fenced", PlantedBug::kReadNotFenced},
    {"epoch-not-raised", PlantedBug::kEpochNotRaised},
    {"sequence-not-checked", PlantedBug::kSequenceNotChecked},
    {"answer-before-stored", PlantedBug::kAnswerBeforeStored},
    {"duplicate-delivered", PlantedBug::kDuplicateDelivered},
    {"torn-record-accepted", PlantedBug::kTornRecordAccepted},
    {"refused-but-stored", PlantedBug::kRefusedButStored},
    {"call-forgotten", PlantedBug::kCallForgotten},
    {"gossip-not-repeated", PlantedBug::kGossipNotRepeated},
    {"no-rejoin", PlantedBug::kNoRejoin},
    {"stale-state-kept", PlantedBug::kStaleStateKept},
    {"event-replayed-twice", PlantedBug::kEventReplayedTwice},
});

// The one global of the emulator, since it stands for a change of the code itself.
inline std::atomic<PlantedBug> planted_bug = PlantedBug::kNone;

inline bool IsPlanted(PlantedBug bug) { return planted_bug.load(std::memory_order_relaxed) == bug; }

}  // namespace cloudstate::base
