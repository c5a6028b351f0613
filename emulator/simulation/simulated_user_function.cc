#include "emulator/simulation/simulated_user_function.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/simulation/shared_conversation.h"
#include "emulator/simulation/simulated_entity.h"
#include "emulator/simulation/simulated_stream.h"
#include "google/protobuf/descriptor.pb.h"
#include "simulation/ledger.pb.h"

namespace cloudstate::simulation {
namespace {

class LogConversation final : public Conversation {
 public:
  explicit LogConversation(std::shared_ptr<UserFunctionCore> core) : entity_(std::move(core), kLog, "Append") {}

  void Hear(const std::string& message, SimulatedStream& stream) override {
    eventsourced::EventSourcedStreamIn in;
    if (!in.ParseFromString(message)) in.Clear();
    if (in.has_init()) {
      Begin(in.init());
    } else if (in.has_event()) {
      entity_.Event(in.event().sequence(), IdOf({in.event().payload().type_url(), in.event().payload().value()}));
    } else if (in.has_command()) {
      if (auto answer = entity_.Take(in.command(), stream)) Say(in.command().id(), *std::move(answer), stream);
    } else {
      entity_.Require(false, "a message of its stream is none of the protocol's");
    }
  }

  void HalfClosed(SimulatedStream& stream) override { stream.End(absl::ZeroDuration(), absl::OkStatus()); }

 private:
  void Begin(const eventsourced::EventSourcedInit& init) {
    entity_.Init(init.service_name(), init.entity_id());
    if (!init.has_snapshot()) return;
    const auto state = Unpack<ledger::State>(init.snapshot().snapshot());
    const std::int64_t sequence = init.snapshot().snapshot_sequence();
    entity_.Require(state.has_value() && state->count() == sequence,
                    absl::StrCat("the snapshot at event ", sequence, " is not of that event"));
    if (state.has_value()) entity_.set_version(*state);
  }

  void Say(std::int64_t command_id, Answer answer, SimulatedStream& stream) {
    eventsourced::EventSourcedStreamOut out;
    eventsourced::EventSourcedReply& reply = *out.mutable_reply();
    reply.set_command_id(command_id);
    *reply.mutable_client_action() = std::move(answer.action);
    if (answer.effect.has_value()) *reply.add_side_effects() = *std::move(answer.effect);
    if (answer.written != 0) {
      ledger::Appended event;
      event.set_id(answer.written);
      Pack(event, *reply.add_events());
      const int every = entity_.core().behaviour.snapshot_every;
      if (every > 0 && entity_.version().count % every == 0) {
        Pack(StateOf(entity_.version()), *reply.mutable_snapshot());
      }
    }
    stream.Say(answer.delay, out.SerializeAsString());
  }

  EntityState entity_;
};

class RegisterConversation final : public Conversation {
 public:
  explicit RegisterConversation(std::shared_ptr<UserFunctionCore> core) : entity_(std::move(core), kRegister, "Add") {}

  void Hear(const std::string& message, SimulatedStream& stream) override {
    valueentity::ValueEntityStreamIn in;
    if (!in.ParseFromString(message)) in.Clear();
    if (in.has_init()) {
      Begin(in.init());
    } else if (in.has_command()) {
      if (auto answer = entity_.Take(in.command(), stream)) Say(in.command().id(), *std::move(answer), stream);
    } else {
      entity_.Require(false, "a message of its stream is none of the protocol's");
    }
  }

  void HalfClosed(SimulatedStream& stream) override { stream.End(absl::ZeroDuration(), absl::OkStatus()); }

 private:
  void Begin(const valueentity::ValueEntityInit& init) {
    entity_.Init(init.service_name(), init.entity_id());
    if (!init.state().has_value()) return;
    const auto value = Unpack<ledger::Value>(init.state().value());
    entity_.Require(value.has_value(), "a stream began with a value that is none");
    if (value.has_value()) entity_.set_version(value->state());
  }

  void Say(std::int64_t command_id, Answer answer, SimulatedStream& stream) {
    valueentity::ValueEntityStreamOut out;
    valueentity::ValueEntityReply& reply = *out.mutable_reply();
    reply.set_command_id(command_id);
    *reply.mutable_client_action() = std::move(answer.action);
    if (answer.effect.has_value()) *reply.add_side_effects() = *std::move(answer.effect);
    if (answer.written != 0) {
      ledger::Value value;
      *value.mutable_state() = StateOf(entity_.version());
      value.set_last_id(answer.written);
      Pack(value, *reply.mutable_state_action()->mutable_update()->mutable_value());
    }
    stream.Say(answer.delay, out.SerializeAsString());
  }

