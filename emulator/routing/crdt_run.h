#pragma once

#include <memory>
#include <optional>
#include <string>

#include "emulator/cluster/node.h"
#include "emulator/entities/crdt_entity.h"
#include "emulator/routing/answer_sequence.h"

namespace cloudstate::routing {

// What the answers to one command may take while they wait to be carried out. The entity cannot be held up for a slow
// client: its stream serves all who call it. Beyond this the client's call ends with RESOURCE_EXHAUSTED.
inline constexpr std::size_t kMostWaitingBytes = 8 << 20;

// One command to a CRDT entity of this node: has each answer carried out, one after the other, and tells the entity
// when nobody waits for more. What the user function still answers then, effects, is carried out all the same. On the
// strand; keeps itself until the command has ended.
class CrdtRun final : public AnswerSequence::Owner, public Cancellable, public std::enable_shared_from_this<CrdtRun> {
 public:
  CrdtRun(cluster::Node& node, std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet,
          const AnswerSequence::Perform& perform, AnswerSequence::Takes takes);

  // The callbacks of `command` are set here. After `limit` the run is cancelled with DEADLINE_EXCEEDED; infinite for
  // none.
  void Start(std::string entity_id, std::shared_ptr<entities::CrdtCommand> command, absl::Duration limit);

  void Cancel(const absl::Status& reason) override;

  void OnCarriedOut() override;
  void OnOutcome(absl::Status status) override;
  std::shared_ptr<void> Keep() override { return shared_from_this(); }

 private:
  void OnAnswer(entities::Reply answer);
  void OnEnded(absl::Status status);
  void Finish(absl::Status status);

  cluster::Node& node_;
  base::Strand& strand_;
  const std::shared_ptr<const Target> target_;
  AnswerSequence answers_;
  std::string entity_id_;
  std::shared_ptr<entities::CrdtCommand> command_;  // null once it has ended, or nobody waits for more
  std::optional<absl::Status> ended_;
  base::TimerId timer_ = base::TimerId::kNone;
};

}  // namespace cloudstate::routing
