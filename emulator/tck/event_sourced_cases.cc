// What a user function must do with an event-sourced entity's stream.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/common_expectations.h"
#include "emulator/tck/entity_cases.h"
#include "emulator/tck/event_sourced_model.h"

namespace cloudstate::tck::event_sourced {
namespace {

class Entity : public EntityStream<Kind> {
 public:
  using EntityStream::EntityStream;

  Entity& Replay(std::int64_t sequence, const std::string& value) {
    stream().Send(Event(sequence, value));
    return *this;
  }
};

std::vector<Case> StateCases() {
  return {
      {"initial-state", "A new entity's state is empty.", [](Driver& d) { Entity(d).Ask({}, Answer().Reply("")); }},
      {"one-event", "An event is emitted, and applied before the reply.",
       [](Driver& d) { Entity(d).Ask({Emit("a")}, Answer().Events({"a"}).Reply("a")); }},
      {"several-events", "A command emits several events, in order.",
       [](Driver& d) {
         Entity(d).Ask({Emit("a"), Emit("b"), Emit("c")}, Answer().Events({"a", "b", "c"}).Reply("abc"));
       }},
      {"events-add-up", "State lasts from one command to the next.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a")}, Answer().Events({"a"}).Reply("a"))
             .Ask({Emit("b"), Emit("c")}, Answer().Events({"b", "c"}).Reply("abc"))
             .Ask({}, Answer().Reply("abc"));
       }},
      {"no-event-without-emit", "A command that only reads emits nothing.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a")}, Answer().Events({"a"}).Reply("a"))
             .Ask({}, Answer().Reply("a"))
             .Ask({}, Answer().Reply("a"));
       }},
      {"empty-event", "An event at its default value is an event.",
       [](Driver& d) { Entity(d).Ask({Emit("")}, Answer().Events({""}).Reply("")); }},
      {"same-event-twice", "Equal events are kept apart.",
       [](Driver& d) {
         Entity(d).Ask({Emit("a"), Emit("a")}, Answer().Events({"a", "a"}).Reply("aa"));
       }},
      {"large-event", "An event of 200 KB is no problem.",
       [](Driver& d) {
         const std::string text(200'000, 'x');
         Entity(d).Ask({Emit(text)}, Answer().Events({text}).Reply(text));
       }},
      {"many-commands", "A stream serves command after command.",
       [](Driver& d) {
         Entity entity(d);
         for (int i = 0; i < 50; ++i) entity.Ask({}, Answer().Reply(""));
       }},
      {"half-close", "The user function ends the stream when the proxy half-closes it.",
       [](Driver& d) { Entity(d).Ask({}, Answer().Reply("")).End(); }, kHalfCloseHint},
      {"half-close-after-init", "A stream without any command ends as well.", [](Driver& d) { Entity(d).End(); },
       kHalfCloseHint},
  };
}

