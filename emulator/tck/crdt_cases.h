#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/crdt_model.h"
#include "emulator/tck/entity_cases.h"

namespace cloudstate::tck::crdts {

// One CRDT entity's stream, as one node of a proxy has it.
class Entity : public EntityStream<Kind> {
 public:
  using Actions = tck::Actions<Kind>;

  Entity(Driver& driver, const std::string& id) : Entity(driver, Kind::Init(Kind::kModel, id)) {}
  Entity(Driver& driver, const Kind::In& init) : EntityStream(driver, init) {}

  Entity& Ask(const Actions& actions, const EntityAnswer<Kind>& expected) {
    EntityStream::Ask(actions, expected);
    return *this;
  }
  Entity& AskToFail(const Actions& actions, const std::string& text) {
    EntityStream::AskToFail(actions, text);
    return *this;
  }
  // What others do.
  Entity& Tell(const Delta& delta) {
    stream().Send(DeltaFromElsewhere(delta));
    return *this;
  }
  Entity& TellOfDeletion() {
    stream().Send(DeletionFromElsewhere());
    return *this;
  }

  // Sends a command, and waits for nothing; returns its number.
  std::int64_t Send(const Actions& actions) {
    const std::int64_t number = TakeNumber();
    stream().Send(Command<Kind>(number, "Process", Request<Kind>(id(), actions)));
    return number;
  }
  // The same with a command of which the client takes a stream; its messages have this number.
  std::int64_t SendStreamed(const StreamedCall& call) {
    const std::int64_t number = TakeNumber();
    stream().Send(StreamedCommand(number, StreamedRequest(id(), call)));
    return number;
  }
  std::int64_t Watch(const StreamedCall& call, const EntityAnswer<Kind>& expected) {
    const std::int64_t number = SendStreamed(call);
    stream().Expect(expected.To(number));
    return number;
  }
  // Says that the client of the command has gone.
  Entity& Cancel(std::int64_t number) {
    stream().Send(Cancellation(id(), number));
    return *this;
  }
  Entity& Expect(const Kind::Out& message) {
    stream().Expect(message);
    return *this;
  }
  // All of these come next. In which order is the user function's affair.
  Entity& ExpectAll(const std::vector<Kind::Out>& expected) {
    stream().ExpectInAnyOrder({expected.begin(), expected.end()});
    return *this;
  }
  Entity& ExpectSilence() {
    stream().ExpectSilence();
    return *this;
  }
};

// What each type of CRDT must do, in two parts: those with one value, and those with elements.
std::vector<Case> SimpleTypeCases();
std::vector<Case> CollectionCases();
// Commands whose client takes a stream of answers.
std::vector<Case> StreamedCases();

}  // namespace cloudstate::tck::crdts
