#pragma once

#include <string>
#include <variant>

#include "cloudstate/tck/model/valueentity.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/tck/entity_model.h"

// The messages that make the model's value entities do something, and those that they must answer with.
namespace cloudstate::tck::value {

namespace messages = model::valueentity;

struct Update {
  std::string value;
};
struct Delete {};
void Write(const Update& step, messages::RequestAction& action);
void Write(const Delete& step, messages::RequestAction& action);

class Answer;

struct Kind {
  static constexpr char kModel[] = "cloudstate.tck.model.valueentity.ValueEntityTckModel";
  static constexpr char kTwo[] = "cloudstate.tck.model.valueentity.ValueEntityTwo";
  static constexpr char kConfigured[] = "cloudstate.tck.model.valueentity.ValueEntityConfigured";
  static constexpr char kHandle[] = "/cloudstate.valueentity.ValueEntity/handle";
  static constexpr char kIdPrefix[] = "";

  using In = valueentity::ValueEntityStreamIn;
  using Out = valueentity::ValueEntityStreamOut;
  using Reply = valueentity::ValueEntityReply;
  using Request = messages::Request;
  using Response = messages::Response;
  using Action = std::variant<Update, Delete, ForwardTo, EffectOn, FailWith>;
  using Change = Update;
  using Answer = value::Answer;
  using State = std::string;

  static In Init(const std::string& service, const std::string& id);
  static Response Respond(const State& state);
};

Kind::In InitWithState(const std::string& id, const std::string& value);

class Answer : public EntityAnswer<Kind> {
 public:
  Answer& Updates(const std::string& value);
  Answer& Deletes();
  // What Kind::Change brings about.
  Answer& Changes(const std::string& value) { return Updates(value); }
};

}  // namespace cloudstate::tck::value
