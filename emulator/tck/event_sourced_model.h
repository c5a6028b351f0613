#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/tck/model/eventsourced.pb.h"
#include "emulator/tck/entity_model.h"

// The messages that make the model's event-sourced entities do something, and those that they must answer with.
namespace cloudstate::tck::event_sourced {

struct Emit {
  std::string value;
};
void Write(const Emit& step, model::RequestAction& action);

class Answer;

struct Kind {
  static constexpr char kModel[] = "cloudstate.tck.model.EventSourcedTckModel";
  static constexpr char kTwo[] = "cloudstate.tck.model.EventSourcedTwo";
  static constexpr char kConfigured[] = "cloudstate.tck.model.EventSourcedConfigured";
  static constexpr char kHandle[] = "/cloudstate.eventsourced.EventSourced/handle";
  static constexpr char kIdPrefix[] = "";

  using In = eventsourced::EventSourcedStreamIn;
  using Out = eventsourced::EventSourcedStreamOut;
  using Reply = eventsourced::EventSourcedReply;
  using Request = model::Request;
  using Response = model::Response;
  using Action = std::variant<Emit, ForwardTo, EffectOn, FailWith>;
  using Change = Emit;
  using Answer = event_sourced::Answer;
  using State = std::string;

  static In Init(const std::string& service, const std::string& id);
  static Response Respond(const State& state);
};

Kind::In InitWithSnapshot(const std::string& id, std::int64_t sequence, const std::string& value);
Kind::In Event(std::int64_t sequence, const std::string& value);

class Answer : public EntityAnswer<Kind> {
 public:
  Answer& Events(const std::vector<std::string>& values);
  Answer& Snapshot(const std::string& value);
  // What Kind::Change brings about.
  Answer& Changes(const std::string& value) { return Events({value}); }
};

}  // namespace cloudstate::tck::event_sourced
