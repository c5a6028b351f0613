// What must pass between our emulator and a user function that has CRDTs, and what clients must see.

#include "emulator/tck/emulator_crdt_cases.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cloudstate::tck::crdts {
namespace {

class Cases : EmulatorCrdtCases {
 public:
  static std::vector<Case> All() {
    return {
        {"state-changes", "Commands are numbered and answered by the state; what was changed is not sent back.",
         StateChanges},
        {"types", "All types of CRDTs are made by their first update, and come whole to the next stream.", Types},
        {"several-outstanding", "Commands do not wait for each other's answers.", SeveralOutstanding},
        {"consistency", "An update that is to reach all nodes is answered when it has.", Consistency},
        {"delete", "A deleted entity's stream is closed, and what comes later fails.", Deletes},
        {"forward", "A forward's outcome is the reply.", Forwards, "", Kind::kTwo},
        {"effect", "A side effect reaches its entity.", OneEffect, "", Kind::kTwo},
        {"effects-synchronous", "Synchronous side effects end before what follows them begins.", SynchronousEffects, "",
         Kind::kTwo},
        {"failure", "A failure's text is verbatim, changes nothing, and keeps the stream.", FailureText},
        {"passivation", "An idle entity's stream is closed after its own timeout, and opened again.", Passivation, "",
         Kind::kConfigured},
        {"http", "HTTP routes, bodies and types are exact; numbers of 64 bits are strings.", Http},
        {"http-failure", "A failure's text is the body.",
         [](Driver& d) { HttpFailure(d, "/tck/model/crdt/GSet-http-failure"); }},
    };
  }

