// What our emulator must do when two of its nodes have the same CRDT. Calls go to the nodes in turn, so that each case
// is a dialogue: whoever is asked first has stream 0.

#include <string>
#include <utility>
#include <vector>

#include "emulator/tck/emulator_crdt_cases.h"

namespace cloudstate::tck::crdts {
namespace {

// `change`, made on both nodes when it is answered.
messages::Update OnAll(const messages::Update& change) { return At(messages::ALL, change); }

class NodesCases : EmulatorCrdtCases {
 public:
  static Section All() {
    Section section{"emulator/crdt-nodes", Part::kTwoNodes, {Kind::kModel}, {}};
    section.cases = {
        {"replicated", "What one node changes is told to the other one's user function, and not to its own.",
         Replicated},
        {"held-back", "What others change waits while a command is outstanding.", HeldBack},
        {"held-back-together", "What has waited is told as one difference.", HeldBackTogether},
        {"streamed", "A client of one node sees what another one changes.", StreamedElsewhere},
        {"votes", "Each node has a vote.", VotesOfNodes},
        {"delete", "What one node deletes is deleted on the other one, whose open calls end well.", DeletedElsewhere},
    };
    for (Case& each : section.cases) each.since = Since::k0_2;
    return section;
  }

 private:
  // Two nodes that have a counter of 1, on streams 0 and 1. The next command is number 2 of stream 0.
  static void OpenOnBoth(Driver& d, const std::string& id) {
    Ask(d, id, {OnAll(gcounter::Update(1))}, gcounter::State(1));
    Ask(d, id, {}, gcounter::State(1));
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {OnAll(gcounter::Update(1))}),
                    Answered(0, 1, Answer().Updates(gcounter::Changed(1), crdt::ALL).Reply(gcounter::State(1))),
                    OpenedWith(1, id, gcounter::Changed(1)), Commanded(1, 1, id),
                    Answered(1, 1, Answer().Reply(gcounter::State(1)))});
  }

  static ExpectedPass AnsweredOnAll(std::size_t call, std::int64_t number, std::uint64_t added, std::uint64_t value) {
    return Answered(call, number, Answer().Updates(gcounter::Changed(added), crdt::ALL).Reply(gcounter::State(value)));
  }

  static void Replicated(Driver& d) {
    const std::string id = "GCounter-replicated";
    OpenOnBoth(d, id);
    Ask(d, id, {OnAll(gcounter::Update(2))}, gcounter::State(3));
    Ask(d, id, {OnAll(gcounter::Update(4))}, gcounter::State(7));
    Ask(d, id, {}, gcounter::State(7));
    d.ExpectOnWire({Commanded(0, 2, id, {OnAll(gcounter::Update(2))}), AnsweredOnAll(0, 2, 2, 3),
                    Told(1, gcounter::Changed(2)), Commanded(1, 2, id, {OnAll(gcounter::Update(4))}),
                    AnsweredOnAll(1, 2, 4, 7), Told(0, gcounter::Changed(4)), Commanded(0, 3, id),
                    Answered(0, 3, Answer().Reply(gcounter::State(7)))});
  }

  static void HeldBack(Driver& d) {
    const std::string id = "GCounter-held-back";
    OpenOnBoth(d, id);
    d.HoldAnswers(0);
    WireStream& waiting = Send(d, id, {gcounter::Update(2)});
    d.ExpectOnWire({Commanded(0, 2, id, {gcounter::Update(2)})});
    Ask(d, id, {OnAll(gcounter::Update(4))}, gcounter::State(5));
    d.ExpectOnWire({Commanded(1, 2, id, {OnAll(gcounter::Update(4))}), AnsweredOnAll(1, 2, 4, 5)});
    d.ExpectQuietOnWire();
    d.ReleaseAnswers();
    ExpectState(waiting, gcounter::State(3));
    waiting.ExpectEnd();
    d.ExpectOnWire({Answered(0, 2, Answer().Updates(gcounter::Changed(2)).Reply(gcounter::State(3)))});
    d.ExpectOnWireInAnyOrder({Told(0, gcounter::Changed(4)), Told(1, gcounter::Changed(2))});
  }

  static void HeldBackTogether(Driver& d) {
    const std::string id = "GCounter-held-back-together";
    OpenOnBoth(d, id);
    d.HoldAnswers(0);
    WireStream& one = Send(d, id, {});
    d.ExpectOnWire({Commanded(0, 2, id)});
    Ask(d, id, {OnAll(gcounter::Update(4))}, gcounter::State(5));
    d.ExpectOnWire({Commanded(1, 2, id, {OnAll(gcounter::Update(4))}), AnsweredOnAll(1, 2, 4, 5)});
    WireStream& other = Send(d, id, {});
    d.ExpectOnWire({Commanded(0, 3, id)});
    Ask(d, id, {OnAll(gcounter::Update(8))}, gcounter::State(13));
    d.ExpectOnWire({Commanded(1, 3, id, {OnAll(gcounter::Update(8))}), AnsweredOnAll(1, 3, 8, 13)});
    d.ExpectQuietOnWire();
    d.ReleaseAnswers();
    ExpectState(one, gcounter::State(1));
    ExpectState(other, gcounter::State(1));
    one.ExpectEnd();
    other.ExpectEnd();
    d.ExpectOnWire({Answered(0, 2, Answer().Reply(gcounter::State(1))),
                    Answered(0, 3, Answer().Reply(gcounter::State(1))), Told(0, gcounter::Changed(12))});
  }

  static void StreamedElsewhere(Driver& d) {
    const std::string id = "GCounter-streamed";
    OpenOnBoth(d, id);
    const StreamedCall call = {.until = gcounter::State(3)};
    WireStream& watch = Watch(d, id, call);
    ExpectState(watch, gcounter::State(1));
    Ask(d, id, {OnAll(gcounter::Update(2))}, gcounter::State(3));
    ExpectState(watch, gcounter::State(3));
    watch.ExpectEnd();
    d.ExpectOnWire({CommandedToStream(0, 2, id, call), Answered(0, 2, Answer().Streams().Reply(gcounter::State(1))),
                    Commanded(1, 2, id, {OnAll(gcounter::Update(2))}), AnsweredOnAll(1, 2, 2, 3),
                    Told(0, gcounter::Changed(2)), Said(0, Streamed(2, gcounter::State(3), {}, Stream::kEnds))});
  }

  static void VotesOfNodes(Driver& d) {
    const std::string id = "Vote-of-nodes";
    const Actions for_it = {OnAll(vote::Update(true))};
    Ask(d, id, for_it, vote::State(true, 1, 1));
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, for_it),
                    Answered(0, 1, Answer().Updates(vote::Changed(true), crdt::ALL).Reply(vote::State(true, 1, 1))),
                    Told(0, vote::Changed(true, 1, 2))});
    Ask(d, id, for_it, vote::State(true, 2, 2));
    d.ExpectOnWire({OpenedWith(1, id, vote::Changed(false, 1, 2)), Commanded(1, 1, id, for_it),
                    Answered(1, 1, Answer().Updates(vote::Changed(true), crdt::ALL).Reply(vote::State(true, 2, 2))),
                    Told(0, vote::Changed(true, 2, 2))});
  }

  static void DeletedElsewhere(Driver& d) {
    const std::string id = "GCounter-deleted";
    OpenOnBoth(d, id);
    WireStream& watch = Watch(d, id);
    ExpectState(watch, gcounter::State(1));
    d.ExpectOnWire({CommandedToStream(0, 2, id), Answered(0, 2, Answer().Streams().Reply(gcounter::State(1)))});
    Ask(d, id, {Delete()}, gcounter::State(1));
    watch.ExpectEnd();
    AskToFail(d, id, {}, "Entity deleted");
    AskToFail(d, id, {}, "Entity deleted");
    d.IgnoreRestOnWire();  // the two streams end in any order
  }
};

}  // namespace

Section NodesSection() { return NodesCases::All(); }

}  // namespace cloudstate::tck::crdts
