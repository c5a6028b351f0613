#include "emulator/routing/router.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/routing/action_run.h"
#include "emulator/routing/activator.h"
#include "emulator/routing/crdt_run.h"

namespace cloudstate::routing {
namespace {

// After this time a call can no longer have been on its way to a node when that began to leave.
constexpr absl::Duration kOnItsWay = absl::Seconds(1);

}  // namespace

struct Router::Published {
  mutable std::mutex mutex;
  std::shared_ptr<const serving::Services> services = std::make_shared<serving::Services>();
  absl::Status availability = absl::UnavailableError("the user function has not been reached yet");
};

Router::Router(Options options, base::Strand& strand, cluster::Node& node, trace::Recorder& recorder,
               ClientCall::Report report_error)
    : options_(options),
      shared_(strand),
      node_(node),
      strand_(node.strand()),
      recorder_(recorder),
      report_error_(std::move(report_error)),
      perform_([this](const std::shared_ptr<const Target>& target, ClientAction action, Effects effects,
                      std::shared_ptr<Outlet> outlet) {
        Perform(target, std::move(action), std::move(effects), std::move(outlet));
      }),
      published_(std::make_unique<Published>()) {
  suspended_ = published_->availability;
  node_.Watch({.availability_changed = [this] { Publish(); },
               .ending = [this](const absl::Status& reason) { EndAll(reason); },
               .open_calls = [this] { return open_.size(); }});
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
  {
    std::lock_guard lock(published_->mutex);
    published_->services = std::shared_ptr<const serving::Services>(holder, &holder->services);
  }
  Publish();
}

void Router::Suspend(absl::Status reason) {
  suspended_ = std::move(reason);
  Publish();
}

void Router::ReturnTo(std::shared_ptr<Activator> activator) { activator_ = std::move(activator); }

// The activator first: what it holds comes before what others send once they see that they can.
void Router::Publish() {
  if (activator_ != nullptr) activator_->Wake();
  std::lock_guard lock(published_->mutex);
  published_->availability = suspended_.ok() ? node_.availability() : suspended_;
}

void Router::EndAll(const absl::Status& reason) {
  while (!open_.empty()) {
    auto call = open_.front().shared_from_this();
    call->unlink();
    if (IsPlanted(base::PlantedBug::kCallForgotten)) continue;
    call->End(reason);
  }
  while (!effects_.empty()) {  // one that ends may begin the next
    for (const std::weak_ptr<Cancellable>& each : std::exchange(effects_, {})) {
      if (auto running = each.lock()) running->Cancel(reason);
    }
  }
}

std::shared_ptr<const serving::Services> Router::CurrentServices() const {
  std::lock_guard lock(published_->mutex);
  return published_->services;
}

absl::Status Router::Availability() const {
  std::lock_guard lock(published_->mutex);
  return published_->availability;
}

void Router::Start(serving::Call call, std::shared_ptr<serving::Responder> responder) {
  Post(std::move(call), std::move(responder), For::kThisNode);
}

void Router::StartAnywhere(serving::Call call, std::shared_ptr<serving::Responder> responder) {
  Post(std::move(call), std::move(responder), For::kAnyNode);
}

void Router::Post(serving::Call request, std::shared_ptr<serving::Responder> responder, For who) {
  auto call = ClientCall::Make(shared_, &strand_, recorder_, report_error_, std::move(responder));
  strand_.Post([this, call = std::move(call), request = std::move(request), who]() mutable {
    Accept(call, std::move(request), who);
  });
}

void Router::Take(const std::shared_ptr<ClientCall>& call, serving::Call request) {
  call->MoveTo(&strand_);
  CountIn(*call);
  strand_.Run(
      [this, call, request = std::move(request)]() mutable { Accept(call, std::move(request), For::kAnyNode); });
}

void Router::CountIn(ClientCall& call) {
  call.CountIn(node_.load().requests);
  if (activator_ == nullptr) return;
  call.WhenLeft([weak = std::weak_ptr(activator_)] {
    if (auto activator = weak.lock()) activator->Wake();
  });
}

void Router::Accept(const std::shared_ptr<ClientCall>& call, serving::Call request, For who) {
  // A node that leaves still takes what was on its way to it; if it took what is meant for it alone for longer, that
  // would keep it for ever.
  const bool was_on_its_way = who == For::kAnyNode || shared_.WallTime() - node_.state_since() < kOnItsWay;
  const absl::Status available = node_.is_leaving() && was_on_its_way ? absl::OkStatus() : node_.availability();
  const absl::Status& status = suspended_.ok() ? available : suspended_;
  if (!status.ok() && who == For::kAnyNode && activator_ != nullptr) {
    call->Leave();
    activator_->Take(call, std::move(request));
    return;
  }
  call->Begin(request);
  call->Enter(node_.name(), specification_);
  if (!status.ok()) {
    call->End(status);
    return;
  }
  CountIn(*call);
  open_.push_back(*call);
  Target target;
  target.call = call;
  target.service = std::move(request.service);
  target.method = std::move(request.method);
  target.payload.value = std::move(request.payload);
  target.requests = std::move(request.requests);
  target.metadata = std::move(request.metadata);
  target.abandoned = call->abandoned();
  const Found found = Find(target);
  if (found.method != nullptr) {
    target.payload.type_url = found.method->input_type_url;
    call->SetMethod(*found.method);
  }
  call->Limit(TimeLimit(found, request.deadline, call->held()));
  Invoke(std::move(target), call);
}

absl::Duration Router::TimeLimit(const Found& found, std::optional<absl::Time> deadline, absl::Duration held) const {
  const bool streams = found.method != nullptr &&
                       (found.method->descriptor->client_streaming() || found.method->descriptor->server_streaming());
  const absl::Duration time = streams ? absl::InfiniteDuration() : options_.relay_timeout - held;
  // The client's clock is right even where the node's is not, and does not jump.
  return deadline.has_value() ? std::min(time, *deadline - (strand_.WallTime() - strand_.Ahead())) : time;
}

Router::Found Router::Find(const Target& target) {
  const auto& services = target.call->specification().services;
  const auto service = services.find(target.service);
  if (service == services.end()) return {};
  const auto method = service->second.methods.find(target.method);
  return {&service->second, method == service->second.methods.end() ? nullptr : &method->second};
}

// Brings the command to what answers it; effects and forwards of the reply come after what it stores is durable.
void Router::Invoke(Target target, std::shared_ptr<Outlet> outlet) {
  const Found found = Find(target);
  if (found.method == nullptr) {
    RefuseUnknown(target, found, *outlet);
    return;
  }
  if (target.origin != nullptr && target.origin->depth > options_.max_forwards) {
    outlet->End(
        absl::InternalError(absl::StrCat(target.Name(), " was not called: it is more than ", options_.max_forwards,
                                         " steps from the client's command", target.HowItCameAbout())));
    return;
  }
  switch (found.service->kind) {
    case userfunction::EntityKind::kEventSourced:
    case userfunction::EntityKind::kValueEntity:
      InvokeEntity(std::move(target), found, std::move(outlet));
      return;
    case userfunction::EntityKind::kAction:
      InvokeAction(std::move(target), found, std::move(outlet));
      return;
    case userfunction::EntityKind::kCrdt:
      InvokeCrdt(std::move(target), found, std::move(outlet));
      return;
  }
}

void Router::RefuseUnknown(const Target& target, const Found& found, Outlet& outlet) {
  const std::string text =
      found.service == nullptr
          ? absl::StrCat("Service [", target.service, "] unknown")
          : absl::StrCat("Service [", target.service, "] does not have a command named: [", target.method, "]");
  if (target.origin == nullptr) {
    outlet.End(absl::UnimplementedError(text));
    return;
  }
  report_error_(text + target.HowItCameAbout());
  outlet.End(absl::InternalError(text + target.HowItCameAbout()));
}

void Router::InvokeEntity(Target target, const Found& found, std::shared_ptr<Outlet> outlet) {
  auto entity_id = found.method->entity_id->Extract(target.payload.value);
  if (!entity_id.ok()) {
    outlet->End(entity_id.status());
    return;
  }
  target.call->trace()->SetEntity(target.number, *entity_id);
  entities::Command command;
  Fill(command, target);
  command.abandoned = target.abandoned;
  auto shared = std::make_shared<const Target>(std::move(target));
  command.done = [this, shared, outlet = std::move(outlet)](absl::StatusOr<entities::Reply> reply) mutable {
    if (!reply.ok()) {
      outlet->End(reply.status());
    } else {
      Perform(shared, std::move(reply->action), std::move(reply->side_effects), std::move(outlet));
    }
  };
  node_.Deliver(*std::move(entity_id), std::move(command));
}

// Every node has an instance of the entity: the command stays here. Discovery lets no client-streamed method in. A
// streamed call stays open for as long as its client does; one that no client waits for, whose answers go nowhere, as
// long as any command of that kind may take.
void Router::InvokeCrdt(Target target, const Found& found, std::shared_ptr<Outlet> outlet) {
  if (*target.abandoned) {
    outlet->End(absl::CancelledError("nobody waits for it any more"));
    return;
  }
  auto entity_id = found.method->entity_id->Extract(target.payload.value);
  if (!entity_id.ok()) {
    outlet->End(entity_id.status());
    return;
  }
  target.call->trace()->SetEntity(target.number, *entity_id);
  auto command = std::make_shared<entities::CrdtCommand>();
  Fill(*command, target);
  command->streamed = found.method->descriptor->server_streaming();
  const auto takes = Takes(target, found);
  // Where the client's own limit comes first, it is the client's call that ends.
  const bool bounded = !target.ForClient() || (!command->streamed && target.call->TimeLeft() > options_.relay_timeout);
  auto shared = std::make_shared<const Target>(std::move(target));
  auto run = std::make_shared<CrdtRun>(node_, shared, std::move(outlet), perform_, takes);
  Attach(*shared, run);
  run->Start(*std::move(entity_id), std::move(command), bounded ? options_.relay_timeout : absl::InfiniteDuration());
}

template <typename Command>
void Router::Fill(Command& command, Target& target) const {
  command.service = target.service;
  command.method = target.method;
  command.payload = std::move(target.payload);
  if (options_.entity_metadata == EntityMetadata::kPass) command.metadata = std::move(target.metadata);
  command.trace = target.call->trace();
  command.number = target.number;
}

AnswerSequence::Takes Router::Takes(const Target& target, const Found& found) {
  const bool can_take_one_only = target.ForClient() && !target.call->StreamsOut();
  return found.method->descriptor->server_streaming() && can_take_one_only ? AnswerSequence::Takes::kFirstReply
                                                                           : AnswerSequence::Takes::kEveryReply;
}

// To be cancelled when the client has gone, or the life of the node ends.
void Router::Attach(const Target& target, const std::shared_ptr<Cancellable>& run) {
  if (target.ForClient()) {
    target.call->Attach(run);
    return;
  }
  std::erase_if(effects_, [](const auto& each) { return each.expired(); });
  effects_.push_back(run);
}

void Router::InvokeAction(Target target, const Found& found, std::shared_ptr<Outlet> outlet) {
  if (*target.abandoned) {
    outlet->End(absl::CancelledError("nobody waits for it any more"));
    return;
  }
  auto connection = node_.connection();
  if (connection == nullptr) {
    outlet->End(absl::UnavailableError("the user function has gone"));
    return;
  }
  ClientCall& call = *target.call;
  const bool for_client = target.ForClient();
  const auto& descriptor = *found.method->descriptor;
  entities::ActionCall::Request request;
  request.service = target.service;
  request.method = target.method;
  request.streams_in = descriptor.client_streaming();
  request.streams_out = descriptor.server_streaming();
  request.dialect = call.specification().dialect;
  request.metadata = std::move(target.metadata);
  const bool bounded = !for_client || !(request.streams_in || request.streams_out);
  request.timeout = std::min(for_client ? call.TimeLeft() : absl::InfiniteDuration(),
                             bounded ? options_.relay_timeout : absl::InfiniteDuration());
  journal::Payload payload = std::move(target.payload);
  base::Task half_closed = [] {};
  if (target.requests != nullptr && !request.streams_out) {
    half_closed = [this, waiting = std::weak_ptr(target.call)] {
      if (auto client = waiting.lock()) client->Limit(std::min(client->TimeLeft(), options_.relay_timeout));
    };
  }
  const auto takes = Takes(target, found);
  auto shared = std::make_shared<const Target>(std::move(target));
  auto run = std::make_shared<ActionRun>(strand_, shared, std::move(outlet), perform_, takes,
                                         node_.action_metrics(shared->service), node_.load().user_function);
  Attach(*shared, run);
  run->Start(*connection, std::move(request), found.method->input_type_url, std::move(payload), std::move(half_closed));
}

}  // namespace cloudstate::routing
