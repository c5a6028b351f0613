#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cloudstate/crdt.pb.h"
#include "cloudstate/tck/model/crdt.pb.h"
#include "emulator/tck/entity_model.h"

// The messages that make the model's CRDT entities do something, and those that they must answer with. For each type of
// CRDT there is what a command asks for (messages::Update), what changes on the wire (crdt::CrdtDelta), and the state
// that replies have.
namespace cloudstate::tck::crdts {

namespace messages = model::crdt;
using Delta = crdt::CrdtDelta;
using Strings = std::vector<std::string>;

namespace gcounter {
messages::Update Update(std::uint64_t increment);
Delta Changed(std::uint64_t increment);
messages::State State(std::uint64_t value);
}  // namespace gcounter

namespace pncounter {
messages::Update Update(std::int64_t change);
Delta Changed(std::int64_t change);
messages::State State(std::int64_t value);
}  // namespace pncounter

namespace gset {
messages::Update Add(const std::string& element);
Delta Changed(const Strings& added);
messages::State State(const Strings& elements);
}  // namespace gset

namespace orset {
struct Change {
  bool cleared = false;
  Strings removed = {};
  Strings added = {};
};
messages::Update Add(const std::string& element);
messages::Update Remove(const std::string& element);
messages::Update Clear();
Delta Changed(const Change& change);
messages::State State(const Strings& elements);
}  // namespace orset

namespace lww {
messages::Update Update(const std::string& value, messages::LWWRegisterClockType clock = messages::DEFAULT,
                        std::int64_t custom = 0);
Delta Changed(const std::string& value, crdt::CrdtClock clock = crdt::DEFAULT, std::int64_t custom = 0);
messages::State State(const std::string& value);
}  // namespace lww

namespace flag {
messages::Update Enable();
Delta Changed(bool value);
messages::State State(bool value);
}  // namespace flag

namespace ormap {
using Entries = std::vector<std::pair<std::string, Delta>>;
struct Change {
  bool cleared = false;
  Strings removed = {};
  Entries updated = {};
  Entries added = {};
};
messages::Update Add(const std::string& key);
messages::Update Update(const std::string& key, const messages::Update& update);
messages::Update Remove(const std::string& key);
messages::Update Clear();
Delta Changed(const Change& change);
messages::State State(const std::vector<std::pair<std::string, messages::State>>& entries);
}  // namespace ormap

namespace vote {
messages::Update Update(bool self);
// As a user function sends it, which knows of its own vote only.
Delta Changed(bool self);
Delta Changed(bool self, std::int32_t votes_for, std::int32_t total);
messages::State State(bool self, std::int32_t votes_for, std::int32_t total);
}  // namespace vote

// `update`, to be made with this consistency.
messages::Update At(messages::UpdateWriteConsistency consistency, messages::Update update);

struct UpdateWith {
  UpdateWith(messages::Update what) : update(std::move(what)) {}  // NOLINT(google-explicit-constructor): it is one

  messages::Update update;
};
struct Delete {};
// To a GSet: what changes an entity in the cases that all kinds have.
struct AddText {
  std::string value;
};
void Write(const UpdateWith& step, messages::RequestAction& action);
void Write(const Delete& step, messages::RequestAction& action);
void Write(const AddText& step, messages::RequestAction& action);

class Answer;

struct Kind {
  static constexpr char kModel[] = "cloudstate.tck.model.crdt.CrdtTckModel";
  static constexpr char kTwo[] = "cloudstate.tck.model.crdt.CrdtTwo";
  static constexpr char kConfigured[] = "cloudstate.tck.model.crdt.CrdtConfigured";
  static constexpr char kHandle[] = "/cloudstate.crdt.Crdt/handle";
  static constexpr char kIdPrefix[] = "GSet-";

  using In = crdt::CrdtStreamIn;
  using Out = crdt::CrdtStreamOut;
  using Reply = crdt::CrdtReply;
  using Request = messages::Request;
  using Response = messages::Response;
  using Action = std::variant<UpdateWith, Delete, AddText, ForwardTo, EffectOn, FailWith>;
  using Change = AddText;
  using Answer = crdts::Answer;

  // A text is a GSet with this element; an empty one is an empty GSet.
  struct State {
    State(const std::string& text);   // NOLINT(google-explicit-constructor)
    State(const char* text);          // NOLINT(google-explicit-constructor)
    State(messages::State of_entity)  // NOLINT(google-explicit-constructor)
        : message(std::move(of_entity)) {}

    messages::State message;
  };

  static In Init(const std::string& service, const std::string& id);
  static Response Respond(const State& state);
};

// ---- to the user function

Kind::In InitWithDelta(const std::string& id, const Delta& delta);
Kind::In DeltaFromElsewhere(const Delta& delta);
Kind::In DeletionFromElsewhere();
// What a command asks for whose client takes a stream of answers: the state at once, and whenever it has changed.
struct StreamedCall {
  std::optional<messages::Update> first = std::nullopt;      // what the command itself changes
  std::optional<messages::State> until = std::nullopt;       // the stream ends with this one
  std::optional<messages::Update> on_cancel = std::nullopt;  // what changes when the client goes away
  std::vector<EffectOn> effects = {};                        // with each message but the first
  bool silent = false;                                       // no state is told
};
messages::StreamedRequest StreamedRequest(const std::string& id, const StreamedCall& call);
Kind::In StreamedCommand(std::int64_t number, const messages::StreamedRequest& request);
Kind::In Cancellation(const std::string& id, std::int64_t number);

// ---- to the proxy

class Answer : public EntityAnswer<Kind> {
 public:
  Answer& Updates(const Delta& delta, crdt::CrdtWriteConsistency consistency = crdt::LOCAL);
  Answer& Deletes();
  // The call stays open.
  Answer& Streams();
  // What Kind::Change brings about.
  Answer& Changes(const std::string& value) { return Updates(gset::Changed({value})); }
};

enum class Stream { kGoesOn, kEnds };

// One more message of the streamed command `number`; `state` may be absent.
Kind::Out Streamed(std::int64_t number, const std::optional<messages::State>& state,
                   const std::vector<EffectOn>& effects = {}, Stream stream = Stream::kGoesOn);
// What follows from the cancellation of command `number`.
Kind::Out CancellationAnswer(std::int64_t number, const std::optional<Delta>& update = std::nullopt);

}  // namespace cloudstate::tck::crdts
