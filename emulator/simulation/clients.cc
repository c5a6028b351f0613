#include "emulator/simulation/clients.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/simulation/client_attempt.h"
#include "emulator/simulation/load_defaults.h"
#include "emulator/simulation/load_phases.h"
#include "emulator/simulation/scenario_times.h"
#include "emulator/simulation/simulated_user_function.h"
#include "simulation/ledger.pb.h"

namespace cloudstate::simulation {
namespace {

namespace ledger = ::simulation;

std::string NameOf(std::uint64_t entity) { return absl::StrCat("e", entity + 1); }

// Failed are those only that surely had no effect: refused before anything was begun, or answered with a failure.
Operation::Outcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return Operation::Outcome::kOk;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
      return Operation::Outcome::kFailed;
    case absl::StatusCode::kUnknown:
      return status.message() == kSimulatedFailure ? Operation::Outcome::kFailed : Operation::Outcome::kUnknown;
    default:
      return Operation::Outcome::kUnknown;
  }
}

// An answer that is none is a version that no entity can have.
Version VersionIn(const std::optional<std::string>& message) {
  ledger::State state;
  if (!message.has_value() || !state.ParseFromString(*message)) return {-1, 0};
  return {state.count(), state.digest()};
}

std::string Text(const absl::Status& status) { return status.ToString(absl::StatusToStringMode::kWithNoExtraData); }

}  // namespace

Clients::Clients(base::Strand& strand, base::Random& random, serving::Backend& backend,
                 std::function<void(const std::string&)> trace, std::function<bool(absl::Time)> excused,
                 SharedCalls::Look look)
    : strand_(strand),
      random_(random),
      backend_(backend),
      trace_(std::move(trace)),
      excused_(std::move(excused)),
      shared_calls_(strand, random, operations_, std::move(look)) {}

Clients::~Clients() {
  for (Client& client : clients_) {
    strand_.Cancel(client.thinking);
    if (client.open != nullptr) client.open->Forget();
  }
  for (const auto& probe : probes_) probe->Forget();
}

void Clients::SetLoad(const dev::v1::Load& load) {
  load_ = WithDefaults(load);
  load_began_ = strand_.Now();
  if (load_.phases_size() > 0) load_.set_calls_per_second(HighestRate(load_));
  deadline_ = base::FromDuration(load_.deadline());
  for (Client& client : clients_) strand_.Cancel(std::exchange(client.thinking, base::TimerId::kNone));
  const auto count = static_cast<std::size_t>(load_.clients());
  if (clients_.size() < count) clients_.resize(count);
  for (std::uint32_t client = 1; client <= count; ++client) {
    if (clients_[client - 1].open == nullptr) Think(client);
  }
}

void Clients::Probe(std::uint32_t node, absl::Duration deadline, std::function<void(absl::Status)> done) {
  const auto entities = static_cast<std::uint64_t>(WithDefaults(load_).entities());
  Probe(KeyOf(Service::kEventSourced, next_probe_++ % entities), node, deadline, std::move(done));
}

void Clients::Probe(const base::EntityKey& entity, std::uint32_t node, absl::Duration deadline,
                    std::function<void(absl::Status)> done) {
  const bool shared = entity.persistence_id == kShared;
  Start(0, node, deadline, shared ? Share(0, shared_calls_.Read(node, entity)) : Read(0, node, entity),
        std::move(done));
}

void Clients::Complaints::Add(const std::string& invariant, std::string text) {
  constexpr int kMost = 20;
  if (++found[invariant] <= kMost) violations.push_back({invariant, std::move(text)});
}

// ---- what they do

void Clients::Think(std::uint32_t client) {
  if (client > static_cast<std::uint32_t>(load_.clients()) || load_.calls_per_second() <= 0) return;
  const double mean = load_.clients() / load_.calls_per_second();
  const double seconds = -mean * std::log1p(-base::Uniform(random_));
  clients_[client - 1].thinking = strand_.After(absl::Seconds(seconds), [this, client] { Act(client); });
}

bool Clients::LeavesOut() {
  if (load_.phases_size() == 0) return false;
  const double rate = RateAt(load_, strand_.Now() - load_began_);
  return !base::Happens(random_, rate / load_.calls_per_second());
}