std::vector<Case> SnapshotCases() {
  const char* every = "The model is to be snapshotted after every 5 events.";
  return {
      {"no-snapshot-before-five", "Four events make no snapshot.",
       [](Driver& d) {
         Entity(d).Ask({Emit("a"), Emit("b"), Emit("c"), Emit("d")},
                       Answer().Events({"a", "b", "c", "d"}).Reply("abcd"));
       },
       every},
      {"snapshot-after-five", "The fifth event brings a snapshot, one at a time.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a")}, Answer().Events({"a"}).Reply("a"))
             .Ask({Emit("b")}, Answer().Events({"b"}).Reply("ab"))
             .Ask({Emit("c")}, Answer().Events({"c"}).Reply("abc"))
             .Ask({Emit("d")}, Answer().Events({"d"}).Reply("abcd"))
             .Ask({Emit("e")}, Answer().Events({"e"}).Snapshot("abcde").Reply("abcde"))
             .Ask({Emit("f")}, Answer().Events({"f"}).Reply("abcdef"));
       },
       every},
      {"snapshot-of-one-command", "Five events of one command bring a snapshot.",
       [](Driver& d) {
         Entity(d).Ask({Emit("a"), Emit("b"), Emit("c"), Emit("d"), Emit("e")},
                       Answer().Events({"a", "b", "c", "d", "e"}).Snapshot("abcde").Reply("abcde"));
       },
       every},
      {"snapshot-across-five", "A command that crosses the fifth event brings a snapshot of its last state.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a"), Emit("b"), Emit("c"), Emit("d")}, Answer().Events({"a", "b", "c", "d"}).Reply("abcd"))
             .Ask({Emit("e"), Emit("f")}, Answer().Events({"e", "f"}).Snapshot("abcdef").Reply("abcdef"));
       },
       "The proxy keeps a snapshot at the sequence number of the reply's last event."},
      {"snapshot-after-ten", "The tenth event brings the next one.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a"), Emit("b"), Emit("c"), Emit("d"), Emit("e")},
                  Answer().Events({"a", "b", "c", "d", "e"}).Snapshot("abcde").Reply("abcde"))
             .Ask({Emit("f"), Emit("g"), Emit("h"), Emit("i")},
                  Answer().Events({"f", "g", "h", "i"}).Reply("abcdefghi"))
             .Ask({Emit("j")}, Answer().Events({"j"}).Snapshot("abcdefghij").Reply("abcdefghij"));
       },
       every},
      {"init-with-snapshot", "An entity starts from its snapshot.",
       [](Driver& d) { Entity(d, InitWithSnapshot("one", 5, "abcde")).Ask({}, Answer().Reply("abcde")); }},
      {"init-with-snapshot-and-events", "Events that follow the snapshot are applied to it.",
       [](Driver& d) {
         Entity(d, InitWithSnapshot("one", 5, "abcde"))
             .Replay(6, "f")
             .Replay(7, "g")
             .Ask({}, Answer().Reply("abcdefg"));
       }},
      {"snapshot-counts-from-snapshot", "Events are counted on from the snapshot's sequence number.",
       [](Driver& d) {
         Entity(d, InitWithSnapshot("one", 8, "abcdefgh"))
             .Ask({Emit("i")}, Answer().Events({"i"}).Reply("abcdefghi"))
             .Ask({Emit("j")}, Answer().Events({"j"}).Snapshot("abcdefghij").Reply("abcdefghij"));
       },
       "It is the entity's tenth event, not the stream's second."},
      {"snapshot-counts-replayed-events", "Replayed events count, but bring no snapshot themselves.",
       [](Driver& d) {
         Entity(d).Replay(1, "a").Replay(2, "b").Replay(3, "c").Replay(4, "d").Ask(
             {Emit("e")}, Answer().Events({"e"}).Snapshot("abcde").Reply("abcde"));
       },
       "It is the entity's fifth event, although the stream's first."},
      {"no-snapshot-for-replay", "A replay across the fifth event brings no snapshot.",
       [](Driver& d) {
         Entity(d).Replay(1, "a").Replay(2, "b").Replay(3, "c").Replay(4, "d").Replay(5, "e").Ask(
             {}, Answer().Reply("abcde"));
       }},
  };
}

std::vector<Case> RehydrationCases() {
  return {
      {"init-with-events", "Replayed events are applied, and not emitted again.",
       [](Driver& d) { Entity(d).Replay(1, "a").Replay(2, "b").Ask({}, Answer().Reply("ab")); }},
      {"events-after-replay", "An entity goes on from what was replayed.",
       [](Driver& d) {
         Entity(d)
             .Replay(1, "a")
             .Replay(2, "b")
             .Ask({Emit("c")}, Answer().Events({"c"}).Reply("abc"))
             .Ask({}, Answer().Reply("abc"));
       }},
      {"rehydration", "An entity that was passivated comes back on a new stream.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Emit("a")}, Answer().Events({"a"}).Reply("a")).Ask({Emit("b")}, Answer().Events({"b"}).Reply("ab"));
         first.Leave();
         Entity(d).Replay(1, "a").Replay(2, "b").Ask({Emit("c")}, Answer().Events({"c"}).Reply("abc"));
       }},
      {"rehydration-from-snapshot", "So does one that has a snapshot.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Emit("a"), Emit("b"), Emit("c"), Emit("d"), Emit("e")},
                   Answer().Events({"a", "b", "c", "d", "e"}).Snapshot("abcde").Reply("abcde"));
         first.Leave();
         Entity(d, InitWithSnapshot("one", 5, "abcde"))
             .Replay(6, "f")
             .Ask({Emit("g")}, Answer().Events({"g"}).Reply("abcdefg"));
       }},
  };
}

