// What a user function must do with a CRDT entity's stream.

#include "emulator/tck/crdt_cases.h"

#include <string>
#include <utility>
#include <vector>

#include "emulator/tck/common_expectations.h"

namespace cloudstate::tck::crdts {
namespace {

constexpr char kName[] = "GCounter-1";

Kind::In CounterWith(std::uint64_t value) { return InitWithDelta(kName, gcounter::Changed(value)); }

std::vector<Case> LifeCases() {
  return {
      {"rehydration", "An entity that was passivated comes back on a new stream.",
       [](Driver& d) {
         Entity first(d, kName);
         first.Ask({gcounter::Update(2)}, Answer().Updates(gcounter::Changed(2)).Reply(gcounter::State(2)));
         first.Leave();
         Entity(d, CounterWith(2)).Ask({}, Answer().Reply(gcounter::State(2)));
       }},
      {"half-close", "The user function ends the stream when the proxy half-closes it.",
       [](Driver& d) { Entity(d, kName).Ask({}, Answer().Reply(gcounter::State(0))).End(); }, kHalfCloseHint},
      {"several-outstanding", "Commands that come together are all answered.",
       [](Driver& d) {
         Entity entity(d, CounterWith(5));
         const std::int64_t one = entity.Send({FailWith("one")});
         const std::int64_t two = entity.Send({});
         const std::int64_t three = entity.Send({EffectOn("x")});
         entity.ExpectAll({Answer().Fail("one").To(one), Answer().Reply(gcounter::State(5)).To(two),
                           Answer().Effect("x").Reply(gcounter::State(5)).To(three)});
       },
       "Unlike those of other entities, commands of a CRDT do not wait for each other."},
  };
}

Case ConsistencyCase(std::string id, std::string title, messages::UpdateWriteConsistency asked,
                     crdt::CrdtWriteConsistency expected) {
  return {std::move(id), std::move(title),
          [asked, expected](Driver& d) {
            Entity(d, kName).Ask({At(asked, gcounter::Update(1))},
                                 Answer().Updates(gcounter::Changed(1), expected).Reply(gcounter::State(1)));
          },
          "CrdtStateAction.write_consistency says how many nodes the proxy waits for."};
}

std::vector<Case> ConsistencyCases() {
  return {
      ConsistencyCase("consistency-local", "An update is local when asked for.", messages::LOCAL, crdt::LOCAL),
      ConsistencyCase("consistency-majority", "It is to reach a majority of the nodes when asked for.",
                      messages::MAJORITY, crdt::MAJORITY),
      ConsistencyCase("consistency-all", "It is to reach all nodes when asked for.", messages::ALL, crdt::ALL),
      {"consistency-ends-with-its-command", "The next update is local again.",
       [](Driver& d) {
         Entity(d, kName)
             .Ask({At(messages::ALL, gcounter::Update(1))},
                  Answer().Updates(gcounter::Changed(1), crdt::ALL).Reply(gcounter::State(1)))
             .Ask({gcounter::Update(1)}, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(2)));
       }},
  };
}

std::vector<Case> DeletionCases() {
  return {
      {"delete", "A deletion is sent, with a reply of the state as it was.",
       [](Driver& d) { Entity(d, CounterWith(5)).Ask({Delete()}, Answer().Deletes().Reply(gcounter::State(5))); }},
      {"delete-new", "An entity that nobody has changed can be deleted.",
       [](Driver& d) { Entity(d, kName).Ask({Delete()}, Answer().Deletes().Reply(gcounter::State(0))); }},
      {"delete-and-end", "The proxy closes the stream after a deletion, and the user function ends it.",
       [](Driver& d) { Entity(d, CounterWith(5)).Ask({Delete()}, Answer().Deletes().Reply(gcounter::State(5))).End(); },
       kHalfCloseHint},
      {"deleted-elsewhere", "The entity that others have deleted says nothing, and its stream can be closed.",
       [](Driver& d) {
         Entity entity(d, CounterWith(5));
         entity.Ask({}, Answer().Reply(gcounter::State(5))).TellOfDeletion().ExpectSilence();
         entity.End();
       }},
      {"delete-of-two", "CrdtTwo deletes as well.",
       [](Driver& d) { Entity(d, Kind::Init(Kind::kTwo, "two")).Ask({Delete()}, Answer().Deletes().ReplyNothing()); },
       "", Kind::kTwo},
  };
}

std::vector<Case> ForwardAndEffectCases() {
  return {
      {"forward-with-update", "An update goes with a forward.",
       [](Driver& d) {
         Entity(d, kName)
             .Ask({gcounter::Update(1), ForwardTo("x")}, Answer().Updates(gcounter::Changed(1)).Forward("x"))
             .Ask({}, Answer().Reply(gcounter::State(1)));
       }},
      {"forward-with-delete", "A deletion goes with a forward.",
       [](Driver& d) {
         Entity(d, CounterWith(5)).Ask({ForwardTo("x"), Delete()}, Answer().Deletes().Forward("x"));
       }},
      {"effects-with-update", "Side effects and an update go together.",
       [](Driver& d) {
         Entity(d, kName).Ask({EffectOn("x"), gcounter::Update(1), EffectOn("y")},
                              Answer().Updates(gcounter::Changed(1)).Effect("x").Effect("y").Reply(gcounter::State(1)));
       }},
      {"effects-with-delete", "Side effects and a deletion go together.",
       [](Driver& d) {
         Entity(d, CounterWith(5))
             .Ask({Delete(), EffectOn("x")}, Answer().Deletes().Effect("x").Reply(gcounter::State(5)));
       }},
  };
}

std::vector<Case> FailureCases() {
  return {
      {"failure-keeps-stream", "The stream goes on after a failure, and the state is what it was.",
       [](Driver& d) {
         Entity(d, CounterWith(5))
             .AskToFail({FailWith("no")}, "no")
             .Ask({gcounter::Update(1)}, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(6)));
       }},
      {"failure-drops-update", "A failure after an update changes nothing, then or later.",
       [](Driver& d) {
         Entity(d, CounterWith(5))
             .AskToFail({gcounter::Update(2), FailWith("no")}, "no")
             .Ask({gcounter::Update(1)}, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(6)));
       },
       "What a failing command has changed must not be a part of the next delta."},
      {"failure-drops-delete", "A failure after a deletion deletes nothing.",
       [](Driver& d) {
         Entity(d, CounterWith(5))
             .AskToFail({Delete(), FailWith("no")}, "no")
             .Ask({}, Answer().Reply(gcounter::State(5)));
       }},
      {"failure-after-effects-and-update", "A failure drops all of it.",
       [](Driver& d) {
         Entity(d, CounterWith(5))
             .AskToFail({EffectOn("x"), gcounter::Update(2), ForwardTo("y"), FailWith("no")}, "no")
             .Ask({}, Answer().Reply(gcounter::State(5)));
       }},
  };
}

}  // namespace

Section DirectSection() {
  Section section{"crdt", Part::kDirect, {Kind::kModel}, {}};
  for (auto* part : {SimpleTypeCases, CollectionCases, CommonStateCases<Kind>, LifeCases, ConsistencyCases,
                     DeletionCases, CommonForwardAndEffectCases<Kind>, ForwardAndEffectCases, CommonFailureCases<Kind>,
                     FailureCases, StreamedCases, OtherServiceCases<Kind>}) {
    for (Case& each : part()) {
      each.since = Since::k0_2;  // the older dialect has other messages for all of it
      section.cases.push_back(std::move(each));
    }
  }
  return section;
}

}  // namespace cloudstate::tck::crdts
