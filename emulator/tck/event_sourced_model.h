#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/tck/model/eventsourced.pb.h"

// The messages that make the model's event-sourced entities do something, and those that they must answer with.
namespace cloudstate::tck::event_sourced {

inline constexpr char kModel[] = "cloudstate.tck.model.EventSourcedTckModel";
inline constexpr char kTwo[] = "cloudstate.tck.model.EventSourcedTwo";
inline constexpr char kConfigured[] = "cloudstate.tck.model.EventSourcedConfigured";
inline constexpr char kHandle[] = "/cloudstate.eventsourced.EventSourced/handle";

using In = eventsourced::EventSourcedStreamIn;
using Actions = std::vector<model::RequestAction>;

enum class Mode { kAsynchronous, kSynchronous };
enum class Restart { kNo, kYes };

model::RequestAction Emit(const std::string& value);
model::RequestAction ForwardTo(const std::string& id);
model::RequestAction EffectOn(const std::string& id, Mode mode = Mode::kAsynchronous);
model::RequestAction FailWith(const std::string& text);

model::Request Request(const std::string& id, const Actions& actions = {});
model::Response Response(const std::string& message);

// ---- to the user function

In Init(const std::string& service, const std::string& id);
In InitWithSnapshot(const std::string& id, std::int64_t sequence, const std::string& value);
In Event(std::int64_t sequence, const std::string& value);
In Command(std::int64_t number, const std::string& name, const model::Request& request);

// ---- from the user function

// A reply, to be completed: Answer().Events({"a"}).Reply("a").
class Answer {
 public:
  Answer& Reply(const std::string& message);
  Answer& Forward(const std::string& id);
  Answer& Fail(const std::string& text, Restart restart = Restart::kNo);
  Answer& Effect(const std::string& id, Mode mode = Mode::kAsynchronous);
  Answer& Events(const std::vector<std::string>& values);
  Answer& Snapshot(const std::string& value);

  // As it is sent for command `number`.
  eventsourced::EventSourcedStreamOut To(std::int64_t number) const;

 private:
  eventsourced::EventSourcedReply reply_;
};

}  // namespace cloudstate::tck::event_sourced
