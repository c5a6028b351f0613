// What must pass between our emulator and a user function that has event-sourced entities, and what clients must see.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/emulator_entity_cases.h"
#include "emulator/tck/event_sourced_model.h"

namespace cloudstate::tck::event_sourced {
namespace {

class Cases : EmulatorEntityCases<Kind> {
 public:
  static Section All() {
    Section section{"emulator/event-sourced", Part::kEmulator, {Kind::kModel}, {}};
    section.cases = {
        {"state-changes", "Commands are numbered, sent one by one and answered by the state.", StateChanges},
        {"snapshots", "A snapshot is kept, and what comes after it replayed.", Snapshots, "", "", Since::k0_2},
        {"forward", "A forward's outcome is the reply.", Forwards, "", Kind::kTwo},
        {"effects", "Side effects reach their entity in order.", Effects, "", Kind::kTwo},
        {"effects-synchronous", "Synchronous side effects end before what follows them begins.", SynchronousEffects, "",
         Kind::kTwo},
        {"failure", "A failure's text is verbatim, has no side effects, and keeps the stream.", FailureText},
        {"failure-with-restart", "A failure that asks for a restart has the entity replayed on a new stream.",
         FailureWithRestart, "", "", Since::k0_2},
        {"passivation", "An idle entity's stream is closed after its own timeout, and opened again.", Passivation, "",
         Kind::kConfigured, Since::k0_2},
        {"http", "HTTP routes, bodies and types are exact.", Http},
        {"http-failure", "A failure's text is the body.",
         [](Driver& d) { HttpFailure(d, "/tck/model/eventsourced/http-failure"); }},
    };
    return section;
  }

 private:
  static ExpectedPass Replayed(std::size_t call, std::int64_t sequence, const std::string& value) {
    return ToUserFunction(call, Event(sequence, value));
  }

  static void StateChanges(Driver& d) {
    Ask(d, "state", {}, "");
    Ask(d, "state", {Emit("a")}, "a");
    Ask(d, "state", {Emit("b"), Emit("c")}, "abc");
    Ask(d, "state", {}, "abc");
    d.ExpectOnWire({Opened(0, "state"), Commanded(0, 1, "state"), Answered(0, 1, Answer().Reply("")),
                    Commanded(0, 2, "state", {Emit("a")}), Answered(0, 2, Answer().Events({"a"}).Reply("a")),
                    Commanded(0, 3, "state", {Emit("b"), Emit("c")}),
                    Answered(0, 3, Answer().Events({"b", "c"}).Reply("abc")), Commanded(0, 4, "state"),
                    Answered(0, 4, Answer().Reply("abc"))});
  }

  static void Snapshots(Driver& d) {
    const Actions four = {Emit("a"), Emit("b"), Emit("c"), Emit("d")};
    Ask(d, "snapshot", four, "abcd");
    Ask(d, "snapshot", {Emit("e"), Emit("f")}, "abcdef");
    Ask(d, "snapshot", {Emit("g")}, "abcdefg");
    AskToFail(d, "snapshot", {Emit("h"), FailWith("anew")}, "anew");
    Ask(d, "snapshot", {}, "abcdefg");
    const Kind::In restored = InitWithSnapshot("snapshot", 6, "abcdef");
    d.ExpectOnWire({Opened(0, "snapshot"), Commanded(0, 1, "snapshot", four),
                    Answered(0, 1, Answer().Events({"a", "b", "c", "d"}).Reply("abcd")),
                    Commanded(0, 2, "snapshot", {Emit("e"), Emit("f")}),
                    Answered(0, 2, Answer().Events({"e", "f"}).Snapshot("abcdef").Reply("abcdef")),
                    Commanded(0, 3, "snapshot", {Emit("g")}), Answered(0, 3, Answer().Events({"g"}).Reply("abcdefg")),
                    Commanded(0, 4, "snapshot", {Emit("h"), FailWith("anew")}),
                    Answered(0, 4, Answer().Fail("anew", Restart::kYes)), HalfClosed(0), Ended(0),
                    ToUserFunction(1, restored), Replayed(1, 7, "g"), Commanded(1, 1, "snapshot"),
                    Answered(1, 1, Answer().Reply("abcdefg"))});
  }

  static void FailureText(Driver& d) {
    const Actions failing = {EffectOn("never"), FailWith(kText)};
    AskToFail(d, "failure", failing, kText);
    Ask(d, "failure", {Emit("a")}, "a");
    d.ExpectOnWire({Opened(0, "failure"), Commanded(0, 1, "failure", failing), Answered(0, 1, Answer().Fail(kText)),
                    Commanded(0, 2, "failure", {Emit("a")}), Answered(0, 2, Answer().Events({"a"}).Reply("a"))});
  }

  static void FailureWithRestart(Driver& d) {
    const Actions failing = {Emit("c"), FailWith("no c")};
    Ask(d, "restart", {Emit("a"), Emit("b")}, "ab");
    AskToFail(d, "restart", failing, "no c");
    d.ExpectOnWire({Opened(0, "restart"), Commanded(0, 1, "restart", {Emit("a"), Emit("b")}),
                    Answered(0, 1, Answer().Events({"a", "b"}).Reply("ab")), Commanded(0, 2, "restart", failing),
                    Answered(0, 2, Answer().Fail("no c", Restart::kYes)), HalfClosed(0), Ended(0), Opened(1, "restart"),
                    Replayed(1, 1, "a"), Replayed(1, 2, "b")});
    Ask(d, "restart", {}, "ab");
    d.ExpectOnWire({Commanded(1, 1, "restart"), Answered(1, 1, Answer().Reply("ab"))});
  }

  static void Http(Driver& d) {
    d.ExpectHttp({.target = "/tck/model/eventsourced/http",
                  .body = R"({"actions":[{"emit":{"value":"x"}},{"emit":{"value":"y"}}]})"},
                 {.body = R"({"message":"xy"})"});
    d.ExpectHttp({.target = Process(), .body = R"({"id":"http"})"}, {.body = R"({"message":"xy"})"});
    d.ExpectOnWire({Opened(0, "http"), Commanded(0, 1, "http", {Emit("x"), Emit("y")}),
                    Answered(0, 1, Answer().Events({"x", "y"}).Reply("xy")), Commanded(0, 2, "http"),
                    Answered(0, 2, Answer().Reply("xy"))});
  }
};

}  // namespace

Section EmulatorSection() { return Cases::All(); }

}  // namespace cloudstate::tck::event_sourced
