#include "emulator/admin/replaying.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "emulator/admin/replay_plan.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {
namespace {

using entities::ReplayFrom;
using userfunction::EntityKind;

constexpr int kMostCommands = 100;
constexpr absl::Duration kUsualDeadline = absl::Seconds(10);
constexpr std::size_t kReplayPageBytes = 1 << 20;

void Describe(const Views& views, const std::string& service, const std::string& method,
              const google::protobuf::Any& payload, dev::v1::ReplayFurther& further) {
  further.set_service(service);
  further.set_method(method);
  *further.mutable_payload() = views.Decode({payload.type_url(), payload.value()});
}

dev::v1::ReplayOutcome Describe(const Views& views, const entities::ReplayOutcome& from) {
  dev::v1::ReplayOutcome outcome;
  outcome.set_code(static_cast<int>(from.status.code()));
  outcome.set_message(std::string(from.status.message()));
  *outcome.mutable_duration() = ToDuration(from.duration);
  const ClientAction& action = from.answer.reply.action;
  if (action.has_reply()) {
    const google::protobuf::Any& payload = action.reply().payload();
    *outcome.mutable_reply() = views.Decode({payload.type_url(), payload.value()});
  }
  if (action.has_forward()) {
    const Forward& forward = action.forward();
    Describe(views, forward.service_name(), forward.command_name(), forward.payload(), *outcome.mutable_forward());
  }
  for (const SideEffect& effect : from.answer.reply.side_effects) {
    dev::v1::ReplayFurther& further = *outcome.add_effects();
    Describe(views, effect.service_name(), effect.command_name(), effect.payload(), further);
    further.set_synchronous(effect.synchronous());
  }
  for (const journal::Payload& event : from.answer.events) *outcome.add_events() = views.Decode(event);
  if (from.answer.snapshot.has_value()) *outcome.mutable_snapshot() = views.Decode(*from.answer.snapshot);
  return outcome;
}

}  // namespace

std::shared_ptr<const ReplayPlaces> ReplayPlaces::Take(const std::shared_ptr<std::atomic<int>>& taken, int most) {
  if (++*taken <= most) return std::make_shared<ReplayPlaces>(taken);
  --*taken;
  return nullptr;
}

void Replaying::Begin() {
  if (absl::Status status = Check(); !status.ok()) return Finish(status);
  answer_->OnCancel([cancellation = cancellation_] { cancellation->Cancel(); });
  live_.GetReplayTarget([self = shared_from_this()](absl::StatusOr<Live::ReplayTarget> target) {
    if (!target.ok()) return self->Finish(target.status());
    self->target_ = *std::move(target);
    self->Read(&Replaying::Prepare);
  });
}

absl::Status Replaying::Check() {
  deadline_ = request_.has_deadline() ? FromDuration(request_.deadline()) : kUsualDeadline;
  if (deadline_ <= absl::ZeroDuration() || deadline_ > kLongestDeadline) {
    return absl::InvalidArgumentError(absl::StrCat("The deadline of a replay is more than nothing, and at most ",
                                                   absl::FormatDuration(kLongestDeadline), "."));
  }
  if (request_.commands_size() <= kMostCommands) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("A replay runs at most ", kMostCommands, " commands; these are ", request_.commands_size(), "."));
}

void Replaying::Read(Task task) {
  absl::Status taken = pool_->TryPost([self = shared_from_this(), task](const absl::StatusOr<Views*>& views) {
    absl::Status status = views.status();
    if (status.ok()) status = ((*self).*task)(**views);
    if (!status.ok()) self->Finish(status);
  });
  if (!taken.ok()) Finish(taken);
}

void Replaying::Finish(const absl::Status& status) {
  place_ = nullptr;
  answer_->Finish(status);
}

absl::Status Replaying::Prepare(Views& views) {
  absl::StatusOr<entities::ReplayPlan> plan = MakePlan(views);
  if (!plan.ok()) return plan.status();
  plan->time = deadline_ - (absl::Now() - begin_);
  live_.StartReplay(target_.specification, *std::move(plan), cancellation_,
                    [self = shared_from_this()](absl::StatusOr<entities::ReplayResult> result) {
                      if (!result.ok()) return self->Finish(result.status());
                      self->place_ = nullptr;
                      self->result_ = *std::move(result);
                      self->Read(&Replaying::Describe);
                    });
  return absl::OkStatus();
}

