// What a user function must do with CRDTs that have one value: counters, registers, flags and votes.

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "emulator/tck/crdt_cases.h"
#include "emulator/tck/crdt_samples.h"

namespace cloudstate::tck::crdts {
namespace {

constexpr char k64BitsHint[] = "Counters have 64 bits on the wire; a double has 53.";
constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();

Sample GCounterSample() {
  return {
      .type = "GCounter",
      .initial = gcounter::State(0),
      .own = gcounter::Update(2),
      .own_delta = gcounter::Changed(2),
      .own_state = gcounter::State(2),
      .whole = gcounter::Changed(5),
      .whole_state = gcounter::State(5),
      .change = gcounter::Changed(3),
      .changed_state = gcounter::State(8),
      .whole_own_state = gcounter::State(7),
      .late_change = gcounter::Changed(4),
      .last_state = gcounter::State(11),
  };
}

std::vector<Case> GCounterCases() {
  return {
      {"gcounter/increments", "The increments of a command are one delta, those of the next another one.",
       [](Driver& d) {
         Entity(d, "GCounter-1")
             .Ask({gcounter::Update(1), gcounter::Update(2)},
                  Answer().Updates(gcounter::Changed(3)).Reply(gcounter::State(3)))
             .Ask({gcounter::Update(4)}, Answer().Updates(gcounter::Changed(4)).Reply(gcounter::State(7)));
       },
       "A delta says what has changed since the last one, not what the value is."},
      {"gcounter/64-bits", "Nothing is lost up to 64 bits.",
       [](Driver& d) {
         Entity(d, InitWithDelta("GCounter-1", gcounter::Changed(kLargest - 2)))
             .Ask({gcounter::Update(1)}, Answer().Updates(gcounter::Changed(1)).Reply(gcounter::State(kLargest - 1)));
       },
       k64BitsHint},
  };
}

Sample PNCounterSample() {
  return {
      .type = "PNCounter",
      .initial = pncounter::State(0),
      .own = pncounter::Update(-2),
      .own_delta = pncounter::Changed(-2),
      .own_state = pncounter::State(-2),
      .whole = pncounter::Changed(5),
      .whole_state = pncounter::State(5),
      .change = pncounter::Changed(-7),
      .changed_state = pncounter::State(-2),
      .whole_own_state = pncounter::State(3),
      .late_change = pncounter::Changed(-4),
      .last_state = pncounter::State(-1),
  };
}

std::vector<Case> PNCounterCases() {
  return {
      {"pncounter/ups-and-downs", "The changes of a command are one delta with their sum.",
       [](Driver& d) {
         Entity(d, "PNCounter-1")
             .Ask({pncounter::Update(3), pncounter::Update(-7), pncounter::Update(1)},
                  Answer().Updates(pncounter::Changed(-3)).Reply(pncounter::State(-3)))
             .Ask({pncounter::Update(5)}, Answer().Updates(pncounter::Changed(5)).Reply(pncounter::State(2)));
       }},
      {"pncounter/no-sum", "Changes that come to nothing are not sent.",
       [](Driver& d) {
         Entity(d, "PNCounter-1")
             .Ask({pncounter::Update(3), pncounter::Update(-3)}, Answer().Reply(pncounter::State(0)));
       }},
      {"pncounter/64-bits", "Nothing is lost in 64 bits, of either sign.",
       [](Driver& d) {
         Entity(d, InitWithDelta("PNCounter-1", pncounter::Changed(kSmallest + 2)))
             .Ask({pncounter::Update(-1)},
                  Answer().Updates(pncounter::Changed(-1)).Reply(pncounter::State(kSmallest + 1)));
       },
       k64BitsHint},
  };
}

Sample RegisterSample() {
  return {
      .type = "LWWRegister",
      .initial = lww::State(""),
      .first = lww::Changed(""),
      .own = lww::Update("own"),
      .own_delta = lww::Changed("own"),
      .own_state = lww::State("own"),
      .whole = lww::Changed("whole"),
      .whole_state = lww::State("whole"),
      .change = lww::Changed("change"),
      .changed_state = lww::State("change"),
      .whole_own_state = lww::State("own"),
      .late_change = lww::Changed("late"),
      .last_state = lww::State("late"),
  };
}

// A case about a register that is there already.
Case RegisterCase(std::string id, std::string title, const messages::Update& update, const Delta& delta,
                  const std::string& hint = "") {
  return {"lwwregister/" + std::move(id), std::move(title),
          [update, delta](Driver& d) {
            Entity(d, InitWithDelta("LWWRegister-1", lww::Changed("whole")))
                .Ask({update}, Answer().Updates(delta).Reply(lww::State(update.lwwregister().value())));
          },
          hint};
}

std::vector<Case> RegisterCases() {
  const char* clock = "The proxy merges writes by their clock: both its type and its value are its business.";
  return {
      {"lwwregister/last-of-a-command", "Of several writes in a command the last one is sent.",
       [](Driver& d) {
         Entity(d, InitWithDelta("LWWRegister-1", lww::Changed("whole")))
             .Ask({lww::Update("a", messages::REVERSE), lww::Update("b", messages::CUSTOM, 7)},
                  Answer().Updates(lww::Changed("b", crdt::CUSTOM, 7)).Reply(lww::State("b")));
       }},
      RegisterCase("same-value", "A write of the same value is a write.", lww::Update("whole"), lww::Changed("whole")),
      RegisterCase("clock-reverse", "The reverse clock is passed on.", lww::Update("a", messages::REVERSE),
                   lww::Changed("a", crdt::REVERSE), clock),
      RegisterCase("clock-custom", "A custom clock is passed on with its value.",
                   lww::Update("a", messages::CUSTOM, 1'234'567'890'123),
                   lww::Changed("a", crdt::CUSTOM, 1'234'567'890'123), clock),
      RegisterCase("clock-custom-auto-increment", "So is one that increments itself.",
                   lww::Update("a", messages::CUSTOM_AUTO_INCREMENT, -5),
                   lww::Changed("a", crdt::CUSTOM_AUTO_INCREMENT, -5), clock),
      {"lwwregister/clock-ends-with-its-write", "The next write has the default clock again.",
       [](Driver& d) {
         Entity(d, InitWithDelta("LWWRegister-1", lww::Changed("whole")))
             .Ask({lww::Update("a", messages::CUSTOM, 7)},
                  Answer().Updates(lww::Changed("a", crdt::CUSTOM, 7)).Reply(lww::State("a")))
             .Ask({lww::Update("b")}, Answer().Updates(lww::Changed("b")).Reply(lww::State("b")));
       }},
  };
}

Sample FlagSample() {
  return {
      .type = "Flag",
      .initial = flag::State(false),
      .own = flag::Enable(),
      .own_delta = flag::Changed(true),
      .own_state = flag::State(true),
      .whole = flag::Changed(false),
      .whole_state = flag::State(false),
      .change = flag::Changed(true),
      .changed_state = flag::State(true),
      .whole_own_state = flag::State(true),
      .late_change = flag::Changed(true),
      .last_state = flag::State(true),
  };
}

std::vector<Case> FlagCases() {
  return {
      {"flag/enabled-twice", "A flag that is on already is not switched on again.",
       [](Driver& d) {
         Entity(d, InitWithDelta("Flag-1", flag::Changed(true)))
             .Ask({flag::Enable()}, Answer().Reply(flag::State(true)));
       }},
  };
}

Sample VoteSample() {
  return {
      .type = "Vote",
      .initial = vote::State(false, 0, 1),
      .own = vote::Update(true),
      .own_delta = vote::Changed(true),
      .own_state = vote::State(true, 1, 1),
      .whole = vote::Changed(false, 1, 3),
      .whole_state = vote::State(false, 1, 3),
      .change = vote::Changed(false, 2, 4),
      .changed_state = vote::State(false, 2, 4),
      .whole_own_state = vote::State(true, 2, 3),
      .late_change = vote::Changed(true, 3, 5),
      .last_state = vote::State(true, 3, 5),
  };
}

std::vector<Case> VoteCases() {
  return {
      {"vote/taken-back", "A vote that is taken back is sent, and counted no longer.",
       [](Driver& d) {
         Entity(d, InitWithDelta("Vote-1", vote::Changed(true, 2, 3)))
             .Ask({}, Answer().Reply(vote::State(true, 2, 3)))
             .Ask({vote::Update(false)}, Answer().Updates(vote::Changed(false)).Reply(vote::State(false, 1, 3)));
       }},
      {"vote/same-again", "A vote that is what it was is not sent.",
       [](Driver& d) {
         Entity(d, InitWithDelta("Vote-1", vote::Changed(true, 2, 3)))
             .Ask({vote::Update(true)}, Answer().Reply(vote::State(true, 2, 3)));
       }},
      {"vote/there-and-back", "A vote that changes within a command, and back, is not sent.",
       [](Driver& d) {
         Entity(d, "Vote-1").Ask({vote::Update(true), vote::Update(false)}, Answer().Reply(vote::State(false, 0, 1)));
       }},
  };
}

}  // namespace

std::vector<Case> SimpleTypeCases() {
  std::vector<Case> cases;
  AddCases(GCounterSample(), GCounterCases(), cases);
  AddCases(PNCounterSample(), PNCounterCases(), cases);
  AddCases(RegisterSample(), RegisterCases(), cases);
  AddCases(FlagSample(), FlagCases(), cases);
  AddCases(VoteSample(), VoteCases(), cases);
  return cases;
}

}  // namespace cloudstate::tck::crdts
