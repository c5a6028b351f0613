// What our emulator must do with CRDT commands whose clients take a stream of answers.

#include <optional>
#include <string>
#include <vector>

#include "emulator/tck/emulator_crdt_cases.h"

namespace cloudstate::tck::crdts {
namespace {

class StreamedCaseList : EmulatorCrdtCases {
 public:
  static std::vector<Case> All() {
    return {
        {"streamed", "A streamed command is marked; its client gets every state until the user function ends it.",
         UntilItEnds},
        {"streamed-no-first-answer", "A reply without a message keeps the call open.", NoFirstAnswer},
        {"streamed-votes", "A client that comes and goes votes and takes its vote back; its going is told once.",
         Votes},
        {"streamed-effects", "Side effects of a stream's messages run before what goes to the client.", Effects, "",
         Kind::kTwo},
        {"streamed-cancel-effects", "The side effects of the answer to a cancellation run, and its change is made.",
         CancelEffects, "", Kind::kTwo},
        {"streamed-cancel-early", "A client that goes before the first reply is told of after it.", CancelEarly},
        {"streamed-failure", "A failure ends the client's call, and is followed by a cancellation.", FailureInStream},
        {"streamed-delete", "The open calls of an entity that is deleted end well.", DeleteWhileOpen},
    };
  }

