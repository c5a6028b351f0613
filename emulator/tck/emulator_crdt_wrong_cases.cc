// What our emulator must do when a user function says of a CRDT what makes no sense. The interceptor says it in place
// of the model.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "emulator/tck/emulator_crdt_cases.h"

namespace cloudstate::tck::crdts {
namespace {

class WrongMessageCases : EmulatorCrdtCases {
 public:
  static std::vector<Case> All() {
    std::vector<Case> cases = Resets();
    for (Case& each : Others()) cases.push_back(std::move(each));
    return cases;
  }

 private:
  static std::vector<Case> Resets() {
    const auto stream_failure = [] {
      Kind::Out out;
      out.mutable_failure()->set_description("broken");
      return out;
    };
    return {
        ResetCase("wrong-command-id", "A reply to no command of the stream resets the entity, which keeps its value.",
                  Answer().Reply("").To(kNoSuchCommand), "there was a reply for command 77, which is not outstanding"),
        ResetCase("wrong-streamed", "So does a streamed reply to a command that is not.",
                  Answer().Streams().Reply("").To(2), "its reply to command 2 was streamed, and Process is not"),
        ResetCase("wrong-empty-delta", "So does an update with nothing in it.", Answer().Updates(Delta()).To(2),
                  "what it answered to command 2 cannot be done: Empty delta"),
        ResetCase("wrong-type", "So does a delta of another type than the value's.",
                  Answer().Updates(gcounter::Changed(1)).Reply("").To(2),
                  "what it answered to command 2 cannot be done: GCounterDelta is incompatible with CRDT GSet"),
        ResetCase("wrong-empty-message", "So does a message with nothing in it.", Kind::Out(),
                  "a message on its stream was empty"),
        ResetCase("wrong-cancellation-answer", "So does an answer to a cancellation that there was not.",
                  CancellationAnswer(2),
                  "there was a response to the cancellation of command 2, which is not outstanding"),
        ResetCase("wrong-stream-failure", "So does a failure that is about no command.", stream_failure(),
                  "it failed: broken"),
    };
  }

  static std::vector<Case> Others() {
    return {
        {"wrong-for-all", "The other commands of an entity that is reset fail with it.", OthersFail},
        {"wrong-flag", "A flag that is on cannot be switched off: the client is told why.", FlagOff},
        {"wrong-overflow", "A counter that would not fit is left as it is: the client is told why.", Overflow},
        {"wrong-streamed-message", "A message for a stream that there is not is left out, and reported.",
         StreamedMessage},
        {"failure-on-stream", "A failure on the stream that names its command fails that one only.", CommandFailure},
    };
  }

