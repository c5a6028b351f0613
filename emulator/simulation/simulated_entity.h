#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/entity.pb.h"
#include "emulator/base/chance.h"
#include "emulator/simulation/simulated_stream.h"
#include "emulator/simulation/simulated_user_function.h"
#include "simulation/ledger.pb.h"

// What both kinds of entities of the simulated user function have in common. Of the implementation.
namespace cloudstate::simulation {

namespace ledger = ::simulation;

struct UserFunctionCore {
  base::Strand& strand;
  base::Random& random;
  UserFunctionBehaviour behaviour;
  std::vector<Violation> violations = {};
  int hanging = 0;  // commands that get no answer
  int visits = 0;   // of clients who stay at entities of simulation.Shared
  std::vector<std::weak_ptr<const SimulatedStream>> shared_streams = {};

  void Violated(std::string text) {
    constexpr std::size_t kMost = 20;
    if (violations.size() < kMost) violations.push_back({"entity-protocol", std::move(text)});
  }
};

template <typename Message>
const std::string& TypeUrl() {
  static const auto* const type_url =
      new std::string(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  return *type_url;
}

template <typename Message>
void Pack(const Message& message, google::protobuf::Any& any) {
  any.set_type_url(TypeUrl<Message>());
  message.SerializeToString(any.mutable_value());
}

template <typename Message>
std::optional<Message> Unpack(const google::protobuf::Any& any) {
  Message message;
  if (any.type_url() != TypeUrl<Message>() || !message.ParseFromString(any.value())) return std::nullopt;
  return message;
}

inline ledger::State StateOf(const Version& version) {
  ledger::State state;
  state.set_count(version.count);
  state.set_digest(version.digest);
  return state;
}

enum class Fate { kAnswered, kFails, kBreaks, kHangs };

inline Fate DrawFate(UserFunctionCore& core) {
  const UserFunctionBehaviour& shares = core.behaviour;
  if (shares.failures <= 0 && shares.broken_streams <= 0 && shares.hangs <= 0) return Fate::kAnswered;
  double drawn = base::Uniform(core.random);
  if (drawn < shares.failures) return Fate::kFails;
  drawn -= shares.failures;
  if (drawn < shares.broken_streams) return Fate::kBreaks;
  drawn -= shares.broken_streams;
  return drawn < shares.hangs ? Fate::kHangs : Fate::kAnswered;
}

inline absl::Status BrokenStream() { return absl::UnavailableError("the simulated user function broke its stream"); }

// What an entity of either service says to a command.
struct Answer {
  absl::Duration delay;
  ClientAction action;
  std::uint64_t written = 0;  // the write's id; 0 where nothing was written
  std::optional<SideEffect> effect;
};

// One entity as its stream knows it, and a strict reader of the protocol that it is spoken to in.
class EntityState {
 public:
  EntityState(std::shared_ptr<UserFunctionCore> core, std::string service, std::string write_method)
      : core_(std::move(core)), service_(std::move(service)), write_method_(std::move(write_method)) {}
  ~EntityState() { core_->hanging -= hangs_ ? 1 : 0; }
  EntityState(const EntityState&) = delete;
  EntityState& operator=(const EntityState&) = delete;

  void Require(bool holds, absl::string_view what) {
    if (!holds) core_->Violated(absl::StrCat(service_, "|", entity_id_, ": ", what));
  }

  void Init(const std::string& service, const std::string& entity_id) {
    Require(!begun_, "a stream began twice");
    begun_ = true;
    entity_id_ = entity_id;
    Require(service == service_, absl::StrCat("a stream began for service '", service, "'"));
  }

  void Event(std::int64_t sequence, std::uint64_t id) {
    Require(begun_, "an event came before the beginning");
    Require(last_command_ == 0, absl::StrCat("event ", sequence, " came after a command"));
    Require(sequence == version_.count + 1,
            absl::StrCat("event ", sequence, " was replayed behind event ", version_.count));
    Add(id);
  }

  // Nothing where the command gets no answer.
  std::optional<Answer> Take(const Command& command, SimulatedStream& stream) {
    Check(command, stream);
    const Fate fate = DrawFate(*core_);
    if (fate == Fate::kHangs) {
      hangs_ = true;
      ++core_->hanging;
      return std::nullopt;
    }
    Answer answer;
    answer.delay = core_->behaviour.latency.Draw(core_->random);
    if (fate == Fate::kBreaks) {
      stream.End(answer.delay, BrokenStream());
      return std::nullopt;
    }
    if (fate == Fate::kFails) {
      Fail(command, kSimulatedFailure, answer);
    } else if (command.name() == write_method_) {
      Write(command, answer);
    } else {
      Read(command, answer);
    }
    return answer;
  }

  const Version& version() const { return version_; }
  void set_version(const ledger::State& state) { version_ = {state.count(), state.digest()}; }
  UserFunctionCore& core() { return *core_; }

 private:
  void Check(const Command& command, const SimulatedStream& stream) {
    const std::string name = absl::StrCat("command ", command.id());
    Require(begun_, absl::StrCat(name, " came before the beginning"));
    Require(command.entity_id() == entity_id_, absl::StrCat(name, " is for entity '", command.entity_id(), "'"));
    Require(command.id() > last_command_, absl::StrCat(name, " came after command ", last_command_));
    Require(!hangs_ && stream.on_their_way() == 0,
            absl::StrCat(name, " came before the answer to command ", last_command_));
    last_command_ = command.id();
  }

  void Add(std::uint64_t id) {
    ++version_.count;
    version_.digest = NextDigest(version_.digest, id);
  }

  void Fail(const Command& command, absl::string_view why, Answer& answer) {
    answer.action.mutable_failure()->set_command_id(command.id());
    answer.action.mutable_failure()->set_description(std::string(why));
  }

  // A command that it does not know has been routed wrong.
  void Refuse(const Command& command, Answer& answer) {
    const std::string why = absl::StrCat("command ", command.id(), " (", command.name(), ") is not for this entity");
    Require(false, why);
    Fail(command, why, answer);
  }

  void Write(const Command& command, Answer& answer) {
    const auto write = Unpack<ledger::Write>(command.payload());
    if (!write.has_value() || write->entity() != entity_id_) return Refuse(command, answer);
    Add(write->id());
    answer.written = write->id();
    Pack(StateOf(version_), *answer.action.mutable_reply()->mutable_payload());
    if (!write->has_effect()) return;
    answer.effect.emplace();
    answer.effect->set_service_name(kLog);
    answer.effect->set_command_name("Append");
    answer.effect->set_synchronous(true);
    Pack(write->effect(), *answer.effect->mutable_payload());
  }

  void Read(const Command& command, Answer& answer) {
    const auto which = Unpack<ledger::Which>(command.payload());
    if (command.name() != "Read" || !which.has_value() || which->entity() != entity_id_) {
      return Refuse(command, answer);
    }
    Pack(StateOf(version_), *answer.action.mutable_reply()->mutable_payload());
  }

  const std::shared_ptr<UserFunctionCore> core_;
  const std::string service_;
  const std::string write_method_;
  std::string entity_id_;
  Version version_;
  std::int64_t last_command_ = 0;
  bool begun_ = false;
  bool hangs_ = false;
};

}  // namespace cloudstate::simulation
