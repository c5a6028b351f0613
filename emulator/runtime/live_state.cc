#include "emulator/runtime/live_state.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include "emulator/admin/views.h"
#include "emulator/base/real_strand.h"
#include "emulator/routing/steering.h"
#include "emulator/runtime/call_times.h"
#include "emulator/runtime/scaling_views.h"
#include "emulator/serving/transcoder.h"
#include "emulator/userfunction/payload_json.h"

namespace cloudstate::runtime {
namespace {

constexpr int kMostNewestEvents = 1'000;

class EndingWatch final : public admin::Live::Watch {
 public:
  explicit EndingWatch(absl::AnyInvocable<void()> end) : end_(std::move(end)) {}
  ~EndingWatch() override { end_(); }

 private:
  absl::AnyInvocable<void()> end_;
};

// Of what is watched on the strand: `begin` runs there and gives the number of the watch. Both outlive it.
template <class Watched, class Begin>
std::unique_ptr<admin::Live::Watch> WatchOnStrand(base::Strand& strand, Watched& watched, Begin begin) {
  std::uint64_t id = 0;
  base::RunOn(strand, [&] { id = begin(); });
  return std::make_unique<EndingWatch>([&strand, &watched, id] { base::RunOn(strand, [&] { watched.Unwatch(id); }); });
}

// Of what any thread may watch.
template <class Watched>
std::unique_ptr<admin::Live::Watch> WatchAnywhere(Watched& watched, absl::AnyInvocable<void()> watcher) {
  return std::make_unique<EndingWatch>([&watched, id = watched.Watch(std::move(watcher))] { watched.Unwatch(id); });
}

// Both newest first.
std::vector<std::shared_ptr<const trace::Trace>> OpenTraces(const trace::Recorder& recorder, absl::Time now,
                                                            const dev::v1::CommandFilter& filter, std::size_t limit) {
  std::vector<std::shared_ptr<const trace::Trace>> found;
  for (const auto& [id, trace] : std::views::reverse(recorder.open())) {
    if (found.size() == limit) break;
    auto so_far = trace::SoFar(*trace, now);
    if (admin::Matches(filter, *so_far)) found.push_back(std::move(so_far));
  }
  return found;
}

std::vector<std::shared_ptr<const trace::Trace>> NewestTraces(const trace::Recorder& recorder,
                                                              const dev::v1::CommandFilter& filter, std::size_t limit) {
  std::vector<std::shared_ptr<const trace::Trace>> found;
  for (const auto& trace : recorder.traces()) {
    if (found.size() == limit) break;
    if (admin::Matches(filter, *trace)) found.push_back(trace);
  }
  return found;
}

// Which of the things that were counted come behind a mark: of `count`, of which the last ones are kept.
struct Behind {
  std::int64_t begin = 0;  // how many came before those that are taken
  std::int64_t taken = 0;
  std::int64_t missed = 0;

  Behind(std::int64_t mark, std::int64_t count, std::size_t kept, std::size_t limit)
      : begin(std::clamp(mark, count - static_cast<std::int64_t>(kept), count)),
        taken(std::min(count - begin, static_cast<std::int64_t>(limit))),
        missed(std::max<std::int64_t>(count - mark, 0) - taken) {}
};

void Describe(const userfunction::MethodSpec& method, dev::v1::Method& result) {
  const auto& descriptor = *method.descriptor;
  result.set_name(descriptor.name());
  result.set_input_type(descriptor.input_type()->full_name());
  result.set_output_type(descriptor.output_type()->full_name());
  result.set_client_streaming(descriptor.client_streaming());
  result.set_server_streaming(descriptor.server_streaming());
  if (method.entity_id.has_value()) {
    for (std::string& field : method.entity_id->KeyFields()) result.add_key_fields(std::move(field));
  }
  result.set_example(userfunction::ExampleJson(*descriptor.input_type()));
}

dev::v1::ListServicesResponse Describe(const userfunction::Specification& specification,
                                       const std::vector<serving::Route>& routes, absl::Duration passivation_timeout) {
  dev::v1::ListServicesResponse response;
  for (const auto* descriptor : specification.SortedServices()) {
    const userfunction::ServiceSpec& service = specification.services.at(descriptor->full_name());
    dev::v1::Service& result = *response.add_services();
    result.set_name(service.name);
    result.set_entity_type(service.entity_type);
    if (service.kind != userfunction::EntityKind::kAction) result.set_persistence_id(service.persistence_id);
    const absl::Duration timeout = service.passivation_timeout.value_or(passivation_timeout);
    *result.mutable_passivation_timeout() = admin::ToDuration(timeout);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      dev::v1::Method& method = *result.add_methods();
      Describe(service.methods.at(descriptor->method(i)->name()), method);
      for (const serving::Route& route : routes) {
        if (route.method != descriptor->method(i)) continue;
        dev::v1::HttpBinding& binding = *method.add_http();
        binding.set_method(route.http_method);
        binding.set_path(route.path);
        binding.set_body(route.body);
        binding.set_response_body(route.response_body);
      }
    }
  }
  return response;
}

}  // namespace