absl::StatusOr<entities::ReplayPlan> Replaying::MakePlan(Views& views) {
  for (const auto& [name, service] : target_.specification->services) {
    if (service.kind == EntityKind::kCrdt && service.persistence_id == request_.persistence_id()) {
      return absl::InvalidArgumentError(absl::StrCat("Only event-sourced and value entities can be replayed; those of ",
                                                     name, " are CRDTs, and have no events."));
    }
  }
  dev::v1::GetEntityRequest asked;
  asked.set_persistence_id(request_.persistence_id());
  asked.set_entity_id(request_.entity_id());
  absl::StatusOr<dev::v1::Entity> entity = views.GetEntity(asked);
  if (!entity.ok()) return entity.status();
  if (request_.sequence() < 0 || request_.sequence() > entity->last_sequence()) {
    return absl::OutOfRangeError(absl::StrCat("There is no event ", request_.sequence(),
                                              ": the entity has events 1 to ", entity->last_sequence(),
                                              ", and 0 stands for none of them."));
  }
  auto service = FindReplayedService(*target_.specification, request_, entity->service());
  if (!service.ok()) return service.status();
  auto commands = ReadCommands(*target_.specification, request_, **service);
  if (!commands.ok()) return commands.status();

  entities::ReplayPlan plan;
  plan.protocol = (*service)->kind == EntityKind::kValueEntity ? &entities::ValueEntity() : &entities::EventSourced();
  plan.service = (*service)->name;
  plan.key = {request_.persistence_id(), request_.entity_id()};
  plan.until = request_.sequence();
  plan.commands = *std::move(commands);
  for (const dev::v1::Payload& event : request_.events()) plan.events.push_back({event.type_url(), event.value()});
  if (absl::Status status = AddPages(views, entity->last_sequence(), plan); !status.ok()) return status;
  return plan;
}

// The events of a value entity are its versions, of which the last one counts.
absl::Status Replaying::AddPages(Views& views, std::int64_t last_sequence, entities::ReplayPlan& plan) {
  const bool value = plan.protocol == &entities::ValueEntity();
  if (value && !plan.events.empty()) {
    plan.first.events.push_back({plan.until + 1, std::move(plan.events.back())});
    plan.first.last_sequence = last_sequence;
    plan.events.clear();
    return absl::OkStatus();
  }
  std::optional<journal::SequenceNumber> after;
  if (request_.without_snapshots() || target_.replay_from == ReplayFrom::kFirstEvent) after = 0;
  if (value) after = std::max<std::int64_t>(plan.until - 1, 0);
  absl::StatusOr<journal::Replay> first = views.LoadUntil(plan.key, plan.until, after, kReplayPageBytes);
  if (!first.ok()) return first.status();
  if (first->last_sequence < plan.until) return entities::DeletedWhileReplayed(plan.key);
  plan.first = *std::move(first);
  plan.next = [pool = pool_, key = plan.key, until = plan.until](journal::SequenceNumber behind,
                                                                 entities::ReplayPlan::TakePage take) {
    pool->Post([key, until, behind, take = std::move(take)](const absl::StatusOr<Views*>& opened) mutable {
      if (!opened.ok()) return take(opened.status());
      take((*opened)->LoadUntil(key, until, behind, kReplayPageBytes));
    });
  };
  return absl::OkStatus();
}

absl::Status Replaying::Describe(Views& views) {
  if (absl::Status status = views.RefreshTypes(); !status.ok()) return status;
  dev::v1::ReplayResponse response;
  response.set_snapshot_sequence(result_.snapshot_sequence);
  response.set_replayed_events(result_.replayed_events);
  for (const entities::ReplayOutcome& outcome : result_.outcomes) {
    *response.add_outcomes() = admin::Describe(views, outcome);
  }
  *response.mutable_duration() = ToDuration(result_.duration);
  answer_->Message(response.SerializeAsString());
  Finish(absl::OkStatus());
  return absl::OkStatus();
}

}  // namespace cloudstate::admin
