// What must pass between our emulator and a user function that has value entities, and what clients must see.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/emulator_entity_cases.h"
#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

class Cases : EmulatorEntityCases<Kind> {
 public:
  static Section All() {
    Section section{"emulator/value", Part::kEmulator, {Kind::kModel}, {}};
    section.cases = {
        {"state-changes", "Commands are numbered, sent one by one and answered by the state.", StateChanges},
        {"delete", "A deleted entity is empty, on the same stream, and can be used again.", Deletes},
        {"forward", "A forward's outcome is the reply.", Forwards, "", Kind::kTwo},
        {"effects", "Side effects reach their entity in order.", Effects, "", Kind::kTwo},
        {"effects-synchronous", "Synchronous side effects end before what follows them begins.", SynchronousEffects, "",
         Kind::kTwo},
        {"failure", "A failure's text is verbatim, changes nothing, and keeps the stream.", FailureText},
        {"passivation", "An idle entity's stream is closed after its own timeout, and opened again.", Passivation, "",
         Kind::kConfigured},
        {"http", "HTTP routes, bodies and types are exact.", Http},
        {"http-failure", "A failure's text is the body.",
         [](Driver& d) { HttpFailure(d, "/tck/model/entity/http-failure"); }},
    };
    return section;
  }

 private:
  static void StateChanges(Driver& d) {
    Ask(d, "state", {}, "");
    Ask(d, "state", {Update("a")}, "a");
    Ask(d, "state", {Update("b"), Update("c")}, "c");
    Ask(d, "state", {}, "c");
    d.ExpectOnWire({Opened(0, "state"), Commanded(0, 1, "state"), Answered(0, 1, Answer().Reply("")),
                    Commanded(0, 2, "state", {Update("a")}), Answered(0, 2, Answer().Updates("a").Reply("a")),
                    Commanded(0, 3, "state", {Update("b"), Update("c")}),
                    Answered(0, 3, Answer().Updates("c").Reply("c")), Commanded(0, 4, "state"),
                    Answered(0, 4, Answer().Reply("c"))});
  }

  static void Deletes(Driver& d) {
    Ask(d, "deleted", {Update("a")}, "a");
    Ask(d, "deleted", {Delete()}, "");
    Ask(d, "deleted", {}, "");
    Ask(d, "deleted", {Update("b")}, "b");
    d.ExpectOnWire({Opened(0, "deleted"), Commanded(0, 1, "deleted", {Update("a")}),
                    Answered(0, 1, Answer().Updates("a").Reply("a")), Commanded(0, 2, "deleted", {Delete()}),
                    Answered(0, 2, Answer().Deletes().Reply("")), Commanded(0, 3, "deleted"),
                    Answered(0, 3, Answer().Reply("")), Commanded(0, 4, "deleted", {Update("b")}),
                    Answered(0, 4, Answer().Updates("b").Reply("b"))});
  }

  static void FailureText(Driver& d) {
    const Actions failing = {Update("b"), EffectOn("never"), FailWith(kText)};
    Ask(d, "failure", {Update("a")}, "a");
    AskToFail(d, "failure", failing, kText);
    Ask(d, "failure", {}, "a");
    d.ExpectOnWire({Opened(0, "failure"), Commanded(0, 1, "failure", {Update("a")}),
                    Answered(0, 1, Answer().Updates("a").Reply("a")), Commanded(0, 2, "failure", failing),
                    Answered(0, 2, Answer().Fail(kText)), Commanded(0, 3, "failure"),
                    Answered(0, 3, Answer().Reply("a"))});
  }

  static void Http(Driver& d) {
    d.ExpectHttp({.target = "/tck/model/entity/http", .body = R"({"actions":[{"update":{"value":"x"}}]})"},
                 {.body = R"({"message":"x"})"});
    d.ExpectHttp({.target = "/tck/model/entity/http", .body = R"({"actions":[{"delete":{}}]})"},
                 {.body = R"({"message":""})"});
    d.ExpectOnWire({Opened(0, "http"), Commanded(0, 1, "http", {Update("x")}),
                    Answered(0, 1, Answer().Updates("x").Reply("x")), Commanded(0, 2, "http", {Delete()}),
                    Answered(0, 2, Answer().Deletes().Reply(""))});
  }
};

}  // namespace

Section EmulatorSection() { return Cases::All(); }

}  // namespace cloudstate::tck::value
