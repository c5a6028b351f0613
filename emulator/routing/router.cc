#include "emulator/routing/router.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::routing {
namespace {

journal::Payload ToPayload(google::protobuf::Any& any) {
  return {std::move(*any.mutable_type_url()), std::move(*any.mutable_value())};
}

}  // namespace

// One client's call, alive until the last thing that it set off has ended; then its trace is whole.
struct Router::ClientCall {
  ClientCall(base::Strand& its_strand, trace::Recorder& its_recorder) : strand(its_strand), recorder(its_recorder) {}
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;
  ~ClientCall() {
    strand.Cancel(deadline);
    if (trace != nullptr) recorder.End(std::move(trace));
  }

  base::Strand& strand;
  trace::Recorder& recorder;
  std::shared_ptr<serving::Responder> responder;  // null once answered
  std::shared_ptr<trace::Trace> trace;
  std::shared_ptr<bool> abandoned = std::make_shared<bool>(false);
  base::TimerId deadline = base::TimerId::kNone;
  std::shared_ptr<const userfunction::Specification> specification;
  std::string reply_type_url;
};

// How a command that no client sent came about.
struct Router::Origin {
  absl::string_view how;  // "forwarded from" or "side-effect of"
  std::string command;    // "Service.Method"
  std::shared_ptr<const Origin> before;
  std::size_t depth = 1;
};

// A command to be brought to its entity.
struct Router::Target {
  std::shared_ptr<ClientCall> call;
  std::string service;
  std::string method;
  journal::Payload payload;
  Metadata metadata;
  std::shared_ptr<const Origin> origin;  // null for the client's own
  std::shared_ptr<const bool> abandoned;

  std::string Name() const { return absl::StrCat(service, ".", method); }

  std::string HowItCameAbout() const {
    std::string text;
    for (const Origin* each = origin.get(); each != nullptr; each = each->before.get()) {
      absl::StrAppend(&text, "\n", each->how, " ", each->command);
    }
    return text;
  }

  Target Next(absl::string_view how, const std::string& next_service, const std::string& next_method) const {
    auto from = std::make_shared<Origin>(Origin{how, Name(), origin, origin == nullptr ? 1 : origin->depth + 1});
    return Target{call, next_service, next_method, {}, {}, std::move(from), abandoned};
  }
};

struct Router::Published {
  mutable std::mutex mutex;
  std::shared_ptr<const serving::Services> services = std::make_shared<serving::Services>();
  absl::Status availability = absl::UnavailableError("the user function has not been reached yet");
};

Router::Router(Options options, base::Strand& strand, cluster::Node& node, trace::Recorder& recorder,
               absl::AnyInvocable<void(const std::string&)> report_error)
    : options_(options),
      strand_(strand),
      node_(node),
      recorder_(recorder),
      report_error_(std::move(report_error)),
      published_(std::make_unique<Published>()) {
  suspended_ = published_->availability;
}

Router::~Router() = default;

void Router::Serve(std::shared_ptr<const userfunction::Specification> specification) {
  specification_ = std::move(specification);
  suspended_ = absl::OkStatus();
  struct Holder {
    std::shared_ptr<const userfunction::Specification> specification;
    serving::Services services;
  };
  auto holder = std::make_shared<Holder>();
  holder->specification = specification_;
  holder->services = {specification_->pool.get(), specification_->SortedServices()};
  std::lock_guard lock(published_->mutex);
  published_->services = std::shared_ptr<const serving::Services>(holder, &holder->services);
  published_->availability = absl::OkStatus();
}

void Router::Suspend(absl::Status reason) {
  suspended_ = reason;
  std::lock_guard lock(published_->mutex);
  published_->availability = std::move(reason);
}

std::shared_ptr<const serving::Services> Router::CurrentServices() const {
  std::lock_guard lock(published_->mutex);
  return published_->services;
}

absl::Status Router::Availability() const {
  std::lock_guard lock(published_->mutex);
  return published_->availability;
}

void Router::Start(serving::Call request, std::shared_ptr<serving::Responder> responder) {
  auto call = std::make_shared<ClientCall>(strand_, recorder_);
  responder->OnCancel([&strand = strand_, waiting = std::weak_ptr(call)] {
    strand.Post([waiting] {
      if (auto cancelled = waiting.lock()) *cancelled->abandoned = true;
    });
  });
  call->responder = std::move(responder);
  strand_.Post(
      [this, call = std::move(call), request = std::move(request)]() mutable { Accept(call, std::move(request)); });
}

