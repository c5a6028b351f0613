// What a user function must do with a value entity's stream.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/common_expectations.h"
#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

// One entity's stream. Commands are numbered from 1, as a proxy does.
class Entity {
 public:
  Entity(Driver& driver, const In& init)
      : stream_(driver.user_function().Open(kHandle)),
        id_(init.init().entity_id()),
        command_(init.init().service_name() == kModel ? "Process" : "Call") {
    stream_.Send(init);
  }
  explicit Entity(Driver& driver, const std::string& id = "one") : Entity(driver, Init(kModel, id)) {}

  Entity& Ask(const Actions& actions, const Answer& expected) {
    stream_.Send(Command(++last_, command_, Request(id_, actions)));
    stream_.Expect(expected.To(last_));
    return *this;
  }
  Entity& AskToFail(const Actions& actions, const std::string& text) { return Ask(actions, Answer().Fail(text)); }
  Entity& NextNumber(std::int64_t number) {
    last_ = number - 1;
    return *this;
  }
  void End() {
    stream_.HalfClose();
    stream_.ExpectEnd();
  }
  // As End, without a look at what comes of it.
  void Leave() {
    stream_.HalfClose();
    stream_.Cancel();
  }
  WireStream& stream() { return stream_; }

 private:
  WireStream& stream_;
  const std::string id_;
  const std::string command_;
  std::int64_t last_ = 0;
};

std::vector<Case> StateCases() {
  return {
      {"initial-state", "A new entity's state is empty.", [](Driver& d) { Entity(d).Ask({}, Answer().Reply("")); }},
      {"initial-state-absent", "So it is when init has no state at all.",
       [](Driver& d) {
         In init = Init(kModel, "one");
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
      {"text-beyond-ascii", "Text comes back as it was sent.",
       [](Driver& d) {
         const std::string text = "häßlich 日本 🛒 \"%\"\n\t";
         Entity(d).Ask({Update(text)}, Answer().Updates(text).Reply(text));
       }},
      {"separate-entities", "Entities with different ids have nothing in common.",
       [](Driver& d) {
         Entity one(d, "one");
         Entity other(d, "other");
         one.Ask({Update("a")}, Answer().Updates("a").Reply("a"));
         other.Ask({}, Answer().Reply(""));
         other.Ask({Update("b")}, Answer().Updates("b").Reply("b"));
         one.Ask({}, Answer().Reply("a"));
       }},
      {"command-ids", "A reply carries the id of its command, whatever it is.",
       [](Driver& d) {
         Entity(d).NextNumber(7).Ask({}, Answer().Reply("")).NextNumber(1'000'000'000'000).Ask({}, Answer().Reply(""));
       }},
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
      {"nothing-is-remembered", "A new stream starts from what it is sent, not from what was there before.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Update("a")}, Answer().Updates("a").Reply("a"));
         first.Leave();
         Entity(d).Ask({}, Answer().Reply(""));
       },
       "The proxy has the entity's state; what a user function keeps beside it is out of date sooner or later."},
  };
}

std::vector<Case> ForwardAndEffectCases() {
  return {
      {"forward", "A forward stands in the reply's place.",
       [](Driver& d) { Entity(d).Ask({ForwardTo("x")}, Answer().Forward("x")); }},
      {"forward-with-update", "An update goes with a forward.",
       [](Driver& d) {
         Entity(d).Ask({Update("a"), ForwardTo("x")}, Answer().Updates("a").Forward("x")).Ask({}, Answer().Reply("a"));
       }},
      {"forward-with-delete", "A deletion goes with a forward.",
       [](Driver& d) {
         Entity(d, InitWithState("one", "a")).Ask({ForwardTo("x"), Delete()}, Answer().Deletes().Forward("x"));
       }},
      {"forward-with-effect", "Effects go with a forward.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("y"), ForwardTo("x")}, Answer().Effect("y").Forward("x"));
       }},
      {"effect", "A side effect goes with the reply.",
       [](Driver& d) { Entity(d).Ask({EffectOn("x")}, Answer().Effect("x").Reply("")); }},
      {"effect-synchronous", "A synchronous side effect is marked so.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("x", Mode::kSynchronous)}, Answer().Effect("x", Mode::kSynchronous).Reply(""));
       }},
      {"effects-in-order", "Several side effects keep their order and their marks.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("z"), EffectOn("x", Mode::kSynchronous), EffectOn("y"), EffectOn("x")},
                       Answer().Effect("z").Effect("x", Mode::kSynchronous).Effect("y").Effect("x").Reply(""));
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
      {"effects-end-with-their-command", "The next command has no side effects of the one before.",
       [](Driver& d) { Entity(d).Ask({EffectOn("x")}, Answer().Effect("x").Reply("")).Ask({}, Answer().Reply("")); }},
  };
}

