#include "tests/conformance/kinds.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "google/protobuf/descriptor.pb.h"

namespace cloudstate::kinds {
namespace {

constexpr char kEventSourcedType[] = "cloudstate.eventsourced.EventSourced";
constexpr char kValueType[] = "cloudstate.valueentity.ValueEntity";
constexpr char kActionType[] = "cloudstate.action.ActionProtocol";
constexpr std::int64_t kBriefMilliseconds = 50;

struct KindFacts {
  const char* name;
  const char* service;
  const char* method;
  const char* entity_type;
  const char* handler;
  const char* published_name;  // in error texts
};

const KindFacts& FactsOf(Kind kind) {
  static constexpr std::array<KindFacts, 8> kFacts = {{
      {"Events", "test.kinds.Events", "Call", kEventSourcedType, "handle", "entity"},
      {"Value", "test.kinds.Value", "Call", kValueType, "handle", "Value entity"},
      {"BriefEvents", "test.kinds.BriefEvents", "Call", kEventSourcedType, "handle", "entity"},
      {"BriefValue", "test.kinds.BriefValue", "Call", kValueType, "handle", "Value entity"},
      {"Unary", "test.kinds.Action", "Unary", kActionType, "handleUnary", "action"},
      {"StreamedIn", "test.kinds.Action", "StreamedIn", kActionType, "handleStreamedIn", "action"},
      {"StreamedOut", "test.kinds.Action", "StreamedOut", kActionType, "handleStreamedOut", "action"},
      {"Streamed", "test.kinds.Action", "Streamed", kActionType, "handleStreamed", "action"},
  }};
  return kFacts.at(static_cast<std::size_t>(kind));
}

Entity& AddEntity(EntitySpec& spec, Kind kind) {
  Entity& entity = *spec.add_entities();
  entity.set_service_name(ServiceOf(kind));
  entity.set_entity_type(EntityTypeOf(kind));
  if (IsEntity(kind)) entity.set_persistence_id(PersistenceIdOf(kind));
  return entity;
}

EntitySpec Described() {
  google::protobuf::FileDescriptorSet files;
  Request::descriptor()->file()->CopyTo(files.add_file());
  EntitySpec spec;
  spec.set_proto(files.SerializeAsString());
  spec.mutable_service_info()->set_service_name("scripted");
  return spec;
}

test::kinds::Stored StoredOf(const std::string& text) {
  test::kinds::Stored stored;
  stored.set_text(text);
  return stored;
}

std::string TextIn(const google::protobuf::Any& any) {
  test::kinds::Stored stored;
  return any.UnpackTo(&stored) ? stored.text() : absl::StrCat("[", any.type_url(), "]");
}

std::optional<Request> RequestIn(const google::protobuf::Any& any) {
  Request request;
  if (!any.UnpackTo(&request)) return std::nullopt;
  return request;
}

Received FromCommand(const cloudstate::Command& command) {
  Received received;
  received.method = command.name();
  received.entity_id = command.entity_id();
  received.number = command.id();
  received.request = RequestIn(command.payload());
  received.metadata = command.metadata();
  return received;
}

Received FromInit(const std::string& service, const std::string& entity_id) {
  Received received;
  received.what = Received::What::kInit;
  received.service = service;
  received.entity_id = entity_id;
  return received;
}

Received ParseEventSourced(const std::string& bytes) {
  eventsourced::EventSourcedStreamIn in;
  in.ParseFromString(bytes);
  if (in.has_command()) return FromCommand(in.command());
  if (in.has_init()) return FromInit(in.init().service_name(), in.init().entity_id());
  Received received;
  received.what = Received::What::kEvent;
  received.number = in.event().sequence();
  received.stored = TextIn(in.event().payload());
  return received;
}

Received ParseValue(const std::string& bytes) {
  valueentity::ValueEntityStreamIn in;
  in.ParseFromString(bytes);
  if (in.has_command()) return FromCommand(in.command());
  Received received = FromInit(in.init().service_name(), in.init().entity_id());
  received.has_state = in.init().has_state();
  if (in.init().state().has_value()) received.stored = TextIn(in.init().state().value());
  return received;
}

Received ParseAction(const std::string& bytes) {
  action::ActionCommand in;
  in.ParseFromString(bytes);
  Received received;
  received.service = in.service_name();
  received.method = in.name();
  if (in.has_payload()) received.request = RequestIn(in.payload());
  received.metadata = in.metadata();
  return received;
}

}  // namespace

std::string NameOf(Kind kind) { return FactsOf(kind).name; }
std::ostream& operator<<(std::ostream& out, Kind kind) { return out << NameOf(kind); }

bool IsEntity(Kind kind) { return EntityTypeOf(kind) != kActionType; }
bool IsEventSourced(Kind kind) { return EntityTypeOf(kind) == kEventSourcedType; }
bool StreamsIn(Kind kind) { return kind == Kind::kStreamedIn || kind == Kind::kStreamed; }
bool StreamsOut(Kind kind) { return kind == Kind::kStreamedOut || kind == Kind::kStreamed; }

std::string ServiceOf(Kind kind) { return FactsOf(kind).service; }
std::string MethodOf(Kind kind) { return FactsOf(kind).method; }
std::string CalledAs(Kind kind) { return absl::StrCat(ServiceOf(kind), ".", MethodOf(kind)); }
std::string PathOf(Kind kind) { return absl::StrCat("/", ServiceOf(kind), "/", MethodOf(kind)); }
std::string UserFunctionPath(Kind kind) { return absl::StrCat("/", EntityTypeOf(kind), "/", FactsOf(kind).handler); }
std::string PersistenceIdOf(Kind kind) { return absl::StrCat("stored-", NameOf(kind)); }
std::string EntityTypeOf(Kind kind) { return FactsOf(kind).entity_type; }

std::string Unexpected(Kind kind, const std::string& what) {
  return absl::StrCat("Unexpected ", FactsOf(kind).published_name, " ", what);
}

EntitySpec KindsSpecification() {
  EntitySpec spec = Described();
  spec.mutable_service_info()->set_protocol_minor_version(2);
  for (const Kind kind : {Kind::kEvents, Kind::kValue, Kind::kUnary}) AddEntity(spec, kind);
  for (const Kind kind : {Kind::kBriefEvents, Kind::kBriefValue}) {
    AddEntity(spec, kind).mutable_passivation_strategy()->mutable_timeout()->set_timeout(kBriefMilliseconds);
  }
  return spec;
}

EntitySpec OldActionSpecification() {
  EntitySpec spec = Described();
  AddEntity(spec, Kind::kUnary).set_entity_type("cloudstate.function.StatelessFunction");
  return spec;
}

Request RequestOf(const std::string& id, const std::string& text) {
  Request request;
  request.set_id(id);
  request.set_text(text);
  return request;
}

// ---- answers

Answer Answer::Reply(const std::string& text) {
  Response response;
  response.set_text(text);
  Answer answer;
  answer.action.mutable_reply()->mutable_payload()->PackFrom(response);
  return answer;
}

Answer Answer::Failure(const std::string& description) {
  Answer answer;
  answer.action.mutable_failure()->set_description(description);
  return answer;
}

Answer Answer::Restart(const std::string& description) {
  Answer answer = Failure(description);
  answer.action.mutable_failure()->set_restart(true);
  return answer;
}

Answer Answer::Forward(Kind to, const Request& request) { return Forward(ServiceOf(to), MethodOf(to), request); }

Answer Answer::Forward(const std::string& service, const std::string& method, const Request& request) {
  Answer answer;
  cloudstate::Forward& forward = *answer.action.mutable_forward();
  forward.set_service_name(service);
  forward.set_command_name(method);
  forward.mutable_payload()->PackFrom(request);
  return answer;
}

Answer& Answer::Effect(Kind to, const Request& request, bool synchronous) {
  return Effect(ServiceOf(to), MethodOf(to), request, synchronous);
}

Answer& Answer::Effect(const std::string& service, const std::string& method, const Request& request,
                       bool synchronous) {
  SideEffect& effect = effects.emplace_back();
  effect.set_service_name(service);
  effect.set_command_name(method);
  effect.set_synchronous(synchronous);
  effect.mutable_payload()->PackFrom(request);
  return *this;
}

Answer& Answer::Store(const std::string& text) {
  stored.push_back(text);
  return *this;
}

Answer& Answer::Delete() {
  deleted = true;
  return *this;
}

Answer& Answer::StoreNoValue() {
  without_value = true;
  return *this;
}

Answer& Answer::Header(const std::string& name, const std::string& value) {
  MetadataEntry& entry = *action.mutable_reply()->mutable_metadata()->add_entries();
  entry.set_key(name);
  if (absl::EndsWith(name, "-bin")) {
    entry.set_bytes_value(value);
  } else {
    entry.set_string_value(value);
  }
  return *this;
}

std::string Answer::ForEventSourced(std::int64_t command_id) const {
  eventsourced::EventSourcedStreamOut out;
  eventsourced::EventSourcedReply& reply = *out.mutable_reply();
  reply.set_command_id(command_id);
  if (action.action_case() != ClientAction::ACTION_NOT_SET) *reply.mutable_client_action() = action;
  for (const SideEffect& effect : effects) *reply.add_side_effects() = effect;
  for (const std::string& text : stored) reply.add_events()->PackFrom(StoredOf(text));
  return out.SerializeAsString();
}

std::string Answer::ForValue(std::int64_t command_id) const {
  valueentity::ValueEntityStreamOut out;
  valueentity::ValueEntityReply& reply = *out.mutable_reply();
  reply.set_command_id(command_id);
  if (action.action_case() != ClientAction::ACTION_NOT_SET) *reply.mutable_client_action() = action;
  for (const SideEffect& effect : effects) *reply.add_side_effects() = effect;
  if (!stored.empty()) {
    reply.mutable_state_action()->mutable_update()->mutable_value()->PackFrom(StoredOf(stored.back()));
  }
  if (without_value) reply.mutable_state_action()->mutable_update();
  if (deleted) reply.mutable_state_action()->mutable_delete_();
  return out.SerializeAsString();
}

std::string Answer::ForAction() const {
  action::ActionResponse response;
  if (action.has_reply()) *response.mutable_reply() = action.reply();
  if (action.has_forward()) *response.mutable_forward() = action.forward();
  if (action.has_failure()) *response.mutable_failure() = action.failure();
  for (const SideEffect& effect : effects) *response.add_side_effects() = effect;
  return response.SerializeAsString();
}

std::string Answer::For(Kind kind, std::int64_t command_id) const {
  if (!IsEntity(kind)) return ForAction();
  return IsEventSourced(kind) ? ForEventSourced(command_id) : ForValue(command_id);
}

std::string FailureMessage(Kind kind, std::int64_t command_id, const std::string& description) {
  cloudstate::Failure failure;
  failure.set_command_id(command_id);
  failure.set_description(description);
  if (IsEventSourced(kind)) {
    eventsourced::EventSourcedStreamOut out;
    *out.mutable_failure() = failure;
    return out.SerializeAsString();
  }
  valueentity::ValueEntityStreamOut out;
  *out.mutable_failure() = failure;
  return out.SerializeAsString();
}

// ---- what the user function got

std::string Received::ToString() const {
  constexpr std::size_t kShown = 16;  // of a long text
  switch (what) {
    case What::kInit:
      return absl::StrCat("init ", entity_id,
                          stored.has_value() ? absl::StrCat(" with ", stored->substr(0, kShown)) : "");
    case What::kEvent:
      return absl::StrCat("event ", number, " ", stored.value_or("").substr(0, kShown));
    case What::kCommand:
      return absl::StrCat("command ", number);
  }
  return "";
}

Received ParseReceived(const std::string& method, const std::string& bytes) {
  if (method == UserFunctionPath(Kind::kEvents)) return ParseEventSourced(bytes);
  if (method == UserFunctionPath(Kind::kValue)) return ParseValue(bytes);
  return ParseAction(bytes);
}

}  // namespace cloudstate::kinds