void Router::Accept(const std::shared_ptr<ClientCall>& call, serving::Call request) {
  call->specification = specification_;
  call->trace = recorder_.Begin(strand_.Now(), strand_.WallTime());
  trace::Trace& trace = *call->trace;
  trace.service = request.service;
  trace.method = request.method;
  trace.protocol = std::string(request.protocol);
  trace.peer = std::move(request.peer);
  trace.Add(strand_.Now(), trace::StepKind::kReceived, "", absl::StrCat(request.payload.size(), " bytes"));
  if (!suspended_.ok()) {
    Answer(*call, suspended_);
    return;
  }
  absl::Duration time = options_.relay_timeout;
  if (request.deadline.has_value()) time = std::min(time, *request.deadline - strand_.WallTime());
  call->deadline = strand_.After(time, [this, waiting = std::weak_ptr(call), time] {
    auto late = waiting.lock();
    if (late == nullptr || late->responder == nullptr) return;
    *late->abandoned = true;
    Answer(*late,
           absl::DeadlineExceededError(absl::StrCat("no reply to ", late->trace->service, ".", late->trace->method,
                                                    " within ", absl::FormatDuration(time))));
  });
  Target target{call, std::move(request.service), std::move(request.method), {}, {}, nullptr, call->abandoned};
  target.payload.value = std::move(request.payload);
  if (options_.entity_metadata == EntityMetadata::kPass) target.metadata = std::move(request.metadata);
  Invoke(std::move(target), [this, call](Outcome outcome) { Answer(*call, std::move(outcome)); });
}

void Router::Answer(ClientCall& call, Outcome outcome) {
  if (call.responder == nullptr) return;
  auto responder = std::move(call.responder);
  strand_.Cancel(std::exchange(call.deadline, base::TimerId::kNone));
  const absl::Time now = strand_.Now();
  call.trace->duration = now - call.trace->begin;
  call.trace->outcome = outcome.status();
  Metadata headers = outcome.ok() ? std::move(*outcome->mutable_metadata()) : Metadata();
  if (call.trace->protocol != "grpc") {
    MetadataEntry& entry = *headers.add_entries();
    entry.set_key(serving::kTraceHeader);
    entry.set_string_value(call.trace->id);
  }
  if (headers.entries_size() > 0) responder->Headers(headers);
  if (!outcome.ok()) {
    call.trace->Add(now, trace::StepKind::kAnswered, "",
                    outcome.status().ToString(absl::StatusToStringMode::kWithNoExtraData));
    responder->Finish(outcome.status());
    return;
  }
  google::protobuf::Any& any = *outcome->mutable_payload();
  if (any.type_url() != call.reply_type_url) WarnOfReplyType(call, any.type_url());
  journal::Payload payload = ToPayload(any);
  call.trace->Add(now, trace::StepKind::kAnswered, "", "", &payload);
  responder->Message(std::move(payload.value));
  responder->Finish(absl::OkStatus());
}

void Router::WarnOfReplyType(const ClientCall& call, const std::string& type_url) {
  const std::string warning =
      absl::StrCat(call.trace->service, ".", call.trace->method, ": Expected reply type_url to be [",
                   call.reply_type_url, "] but was [", type_url, "].");
  base::LogWarning(warning);
  report_error_(warning);
}