void Clients::Act(std::uint32_t client) {
  clients_[client - 1].thinking = base::TimerId::kNone;
  if (LeavesOut()) return Think(client);
  Plan plan = Choose(client);
  const std::uint32_t node = operations_[plan.operation].node;
  Start(client, node, deadline_, std::move(plan), nullptr);
}

Clients::Plan Clients::Choose(std::uint32_t client) {
  if (base::Happens(random_, load_.crdts())) return Share(client, shared_calls_.Choose(load_, last_id_ + 1));
  double drawn = base::Uniform(random_);
  const std::uint64_t entity = DrawEntity();
  if (drawn < load_.event_sourced_writes()) return Write(client, Service::kEventSourced, entity);
  drawn -= load_.event_sourced_writes();
  if (drawn < load_.value_writes()) return Write(client, Service::kValue, entity);
  drawn -= load_.value_writes();
  if (drawn < load_.effects()) {
    const auto entities = static_cast<std::uint64_t>(load_.entities());
    if (entities == 1) return WriteWithEffect(client, entity, 1);
    return WriteWithEffect(client, entity, (entity + 1 + base::Below(random_, entities - 1)) % entities);
  }
  drawn -= load_.effects();
  const Service service = base::Below(random_, 2) == 0 ? Service::kEventSourced : Service::kValue;
  if (drawn < load_.forwards()) return Relay(client, service, entity);
  return Read(client, static_cast<std::uint32_t>(load_.node()), KeyOf(service, entity));
}

std::uint64_t Clients::DrawEntity() { return base::Below(random_, static_cast<std::uint64_t>(load_.entities())); }

base::EntityKey Clients::KeyOf(Service service, std::uint64_t entity) {
  return {service == Service::kEventSourced ? kLog : kRegister, NameOf(entity)};
}

Operation& Clients::Note(Operation::Kind kind, std::uint32_t client, std::uint32_t node,
                         const base::EntityKey& entity) {
  Operation& operation = operations_.emplace_back();
  operation.kind = kind;
  operation.entity = entity;
  operation.id = kind == Operation::Kind::kWrite ? ++last_id_ : 0;
  operation.client = client;
  operation.node = node;
  operation.invoked = strand_.Now();
  return operation;
}

Clients::Plan Clients::Read(std::uint32_t client, std::uint32_t node, const base::EntityKey& entity) {
  Plan plan;
  plan.operation = operations_.size();
  Note(Operation::Kind::kRead, client, node, entity);
  ledger::Which which;
  which.set_entity(entity.entity_id);
  plan.call.service = entity.persistence_id;
  plan.call.method = "Read";
  plan.call.payload = which.SerializeAsString();
  return plan;
}

Clients::Plan Clients::Write(std::uint32_t client, Service service, std::uint64_t entity) {
  Plan plan;
  plan.operation = operations_.size();
  ledger::Write write;
  write.set_entity(NameOf(entity));
  write.set_id(
      Note(Operation::Kind::kWrite, client, static_cast<std::uint32_t>(load_.node()), KeyOf(service, entity)).id);
  plan.call.service = service == Service::kEventSourced ? kLog : kRegister;
  plan.call.method = service == Service::kEventSourced ? "Append" : "Add";
  plan.call.payload = write.SerializeAsString();
  return plan;
}

Clients::Plan Clients::WriteWithEffect(std::uint32_t client, std::uint64_t entity, std::uint64_t other) {
  Plan plan = Write(client, Service::kEventSourced, entity);
  Operation& effect = Note(Operation::Kind::kWrite, client, static_cast<std::uint32_t>(load_.node()),
                           KeyOf(Service::kEventSourced, other));
  effect.has_version = false;
  ledger::Write write;
  write.set_entity(NameOf(entity));
  write.set_id(operations_[plan.operation].id);
  write.mutable_effect()->set_entity(NameOf(other));
  write.mutable_effect()->set_id(effect.id);
  plan.has_effect = true;
  plan.call.payload = write.SerializeAsString();
  return plan;
}

Clients::Plan Clients::Relay(std::uint32_t client, Service service, std::uint64_t entity) {
  Plan plan = Write(client, service, entity);
  ledger::Relayed relayed;
  relayed.mutable_write()->set_entity(NameOf(entity));
  relayed.mutable_write()->set_id(operations_[plan.operation].id);
  relayed.set_to_register(service == Service::kValue);
  plan.call.service = kRelay;
  plan.call.method = "Forward";
  plan.call.payload = relayed.SerializeAsString();
  return plan;
}

