#include "emulator/trace/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace cloudstate::trace {
namespace {

struct CounterName {
  absl::string_view name;
  absl::string_view help;
  std::uint64_t EntityMetrics::*value;
};

struct TimingName {
  absl::string_view name;
  absl::string_view help;
  Timing EntityMetrics::*value;
};

using M = EntityMetrics;

constexpr CounterName kCommandCounters[] = {
    {"received_commands_total", "Commands that came", &M::received_commands},
    {"failed_commands_total", "Commands that failed", &M::failed_commands},
    {"completed_commands_total", "Commands whose outcome was delivered, failures included", &M::completed_commands},
};

constexpr TimingName kCommandTimings[] = {
    {"command_total_time_seconds", "From a command's arrival until its outcome", &M::command_total_time},
};

constexpr CounterName kEntityCounters[] = {
    {"activated_entities_total", "Entities that were started", &M::activated_entities},
    {"passivated_entities_total", "Entities that were stopped because nobody called them", &M::passivated_entities},
    {"failed_entities_total", "Entities whose stream was reset or broke", &M::failed_entities},
    {"stashed_commands_total", "Commands that had to wait for another one or for the replay", &M::stashed_commands},
    {"unstashed_commands_total", "Commands that have waited", &M::unstashed_commands},
};

constexpr CounterName kStoredCounters[] = {
    {"persisted_events_total", "Events stored", &M::persisted_events},
    {"persisted_event_bytes_total", "Payload bytes of events stored", &M::persisted_event_bytes},
    {"loaded_events_total", "Events replayed", &M::loaded_events},
    {"loaded_event_bytes_total", "Payload bytes of events replayed", &M::loaded_event_bytes},
    {"persisted_snapshots_total", "Snapshots stored", &M::persisted_snapshots},
    {"persisted_snapshot_bytes_total", "Payload bytes of snapshots stored", &M::persisted_snapshot_bytes},
    {"loaded_snapshots_total", "Snapshots replayed", &M::loaded_snapshots},
    {"loaded_snapshot_bytes_total", "Payload bytes of snapshots replayed", &M::loaded_snapshot_bytes},
};

constexpr TimingName kEntityTimings[] = {
    {"entity_active_time_seconds", "From an entity's start to its end", &M::entity_active_time},
    {"recovery_time_seconds", "From an entity's start until its replay was sent", &M::recovery_time},
    {"command_stash_time_seconds", "How long commands waited", &M::command_stash_time},
    {"command_processing_time_seconds", "From sending a command to the user function until its reply",
     &M::command_processing_time},
    {"persist_time_seconds", "How long storing took", &M::persist_time},
};

constexpr TimingName kCrdtTimings[] = {
    {"entity_active_time_seconds", "From an entity's start on a node to its end", &M::entity_active_time},
    {"recovery_time_seconds", "From an entity's start until its state was sent", &M::recovery_time},
    {"command_stash_time_seconds", "How long commands waited", &M::command_stash_time},
    {"command_processing_time_seconds", "From sending a command to the user function until its reply",
     &M::command_processing_time},
    {"write_time_seconds", "Until as many nodes had a change as was asked", &M::persist_time},
};

std::string Labels(absl::string_view entity_name, absl::string_view node) {
  const std::string escaped = absl::StrReplaceAll(entity_name, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
  return absl::StrCat("{entity_name=\"", escaped, "\",node=\"", node, "\"} ");
}

void Single(std::string& text, absl::string_view name, absl::string_view help, absl::string_view type, double value) {
  AppendMetricHeader(text, name, help, type);
  absl::StrAppend(&text, name, " ", value, "\n");
}

// One kind's figures as they are printed.
struct Section {
  absl::string_view prefix;
  const std::vector<NodeMetrics>& nodes;
  MetricsByEntityName Metrics::*kind;
  std::string text = {};

  void Add(absl::Span<const CounterName> counters, absl::Span<const TimingName> timings) {
    for (const CounterName& counter : counters) {
      const std::string name = absl::StrCat(prefix, counter.name);
      AppendMetricHeader(text, name, counter.help, "counter");
      ForEach([&](const std::string& labels, const EntityMetrics& values) {
        absl::StrAppend(&text, name, labels, values.*counter.value, "\n");
      });
    }
    for (const TimingName& timing : timings) {
      const std::string name = absl::StrCat(prefix, timing.name);
      AppendMetricHeader(text, name, timing.help, "summary");
      ForEach([&](const std::string& labels, const EntityMetrics& values) {
        const Timing& value = values.*timing.value;
        absl::StrAppend(&text, name, "_sum", labels, absl::ToDoubleSeconds(value.sum), "\n");
        absl::StrAppend(&text, name, "_count", labels, value.count, "\n");
      });
    }
  }

  void ForEach(const std::function<void(const std::string& labels, const EntityMetrics& values)>& print) const {
    for (const NodeMetrics& node : nodes) {
      for (const auto& [entity_name, values] : node.metrics.*kind) print(Labels(entity_name, node.node), values);
    }
  }
};

}  // namespace

void AppendMetricHeader(std::string& text, absl::string_view name, absl::string_view help, absl::string_view type) {
  absl::StrAppend(&text, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

std::string PrometheusText(const std::vector<NodeMetrics>& nodes) {
  std::string text;
  for (Section section : {Section{"cloudstate_eventsourced_", nodes, &Metrics::event_sourced},
                          Section{"cloudstate_valueentity_", nodes, &Metrics::value_entities}}) {
    section.Add(kCommandCounters, kCommandTimings);
    section.Add(kEntityCounters, {});
    section.Add(kStoredCounters, kEntityTimings);
    text += section.text;
  }
  Section crdts{"cloudstate_crdt_", nodes, &Metrics::crdts};
  crdts.Add(kCommandCounters, kCommandTimings);
  crdts.Add(kEntityCounters, kCrdtTimings);
  Section actions{"cloudstate_action_", nodes, &Metrics::actions};
  actions.Add(kCommandCounters, kCommandTimings);
  return text + crdts.text + actions.text;
}

ProcessUse UseOfProcess() {
  ProcessUse use;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  use.processor_time = absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  if (statm >> pages >> resident) use.resident_bytes = resident * sysconf(_SC_PAGESIZE);
  return use;
}

std::string ProcessMetricsText() {
  std::string text;
  const ProcessUse use = UseOfProcess();
  Single(text, "process_cpu_seconds_total", "Processor time used", "counter",
         absl::ToDoubleSeconds(use.processor_time));
  if (use.resident_bytes > 0) {
    Single(text, "process_resident_memory_bytes", "Resident memory", "gauge", static_cast<double>(use.resident_bytes));
  }
  std::error_code error;
  double files = 0;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++files;
  }
  Single(text, "process_open_fds", "Open files", "gauge", files);
  return text;
}

}  // namespace cloudstate::trace
