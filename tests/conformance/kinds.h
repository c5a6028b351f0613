#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cloudstate/entity.pb.h"
#include "test/kinds.pb.h"

// Every kind of user function behind the same two messages (protos/test/kinds.proto), so that one test can be run for
// each kind, and any kind can be forwarded to any other.
namespace cloudstate::kinds {

using test::kinds::Request;
using test::kinds::Response;

enum class Kind {
  kEvents,
  kValue,
  kBriefEvents,
  kBriefValue,
  kUnary,
  kStreamedIn,
  kStreamedOut,
  kStreamed,
};

std::string NameOf(Kind kind);  // as part of a test's name
std::ostream& operator<<(std::ostream& out, Kind kind);

bool IsEntity(Kind kind);
bool IsEventSourced(Kind kind);
bool StreamsIn(Kind kind);
bool StreamsOut(Kind kind);

std::string ServiceOf(Kind kind);         // full name
std::string MethodOf(Kind kind);          // alone
std::string CalledAs(Kind kind);          // "Service.Method", as error texts and traces have it
std::string PathOf(Kind kind);            // of the client's gRPC call
std::string UserFunctionPath(Kind kind);  // of the user function's
std::string PersistenceIdOf(Kind kind);   // of an entity
std::string EntityTypeOf(Kind kind);
// What the client is told when the user function of an entity or action misbehaves, such as "Unexpected entity reply".
std::string Unexpected(Kind kind, const std::string& what);

// What a user function reports that has one service of each kind.
EntitySpec KindsSpecification();
// One of dialect 0.1, that has the action alone.
EntitySpec OldActionSpecification();

Request RequestOf(const std::string& id, const std::string& text = "");

// What a user function answers, whatever the kind: written as Answer::Reply("text").Store("event").Effect(…).
struct Answer {
  static Answer Nothing() { return {}; }
  static Answer Reply(const std::string& text);
  static Answer Failure(const std::string& description);
  static Answer Restart(const std::string& description);  // a failure that asks for a new stream
  static Answer Forward(Kind to, const Request& request);
  static Answer Forward(const std::string& service, const std::string& method, const Request& request);

  Answer& Effect(Kind to, const Request& request, bool synchronous);
  Answer& Effect(const std::string& service, const std::string& method, const Request& request, bool synchronous);
  Answer& Store(const std::string& text);  // as an event, or as the value; nothing that an action could do
  Answer& Delete();                        // a value
  Answer& StoreNoValue();                  // an update that lacks its value, which is wrong
  Answer& Header(const std::string& name, const std::string& value);  // of a reply; "-bin" ones are bytes

  // Serialized, as an answer to the command of this id; actions have none.
  std::string ForEventSourced(std::int64_t command_id) const;
  std::string ForValue(std::int64_t command_id) const;
  std::string ForAction() const;
  std::string For(Kind kind, std::int64_t command_id) const;

  ClientAction action;
  std::vector<SideEffect> effects;
  std::vector<std::string> stored;
  bool deleted = false;
  bool without_value = false;
};

// A failure outside of any reply; a serialized message of an entity's stream.
std::string FailureMessage(Kind kind, std::int64_t command_id, const std::string& description);

// A message that the user function got, whatever the kind.
struct Received {
  enum class What { kInit, kEvent, kCommand };

  What what = What::kCommand;
  std::string service;                // of init and actions
  std::string method;                 // of commands
  std::string entity_id;              // of init and entities' commands
  std::int64_t number = 0;            // a command's id, an event's sequence number
  std::optional<Request> request;     // a command's payload; an action's call may begin without
  std::optional<std::string> stored;  // of an event, or the value in init
  bool has_state = false;             // a value entity's init says whether there is a value
  Metadata metadata;

  bool is_command() const { return what == What::kCommand; }
  // "init id", "init id with value", "event 1 text", "command 1".
  std::string ToString() const;
};

// `method` is the path of the user function's method.
Received ParseReceived(const std::string& method, const std::string& bytes);

}  // namespace cloudstate::kinds