LiveState::LiveState(base::Strand& strand, cluster::Cluster& cluster, serving::Backend& user_function,
                     trace::Recorder& recorder, UserFunctions& user_functions, ObservedJournal& journal,
                     Sampler& sampler, LogBook& log, absl::Duration passivation_timeout,
                     std::function<std::string(cluster::NodeId)> client_address)
    : strand_(strand),
      cluster_(cluster),
      user_function_(user_function),
      recorder_(recorder),
      user_functions_(user_functions),
      journal_(journal),
      sampler_(sampler),
      log_(log),
      passivation_timeout_(passivation_timeout),
      client_address_(std::move(client_address)) {}

void LiveState::GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) {
  strand_.Post([this, done = std::move(done)]() mutable {
    dev::v1::Status status = fixed_;
    *status.mutable_user_function() = user_functions_.Describe();
    std::size_t active_entities = 0;
    std::size_t waiting_commands = 0;
    for (const auto& [id, node] : cluster_.nodes()) {
      active_entities += node->active_entities();
      waiting_commands += node->waiting_commands();
    }
    status.set_active_entities(static_cast<std::int64_t>(active_entities));
    status.set_waiting_commands(static_cast<std::int64_t>(waiting_commands));
    status.set_nodes(CountNodes(cluster_));
    done(std::move(status));
  });
}

void LiveState::ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) {
  strand_.Post([this, done = std::move(done)]() mutable {
    const auto specification = user_functions_.specification();
    if (specification == nullptr) {
      done({});
      return;
    }
    auto transcoder = serving::Transcoder::Create(user_function_.CurrentServices());
    done(Describe(*specification, transcoder.ok() ? (*transcoder)->routes() : std::vector<serving::Route>{},
                  passivation_timeout_));
  });
}

void LiveState::Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
                       absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) {
  strand_.Post([this, filter, limit, done = std::move(done)]() mutable {
    done(filter.open() ? OpenTraces(recorder_, strand_.Now(), filter, limit) : NewestTraces(recorder_, filter, limit));
  });
}

void LiveState::FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) {
  strand_.Post([this, id = std::move(id), done = std::move(done)]() mutable {
    const auto open = recorder_.open().find(id);
    done(open == recorder_.open().end() ? recorder_.Find(id) : trace::SoFar(*open->second, strand_.Now()));
  });
}