Clients::Plan Clients::Share(std::uint32_t client, SharedCalls::Choice choice) {
  const bool reads = choice.shared.kind == SharedOperation::Kind::kRead;
  Plan plan;
  plan.operation = operations_.size();
  Note(reads ? Operation::Kind::kRead : Operation::Kind::kWrite, client, choice.node, choice.entity);
  plan.shared = shared_calls_.Begin(choice);
  plan.stay = choice.stay;
  plan.call = std::move(choice.call);
  return plan;
}

// ---- their calls

std::string Clients::Describe(const Operation& operation) {
  return absl::StrCat(
      operation.kind == Operation::Kind::kWrite ? absl::StrCat("write ", operation.id, " of ") : "read of ",
      operation.entity.ToString());
}

void Clients::Start(std::uint32_t client, std::uint32_t node, absl::Duration deadline, Plan plan,
                    std::function<void(absl::Status)> done) {
  ++open_;
  const auto attempt = std::make_shared<Attempt>(*this, client, plan, std::move(done));
  if (client == 0) {
    probes_.push_back(attempt);
  } else {
    clients_[client - 1].open = attempt;
  }
  attempt->WaitFor(deadline);
  serving::Call call = std::move(plan.call);
  call.deadline = strand_.WallTime() + deadline;
  call.peer = absl::StrCat("client ", client);
  if (node != 0) {
    MetadataEntry& entry = *call.metadata.add_entries();
    entry.set_key(serving::kNodeHeader);
    entry.set_string_value(absl::StrCat(node));
  }
  if (trace_) {
    trace_(absl::StrCat("client ", client, ": ", call.service, ".", call.method, ", ",
                        Describe(operations_[plan.operation]),
                        plan.shared.has_value() ? absl::StrCat(" (", shared_calls_.Describe(*plan.shared), ")") : "",
                        plan.has_effect ? absl::StrCat(" with ", Describe(operations_[plan.operation + 1])) : "",
                        node == 0 ? "" : absl::StrCat(" at node ", node)));
  }
  backend_.Start(std::move(call), std::make_shared<Handle>(attempt));
}

// Its operation stays open for ever.
void Clients::Dropped(Attempt& attempt) {
  --open_;
  if (trace_) {
    trace_(absl::StrCat("client ", attempt.client, ": ", Describe(operations_[attempt.operation]), ": never answered"));
  }
  Free(attempt);
}

void Clients::Free(const Attempt& attempt) {
  if (attempt.client != 0) {
    clients_[attempt.client - 1].open = nullptr;
    Think(attempt.client);
  } else {
    std::erase_if(probes_, [&](const auto& each) { return each.get() == &attempt; });
  }
}

void Clients::Ended(Attempt& attempt, const absl::Status& status) {
  --open_;
  Operation& operation = operations_[attempt.operation];
  operation.returned = strand_.Now();
  operation.outcome = OutcomeOf(status);
  if (status.ok() && !attempt.shared.has_value()) operation.version = VersionIn(attempt.message);
  if (!status.ok()) operation.status = Text(status);
  const bool answered = attempt.shared.has_value() ? shared_calls_.OnEnd(*attempt.shared, status) : status.ok();
  if (attempt.has_effect) {
    Operation& effect = operations_[attempt.operation + 1];
    effect.returned = operation.returned;
    effect.outcome =
        operation.outcome == Operation::Outcome::kFailed ? Operation::Outcome::kFailed : Operation::Outcome::kUnknown;
    effect.status = operation.status;
  }
  if (trace_) {
    trace_(absl::StrCat("client ", attempt.client, ": ", Describe(operation), ": ",
                        status.ok() ? absl::StrCat("OK, ", attempt.shared.has_value()
                                                               ? shared_calls_.LastTold(*attempt.shared)
                                                               : absl::StrCat(operation.version.count, " writes"))
                                    : operation.status));
  }
  Free(attempt);
  if (attempt.done)
    strand_.Post([done = attempt.done, outcome = answered ? absl::OkStatus() : status] { done(outcome); });
}

}  // namespace cloudstate::simulation
