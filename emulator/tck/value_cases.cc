// What a user function must do with a value entity's stream.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/common_expectations.h"
#include "emulator/tck/entity_cases.h"
#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

using Entity = EntityStream<Kind>;

std::vector<Case> StateCases() {
  return {
      {"initial-state", "A new entity's state is empty.", [](Driver& d) { Entity(d).Ask({}, Answer().Reply("")); }},
      {"initial-state-absent", "So it is when init has no state at all.",
       [](Driver& d) {
         Kind::In init = Kind::Init(Kind::kModel, "one");
         init.mutable_init()->clear_state();
         Entity(d, init).Ask({}, Answer().Reply(""));
       }},
      {"update", "An update is sent, and seen in the reply.",
       [](Driver& d) { Entity(d).Ask({Update("a")}, Answer().Updates("a").Reply("a")); }},
      {"update-twice", "Of several updates in a command the last one is sent.",
       [](Driver& d) {
         Entity(d).Ask({Update("a"), Update("b")}, Answer().Updates("b").Reply("b"));
       }},
      {"updates", "State lasts from one command to the next, and is replaced by an update.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a")}, Answer().Updates("a").Reply("a"))
             .Ask({}, Answer().Reply("a"))
             .Ask({Update("b")}, Answer().Updates("b").Reply("b"))
             .Ask({}, Answer().Reply("b"));
       }},
      {"no-action-without-change", "A command that only reads changes nothing.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).Ask({}, Answer().Reply("a")).Ask({}, Answer().Reply("a"));
       },
       "A state action in a reply that changes nothing makes the proxy store the same value again."},
      {"update-to-empty", "An update to the default value is an update.",
       [](Driver& d) { Entity(d, InitWithState("one", "a")).Ask({Update("")}, Answer().Updates("").Reply("")); }},
      {"update-to-same", "An update to the same value is an update.",
       [](Driver& d) { Entity(d, InitWithState("one", "a")).Ask({Update("a")}, Answer().Updates("a").Reply("a")); }},
      {"half-close", "The user function ends the stream when the proxy half-closes it.",
       [](Driver& d) { Entity(d).Ask({}, Answer().Reply("")).End(); }, kHalfCloseHint},
  };
}

std::vector<Case> DeleteCases() {
  return {
      {"delete", "A deletion is sent, and the state is empty after it.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a")}, Answer().Updates("a").Reply("a"))
             .Ask({Delete()}, Answer().Deletes().Reply(""))
             .Ask({}, Answer().Reply(""));
       }},
      {"delete-of-stored-state", "The state that init brought can be deleted.",
       [](Driver& d) { Entity(d, InitWithState("one", "a")).Ask({Delete()}, Answer().Deletes().Reply("")); }},
      {"update-delete", "A deletion after an update in one command wins.",
       [](Driver& d) {
         Entity(d).Ask({Update("a"), Delete()}, Answer().Deletes().Reply(""));
       }},
      {"delete-update", "An update after a deletion in one command wins.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).Ask({Delete(), Update("b")}, Answer().Updates("b").Reply("b"));
       }},
      {"update-delete-update", "Updates and deletions in one command come to the last of them.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a"), Delete(), Update("b")}, Answer().Updates("b").Reply("b"))
             .Ask({}, Answer().Reply("b"));
       }},
      {"update-after-delete", "An entity that was deleted can be used again, on the same stream.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a")}, Answer().Updates("a").Reply("a"))
             .Ask({Delete()}, Answer().Deletes().Reply(""))
             .Ask({Update("b")}, Answer().Updates("b").Reply("b"))
             .Ask({}, Answer().Reply("b"));
       }},
  };
}

std::vector<Case> RehydrationCases() {
  return {
      {"init-with-state", "An entity starts from its stored state.",
       [](Driver& d) { Entity(d, InitWithState("one", "a")).Ask({}, Answer().Reply("a")); }},
      {"update-of-stored-state", "The stored state can be replaced.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a"))
             .Ask({Update("b")}, Answer().Updates("b").Reply("b"))
             .Ask({}, Answer().Reply("b"));
       }},
      {"rehydration", "An entity that was passivated comes back on a new stream.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Update("a")}, Answer().Updates("a").Reply("a"));
         first.Leave();
         Entity(d, InitWithState("one", "a")).Ask({}, Answer().Reply("a"));
       }},
  };
}

std::vector<Case> ForwardAndEffectCases() {
  return {
      {"forward-with-update", "An update goes with a forward.",
       [](Driver& d) {
         Entity(d).Ask({Update("a"), ForwardTo("x")}, Answer().Updates("a").Forward("x")).Ask({}, Answer().Reply("a"));
       }},
      {"forward-with-delete", "A deletion goes with a forward.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).Ask({ForwardTo("x"), Delete()}, Answer().Deletes().Forward("x"));
       }},
      {"effects-with-update", "Side effects and an update go together.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("x"), Update("a"), EffectOn("y")},
                       Answer().Updates("a").Effect("x").Effect("y").Reply("a"));
       }},
      {"effects-with-delete", "Side effects and a deletion go together.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).Ask({Delete(), EffectOn("x")}, Answer().Deletes().Effect("x").Reply(""));
       }},
  };
}

std::vector<Case> FailureCases() {
  const char* undone = "What a failing command has done is not stored, so the entity must not see it either.";
  return {
      {"failure-keeps-stream", "The stream goes on after a failure, and the state is what it was.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a")}, Answer().Updates("a").Reply("a"))
             .AskToFail({FailWith("no")}, "no")
             .Ask({}, Answer().Reply("a"));
       }},
      {"failure-drops-update", "A failure after an update changes nothing.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a"))
             .AskToFail({Update("b"), FailWith("no")}, "no")
             .Ask({}, Answer().Reply("a"));
       },
       undone},
      {"failure-drops-delete", "A failure after a deletion changes nothing.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).AskToFail({Delete(), FailWith("no")}, "no").Ask({}, Answer().Reply("a"));
       },
       undone},
      {"failure-after-effects-and-update", "A failure drops all of it.",
       [](Driver& d) {
         Entity(d)
             .AskToFail({EffectOn("x"), Update("a"), ForwardTo("y"), FailWith("no")}, "no")
             .Ask({}, Answer().Reply(""));
       },
       undone},
  };
}

}  // namespace

Section DirectSection() {
  Section section{"value", Part::kDirect, {Kind::kModel}, {}};
  for (auto* part :
       {StateCases, CommonStateCases<Kind>, DeleteCases, RehydrationCases, CommonForwardAndEffectCases<Kind>,
        ForwardAndEffectCases, CommonFailureCases<Kind>, FailureCases, OtherServiceCases<Kind>}) {
    for (Case& each : part()) section.cases.push_back(std::move(each));
  }
  return section;
}

}  // namespace cloudstate::tck::value
