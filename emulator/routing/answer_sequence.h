#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "emulator/entities/entity.h"
#include "emulator/routing/target.h"

namespace cloudstate::routing {

// The answers to one command, carried out in their order: the effects of one and then its action, and the next one only
// when the client has taken what came of it. A part of what runs the command; the outcomes of the actions come back to
// it and go on to the outlet, as those of one command. On the strand.
class AnswerSequence final : public Outlet {
 public:
  // Carries out an answer: its effects, then its action, whose outcome goes to the outlet.
  using Perform = std::function<void(const std::shared_ptr<const Target>&, ClientAction,
                                     google::protobuf::RepeatedPtrField<SideEffect>, std::shared_ptr<Outlet>)>;

  // With kFirstReply the command is over when there is one: the client can take no more.
  enum class Takes { kEveryReply, kFirstReply };

  // What runs the command. The sequence is a member of it.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Nothing is left to be carried out. May come again and again.
    virtual void OnCarriedOut() = 0;
    // An answer has decided the outcome of the whole command: a failure, or OK for the one reply that is wanted. To be
    // followed by Finish before this returns.
    virtual void OnOutcome(absl::Status status) = 0;
    // Keeps the owner, for as long as an answer is being carried out.
    virtual std::shared_ptr<void> Keep() = 0;
  };

  AnswerSequence(std::shared_ptr<const Target> target, std::shared_ptr<Outlet> outlet, const Perform& perform,
                 Takes takes, Owner& owner);

  // Carries it out now, or when those before it are. After Finish only its effects count.
  void Add(entities::Reply answer);
  // Goes on with those that wait, and calls the owner's OnCarriedOut if nothing is left.
  void CarryOut();

  // Ends the outlet. Of the answers that wait, the effects are left. What is being carried out goes on.
  void Finish(absl::Status status);
  bool finished() const { return outlet_ == nullptr; }
  // Forgets the answers that wait, effects and all.
  void Clear();

  bool busy() const { return carrying_; }
  // The size of the answers that wait, roughly.
  std::size_t waiting_bytes() const { return waiting_bytes_; }

  // The outcome of the answer that is being carried out.
  void Reply(cloudstate::Reply reply) override;
  void End(absl::Status status) override;
  void WhenReady(base::Task then) override;

 private:
  struct Waiting {
    entities::Reply answer;
    std::size_t bytes;
  };

  void Queue(entities::Reply answer);
  void Next();

  const std::shared_ptr<const Target> target_;
  std::shared_ptr<Outlet> outlet_;  // null once finished
  const Perform& perform_;
  const Takes takes_;
  Owner& owner_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool carrying_ = false;          // an answer is being carried out
  bool waits_for_outlet_ = false;  // it was, but for what the client has not taken yet
  bool looping_ = false;           // CarryOut is on the stack
};

}  // namespace cloudstate::routing
