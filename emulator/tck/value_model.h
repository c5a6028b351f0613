#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cloudstate/tck/model/valueentity.pb.h"
#include "cloudstate/value_entity.pb.h"

// The messages that make the model's value entities do something, and those that they must answer with.
namespace cloudstate::tck::value {

inline constexpr char kModel[] = "cloudstate.tck.model.valueentity.ValueEntityTckModel";
inline constexpr char kTwo[] = "cloudstate.tck.model.valueentity.ValueEntityTwo";
inline constexpr char kConfigured[] = "cloudstate.tck.model.valueentity.ValueEntityConfigured";
inline constexpr char kHandle[] = "/cloudstate.valueentity.ValueEntity/handle";

using In = valueentity::ValueEntityStreamIn;
namespace messages = model::valueentity;
using Actions = std::vector<messages::RequestAction>;

enum class Mode { kAsynchronous, kSynchronous };

messages::RequestAction Update(const std::string& value);
messages::RequestAction Delete();
messages::RequestAction ForwardTo(const std::string& id);
messages::RequestAction EffectOn(const std::string& id, Mode mode = Mode::kAsynchronous);
messages::RequestAction FailWith(const std::string& text);

messages::Request Request(const std::string& id, const Actions& actions = {});
messages::Response Response(const std::string& message);

// ---- to the user function

In Init(const std::string& service, const std::string& id);
In InitWithState(const std::string& id, const std::string& value);
In Command(std::int64_t number, const std::string& name, const messages::Request& request);

// ---- from the user function

// A reply, to be completed: Answer().Updates("a").Reply("a").
class Answer {
 public:
  Answer& Reply(const std::string& message);
  Answer& Forward(const std::string& id);
  Answer& Fail(const std::string& text);
  Answer& Effect(const std::string& id, Mode mode = Mode::kAsynchronous);
  Answer& Updates(const std::string& value);
  Answer& Deletes();

  // As it is sent for command `number`.
  valueentity::ValueEntityStreamOut To(std::int64_t number) const;

 private:
  valueentity::ValueEntityReply reply_;
};

}  // namespace cloudstate::tck::value
