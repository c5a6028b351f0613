// What a user function must do with commands whose clients take a stream of answers.

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/tck/crdt_cases.h"

namespace cloudstate::tck::crdts {
namespace {

constexpr char kCounter[] = "GCounter-1";
constexpr char kVote[] = "Vote-1";

// Opens a stream on a new counter.
std::int64_t WatchCounter(Entity& entity, const StreamedCall& call = {}) {
  return entity.Watch(call, Answer().Streams().Reply(gcounter::State(0)));
}

std::vector<Case> MessageCases() {
  return {
      {"streamed/first-answer", "A streamed command is answered at once, and says that more will come.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         WatchCounter(entity);
       },
       "CrdtReply.streamed keeps the client's call open."},
      {"streamed/no-first-answer", "It may have nothing to say at first, and stays open all the same.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         entity.Watch({.silent = true}, Answer().Streams());
         entity.Ask({gcounter::Update(1)}, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1)));
       }},
      {"streamed/change", "A command's change is told on the open stream.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity);
         const std::int64_t change = entity.Send({gcounter::Update(2)});
         entity.ExpectAll({Answer().Updates(gcounter::Changed(2)).Reply(gcounter::State(2)).To(change),
                           Streamed(watch, gcounter::State(2))});
       }},
      {"streamed/change-elsewhere", "So is what others change.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity);
         entity.Tell(gcounter::Changed(3)).Expect(Streamed(watch, gcounter::State(3)));
         entity.Tell(gcounter::Changed(4)).Expect(Streamed(watch, gcounter::State(7)));
       }},
      {"streamed/no-change", "A command that changes nothing tells nothing.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         WatchCounter(entity);
         entity.Ask({}, Answer().Reply(gcounter::State(0))).ExpectSilence();
       }},
      {"streamed/failure", "A command that fails tells nothing, and leaves the stream open.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity);
         entity.AskToFail({gcounter::Update(2), FailWith("no")}, "no").ExpectSilence();
         entity.Tell(gcounter::Changed(3)).Expect(Streamed(watch, gcounter::State(3)));
       }},
      {"streamed/several", "All open streams of an entity are told.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t one = WatchCounter(entity);
         const std::int64_t other = WatchCounter(entity);
         entity.Tell(gcounter::Changed(1));
         entity.ExpectAll({Streamed(one, gcounter::State(1)), Streamed(other, gcounter::State(1))});
       }},
      {"streamed/other-entity", "Those of other entities are not.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         WatchCounter(entity);
         Entity other(d, "GCounter-2");
         const std::int64_t watch = WatchCounter(other);
         other.Tell(gcounter::Changed(1)).Expect(Streamed(watch, gcounter::State(1)));
         entity.ExpectSilence();
       }},
      {"streamed/first-update", "What the command itself changes is sent with its reply, and seen there.",
       [](Driver& d) {
         Entity entity(d, kVote);
         const std::int64_t watch = entity.Watch({}, Answer().Streams().Reply(vote::State(false, 0, 1)));
         const std::int64_t connect = entity.SendStreamed({.first = vote::Update(true)});
         entity.ExpectAll({Answer().Updates(vote::Changed(true)).Streams().Reply(vote::State(true, 1, 1)).To(connect),
                           Streamed(watch, vote::State(true, 1, 1))});
       }},
  };
}

std::vector<Case> EffectCases() {
  return {
      {"streamed/effects", "Side effects go with the stream's messages, in order.",
       [](Driver& d) {
         const std::vector<EffectOn> effects = {{"y"}, {"x", Mode::kSynchronous}};
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity, {.effects = effects});
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, gcounter::State(1), effects));
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, gcounter::State(2), effects));
       }},
      {"streamed/effects-alone", "A message may have side effects and nothing for the client.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = entity.Watch({.effects = {{"x"}}, .silent = true}, Answer().Streams());
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, std::nullopt, {{"x"}}));
       }},
  };
}

std::vector<Case> EndCases() {
  return {
      {"streamed/end", "A stream ends with the message that says so; nothing comes after it.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity, {.until = gcounter::State(2)});
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, gcounter::State(1)));
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, gcounter::State(2), {}, Stream::kEnds));
         entity.Tell(gcounter::Changed(1)).ExpectSilence();
         entity.Ask({}, Answer().Reply(gcounter::State(3)));
       }},
      {"streamed/end-alone", "The last message may say nothing else.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = entity.Watch({.until = gcounter::State(1), .silent = true}, Answer().Streams());
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(watch, std::nullopt, {}, Stream::kEnds));
       }},
      {"streamed/end-of-one", "The other streams of the entity go on.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t one = WatchCounter(entity, {.until = gcounter::State(1)});
         const std::int64_t other = WatchCounter(entity);
         entity.Tell(gcounter::Changed(1));
         entity.ExpectAll({Streamed(one, gcounter::State(1), {}, Stream::kEnds), Streamed(other, gcounter::State(1))});
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(other, gcounter::State(2)));
       }},
  };
}

std::vector<Case> CancellationCases() {
  return {
      {"streamed/cancel", "A cancellation is answered once, and nothing is told after it.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t watch = WatchCounter(entity);
         entity.Cancel(watch).Expect(CancellationAnswer(watch));
         entity.Tell(gcounter::Changed(1)).ExpectSilence();
         entity.Ask({}, Answer().Reply(gcounter::State(1)));
       },
       "The proxy holds back what others change until it has the answer."},
      {"streamed/cancel-update", "What follows from a cancellation is sent with its answer, and told to the others.",
       [](Driver& d) {
         Entity entity(d, kVote);
         const std::int64_t connect =
             entity.Watch({.first = vote::Update(true), .on_cancel = vote::Update(false)},
                          Answer().Updates(vote::Changed(true)).Streams().Reply(vote::State(true, 1, 1)));
         const std::int64_t watch = entity.Watch({}, Answer().Streams().Reply(vote::State(true, 1, 1)));
         entity.Cancel(connect);
         entity.ExpectAll(
             {CancellationAnswer(connect, vote::Changed(false)), Streamed(watch, vote::State(false, 0, 1))});
         entity.Ask({}, Answer().Reply(vote::State(false, 0, 1)));
       }},
      {"streamed/cancel-of-one", "The other streams of the entity go on.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         const std::int64_t one = WatchCounter(entity);
         const std::int64_t other = WatchCounter(entity);
         entity.Cancel(one).Expect(CancellationAnswer(one));
         entity.Tell(gcounter::Changed(1)).Expect(Streamed(other, gcounter::State(1)));
       }},
      {"streamed/deleted-elsewhere", "The streams of an entity that is deleted are told nothing more.",
       [](Driver& d) {
         Entity entity(d, kCounter);
         WatchCounter(entity);
         entity.TellOfDeletion().ExpectSilence();
         entity.End();
       }},
  };
}

}  // namespace

std::vector<Case> StreamedCases() {
  std::vector<Case> cases;
  for (auto* part : {MessageCases, EffectCases, EndCases, CancellationCases}) {
    for (Case& each : part()) cases.push_back(std::move(each));
  }
  return cases;
}

}  // namespace cloudstate::tck::crdts
