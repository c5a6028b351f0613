#include "emulator/tck/crdt_samples.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "emulator/tck/crdt_cases.h"

namespace cloudstate::tck::crdts {
namespace {

std::string SampleId(const Sample& sample) { return absl::StrCat(sample.type, "-1"); }

// To a command that reads a new entity.
Answer FirstAnswer(const Sample& sample) {
  Answer answer;
  if (sample.first.has_value()) answer.Updates(*sample.first);
  return answer;
}

}  // namespace

void AddCases(const Sample& sample, std::vector<Case> others, std::vector<Case>& cases) {
  std::vector<Case> common = {
      {"initial", "A new one has the value that its type begins with.",
       [sample](Driver& d) { Entity(d, SampleId(sample)).Ask({}, FirstAnswer(sample).Reply(sample.initial)); }},
      {"update", "An update is sent as a delta, once, and seen in the reply.",
       [sample](Driver& d) {
         Entity(d, SampleId(sample))
             .Ask({sample.own}, Answer().Updates(sample.own_delta).Reply(sample.own_state))
             .Ask({}, Answer().Reply(sample.own_state));
       }},
      {"init-with-delta", "An entity that others have starts from their value.",
       [sample](Driver& d) {
         Entity(d, InitWithDelta(SampleId(sample), sample.whole)).Ask({}, Answer().Reply(sample.whole_state));
       }},
      {"delta-first", "So it is when the value comes after init.",
       [sample](Driver& d) {
         Entity(d, SampleId(sample)).Tell(sample.whole).Ask({}, Answer().Reply(sample.whole_state));
       }},
      {"delta", "What others change is seen by the next command.",
       [sample](Driver& d) {
         Entity(d, InitWithDelta(SampleId(sample), sample.whole))
             .Ask({}, Answer().Reply(sample.whole_state))
             .Tell(sample.change)
             .Ask({}, Answer().Reply(sample.changed_state));
       }},
      {"own-and-others", "Own changes and those of others come together; only the own ones are sent.",
       [sample](Driver& d) {
         Entity(d, InitWithDelta(SampleId(sample), sample.whole))
             .Ask({sample.own}, Answer().Updates(sample.own_delta).Reply(sample.whole_own_state))
             .Tell(sample.late_change)
             .Ask({}, Answer().Reply(sample.last_state));
       },
       "What init and deltas bring is known to the proxy: sending it back would count it twice."},
      {"failure", "What a failing command has changed is undone, and never sent.",
       [sample](Driver& d) {
         Entity(d, SampleId(sample))
             .AskToFail({sample.own, FailWith("no")}, "no")
             .Ask({}, FirstAnswer(sample).Reply(sample.initial));
       }},
  };
  for (Case& each : common) each.id = absl::StrCat(absl::AsciiStrToLower(sample.type), "/", each.id);
  for (std::vector<Case>* part : {&common, &others}) {
    for (Case& each : *part) cases.push_back(std::move(each));
  }
}

}  // namespace cloudstate::tck::crdts
