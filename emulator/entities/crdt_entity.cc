#include "emulator/entities/crdt_entity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/crdt/cell.h"
#include "emulator/entities/any_payload.h"

namespace cloudstate::entities {
namespace {

constexpr std::size_t kSendWindow = 64;  // messages given to the transport ahead of what it has taken

absl::Status CrdtDeleted() { return absl::UnknownError("Entity deleted"); }

}  // namespace

CrdtEntity::CrdtEntity(base::EntityKey key, std::string service, const CrdtEnvironment& environment, Host& host)
    : key_(std::move(key)),
      service_(std::move(service)),
      environment_(environment),
      protocol_(CrdtProtocolOf(environment.dialect)),
      host_(host) {}

CrdtEntity::~CrdtEntity() {
  environment_.strand.Cancel(timer_);
  for (const auto& [id, call] : calls_) {
    environment_.strand.Cancel(call->timer);
    call->handled.End();  // a write may keep the call for longer than the node is there
  }
}

void CrdtEntity::Deliver(std::shared_ptr<CrdtCommand> command) {
  ++environment_.metrics.received_commands;
  if (environment_.replica.state().deleted()) {
    ++environment_.metrics.failed_commands;
    command->ended(CrdtDeleted());
    TellIfStopped();
    return;
  }
  if (waiting_.size() >= environment_.limits.max_waiting_commands) {
    ++environment_.metrics.failed_commands;
    command->ended(absl::ResourceExhaustedError(absl::StrCat(waiting_.size(), " commands already wait for ", Name())));
    return;
  }
  const bool at_once = state_ == State::kOpen && waiting_.empty() && IsWritable();
  waiting_.push_back({command, environment_.strand.Now(), !at_once});
  if (at_once) {
    Pump();
    return;
  }
  ++environment_.metrics.stashed_commands;
  if (state_ == State::kStopped) {
    Start();
    return;
  }
  command->trace->Add(environment_.strand.Now(), trace::StepKind::kQueued, command->number,
                      absl::StrCat(waiting_.size(), " waiting"));
}

void CrdtEntity::Cancel(const std::shared_ptr<CrdtCommand>& command) {
  if (const auto sent = unended_.find(command.get()); sent != unended_.end()) {
    LoseClient(CallPointer(sent->second));
    return;
  }
  if (std::erase_if(waiting_, [&](const Waiting& each) { return each.command == command; }) == 0) return;
  command->ended(absl::CancelledError("nobody waits for it any more"));
  Pump();
}

void CrdtEntity::EndOpenCalls() {
  for (const auto& [id, call] : std::map(calls_)) {
    if (call->phase == Phase::kStreaming) LoseClient(call);
  }
}

void CrdtEntity::OnReplicaChanged() {
  behind_ = true;
  Pump();
}

void CrdtEntity::Passivate() {
  ++environment_.metrics.passivated_entities;
  HalfClose();
}

void CrdtEntity::Evict() {
  if (idle_) {
    Passivate();
  } else {
    evicting_ = state_ == State::kOpen;
  }
}

void CrdtEntity::Abort(const absl::Status& reason) {
  for (Waiting& each : std::exchange(waiting_, {})) {
    ++environment_.metrics.failed_commands;
    each.command->ended(reason);
  }
  if (state_ == State::kStopped) return;
  DropStream();
  state_ = State::kClosing;
  FinishAll(reason, reason);
  Stop();
}

// ---- opening

void CrdtEntity::Start() {
  ++environment_.metrics.activated_entities;
  started_ = environment_.strand.Now();
  state_ = State::kReading;
  reading_.Begin(environment_.load.journal, environment_.strand, started_);
  environment_.replica.Read(stream_lifetime_.Guard([this] { OnRead(); }));
}

void CrdtEntity::OnRead() {
  reading_.End();
  if (environment_.replica.state().deleted()) {
    CloseDeleted();
    return;
  }
  auto connection = host_.CurrentConnection();
  if (connection == nullptr) {
    Abort(absl::UnavailableError("the user function has gone"));
    return;
  }
  ++streams_;
  last_command_id_ = 0;
  behind_ = false;
  copy_ = crdt::ValueOf(environment_.replica.state(), environment_.replica.self(), environment_.replica.voters());
  stream_ = connection->Open(
      CrdtProtocol::kMethod, absl::InfiniteDuration(),
      {.on_message = stream_lifetime_.Guard([this](const std::string& message) { OnMessage(message); }),
       .on_closed = stream_lifetime_.Guard([this](const absl::Status& status) { OnClosed(status); }),
       .on_writable = stream_lifetime_.Guard([this] { Pump(); })});
  stream_->Write(protocol_.Init(service_, key_.entity_id,
                                copy_.has_value() ? std::optional(crdt::WholeDelta(*copy_)) : std::nullopt));
  environment_.metrics.recovery_time.Add(environment_.strand.Now() - started_);
  if (!waiting_.empty()) {
    const CrdtCommand& first = *waiting_.front().command;
    const std::string detail = copy_.has_value() ? absl::StrCat("its ", crdt::TypeName(copy_->type)) : "new entity";
    first.trace->Add(environment_.strand.Now(), trace::StepKind::kReplayed, first.number, detail);
  }
  state_ = State::kOpen;
  Pump();
}

// ---- towards the user function

// Whatever the user function may be told now.
void CrdtEntity::Pump() {
  BringUpToDate();
  while (state_ == State::kOpen && !waiting_.empty() && IsWritable()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    Send(std::move(next));
  }
  SetIdle(state_ == State::kOpen && waiting_.empty() && unended_.empty());
}

void CrdtEntity::Send(Waiting next) {
  const absl::Time now = environment_.strand.Now();
  if (next.stashed) {
    ++environment_.metrics.unstashed_commands;
    environment_.metrics.command_stash_time.Add(now - next.since);
  }
  auto call = std::make_shared<Call>();
  call->id = ++last_command_id_;
  call->command = std::move(next.command);
  call->since = next.since;
  calls_.emplace(call->id, call);
  unended_.emplace(call->command.get(), call);
  SetPhase(call, Phase::kSent);
  call->handled.Begin(environment_.load.user_function, environment_.strand, now);
  call->timer = environment_.strand.After(environment_.limits.relay_timeout,
                                          lifetime_.Guard([this, call] { OnRelayTimeout(call); }));
  Trace(call, trace::StepKind::kSent, absl::StrCat("command ", call->id), &call->command->payload);

  cloudstate::Command command;
  command.set_entity_id(key_.entity_id);
  command.set_id(call->id);
  command.set_name(call->command->method);
  command.set_streamed(call->command->streamed);
  ToAny(std::move(call->command->payload), *command.mutable_payload());
  if (environment_.dialect == userfunction::Dialect::k0_2 && call->command->metadata.entries_size() > 0) {
    *command.mutable_metadata() = std::move(call->command->metadata);
  }
  stream_->Write(protocol_.Command(std::move(command)));
}

bool CrdtEntity::IsWritable() const { return stream_->Unsent() < kSendWindow; }

// Tells the user function what others did, while it has nothing to answer.
void CrdtEntity::BringUpToDate() {
  const bool may_change = outstanding_ > 0 && !IsPlanted(base::PlantedBug::kPushedMeanwhile);
  if (state_ != State::kOpen || !behind_ || may_change || !IsWritable()) return;
  behind_ = false;
  const CrdtReplica& replica = environment_.replica;
  if (replica.state().deleted()) {
    stream_->Write(protocol_.Deletion());
    CloseDeleted();
    return;
  }
  std::optional<crdt::Value> now = crdt::ValueOf(replica.state(), replica.self(), replica.voters());
  if (!now.has_value()) return;
  if (!copy_.has_value()) {
    stream_->Write(protocol_.FirstValue(crdt::WholeDelta(*now)));
  } else if (copy_->type != now->type) {
    Reset(absl::StrCat("its ", crdt::TypeName(copy_->type), " is a ", crdt::TypeName(now->type),
                       " now, since another node made it one"));
    return;
  } else if (std::optional<crdt::CrdtDelta> change = crdt::Difference(*copy_, *now)) {
    stream_->Write(protocol_.Change(*std::move(change)));
  }
  copy_ = std::move(now);
}

// Changes of others do not keep an idle entity awake.
void CrdtEntity::SetIdle(bool idle) {
  if (idle == idle_) return;
  idle_ = idle;
  CancelTimer(timer_);
  host_.OnIdle(idle);
  if (!idle) return;
  if (std::exchange(evicting_, false)) {
    Passivate();
  } else {
    SetTimer(environment_.limits.passivation_timeout, &CrdtEntity::Passivate);
  }
}

// ---- ends of a stream

void CrdtEntity::OnClosed(const absl::Status& status) {
  if (state_ == State::kClosing) {
    Stop();
    return;
  }
  Reset(absl::StrCat("its stream was ended by the user function: ", status.ToString()),
        absl::UnknownError("Unexpected CRDT entity termination"));
}

void CrdtEntity::OnRelayTimeout(const CallPointer& call) {
  call->outcome = absl::DeadlineExceededError(
      absl::StrCat("no reply from the user function to ", call->command->service, ".", call->command->method,
                   " within ", absl::FormatDuration(environment_.limits.relay_timeout)));
  Reset("the user function did not reply in time");
}

// The end of the entity, on all nodes. Calls that are open end as if the user function had ended them.
void CrdtEntity::CloseDeleted() {
  const bool has_stream = std::exchange(state_, State::kClosing) == State::kOpen;
  for (Waiting& each : std::exchange(waiting_, {})) {
    ++environment_.metrics.failed_commands;
    each.command->ended(CrdtDeleted());
  }
  FinishAll(CrdtDeleted(), absl::OkStatus());
  if (state_ != State::kClosing) return;  // it was aborted meanwhile
  if (has_stream) {
    HalfClose();
  } else {
    Stop();
  }
}

void CrdtEntity::HalfClose() {
  SetIdle(false);
  state_ = State::kClosing;
  calls_.clear();
  stream_->HalfClose();
  SetTimer(environment_.limits.close_grace, &CrdtEntity::Stop);
}

void CrdtEntity::Reset(const std::string& report, const absl::Status& outcome) {
  ++environment_.metrics.failed_entities;
  DropStream();
  state_ = State::kClosing;
  host_.ReportError(absl::StrCat(Name(), " is reset: ", report));
  for (const auto& [id, call] : calls_) Trace(call, trace::StepKind::kFailed, report);
  FinishAll(outcome, outcome);
  Stop();
}

void CrdtEntity::DropStream() {
  SetIdle(false);
  CancelTimer(timer_);
  reading_.End();
  stream_lifetime_.Renew();
  stream_ = nullptr;
  evicting_ = false;
}

// The stream has ended, or has had its time to: go on with another if there is a reason to.
void CrdtEntity::Stop() {
  if (state_ != State::kClosing) return;  // what failed has led to a new start already
  DropStream();
  environment_.metrics.entity_active_time.Add(environment_.strand.Now() - started_);
  state_ = State::kStopped;
  if (waiting_.empty()) {
    TellIfStopped();
  } else {
    Start();
  }
}

void CrdtEntity::TellIfStopped() {
  if (stopped()) host_.OnStopped();
}

void CrdtEntity::SetTimer(absl::Duration delay, void (CrdtEntity::*action)()) {
  CancelTimer(timer_);
  timer_ = environment_.strand.After(delay, [this, action] { (this->*action)(); });
}

void CrdtEntity::CancelTimer(base::TimerId& timer) {
  environment_.strand.Cancel(std::exchange(timer, base::TimerId::kNone));
}

std::string CrdtEntity::Name() const { return absl::StrCat("entity ", key_.ToString(), " of ", service_); }

}  // namespace cloudstate::entities