 private:
  static void StateChanges(Driver& d) {
    const std::string id = "PNCounter-state";
    const Actions twice = {pncounter::Update(3), pncounter::Update(-5)};
    Ask(d, id, {}, pncounter::State(0));
    Ask(d, id, {pncounter::Update(7)}, pncounter::State(7));
    Ask(d, id, twice, pncounter::State(5));
    Ask(d, id, {}, pncounter::State(5));
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id), Answered(0, 1, Answer().Reply(pncounter::State(0))),
                    Commanded(0, 2, id, {pncounter::Update(7)}),
                    Answered(0, 2, Answer().Updates(pncounter::Changed(7)).Reply(pncounter::State(7))),
                    Commanded(0, 3, id, twice),
                    Answered(0, 3, Answer().Updates(pncounter::Changed(-2)).Reply(pncounter::State(5))),
                    Commanded(0, 4, id), Answered(0, 4, Answer().Reply(pncounter::State(5)))});
  }

  static void Types(Driver& d) {
    struct Type {
      std::string id;
      messages::Update update;
      Delta sent;
      Delta whole;  // as it comes with the next stream
      messages::State state;
    };
    const std::vector<Type> types = {
        {"GCounter-type", gcounter::Update(2), gcounter::Changed(2), gcounter::Changed(2), gcounter::State(2)},
        {"PNCounter-type", pncounter::Update(-2), pncounter::Changed(-2), pncounter::Changed(-2), pncounter::State(-2)},
        {"GSet-type", gset::Add("a"), gset::Changed({"a"}), gset::Changed({"a"}), gset::State({"a"})},
        {"ORSet-type", orset::Add("a"), orset::Changed({.added = {"a"}}), orset::Changed({.added = {"a"}}),
         orset::State({"a"})},
        {"LWWRegister-type", lww::Update("a"), lww::Changed("a"), lww::Changed("a"), lww::State("a")},
        {"Flag-type", flag::Enable(), flag::Changed(true), flag::Changed(true), flag::State(true)},
        {"ORMap-type", ormap::Update("GSet-x", gset::Add("a")),
         ormap::Changed({.added = {{"GSet-x", gset::Changed({"a"})}}}),
         ormap::Changed({.added = {{"GSet-x", gset::Changed({"a"})}}}), ormap::State({{"GSet-x", gset::State({"a"})}})},
        {"Vote-type", vote::Update(true), vote::Changed(true), vote::Changed(true, 1, 1), vote::State(true, 1, 1)},
    };
    std::size_t call = 0;
    for (const Type& type : types) {
      Ask(d, type.id, {type.update}, type.state);
      d.ExpectOnWire({Opened(call, type.id), Commanded(call, 1, type.id, {type.update}),
                      Answered(call, 1, Answer().Updates(type.sent).Reply(type.state))});
      Reset(d, call, 2, type.id);
      Ask(d, type.id, {}, type.state);
      d.ExpectOnWire({OpenedWith(call + 1, type.id, type.whole), Commanded(call + 1, 1, type.id),
                      Answered(call + 1, 1, Answer().Reply(type.state))});
      call += 2;
    }
  }

  static void SeveralOutstanding(Driver& d) {
    const std::string id = "GCounter-outstanding";
    d.HoldAnswers(0);
    WireStream& one = Send(d, id, {gcounter::Update(1)});
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {gcounter::Update(1)})});
    WireStream& other = Send(d, id, {gcounter::Update(2)});
    d.ExpectOnWire({Commanded(0, 2, id, {gcounter::Update(2)})});
    d.ReleaseAnswers();
    ExpectState(one, gcounter::State(1));
    ExpectState(other, gcounter::State(3));
    one.ExpectEnd();
    other.ExpectEnd();
    d.ExpectOnWire({Answered(0, 1, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))),
                    Answered(0, 2, Answer().Updates(gcounter::Changed(2)).Reply(gcounter::State(3)))});
  }

  static void Consistency(Driver& d) {
    const std::string id = "GCounter-consistency";
    const Actions actions = {At(messages::ALL, gcounter::Update(1))};
    Ask(d, id, actions, gcounter::State(1));
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, actions),
                    Answered(0, 1, Answer().Updates(gcounter::Changed(1), crdt::ALL).Reply(gcounter::State(1)))});
  }

  static void Deletes(Driver& d) {
    const std::string id = "GCounter-deleted";
    Ask(d, id, {gcounter::Update(1)}, gcounter::State(1));
    Ask(d, id, {Delete()}, gcounter::State(1));
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {gcounter::Update(1)}),
                    Answered(0, 1, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(1))),
                    Commanded(0, 2, id, {Delete()}), Answered(0, 2, Answer().Deletes().Reply(gcounter::State(1))),
                    HalfClosed(0), Ended(0)});
    AskToFail(d, id, {}, "Entity deleted");
    AskToFail(d, id, {gcounter::Update(1)}, "Entity deleted");
  }

  static void OneEffect(Driver& d) {
    const std::string id = "GSet-effect";
    const Actions actions = {AddText("a"), EffectOn("affected")};
    Ask(d, id, actions, "a");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, actions),
                    Answered(0, 1, Answer().Changes("a").Effect("affected").Reply("a")),
                    Opened(1, "affected", Kind::kTwo), CommandedTwo(1, 1, "affected"), AnsweredNothing(1, 1)});
  }

  static void FailureText(Driver& d) {
    const std::string id = "GSet-failure";
    const Actions failing = {AddText("b"), EffectOn("never"), FailWith(kText)};
    Ask(d, id, {AddText("a")}, "a");
    AskToFail(d, id, failing, kText);
    Ask(d, id, {}, "a");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {AddText("a")}),
                    Answered(0, 1, Answer().Changes("a").Reply("a")), Commanded(0, 2, id, failing),
                    Answered(0, 2, Answer().Fail(kText)), Commanded(0, 3, id), Answered(0, 3, Answer().Reply("a"))});
  }

  static void Http(Driver& d) {
    const std::string id = "PNCounter-http";
    const std::string target = absl::StrCat("/tck/model/crdt/", id);
    const std::int64_t large = -9'007'199'254'740'993;  // no double is exactly this
    d.ExpectHttp({.target = target, .body = R"({"actions":[{"update":{"pncounter":{"change":"-9007199254740993"}}}]})"},
                 {.body = R"({"state":{"pncounter":{"value":"-9007199254740993"}}})"});
    d.ExpectHttp({.target = target, .body = R"({"actions":[{"delete":{}}]})"},
                 {.body = R"({"state":{"pncounter":{"value":"-9007199254740993"}}})"});
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {pncounter::Update(large)}),
                    Answered(0, 1, Answer().Updates(pncounter::Changed(large)).Reply(pncounter::State(large))),
                    Commanded(0, 2, id, {Delete()}), Answered(0, 2, Answer().Deletes().Reply(pncounter::State(large))),
                    HalfClosed(0), Ended(0)});
    d.ExpectHttp({.target = target, .body = "{}"},
                 {.status = 500, .body = "Entity deleted", .content_type = "text/plain; charset=utf-8"});
  }
};

}  // namespace

Section EmulatorSection() {
  Section section{"emulator/crdt", Part::kEmulator, {Kind::kModel}, {}};
  for (auto* part : {Cases::All, EmulatorStreamedCases, EmulatorWrongMessageCases}) {
    for (Case& each : part()) {
      each.since = Since::k0_2;  // the older dialect has other messages for all of it
      section.cases.push_back(std::move(each));
    }
  }
  return section;
}

}  // namespace cloudstate::tck::crdts
