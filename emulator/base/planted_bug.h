#pragma once

#include <array>
#include <atomic>
#include <string_view>
#include <utility>

namespace cloudstate::base {

// Mistakes that the emulator can be told to make, so that tests can show that simulation finds them: each breaks one of
// the invariants of simulation/history.h or simulator.cc, or what CRDTs promise. Nothing but tests ever sets one, for
// the whole process: in it, or by the hidden `simulate --plant NAME`.
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

  // Of CRDT entities and their replication.
  kWriteNotAwaited,        // MAJORITY and ALL are as good as LOCAL
  kHalfIsMajority,         // of an even number
  kIdentityKept,           // each life of a node writes as its first
  kDigestsIgnored,         // nobody asks for what a digest says that it lacks
  kPrunedAlone,            // each node makes writes of those who have gone its own, and asks nobody
  kOwnEchoed,              // a user function is told of its own changes
  kPushedMeanwhile,        // … and of others' changes while it may change the value itself
  kCancellationForgotten,  // … and not when the client of a stream has gone

  // Of the CRDTs. Histories of single CRDTs find them (tests/unit/crdt_mutations_test.cc), without a cluster.
  kContextNotJoined,       // a join forgets which writes it has heard of
  kGapSkipped,             // a write that came early counts as all those before it
  kUnseenRemoved,          // a join removes what the other has not heard of
  kRemovalNotJoined,       // a join only ever adds
  kRemovalNotNamed,        // the delta of a removal does not name the element
  kCountKept,              // a GCounter counts its last count again
  kOthersCountsReplaced,   // a change of a PNCounter replaces what others have counted
  kOneAdded,               // the delta of a GSet names the last element only
  kAddLoses,               // an addition of what an ORSet has says nothing
  kTieToHigherReplica,     // of two writes at the same time, the higher replica's wins
  kFlagNeedsAll,           // joined flags are on where both are
  kUpdateLoses,            // a write to an entry of a map does not renew the entry
  kOldContentBack,         // the removal of an entry leaves its elements, for whoever adds the entry again
  kFirstVoteKept,          // a vote does not replace the one before it
  kPrunedCountedTwice,     // what becomes another replica's stays with its own as well
  kEarlyWritesNotEncoded,  // what is sent leaves out writes that came before their predecessors
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
    {"write-not-awaited", PlantedBug::kWriteNotAwaited},
    {"half-is-majority", PlantedBug::kHalfIsMajority},
    {"identity-kept", PlantedBug::kIdentityKept},
    {"digests-ignored", PlantedBug::kDigestsIgnored},
    {"pruned-alone", PlantedBug::kPrunedAlone},
    {"own-echoed", PlantedBug::kOwnEchoed},
    {"pushed-meanwhile", PlantedBug::kPushedMeanwhile},
    {"cancellation-forgotten", PlantedBug::kCancellationForgotten},
});

inline constexpr std::array kPlantedCrdtBugs = std::to_array<std::pair<std::string_view, PlantedBug>>({
    {"context-not-joined", PlantedBug::kContextNotJoined},
    {"gap-skipped", PlantedBug::kGapSkipped},
    {"unseen-removed", PlantedBug::kUnseenRemoved},
    {"removal-not-joined", PlantedBug::kRemovalNotJoined},
    {"removal-not-named", PlantedBug::kRemovalNotNamed},
    {"count-kept", PlantedBug::kCountKept},
    {"others-counts-replaced", PlantedBug::kOthersCountsReplaced},
    {"one-added", PlantedBug::kOneAdded},
    {"add-loses", PlantedBug::kAddLoses},
    {"tie-to-higher-replica", PlantedBug::kTieToHigherReplica},
    {"flag-needs-all", PlantedBug::kFlagNeedsAll},
    {"update-loses", PlantedBug::kUpdateLoses},
    {"old-content-back", PlantedBug::kOldContentBack},
    {"first-vote-kept", PlantedBug::kFirstVoteKept},
    {"pruned-counted-twice", PlantedBug::kPrunedCountedTwice},
    {"early-writes-not-encoded", PlantedBug::kEarlyWritesNotEncoded},
});

// The one global of the emulator, since it stands for a change of the code itself.
inline std::atomic<PlantedBug> planted_bug = PlantedBug::kNone;

inline bool IsPlanted(PlantedBug bug) { return planted_bug.load(std::memory_order_relaxed) == bug; }

}  // namespace cloudstate::base
