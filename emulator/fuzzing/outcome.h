#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/replay.pb.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::fuzzing {

// A message of the user function. With nothing in it: a long one that a trace has left out, and that counts as the same
// as any other.
struct Said {
  std::string type_url;
  std::string json;

  // The JSON, parsed; a text where it is none.
  google::protobuf::Value Parsed() const;
};

// A command that an answer asks for.
struct Further {
  std::string method;  // Service.Method
  Said payload;
  bool synchronous = false;
};

// What the user function made of one command.
struct Outcome {
  int code = 0;  // of gRPC; a failure of the user function is UNKNOWN
  std::string message;
  std::optional<Said> reply;
  std::optional<Further> forward;
  std::vector<Further> effects;
  std::vector<Said> events;
};

Outcome OfReplay(const dev::v1::ReplayOutcome& outcome);
// Of a call that has ended, with what was stored because of it; of its caused commands only what was asked for.
Outcome OfTrace(const dev::v1::CommandTrace& trace, const std::vector<dev::v1::Payload>& events);

// The outcome with `placeholder` wherever the entity's id was said.
Outcome Masked(Outcome outcome, const std::string& entity_id, const std::string& placeholder);

enum class Compared {
  kAll,
  kShape,  // whether there is a reply, a failure, how many events of which types, but not what they say
};

// What differs, in words such as "the reply {}, not the reply {"id":3}"; empty where nothing does. The order of what is
// in maps does not count, nor does the reply where the command was forwarded.
std::string Difference(const Outcome& actual, const Outcome& expected, Compared compared);

}  // namespace cloudstate::fuzzing