// Finds the entity and hands the command to it; effects and forwards of its reply come after it is durable.
void Router::Invoke(Target target, Done done) {
  const auto& services = target.call->specification->services;
  const auto service = services.find(target.service);
  const auto method = service == services.end() ? decltype(service->second.methods.find("")){}
                                                : service->second.methods.find(target.method);
  const bool unknown = service == services.end();
  if (unknown || method == service->second.methods.end()) {
    const std::string text =
        unknown ? absl::StrCat("Service [", target.service, "] unknown")
                : absl::StrCat("Service [", target.service, "] does not have a command named: [", target.method, "]");
    if (target.origin == nullptr) {
      done(absl::UnimplementedError(text));
      return;
    }
    report_error_(text + target.HowItCameAbout());
    done(absl::InternalError(text + target.HowItCameAbout()));
    return;
  }
  if (target.origin != nullptr && target.origin->depth > options_.max_forwards) {
    done(absl::InternalError(absl::StrCat(target.Name(), " was not called: it is more than ", options_.max_forwards,
                                          " steps from the client's command", target.HowItCameAbout())));
    return;
  }
  if (service->second.kind != userfunction::EntityKind::kEventSourced) {
    done(absl::UnimplementedError(absl::StrCat(target.service, " is declared as ", service->second.entity_type,
                                               "; this version serves event-sourced entities only")));
    return;
  }
  auto entity_id = method->second.entity_id->Extract(target.payload.value);
  if (!entity_id.ok()) {
    done(entity_id.status());
    return;
  }
  entities::Command command;
  command.service = target.service;
  command.method = target.method;
  command.payload = std::move(target.payload);
  if (target.origin == nullptr) {
    command.payload.type_url = method->second.input_type_url;
    target.call->reply_type_url = method->second.output_type_url;
    target.call->trace->entity_id = *entity_id;
  } else {
    command.subject = absl::StrCat(target.Name(), " ", *entity_id);
  }
  command.metadata = std::move(target.metadata);
  command.trace = target.call->trace;
  command.abandoned = target.abandoned;
  auto shared = std::make_shared<const Target>(std::move(target));
  command.done = [this, shared, done = std::move(done)](absl::StatusOr<entities::Reply> reply) mutable {
    if (!reply.ok()) {
      done(reply.status());
      return;
    }
    auto effects = std::make_shared<Effects>(std::move(reply->side_effects));
    RunEffects(shared, std::move(effects), 0,
               [this, shared, action = std::move(reply->action), done = std::move(done)]() mutable {
                 Act(*shared, std::move(action), std::move(done));
               });
  };
  node_.Deliver(service->second, *entity_id, std::move(command));
}

// In their order; a synchronous one is awaited before the next. What they answer is dropped, and a failed one fails
// nothing.
void Router::RunEffects(std::shared_ptr<const Target> target, std::shared_ptr<Effects> effects, int next,
                        base::Task then) {
  static const auto* const kNeverAbandoned = new std::shared_ptr<const bool>(std::make_shared<bool>(false));
  for (int i = next; i < effects->size(); ++i) {
    SideEffect& effect = *effects->Mutable(i);
    Target caused = target->Next("side-effect of", effect.service_name(), effect.command_name());
    caused.payload = ToPayload(*effect.mutable_payload());
    if (options_.entity_metadata == EntityMetadata::kPass) caused.metadata = std::move(*effect.mutable_metadata());
    caused.abandoned = *kNeverAbandoned;
    const std::string name = caused.Name();
    target->call->trace->Add(strand_.Now(), trace::StepKind::kEffect, name,
                             effect.synchronous() ? "synchronous" : "not awaited", &caused.payload);
    auto ended = [this, call = target->call, name](const Outcome& outcome) {
      if (outcome.ok()) return;
      const std::string why(outcome.status().message());
      call->trace->Add(strand_.Now(), trace::StepKind::kFailed, name, why);
      base::LogWarning(absl::StrCat("side effect ", name, " failed: ", why));
    };
    if (effect.synchronous()) {
      Invoke(std::move(caused),
             [this, ended, target, effects, i, then = std::move(then)](const Outcome& outcome) mutable {
               ended(outcome);
               RunEffects(target, effects, i + 1, std::move(then));
             });
      return;
    }
    Invoke(std::move(caused), ended);
  }
  then();
}

void Router::Act(const Target& target, ClientAction action, Done done) {
  switch (action.action_case()) {
    case ClientAction::kReply:
      done(std::move(*action.mutable_reply()));
      return;
    case ClientAction::kFailure:
      done(absl::UnknownError(action.failure().description()));
      return;
    case ClientAction::kForward: {
      Forward& forward = *action.mutable_forward();
      Target next = target.Next("forwarded from", forward.service_name(), forward.command_name());
      next.payload = ToPayload(*forward.mutable_payload());
      if (options_.entity_metadata == EntityMetadata::kPass) next.metadata = std::move(*forward.mutable_metadata());
      target.call->trace->Add(strand_.Now(), trace::StepKind::kForwarded, next.Name(), "", &next.payload);
      Invoke(std::move(next), std::move(done));
      return;
    }
    case ClientAction::ACTION_NOT_SET:
      done(absl::InternalError(
          absl::StrCat(target.Name(), ": the user function answered with neither a reply, a forward nor a failure")));
      return;
  }
}

}  // namespace cloudstate::routing