std::vector<Case> ForwardAndEffectCases() {
  return {
      {"forward-with-events", "Events go with a forward.",
       [](Driver& d) {
         Entity(d)
             .Ask({Emit("a"), ForwardTo("x"), Emit("b")}, Answer().Events({"a", "b"}).Forward("x"))
             .Ask({}, Answer().Reply("ab"));
       }},
      {"forward-with-snapshot", "A snapshot goes with a forward.",
       [](Driver& d) {
         Entity(d, InitWithSnapshot("one", 4, "abcd"))
             .Ask({Emit("e"), ForwardTo("x")}, Answer().Events({"e"}).Snapshot("abcde").Forward("x"));
       }},
      {"effects-with-events", "Side effects and events go together.",
       [](Driver& d) {
         Entity(d).Ask({Emit("a"), EffectOn("x"), Emit("b"), EffectOn("y")},
                       Answer().Events({"a", "b"}).Effect("x").Effect("y").Reply("ab"));
       }},
      {"effects-with-snapshot", "Side effects, events and a snapshot go together.",
       [](Driver& d) {
         Entity(d, InitWithSnapshot("one", 4, "abcd"))
             .Ask({EffectOn("x"), Emit("e"), EffectOn("y", Mode::kSynchronous)},
                  Answer().Events({"e"}).Snapshot("abcde").Effect("x").Effect("y", Mode::kSynchronous).Reply("abcde"));
       }},
  };
}

std::vector<Case> FailureCases() {
  const char* restart =
      "The entity has applied events that will not be stored: the failure must ask the proxy to restart it.";
  return {
      {"failure-keeps-stream", "The stream goes on after a failure.",
       [](Driver& d) {
         Entity(d)
             .AskToFail({FailWith("no")}, "no")
             .Ask({Emit("a")}, Answer().Events({"a"}).Reply("a"))
             .AskToFail({FailWith("no")}, "no")
             .Ask({}, Answer().Reply("a"));
       }},
      {"failure-drops-events", "A failure after emitted events stores none of them, and asks for a restart.",
       [](Driver& d) {
         Entity(d).AskToFail({Emit("a"), Emit("b"), FailWith("no")}, "no", Restart::kYes);
       },
       restart},
      {"failure-of-fifth-event", "A failure brings no snapshot.",
       [](Driver& d) {
         Entity(d, InitWithSnapshot("one", 4, "abcd")).AskToFail({Emit("e"), FailWith("no")}, "no", Restart::kYes);
       },
       restart},
      {"failure-after-effects-and-events", "A failure drops all of it.",
       [](Driver& d) {
         Entity(d).AskToFail({EffectOn("x"), Emit("a"), ForwardTo("y"), FailWith("no")}, "no", Restart::kYes);
       },
       restart},
      {"restart-after-failure", "After a restart, the state is what was stored.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Emit("a")}, Answer().Events({"a"}).Reply("a"));
         first.AskToFail({Emit("b"), FailWith("no")}, "no", Restart::kYes);
         first.Leave();
         Entity(d).Replay(1, "a").Ask({Emit("c")}, Answer().Events({"c"}).Reply("ac"));
       }},
  };
}

}  // namespace

Section DirectSection() {
  Section section{"event-sourced", Part::kDirect, {Kind::kModel}, {}};
  for (auto* part :
       {StateCases, CommonStateCases<Kind>, SnapshotCases, RehydrationCases, CommonForwardAndEffectCases<Kind>,
        ForwardAndEffectCases, CommonFailureCases<Kind>, FailureCases, OtherServiceCases<Kind>}) {
    for (Case& each : part()) section.cases.push_back(std::move(each));
  }
  return section;
}

}  // namespace cloudstate::tck::event_sourced