  EntityState entity_;
};

class RelayConversation final : public Conversation {
 public:
  explicit RelayConversation(std::shared_ptr<UserFunctionCore> core) : core_(std::move(core)) {}

  void Hear(const std::string& message, SimulatedStream&) override {
    if (heard_.has_value()) core_->Violated(absl::StrCat(kRelay, ": a second message came to a unary call"));
    heard_ = message;
  }

  void HalfClosed(SimulatedStream& stream) override {
    action::ActionCommand command;
    if (!heard_.has_value() || !command.ParseFromString(*heard_)) {
      core_->Violated(absl::StrCat(kRelay, ": a call had no command"));
    }
    const Fate fate = DrawFate(*core_);
    if (fate == Fate::kHangs) return;
    const absl::Duration delay = core_->behaviour.latency.Draw(core_->random);
    if (fate == Fate::kBreaks) {
      stream.End(delay, BrokenStream());
      return;
    }
    action::ActionResponse response;
    if (fate == Fate::kFails) {
      response.mutable_failure()->set_description(kSimulatedFailure);
    } else {
      Forward(command, response);
    }
    stream.Say(delay, response.SerializeAsString());
    stream.End(delay, absl::OkStatus());
  }

 private:
  void Forward(const action::ActionCommand& command, action::ActionResponse& response) {
    const auto relayed = Unpack<ledger::Relayed>(command.payload());
    if (command.service_name() != kRelay || command.name() != "Forward" || !relayed.has_value()) {
      const std::string why = absl::StrCat(command.service_name(), ".", command.name(), " is no command of ", kRelay);
      core_->Violated(why);
      response.mutable_failure()->set_description(why);
      return;
    }
    cloudstate::Forward& forward = *response.mutable_forward();
    forward.set_service_name(relayed->to_register() ? kRegister : kLog);
    forward.set_command_name(relayed->to_register() ? "Add" : "Append");
    Pack(relayed->write(), *forward.mutable_payload());
  }

  const std::shared_ptr<UserFunctionCore> core_;
  std::optional<std::string> heard_;
};

class SimulatedConnection final : public userfunction::Connection {
 public:
  explicit SimulatedConnection(std::shared_ptr<UserFunctionCore> core) : core_(std::move(core)) {}

  std::unique_ptr<userfunction::Stream> Open(std::string_view method, absl::Duration timeout,
                                             userfunction::StreamHandler handler) override {
    auto stream = std::make_shared<SimulatedStream>(core_->strand, std::move(handler), Begin(method));
    stream->Limit(timeout);
    if (method == kCrdt) Remember(stream);
    if (!Knows(method)) stream->End(absl::ZeroDuration(), Unknown(method));
    return std::make_unique<Handle>(std::move(stream));
  }

