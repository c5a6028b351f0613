#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/tck/case.h"
#include "emulator/tck/crdt_model.h"
#include "emulator/tck/emulator_entity_cases.h"

namespace cloudstate::tck::crdts {

// The verbs of the cases about our emulator and a user function that has CRDTs.
class EmulatorCrdtCases : protected EmulatorEntityCases<Kind> {
 protected:
  static constexpr std::int64_t kNoSuchCommand = 77;
  static constexpr char kTerminating[] = "Entity terminating";

  // ---- what clients do

  // Opens a call that takes a stream of states.
  static WireStream& Watch(Driver& d, const std::string& id, const StreamedCall& call = {}) {
    WireStream& stream = d.client().Open(absl::StrCat("/", Kind::kModel, "/ProcessStreamed"));
    stream.Send(StreamedRequest(id, call));
    stream.HalfClose();
    return stream;
  }
  // Asks, and does not wait for the answer.
  static WireStream& Send(Driver& d, const std::string& id, const Actions& actions) {
    WireStream& stream = d.client().Open(Process());
    stream.Send(Request<Kind>(id, actions));
    stream.HalfClose();
    return stream;
  }
  // Has the emulator start the entity anew, for a reply that answers nothing. Its next command is number `number`.
  static void Reset(Driver& d, std::size_t call, std::int64_t number, const std::string& id) {
    d.Replace(Answer().To(kNoSuchCommand));
    AskToFail(d, id, {}, kTerminating);
    d.ExpectOnWire(
        {Commanded(call, number, id), Answered(call, kNoSuchCommand, Answer()), Cancelled(call), Ended(call)});
    d.ExpectReport(absl::StrCat("there was a reply for command ", kNoSuchCommand, ", which is not outstanding"));
  }
  static void ExpectState(WireStream& stream, const Kind::State& state) { stream.Expect(Kind::Respond(state)); }

  // ---- what passes

  static ExpectedPass OpenedWith(std::size_t call, const std::string& id, const Delta& delta) {
    return ToUserFunction(call, InitWithDelta(id, delta));
  }
  static ExpectedPass CommandedToStream(std::size_t call, std::int64_t number, const std::string& id,
                                        const StreamedCall& asked = {}) {
    return ToUserFunction(call, StreamedCommand(number, StreamedRequest(id, asked)));
  }
  static ExpectedPass ToldOfCancellation(std::size_t call, std::int64_t number, const std::string& id) {
    return ToUserFunction(call, Cancellation(id, number));
  }
  static ExpectedPass Told(std::size_t call, const Delta& delta) {
    return ToUserFunction(call, DeltaFromElsewhere(delta));
  }
  static ExpectedPass Said(std::size_t call, const Kind::Out& message) { return ToProxy(call, message); }
};

// Streamed calls, and what a user function may get wrong.
std::vector<Case> EmulatorStreamedCases();
std::vector<Case> EmulatorWrongMessageCases();

}  // namespace cloudstate::tck::crdts