admin::Live::WatchedTraces LiveState::WatchTraces(const dev::v1::CommandFilter& filter, std::size_t newest,
                                                  trace::Recorder::Watcher watcher) {
  WatchedTraces watched;
  watched.watch = WatchOnStrand(strand_, recorder_, [&] {
    watched.kept = NewestTraces(recorder_, filter, newest);
    return recorder_.Watch(std::move(watcher));
  });
  std::ranges::reverse(watched.kept);
  return watched;
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchCommits(absl::AnyInvocable<void()> stored) {
  return WatchAnywhere(journal_, std::move(stored));
}

void LiveState::ListNodes(const dev::v1::ListNodesRequest&, Done<dev::v1::ListNodesResponse> done) {
  strand_.Post([this, done = std::move(done)]() mutable { done(runtime::ListNodes(Sight())); });
}

void LiveState::GetNode(const dev::v1::GetNodeRequest& request, Done<dev::v1::NodeDetail> done) {
  strand_.Post([this, request, done = std::move(done)]() mutable { done(runtime::GetNode(Sight(), request)); });
}

void LiveState::ListShards(const dev::v1::ListShardsRequest& request, Done<dev::v1::ListShardsResponse> done) {
  strand_.Post([this, request, done = std::move(done)]() mutable { done(runtime::ListShards(cluster_, request)); });
}

void LiveState::GetNetwork(const dev::v1::GetNetworkRequest&, Done<dev::v1::NetworkState> done) {
  strand_.Post([this, done = std::move(done)]() mutable { done(runtime::GetNetwork(cluster_)); });
}

void LiveState::Steer(const dev::v1::Steering& steering, Done<dev::v1::SteerResponse> done) {
  strand_.Post([this, steering, done = std::move(done)]() mutable { done(routing::Steer(cluster_, steering)); });
}

void LiveState::ListClusterEvents(const dev::v1::ListClusterEventsRequest& request,
                                  Done<dev::v1::ListClusterEventsResponse> done) {
  strand_.Post(
      [this, request, done = std::move(done)]() mutable { done(runtime::ListClusterEvents(cluster_, request)); });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchClusterEvents(const dev::v1::WatchClusterEventsRequest& request,
                                                                  ClusterEventWatcher watcher) {
  return WatchOnStrand(strand_, cluster_.events(), [&] {
    if (request.newest() > 0) {
      dev::v1::ListClusterEventsRequest kept;
      kept.set_limit(request.newest());
      kept.set_node(request.node());
      const auto newest = runtime::ListClusterEvents(cluster_, kept);
      if (newest.ok()) {
        for (const dev::v1::ClusterEvent& event : newest->events()) watcher(event);
      }
    }
    const auto node = static_cast<cluster::NodeId>(request.node());
    return cluster_.events().Watch([node, watcher = std::move(watcher)](const cluster::ClusterEvent& event) mutable {
      if (node == cluster::NodeId::kNone || event.node == node) watcher(runtime::ToProto(event));
    });
  });
}

void LiveState::ListCrdts(const dev::v1::ListCrdtsRequest& request, Done<dev::v1::ListCrdtsResponse> done) {
  strand_.Post(
      [this, request, done = std::move(done)]() mutable { done(runtime::ListCrdts(SightOfCrdts(), request)); });
}

void LiveState::GetCrdt(const dev::v1::GetCrdtRequest& request, Done<dev::v1::CrdtDetail> done) {
  strand_.Post([this, request, done = std::move(done)]() mutable { done(runtime::GetCrdt(SightOfCrdts(), request)); });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchCrdts(const dev::v1::WatchCrdtsRequest& request,
                                                          CrdtEventWatcher watcher) {
  return WatchOnStrand(strand_, cluster_.replica_events(), [&] {
    return cluster_.replica_events().Watch([&strand = strand_, &cluster = cluster_, request,
                                            watcher = std::move(watcher)](const cluster::ReplicaEvent& event) mutable {
      if (Fits(request, event)) watcher(EventView(CrdtSight{cluster, strand, nullptr}, event));
    });
  });
}

// ---- entities of the journal

bool LiveState::IsCrdt(const base::EntityKey& key) const {
  if (const auto specification = user_functions_.specification()) {
    for (const auto& [name, service] : specification->services) {
      if (service.persistence_id == key.persistence_id) return service.kind == userfunction::EntityKind::kCrdt;
    }
  }
  return std::ranges::any_of(cluster_.nodes(), [&key](const auto& each) {
    const cluster::Replicas* replicas = each.second->replicas();
    return replicas != nullptr && replicas->Find(key) != nullptr;
  });
}

void LiveState::DeleteEntity(const dev::v1::DeleteEntityRequest& request, Done<dev::v1::DeleteEntityResponse> done) {
  strand_.Post(
      [this, key = base::EntityKey{request.persistence_id(), request.entity_id()}, done = std::move(done)]() mutable {
        if (IsCrdt(key)) {
          return done(absl::FailedPreconditionError(absl::StrCat(
              "Entity ", key.ToString(),
              " is a CRDT, which nodes have replicas of: only the user function deletes it, in a command of "
              "its own.")));
        }
        cluster_.Delete(key, [done = std::move(done)](absl::StatusOr<journal::Deleted> deleted) mutable {
          if (!deleted.ok()) return done(deleted.status());
          dev::v1::DeleteEntityResponse response;
          response.set_deleted_events(deleted->events);
          response.set_deleted_snapshots(deleted->snapshots);
          done(std::move(response));
        });
      });
}

void LiveState::GetReplayTarget(Done<ReplayTarget> done) {
  strand_.Post([this, done = std::move(done)]() mutable {
    const auto specification = user_functions_.specification();
    if (specification == nullptr || cluster_.connection() == nullptr) return done(user_function_.Availability());
    done(ReplayTarget{specification, cluster_.replay_from()});
  });
}

void LiveState::StartReplay(std::shared_ptr<const userfunction::Specification> specification, entities::ReplayPlan plan,
                            std::shared_ptr<admin::Cancellation> cancellation, Done<entities::ReplayResult> done) {
  strand_.Post([this, specification = std::move(specification), plan = std::move(plan),
                cancellation = std::move(cancellation), done = std::move(done)]() mutable {
    if (ending_) return done(absl::UnavailableError("the emulator is ending"));
    const std::shared_ptr<userfunction::Connection> connection = cluster_.connection();
    if (connection == nullptr || user_functions_.specification() != specification) {
      return done(absl::UnavailableError("the user function has gone; try again when it is back"));
    }
    replays_.Start(*connection, std::move(plan), *cancellation, std::move(done));
  });
}

void LiveState::EndReplays() {
  ending_ = true;
  replays_.End(absl::UnavailableError("the emulator is ending"));
}

void LiveState::GetScaling(const dev::v1::GetScalingRequest&, Done<dev::v1::ScalingState> done) {
  strand_.Post(
      [this, done = std::move(done)]() mutable { done(runtime::GetScaling(user_functions_.scaler(), cluster_)); });
}

void LiveState::SetScaling(const dev::v1::SetScalingRequest& request, Done<dev::v1::ScalingState> done) {
  strand_.Post([this, request, done = std::move(done)]() mutable {
    done(runtime::SetScaling(user_functions_.scaler(), request));
  });
}

void LiveState::ListScalingEvents(const dev::v1::ListScalingEventsRequest& request,
                                  Done<dev::v1::ListScalingEventsResponse> done) {
  strand_.Post([this, request, done = std::move(done)]() mutable {
    done(runtime::ListScalingEvents(user_functions_.scaler(), request));
  });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchScalingEvents(const dev::v1::WatchScalingEventsRequest& request,
                                                                  ScalingEventWatcher watcher) {
  scaling::Scaler* scaler = nullptr;
  base::RunOn(strand_, [&] { scaler = user_functions_.scaler(); });
  if (scaler == nullptr) return std::make_unique<EndingWatch>([] {});  // nothing ever happens
  return WatchOnStrand(strand_, *scaler, [&] {
    const auto newest = static_cast<std::size_t>(std::clamp(request.newest(), 0, kMostNewestEvents));
    for (dev::v1::ScalingEvent& event : scaler->Newest(newest, request.ticks())) watcher(std::move(event));
    return scaler->Watch(
        [ticks = request.ticks(), watcher = std::move(watcher)](const dev::v1::ScalingEvent& event) mutable {
          if (ticks || event.kind() != scaling::ScalingEvents::kTick) watcher(event);
        });
  });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchCallTimes(CallTimesWatcher watcher) {
  std::unique_ptr<CallRecording> recording;
  base::RunOn(strand_, [&] {
    recording = std::make_unique<CallRecording>(
        strand_, recorder_, [this] { return user_function_.CurrentServices(); }, std::move(watcher));
  });
  return std::make_unique<EndingWatch>(
      [this, recording = std::move(recording)]() mutable { base::RunOn(strand_, [&] { recording = nullptr; }); });
}

void LiveState::GetSettings(const dev::v1::GetSettingsRequest&, Done<dev::v1::Settings> done) {
  strand_.Post([this, done = std::move(done)]() mutable { done(settings_); });
}

void LiveState::Samples(std::size_t limit, absl::AnyInvocable<void(std::vector<Sample>)> done) {
  strand_.Post([this, limit, done = std::move(done)]() mutable { done(sampler_.Newest(limit)); });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchSamples(const dev::v1::WatchSamplesRequest& request,
                                                            SampleWatcher watcher) {
  return WatchOnStrand(strand_, sampler_, [&] {
    for (Sample& sample : sampler_.Newest(static_cast<std::size_t>(request.newest()))) watcher(std::move(sample));
    return sampler_.Watch(std::move(watcher));
  });
}

void LiveState::GetMark(absl::AnyInvocable<void(dev::v1::Mark)> done) {
  strand_.Post([this, done = std::move(done)]() mutable {
    dev::v1::Mark mark;
    mark.set_commands(recorder_.ended());
    mark.set_cluster_events(cluster_.events().told());
    mark.set_log_lines(log_.last_number());
    done(std::move(mark));
  });
}

void LiveState::ListSince(const dev::v1::Mark& mark, std::size_t limit, absl::AnyInvocable<void(Since)> done) {
  strand_.Post([this, mark, limit, done = std::move(done)]() mutable {
    const auto& traces = recorder_.traces();  // newest first
    const auto& events = cluster_.events().events();
    const Behind commands(mark.commands(), recorder_.ended(), traces.size(), limit);
    const Behind told(mark.cluster_events(), cluster_.events().told(), events.size(), limit);
    Since since;
    since.missed = commands.missed + told.missed;
    const auto oldest_trace = traces.rbegin() + (commands.begin - recorder_.ended() + std::ssize(traces));
    since.traces.assign(oldest_trace, oldest_trace + commands.taken);
    const auto oldest_event = events.begin() + (told.begin - cluster_.events().told() + std::ssize(events));
    std::transform(oldest_event, oldest_event + told.taken, std::back_inserter(since.cluster_events),
                   [](const cluster::ClusterEvent& event) { return runtime::ToProto(event); });
    since.mark.set_commands(commands.begin + commands.taken);
    since.mark.set_cluster_events(told.begin + told.taken);
    since.mark.set_log_lines(log_.last_number());
    done(std::move(since));
  });
}

std::unique_ptr<admin::Live::Watch> LiveState::WatchLog(absl::AnyInvocable<void()> added) {
  return WatchAnywhere(log_, std::move(added));
}

}  // namespace cloudstate::runtime