  // Discovery is Specification(), and errors that it is told of say nothing to it.
  void Call(std::string_view method, std::string, absl::Duration,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override {
    core_->strand.Post([done = std::move(done), status = Unknown(method)]() mutable { done(std::move(status)); });
  }

 private:
  class Handle final : public userfunction::Stream {
   public:
    explicit Handle(std::shared_ptr<SimulatedStream> stream) : stream_(std::move(stream)) {}
    ~Handle() override { stream_->Drop(); }
    void Write(std::string message) override { stream_->Write(message); }
    void HalfClose() override { stream_->HalfClose(); }
    std::size_t Unsent() const override { return 0; }
    void Pause() override { stream_->Pause(); }
    void Resume() override { stream_->Resume(); }

   private:
    const std::shared_ptr<SimulatedStream> stream_;
  };

  // Says nothing, whatever it hears.
  class Silence final : public Conversation {
   public:
    void Hear(const std::string&, SimulatedStream&) override {}
    void HalfClosed(SimulatedStream&) override {}
  };

  static constexpr std::string_view kEventSourced = "/cloudstate.eventsourced.EventSourced/handle";
  static constexpr std::string_view kValueEntity = "/cloudstate.valueentity.ValueEntity/handle";
  static constexpr std::string_view kAction = "/cloudstate.action.ActionProtocol/handleUnary";

  static constexpr std::string_view kCrdt = "/cloudstate.crdt.Crdt/handle";

  static bool Knows(std::string_view method) {
    return method == kEventSourced || method == kValueEntity || method == kAction || method == kCrdt;
  }
  static absl::Status Unknown(std::string_view method) {
    return absl::UnimplementedError(
        absl::StrCat("the simulated user function has no ", absl::string_view(method.data(), method.size())));
  }

  std::unique_ptr<Conversation> Begin(std::string_view method) const {
    if (method == kEventSourced) return std::make_unique<LogConversation>(core_);
    if (method == kValueEntity) return std::make_unique<RegisterConversation>(core_);
    if (method == kAction) return std::make_unique<RelayConversation>(core_);
    if (method == kCrdt) return NewSharedConversation(core_);
    return std::make_unique<Silence>();
  }

  void Remember(const std::shared_ptr<SimulatedStream>& stream) const {
    std::erase_if(core_->shared_streams, [](const auto& each) { return each.expired(); });
    core_->shared_streams.push_back(stream);
  }

  const std::shared_ptr<UserFunctionCore> core_;
};

// Each file after those that it imports.
void AddFile(const google::protobuf::FileDescriptor& file, std::set<std::string>& added,
             google::protobuf::FileDescriptorSet& set) {
  if (!added.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, set);
  file.CopyTo(set.add_file());
}

std::shared_ptr<const userfunction::Specification> MakeSpecification() {
  google::protobuf::FileDescriptorSet set;
  std::set<std::string> added;
  AddFile(*ledger::Write::descriptor()->file(), added, set);
  EntitySpec spec;
  set.SerializeToString(spec.mutable_proto());
  spec.mutable_service_info()->set_service_name("simulation");
  spec.mutable_service_info()->set_protocol_minor_version(2);
  for (const auto& [service, type] :
       {std::pair(kLog, "cloudstate.eventsourced.EventSourced"),
        std::pair(kRegister, "cloudstate.valueentity.ValueEntity"),
        std::pair(kRelay, "cloudstate.action.ActionProtocol"), std::pair(kShared, "cloudstate.crdt.Crdt")}) {
    Entity& entity = *spec.add_entities();
    entity.set_service_name(service);
    entity.set_entity_type(type);
  }
  auto parsed = userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
  if (!parsed.ok()) std::abort();  // invariant: ledger.proto keeps the rules for services
  return *std::move(parsed);
}

}  // namespace

SimulatedUserFunction::SimulatedUserFunction(base::Strand& strand, base::Random& random,
                                             const UserFunctionBehaviour& behaviour)
    : core_(std::make_shared<UserFunctionCore>(UserFunctionCore{strand, random, behaviour})),
      connection_(std::make_shared<SimulatedConnection>(core_)) {}

SimulatedUserFunction::~SimulatedUserFunction() = default;

const std::vector<Violation>& SimulatedUserFunction::violations() const { return core_->violations; }

void SimulatedUserFunction::EndFaults() {
  core_->behaviour.failures = 0;
  core_->behaviour.broken_streams = 0;
  core_->behaviour.hangs = 0;
}

int SimulatedUserFunction::hanging() const { return core_->hanging; }

int SimulatedUserFunction::visits() const { return core_->visits; }

bool SimulatedUserFunction::is_speaking() const {
  return std::ranges::any_of(core_->shared_streams, [](const auto& each) {
    const auto stream = each.lock();
    return stream != nullptr && stream->on_their_way() > 0;
  });
}

std::shared_ptr<const userfunction::Specification> SimulatedUserFunction::Specification() {
  static const auto* const kSpecification = new std::shared_ptr<const userfunction::Specification>(MakeSpecification());
  return *kSpecification;
}

std::uint64_t IdOf(const journal::Payload& event) {
  if (event.type_url == TypeUrl<ledger::Appended>()) {
    ledger::Appended appended;
    return appended.ParseFromString(event.value) ? appended.id() : 0;
  }
  if (event.type_url == TypeUrl<ledger::Value>()) {
    ledger::Value value;
    return value.ParseFromString(event.value) ? value.last_id() : 0;
  }
  return 0;
}

}  // namespace cloudstate::simulation
