#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace cloudstate::trace {

// How often something took how long.
struct Timing {
  std::uint64_t count = 0;
  absl::Duration sum;

  bool operator==(const Timing&) const = default;
  void Add(absl::Duration duration) {
    ++count;
    sum += duration;
  }
};

// The published figures of the entities of one service. Only ever grow. Lives on a node's strand. A value entity's
// events are the versions of its value, a CRDT's those that the user function changed. Of an action only the commands
// count.
struct EntityMetrics {
  std::uint64_t activated_entities = 0;
  std::uint64_t passivated_entities = 0;
  Timing entity_active_time;
  std::uint64_t failed_entities = 0;
  Timing recovery_time;
  std::uint64_t received_commands = 0;
  std::uint64_t stashed_commands = 0;
  std::uint64_t unstashed_commands = 0;
  Timing command_stash_time;
  Timing command_processing_time;
  std::uint64_t failed_commands = 0;
  std::uint64_t completed_commands = 0;
  Timing command_total_time;
  Timing persist_time;
  std::uint64_t persisted_events = 0;
  std::uint64_t persisted_event_bytes = 0;
  std::uint64_t loaded_events = 0;
  std::uint64_t loaded_event_bytes = 0;
  std::uint64_t persisted_snapshots = 0;
  std::uint64_t persisted_snapshot_bytes = 0;
  std::uint64_t loaded_snapshots = 0;
  std::uint64_t loaded_snapshot_bytes = 0;

  bool operator==(const EntityMetrics&) const = default;
};

// By the published label `entity_name`: the persistence id, for actions the service.
using MetricsByEntityName = std::map<std::string, EntityMetrics>;

// Of all services of a node.
struct Metrics {
  MetricsByEntityName event_sourced;
  MetricsByEntityName value_entities;
  MetricsByEntityName actions;
  MetricsByEntityName crdts;
};

struct NodeMetrics {
  std::string node;  // its name
  Metrics metrics;
};

// The lines before the values of one metric, in Prometheus text (format 0.0.4).
void AppendMetricHeader(std::string& text, absl::string_view name, absl::string_view help, absl::string_view type);

// Prometheus text: event-sourced entities under the published names, the other kinds alike, with a
// `node` label besides.
std::string PrometheusText(const std::vector<NodeMetrics>& nodes);

// What this process uses.
struct ProcessUse {
  absl::Duration processor_time;    // since it started
  std::int64_t resident_bytes = 0;  // 0 where the system does not tell
};
ProcessUse UseOfProcess();

// Figures of the process itself: memory, processor time, open files, start.
std::string ProcessMetricsText();

}  // namespace cloudstate::trace
