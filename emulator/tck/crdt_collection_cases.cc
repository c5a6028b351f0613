// What a user function must do with CRDTs that have elements: sets and maps.

#include <string>
#include <utility>
#include <vector>

#include "emulator/tck/crdt_cases.h"
#include "emulator/tck/crdt_samples.h"

namespace cloudstate::tck::crdts {
namespace {

Sample GSetSample() {
  return {
      .type = "GSet",
      .initial = gset::State({}),
      .own = gset::Add("b"),
      .own_delta = gset::Changed({"b"}),
      .own_state = gset::State({"b"}),
      .whole = gset::Changed({"a"}),
      .whole_state = gset::State({"a"}),
      .change = gset::Changed({"d", "c"}),
      .changed_state = gset::State({"a", "c", "d"}),
      .whole_own_state = gset::State({"a", "b"}),
      .late_change = gset::Changed({"c"}),
      .last_state = gset::State({"a", "b", "c"}),
  };
}

std::vector<Case> GSetCases() {
  return {
      {"gset/adds", "What a command adds is one delta, without what was there already.",
       [](Driver& d) {
         Entity(d, InitWithDelta("GSet-1", gset::Changed({"b"})))
             .Ask({gset::Add("c"), gset::Add("b"), gset::Add("a"), gset::Add("c")},
                  Answer().Updates(gset::Changed({"a", "c"})).Reply(gset::State({"a", "b", "c"})))
             .Ask({gset::Add("a")}, Answer().Reply(gset::State({"a", "b", "c"})));
       }},
  };
}

Sample ORSetSample() {
  return {
      .type = "ORSet",
      .initial = orset::State({}),
      .own = orset::Add("b"),
      .own_delta = orset::Changed({.added = {"b"}}),
      .own_state = orset::State({"b"}),
      .whole = orset::Changed({.added = {"a", "x"}}),
      .whole_state = orset::State({"a", "x"}),
      .change = orset::Changed({.removed = {"x"}, .added = {"c"}}),
      .changed_state = orset::State({"a", "c"}),
      .whole_own_state = orset::State({"a", "b", "x"}),
      .late_change = orset::Changed({.removed = {"b"}}),
      .last_state = orset::State({"a", "x"}),
  };
}

// A case about a set that has a and b.
Case ORSetCase(std::string id, std::string title, const Entity::Actions& actions, const orset::Change& change,
               const Strings& elements) {
  return {"orset/" + std::move(id), std::move(title), [actions, change, elements](Driver& d) {
            Answer answer;
            if (change.cleared || !change.removed.empty() || !change.added.empty()) {
              answer.Updates(orset::Changed(change));
            }
            Entity(d, InitWithDelta("ORSet-1", orset::Changed({.added = {"a", "b"}})))
                .Ask(actions, answer.Reply(orset::State(elements)))
                .Ask({}, Answer().Reply(orset::State(elements)));
          }};
}

std::vector<Case> ORSetCases() {
  return {
      ORSetCase("adds", "What a command adds is one delta, without what was there already.",
                {orset::Add("d"), orset::Add("a"), orset::Add("c")}, {.added = {"c", "d"}}, {"a", "b", "c", "d"}),
      ORSetCase("remove", "A removal is sent.", {orset::Remove("a")}, {.removed = {"a"}}, {"b"}),
      ORSetCase("remove-absent", "The removal of what is not there is not.", {orset::Remove("z")}, {}, {"a", "b"}),
      ORSetCase("add-and-remove", "Additions and removals of a command go together.",
                {orset::Remove("a"), orset::Add("c")}, {.removed = {"a"}, .added = {"c"}}, {"b", "c"}),
      ORSetCase("come-and-gone", "What comes and goes within a command is not sent.",
                {orset::Add("c"), orset::Remove("c")}, {}, {"a", "b"}),
      ORSetCase("gone-and-back", "What goes and comes back within a command is not sent.",
                {orset::Remove("a"), orset::Add("a")}, {}, {"a", "b"}),
      ORSetCase("clear", "A set that is emptied is cleared.", {orset::Clear()}, {.cleared = true}, {}),
      ORSetCase("clear-and-add", "What is added after that is added.", {orset::Clear(), orset::Add("a")},
                {.cleared = true, .added = {"a"}}, {"a"}),
      ORSetCase("changes-and-clear", "What happened before a clear does not count.",
                {orset::Remove("a"), orset::Add("c"), orset::Clear(), orset::Add("d")},
                {.cleared = true, .added = {"d"}}, {"d"}),
      {"orset/delta-in-order", "Of what others do, clearing comes first, then removals, then additions.",
       [](Driver& d) {
         Entity(d, InitWithDelta("ORSet-1", orset::Changed({.added = {"a", "b"}})))
             .Tell(orset::Changed({.cleared = true, .added = {"a", "c"}}))
             .Ask({}, Answer().Reply(orset::State({"a", "c"})))
             .Tell(orset::Changed({.removed = {"a"}, .added = {"a", "d"}}))
             .Ask({}, Answer().Reply(orset::State({"a", "c", "d"})));
       }},
      {"orset/cleared-elsewhere", "A set that others have cleared is empty.",
       [](Driver& d) {
         Entity(d, InitWithDelta("ORSet-1", orset::Changed({.added = {"a"}})))
             .Tell(orset::Changed({.cleared = true}))
             .Ask({}, Answer().Reply(orset::State({})))
             .Ask({orset::Add("a")}, Answer().Updates(orset::Changed({.added = {"a"}})).Reply(orset::State({"a"})));
       }},
  };
}

Sample ORMapSample() {
  return {
      .type = "ORMap",
      .initial = ormap::State({}),
      .own = ormap::Update("GCounter-b", gcounter::Update(2)),
      .own_delta = ormap::Changed({.added = {{"GCounter-b", gcounter::Changed(2)}}}),
      .own_state = ormap::State({{"GCounter-b", gcounter::State(2)}}),
      .whole = ormap::Changed({.added = {{"GSet-a", gset::Changed({"x"})}}}),
      .whole_state = ormap::State({{"GSet-a", gset::State({"x"})}}),
      .change =
          ormap::Changed({.updated = {{"GSet-a", gset::Changed({"y"})}}, .added = {{"Flag-c", flag::Changed(true)}}}),
      .changed_state = ormap::State({{"Flag-c", flag::State(true)}, {"GSet-a", gset::State({"x", "y"})}}),
      .whole_own_state = ormap::State({{"GCounter-b", gcounter::State(2)}, {"GSet-a", gset::State({"x"})}}),
      .late_change = ormap::Changed({.removed = {"GSet-a"}, .updated = {{"GCounter-b", gcounter::Changed(5)}}}),
      .last_state = ormap::State({{"GCounter-b", gcounter::State(7)}}),
  };
}

// The map of the cases below, and what is in it.
Delta WholeMap() {
  return ormap::Changed(
      {.added = {{"GCounter-a", gcounter::Changed(3)}, {"ORSet-b", orset::Changed({.added = {"x"}})}}});
}
std::pair<std::string, messages::State> CounterEntry() { return {"GCounter-a", gcounter::State(3)}; }
std::pair<std::string, messages::State> SetEntry() { return {"ORSet-b", orset::State({"x"})}; }

Case ORMapCase(std::string id, std::string title, const Entity::Actions& actions, const ormap::Change& change,
               const std::vector<std::pair<std::string, messages::State>>& entries) {
  return {"ormap/" + std::move(id), std::move(title), [actions, change, entries](Driver& d) {
            Entity(d, InitWithDelta("ORMap-1", WholeMap()))
                .Ask(actions, Answer().Updates(ormap::Changed(change)).Reply(ormap::State(entries)))
                .Ask({}, Answer().Reply(ormap::State(entries)));
          }};
}

std::vector<Case> ORMapCases() {
  return {
      ORMapCase("add", "A new entry is added with the value that its type begins with.", {ormap::Add("PNCounter-c")},
                {.added = {{"PNCounter-c", pncounter::Changed(0)}}},
                {CounterEntry(), SetEntry(), {"PNCounter-c", pncounter::State(0)}}),
      ORMapCase("update-of-entry", "A change of an entry is sent as that, without the entries that have not changed.",
                {ormap::Update("GCounter-a", gcounter::Update(2)), ormap::Update("GCounter-a", gcounter::Update(4))},
                {.updated = {{"GCounter-a", gcounter::Changed(6)}}}, {{"GCounter-a", gcounter::State(9)}, SetEntry()}),
      ORMapCase(
          "updates", "Changes of several entries go together.",
          {ormap::Update("GCounter-a", gcounter::Update(2)), ormap::Update("ORSet-b", orset::Remove("x")),
           ormap::Update("Vote-c", vote::Update(true))},
          {.updated = {{"GCounter-a", gcounter::Changed(2)}, {"ORSet-b", orset::Changed({.removed = {"x"}})}},
           .added = {{"Vote-c", vote::Changed(true)}}},
          {{"GCounter-a", gcounter::State(5)}, {"ORSet-b", orset::State({})}, {"Vote-c", vote::State(true, 1, 1)}}),
      ORMapCase("remove", "An entry's removal is sent.", {ormap::Remove("ORSet-b")}, {.removed = {"ORSet-b"}},
                {CounterEntry()}),
      ORMapCase("remove-and-add", "An entry that is removed and added again is new.",
                {ormap::Remove("GCounter-a"), ormap::Update("GCounter-a", gcounter::Update(1))},
                {.removed = {"GCounter-a"}, .added = {{"GCounter-a", gcounter::Changed(1)}}},
                {{"GCounter-a", gcounter::State(1)}, SetEntry()}),
      ORMapCase("clear", "A map that is emptied is cleared.", {ormap::Clear()}, {.cleared = true}, {}),
      ORMapCase("clear-and-add", "What is added after that is added.",
                {ormap::Clear(), ormap::Update("GCounter-a", gcounter::Update(1))},
                {.cleared = true, .added = {{"GCounter-a", gcounter::Changed(1)}}},
                {{"GCounter-a", gcounter::State(1)}}),
      {"ormap/nested", "A map in a map sends its changes within its entry.",
       [](Driver& d) {
         const auto inner = [](const ormap::Change& change) { return ormap::Changed(change); };
         Entity(d, "ORMap-1")
             .Ask({ormap::Update("ORMap-m", ormap::Update("GSet-s", gset::Add("x")))},
                  Answer()
                      .Updates(inner({.added = {{"ORMap-m", inner({.added = {{"GSet-s", gset::Changed({"x"})}}})}}}))
                      .Reply(ormap::State({{"ORMap-m", ormap::State({{"GSet-s", gset::State({"x"})}})}})))
             .Ask(
                 {ormap::Update("ORMap-m", ormap::Update("GSet-s", gset::Add("y")))},
                 Answer()
                     .Updates(inner({.updated = {{"ORMap-m", inner({.updated = {{"GSet-s", gset::Changed({"y"})}}})}}}))
                     .Reply(ormap::State({{"ORMap-m", ormap::State({{"GSet-s", gset::State({"x", "y"})}})}})));
       }},
      {"ormap/delta-in-order", "Of what others do, clearing comes first, then removals, updates and additions.",
       [](Driver& d) {
         Entity(d, InitWithDelta("ORMap-1", WholeMap()))
             .Tell(ormap::Changed({.removed = {"GCounter-a"}, .added = {{"GCounter-a", gcounter::Changed(10)}}}))
             .Ask({}, Answer().Reply(ormap::State({{"GCounter-a", gcounter::State(10)}, SetEntry()})))
             .Tell(ormap::Changed({.cleared = true, .added = {{"Flag-c", flag::Changed(false)}}}))
             .Ask({}, Answer().Reply(ormap::State({{"Flag-c", flag::State(false)}})));
       }},
  };
}

}  // namespace

std::vector<Case> CollectionCases() {
  std::vector<Case> cases;
  AddCases(GSetSample(), GSetCases(), cases);
  AddCases(ORSetSample(), ORSetCases(), cases);
  AddCases(ORMapSample(), ORMapCases(), cases);
  return cases;
}

}  // namespace cloudstate::tck::crdts