std::vector<Case> FailureCases() {
  const char* undone = "What a failing command has done is not stored, so the entity must not see it either.";
  return {
      {"failure", "A failure stands in the reply's place, and carries the command's id.",
       [](Driver& d) { Entity(d).AskToFail({FailWith("no")}, "no"); },
       "It belongs into the reply's client action. A failure on the stream itself means that the entity is broken."},
      {"failure-text", "A failure's text is passed on verbatim.",
       [](Driver& d) {
         const std::string text = "100 % \"häßlich\" <&>\n\ttext ";
         Entity(d).AskToFail({FailWith(text)}, text);
       }},
      {"failure-keeps-stream", "The stream goes on after a failure, and the state is what it was.",
       [](Driver& d) {
         Entity(d)
             .Ask({Update("a")}, Answer().Updates("a").Reply("a"))
             .AskToFail({FailWith("no")}, "no")
             .Ask({}, Answer().Reply("a"));
       }},
      {"failure-drops-effects", "A failure has no side effects.",
       [](Driver& d) {
         Entity(d).AskToFail({EffectOn("x"), EffectOn("y", Mode::kSynchronous), FailWith("no")}, "no");
       }},
      {"failure-drops-forward", "A failure wins over a forward.",
       [](Driver& d) {
         Entity(d).AskToFail({ForwardTo("x"), FailWith("no")}, "no");
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

std::vector<Case> OtherServiceCases() {
  return {
      {"two-answers", "ValueEntityTwo answers an empty response.",
       [](Driver& d) { Entity(d, Init(kTwo, "two")).Ask({}, Answer().Reply("")).Ask({}, Answer().Reply("")); }, "",
       kTwo},
      {"configured-answers", "ValueEntityConfigured answers an empty response.",
       [](Driver& d) { Entity(d, Init(kConfigured, "configured")).Ask({}, Answer().Reply("")); }, "", kConfigured},
      {"unknown-service", "A service that was not declared is refused, and nothing else is disturbed.",
       [](Driver& d) {
         WireStream& stream = d.user_function().Open(kHandle);
         stream.Send(Init(kUnknownService, "one"));
         stream.Send(Command(1, "Process", Request("one")));
         ExpectRefusal<valueentity::ValueEntityStreamOut>(stream);
         Entity(d).Ask({}, Answer().Reply(""));
       },
       kRefusalHint},
      {"unknown-command", "A command that is not declared is refused, and nothing else is disturbed.",
       [](Driver& d) {
         Entity entity(d, "one");
         entity.stream().Send(Command(1, kUnknownCommand, Request("one")));
         ExpectRefusal<valueentity::ValueEntityStreamOut>(entity.stream());
         Entity(d, "other").Ask({}, Answer().Reply(""));
       },
       kRefusalHint},
  };
}

}  // namespace

Section DirectSection() {
  Section section{"value", Part::kDirect, {kModel}, {}};
  for (auto* part :
       {StateCases, DeleteCases, RehydrationCases, ForwardAndEffectCases, FailureCases, OtherServiceCases}) {
    for (Case& each : part()) section.cases.push_back(std::move(each));
  }
  return section;
}

}  // namespace cloudstate::tck::value