 private:
  static void UntilItEnds(Driver& d) {
    const std::string id = "GCounter-streamed";
    const StreamedCall call = {.until = gcounter::State(3)};
    WireStream& watch = Watch(d, id, call);
    ExpectState(watch, gcounter::State(0));
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    ExpectState(watch, gcounter::State(1));
    Ask(d, id, {gcounter::Update(2)}, gcounter::State(3));
    ExpectState(watch, gcounter::State(3));
    watch.ExpectEnd();
    Ask(d, id, {gcounter::Update(4)}, gcounter::State(7));
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id, call),
                    Answered(0, 1, Answer().Streams().Reply(gcounter::State(0)))});
    d.ExpectOnWire({Commanded(0, 2, id, {gcounter::Update(1)}),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))),
                    Said(0, Streamed(1, gcounter::State(1))), Commanded(0, 3, id, {gcounter::Update(2)}),
                    Answered(0, 3, Answer().Updates(gcounter::Changed(2)).Reply(gcounter::State(3))),
                    Said(0, Streamed(1, gcounter::State(3), {}, Stream::kEnds)),
                    Commanded(0, 4, id, {gcounter::Update(4)}),
                    Answered(0, 4, Answer().Updates(gcounter::Changed(4)).Reply(gcounter::State(7)))});
  }

  static void NoFirstAnswer(Driver& d) {
    const std::string id = "GCounter-silent";
    const StreamedCall call = {.until = gcounter::State(1), .silent = true};
    WireStream& watch = Watch(d, id, call);
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id, call), Answered(0, 1, Answer().Streams())});
    watch.ExpectSilence();
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    watch.ExpectEnd();
    d.ExpectOnWire({Commanded(0, 2, id, {gcounter::Update(1)}),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))),
                    Said(0, Streamed(1, std::nullopt, {}, Stream::kEnds))});
  }

  static void Votes(Driver& d) {
    const std::string id = "Vote-presence";
    const StreamedCall present = {.first = vote::Update(true), .on_cancel = vote::Update(false)};
    WireStream& monitor = Watch(d, id);
    ExpectState(monitor, vote::State(false, 0, 1));
    WireStream& user = Watch(d, id, present);
    ExpectState(user, vote::State(true, 1, 1));
    ExpectState(monitor, vote::State(true, 1, 1));
    user.Cancel();
    ExpectState(monitor, vote::State(false, 0, 1));
    d.ExpectOnWire(
        {Opened(0, id), CommandedToStream(0, 1, id), Answered(0, 1, Answer().Streams().Reply(vote::State(false, 0, 1))),
         CommandedToStream(0, 2, id, present),
         Answered(0, 2, Answer().Updates(vote::Changed(true)).Streams().Reply(vote::State(true, 1, 1))),
         Said(0, Streamed(1, vote::State(true, 1, 1))), ToldOfCancellation(0, 2, id),
         Said(0, CancellationAnswer(2, vote::Changed(false))), Said(0, Streamed(1, vote::State(false, 0, 1)))});
    monitor.Cancel();
    d.ExpectOnWire({ToldOfCancellation(0, 1, id), Said(0, CancellationAnswer(1))});
    Ask(d, id, {}, vote::State(false, 0, 1));
    d.ExpectOnWire({Commanded(0, 3, id), Answered(0, 3, Answer().Reply(vote::State(false, 0, 1)))});
  }

  static void Effects(Driver& d) {
    const std::string id = "GCounter-streamed-effects";
    const StreamedCall call = {.effects = {{"streamed-affected", Mode::kSynchronous}}};
    WireStream& watch = Watch(d, id, call);
    ExpectState(watch, gcounter::State(0));
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    ExpectState(watch, gcounter::State(1));
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id, call),
                    Answered(0, 1, Answer().Streams().Reply(gcounter::State(0))),
                    Commanded(0, 2, id, {gcounter::Update(1)}),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))),
                    Said(0, Streamed(1, gcounter::State(1), call.effects)), Opened(1, "streamed-affected", Kind::kTwo),
                    CommandedTwo(1, 1, "streamed-affected"), AnsweredNothing(1, 1)});
    watch.Cancel();
    d.ExpectOnWire({ToldOfCancellation(0, 1, id), Said(0, CancellationAnswer(1))});
  }

  static void CancelEffects(Driver& d) {
    const std::string id = "GCounter-cancel-effects";
    WireStream& watch = Watch(d, id);
    ExpectState(watch, gcounter::State(0));
    d.ExpectOnWire(
        {Opened(0, id), CommandedToStream(0, 1, id), Answered(0, 1, Answer().Streams().Reply(gcounter::State(0)))});
    Kind::Out answer = CancellationAnswer(1, gcounter::Changed(5));
    CallTwo(Kind::kTwo, Request<Kind>("cancel-affected"),
            *answer.mutable_stream_cancelled_response()->add_side_effects());
    d.Replace(answer);
    watch.Cancel();
    d.ExpectOnWire({ToldOfCancellation(0, 1, id), Said(0, answer), Opened(1, "cancel-affected", Kind::kTwo),
                    CommandedTwo(1, 1, "cancel-affected"), AnsweredNothing(1, 1)});
    Reset(d, 0, 2, id);
    Ask(d, id, {}, gcounter::State(5));
    d.ExpectOnWire({OpenedWith(2, id, gcounter::Changed(5)), Commanded(2, 1, id),
                    Answered(2, 1, Answer().Reply(gcounter::State(5)))});
  }

  static void CancelEarly(Driver& d) {
    const std::string id = "GCounter-cancel-early";
    d.HoldAnswers(0);
    WireStream& watch = Watch(d, id);
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id)});
    watch.Cancel();
    d.ExpectQuietOnWire();
    d.ReleaseAnswers();
    d.ExpectOnWire({Answered(0, 1, Answer().Streams().Reply(gcounter::State(0))), ToldOfCancellation(0, 1, id),
                    Said(0, CancellationAnswer(1))});
  }

  static void FailureInStream(Driver& d) {
    const std::string id = "GCounter-streamed-failure";
    WireStream& watch = Watch(d, id);
    ExpectState(watch, gcounter::State(0));
    d.ExpectOnWire(
        {Opened(0, id), CommandedToStream(0, 1, id), Answered(0, 1, Answer().Streams().Reply(gcounter::State(0)))});
    Kind::Out failure = Streamed(1, std::nullopt);
    auto& action = *failure.mutable_streamed_message()->mutable_client_action();
    action.mutable_failure()->set_description(kText);
    d.Replace(failure, 1);  // after the reply to the command that is the reason for it
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    watch.ExpectEnd(absl::StatusCode::kUnknown, kText);
    d.ExpectOnWire({Commanded(0, 2, id, {gcounter::Update(1)}),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))), Said(0, failure),
                    ToldOfCancellation(0, 1, id), Said(0, CancellationAnswer(1))});
  }

  static void DeleteWhileOpen(Driver& d) {
    const std::string id = "GCounter-streamed-delete";
    WireStream& watch = Watch(d, id);
    ExpectState(watch, gcounter::State(0));
    Ask(d, id, {Delete()}, gcounter::State(0));
    watch.ExpectEnd();
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id),
                    Answered(0, 1, Answer().Streams().Reply(gcounter::State(0))), Commanded(0, 2, id, {Delete()}),
                    Answered(0, 2, Answer().Deletes().Reply(gcounter::State(0))), HalfClosed(0), Ended(0)});
  }
};

}  // namespace

std::vector<Case> EmulatorStreamedCases() { return StreamedCaseList::All(); }

}  // namespace cloudstate::tck::crdts