  // An entity whose second command is answered with this.
  static Case ResetCase(const std::string& name, std::string title, const Kind::Out& answer,
                        const std::string& report) {
    return {name, std::move(title), [id = "GSet-" + name, answer, report](Driver& d) {
              Ask(d, id, {AddText("a")}, "a");
              d.Replace(answer);
              AskToFail(d, id, {}, kTerminating);
              d.ExpectReport(report);
              d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {AddText("a")}),
                              Answered(0, 1, Answer().Changes("a").Reply("a")), Commanded(0, 2, id), Said(0, answer),
                              Cancelled(0), Ended(0)});
              ExpectNewStream(d, id, gset::Changed({"a"}), gset::State({"a"}));
            }};
  }

  // The entity comes with its value to its second stream.
  static void ExpectNewStream(Driver& d, const std::string& id, const Delta& whole, const messages::State& state) {
    Ask(d, id, {}, state);
    d.ExpectOnWire({OpenedWith(1, id, whole), Commanded(1, 1, id), Answered(1, 1, Answer().Reply(state))});
  }

  static void OthersFail(Driver& d) {
    const std::string id = "GSet-wrong-for-all";
    const Kind::Out answer = Answer().Reply("").To(kNoSuchCommand);
    d.HoldAnswers(0);
    WireStream& one = Send(d, id, {});
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id)});
    WireStream& other = Watch(d, id);
    d.ExpectOnWire({CommandedToStream(0, 2, id)});
    d.Replace(answer);
    d.ReleaseAnswers();
    one.ExpectEnd(absl::StatusCode::kUnknown, kTerminating);
    other.ExpectEnd(absl::StatusCode::kUnknown, kTerminating);
    d.ExpectReport("there was a reply for command 77, which is not outstanding");
    d.ExpectOnWire({Said(0, answer)});
    d.IgnoreRestOnWire();  // the user function's other answer may come before it hears that the stream is over
  }

  static void FlagOff(Driver& d) {
    const std::string id = "Flag-wrong";
    const Kind::Out answer = Answer().Updates(flag::Changed(false)).Reply(flag::State(false)).To(2);
    Ask(d, id, {flag::Enable()}, flag::State(true));
    d.Replace(answer);
    d.client().ExpectFailure(Process(), Request<Kind>(id), absl::StatusCode::kFailedPrecondition,
                             "Cannot switch off already enabled flag");
    d.ExpectReport("what it answered to command 2 cannot be done: Cannot switch off already enabled flag");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {flag::Enable()}),
                    Answered(0, 1, Answer().Updates(flag::Changed(true)).Reply(flag::State(true))), Commanded(0, 2, id),
                    Said(0, answer), Cancelled(0), Ended(0)});
    ExpectNewStream(d, id, flag::Changed(true), flag::State(true));
  }

  static void Overflow(Driver& d) {
    const std::string id = "GCounter-wrong";
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    const Kind::Out answer = Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(0)).To(2);
    Ask(d, id, {gcounter::Update(most)}, gcounter::State(most));
    d.Replace(answer);
    d.client().ExpectFailure(Process(), Request<Kind>(id), absl::StatusCode::kOutOfRange, "");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {gcounter::Update(most)}),
                    Answered(0, 1, Answer().Updates(gcounter::Changed(most)).Reply(gcounter::State(most))),
                    Commanded(0, 2, id), Said(0, answer), Cancelled(0), Ended(0)});
    ExpectNewStream(d, id, gcounter::Changed(most), gcounter::State(most));
  }

  static void StreamedMessage(Driver& d) {
    const std::string id = "GCounter-wrong-streamed";
    const Kind::Out message = Streamed(kNoSuchCommand, gcounter::State(1));
    WireStream& watch = Watch(d, id);
    ExpectState(watch, gcounter::State(0));
    d.Replace(message, 1);  // after a reply
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    d.ExpectReport("a streamed message was left out, since command 77 has no stream");
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(2));
    ExpectState(watch, gcounter::State(2));
    d.ExpectOnWire({Opened(0, id), CommandedToStream(0, 1, id),
                    Answered(0, 1, Answer().Streams().Reply(gcounter::State(0))),
                    Commanded(0, 2, id, {gcounter::Update(1)}),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))), Said(0, message),
                    Commanded(0, 3, id, {gcounter::Update(1)}),
                    Answered(0, 3, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(2))),
                    Said(0, Streamed(1, gcounter::State(2)))});
    watch.Cancel();
    d.ExpectOnWire({ToldOfCancellation(0, 1, id), Said(0, CancellationAnswer(1))});
  }

  static void CommandFailure(Driver& d) {
    const std::string id = "GSet-failure-on-stream";
    Kind::Out failure;
    failure.mutable_failure()->set_command_id(2);
    failure.mutable_failure()->set_description(kText);
    Ask(d, id, {AddText("a")}, "a");
    d.Replace(failure);
    AskToFail(d, id, {}, kText);
    Ask(d, id, {}, "a");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {AddText("a")}),
                    Answered(0, 1, Answer().Changes("a").Reply("a")), Commanded(0, 2, id), Said(0, failure),
                    Commanded(0, 3, id), Answered(0, 3, Answer().Reply("a"))});
  }
};

}  // namespace

std::vector<Case> EmulatorWrongMessageCases() { return WrongMessageCases::All(); }

}  // namespace cloudstate::tck::crdts
