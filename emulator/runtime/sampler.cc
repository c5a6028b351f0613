#include "emulator/runtime/sampler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "emulator/base/proto_time.h"
#include "emulator/scaling/node_report.h"

namespace cloudstate::runtime {
namespace {

using base::ToDuration;
using trace::EntityMetrics;

constexpr absl::Duration kSecond = absl::Seconds(1);

struct Kind {
  const char* name;
  trace::MetricsByEntityName trace::Metrics::*metrics;
};
constexpr Kind kKinds[] = {{"event sourced", &trace::Metrics::event_sourced},
                           {"value", &trace::Metrics::value_entities},
                           {"action", &trace::Metrics::actions},
                           {"crdt", &trace::Metrics::crdts}};

// They only grow, and no node is taken away.
std::int64_t Since(std::uint64_t before, std::uint64_t now) { return static_cast<std::int64_t>(now - before); }
absl::Duration Since(const trace::Timing& before, const trace::Timing& now) { return now.sum - before.sum; }

void Add(google::protobuf::Duration& sum, absl::Duration time) { sum = ToDuration(base::FromDuration(sum) + time); }

void AddSince(const EntityMetrics& before, const EntityMetrics& now, dev::v1::EntityFigures& sum) {
  const auto since = [&](std::uint64_t EntityMetrics::*value) { return Since(before.*value, now.*value); };
  sum.set_commands(sum.commands() + since(&EntityMetrics::completed_commands));
  sum.set_failed_commands(sum.failed_commands() + since(&EntityMetrics::failed_commands));
  sum.set_events(sum.events() + since(&EntityMetrics::persisted_events));
  sum.set_event_bytes(sum.event_bytes() + since(&EntityMetrics::persisted_event_bytes));
  sum.set_snapshots(sum.snapshots() + since(&EntityMetrics::persisted_snapshots));
  sum.set_activated(sum.activated() + since(&EntityMetrics::activated_entities));
  sum.set_passivated(sum.passivated() + since(&EntityMetrics::passivated_entities));
  sum.set_loaded_events(sum.loaded_events() + since(&EntityMetrics::loaded_events));
  Add(*sum.mutable_processing(), Since(before.command_processing_time, now.command_processing_time));
  Add(*sum.mutable_storing(), Since(before.persist_time, now.persist_time));
  Add(*sum.mutable_loading(), Since(before.recovery_time, now.recovery_time));
}

// Adds up what the entities of each name did.
void AddEntities(const trace::Metrics& before, const trace::Metrics& now, dev::v1::Sample& sample) {
  for (const Kind& kind : kKinds) {
    const trace::MetricsByEntityName& known = before.*kind.metrics;
    for (const auto& [name, metrics] : now.*kind.metrics) {
      const auto found = known.find(name);
      const EntityMetrics& earlier = found == known.end() ? EntityMetrics() : found->second;
      if (earlier == metrics) continue;
      dev::v1::EntityFigures& sum = (*sample.mutable_entities())[name];
      sum.set_kind(kind.name);
      AddSince(earlier, metrics, sum);
    }
  }
}

}  // namespace

void Sampler::Calls::Add(const trace::Trace& trace) {
  times.Add(trace.duration);
  if (!trace.outcome.ok()) ++failed;
}

dev::v1::CallFigures Sampler::Calls::TakeFigures() {
  dev::v1::CallFigures figures;
  figures.set_calls(times.count());
  figures.set_failed(std::exchange(failed, 0));
  if (times.count() == 0) return figures;
  *figures.mutable_p50() = ToDuration(times.Quantile(0.5));
  *figures.mutable_p90() = ToDuration(times.Quantile(0.9));
  *figures.mutable_p99() = ToDuration(times.Quantile(0.99));
  *figures.mutable_longest() = ToDuration(times.longest());
  times.Clear();
  return figures;
}

Sampler::Sampler(base::Strand& strand, trace::Recorder& recorder, Sources sources)
    : strand_(strand), recorder_(recorder), sources_(std::move(sources)), begin_(strand.Now()), due_(begin_ + kSecond) {
  dev::v1::Sample before;  // what there was when this began belongs to no second
  TakeNodes(before, begin_);
  processor_time_ = sources_.process().processor_time;
  watch_ = recorder_.Watch([this](const std::shared_ptr<const trace::Trace>& trace) { AddCall(*trace); });
  Arm();
}

Sampler::~Sampler() {
  strand_.Cancel(timer_);
  recorder_.Unwatch(watch_);
}

std::vector<Sampler::Sample> Sampler::Newest(std::size_t limit) const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, kept_.size()));
  return {std::prev(kept_.end(), count), kept_.end()};
}

void Sampler::Arm() {
  timer_ = strand_.After(due_ - strand_.Now(), [this] { OnSecond(); });
}

void Sampler::OnSecond() {
  const absl::Time now = strand_.Now();
  auto sample = std::make_shared<dev::v1::Sample>();
  *sample->mutable_time() = base::ToTimestamp(strand_.WallTime());
  *sample->mutable_length() = ToDuration(now - begin_);
  TakeCalls(*sample);
  TakeNodes(*sample, now);
  TakeProcess(*sample, now - begin_);
  begin_ = now;
  // On the beat again as soon as the machine lets it; seconds that were missed are not made up for.
  due_ = std::max(due_ + kSecond, now + kSecond / 2);
  Arm();
  kept_.push_back(std::move(sample));
  if (kept_.size() > kMostKept) kept_.pop_front();
  const Sample newest = kept_.back();
  watchers_.Tell(newest);
}

void Sampler::AddCall(const trace::Trace& trace) {
  calls_.Add(trace);
  std::unique_ptr<Calls>& of_service = services_[trace.service];
  if (of_service == nullptr) of_service = std::make_unique<Calls>();
  of_service->Add(trace);
}

void Sampler::TakeCalls(dev::v1::Sample& sample) {
  *sample.mutable_calls() = calls_.TakeFigures();
  for (auto service = services_.begin(); service != services_.end();) {
    const auto each = service++;
    if (each->second->times.count() == 0) {  // not called for a whole second
      services_.erase(each);
    } else {
      (*sample.mutable_services())[each->first] = each->second->TakeFigures();
    }
  }
}

void Sampler::TakeNodes(dev::v1::Sample& sample, absl::Time now) {
  std::map<std::int32_t, Counted> counted;
  for (SampledNode& node : sources_.nodes()) {
    const std::int32_t number = node.figures.node();
    const Counted& before = counted_[number];
    Counted after{*node.metrics, node.load->Read(now)};
    AddEntities(before.metrics, after.metrics, sample);
    *node.figures.mutable_load() = scaling::ToProto(
        scaling::ReportOf(static_cast<std::uint32_t>(number), before.load, after.load, now, now - begin_));
    counted.emplace(number, std::move(after));
    *sample.add_nodes() = std::move(node.figures);
  }
  counted_ = std::move(counted);
}

void Sampler::TakeProcess(dev::v1::Sample& sample, absl::Duration length) {
  const trace::ProcessUse use = sources_.process();
  const absl::Duration used = use.processor_time - std::exchange(processor_time_, use.processor_time);
  sample.set_resident_bytes(use.resident_bytes);
  if (length > absl::ZeroDuration()) sample.set_processors(absl::FDivDuration(used, length));
}

}  // namespace cloudstate::runtime
