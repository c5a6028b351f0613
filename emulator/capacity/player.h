#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/capacity/arrivals.h"
#include "emulator/capacity/load.h"
#include "emulator/capacity/service_model.h"
#include "emulator/scaling/measurement.h"
#include "emulator/scaling/settings.h"
#include "emulator/trace/latency_histogram.h"

namespace cloudstate::capacity {

struct PlayOptions {
  scaling::Settings settings;
  ServiceModel model;
  // From the decision to start a replica until it is ready; always what the settings say unless it is given.
  std::optional<Spread> cold_start;
  // Calls that take longer than this end without an answer, with the time that they were held.
  Nanoseconds relay_timeout = 60 * kSecond;
  int replicas = 1;  // that are ready at the beginning
  Spacing spacing = Spacing::kPoisson;
  std::uint64_t seed = 1;
  Nanoseconds interval = kSecond;  // of the timeline; more than none
  bool keep_ticks = false;         // also what was decided without changing anything
  // Once it is true, playing ends where it is. Outlives that; may be null.
  const std::atomic<bool>* interrupted = nullptr;
};

// A piece of the timeline.
struct Interval {
  Nanoseconds begin = 0;
  Nanoseconds length = 0;
  std::int64_t arrived = 0;
  std::int64_t refused = 0;
  double ready = 0;                       // replicas, on average
  int wanted = 0;                         // at the end
  double requests = 0;                    // calls that replicas had, on average, all together
  double user_function = 0;               // those of them that the user function had
  double held = 0;                        // by the activator, for whichever replica is first, on average
  trace::FineLatencyHistogram latencies;  // of calls that were answered in it

  // As one with the interval after it.
  void Append(const Interval& next);
};

// What there was from `at` on.
struct Supply {
  Nanoseconds at = 0;
  int wanted = 0;
  int ready = 0;
  int starting = 0;
  int draining = 0;
  bool panic = false;

  bool operator==(const Supply&) const = default;
};

struct Choice {
  Nanoseconds at = 0;
  int before = 0;  // what was wanted
  scaling::Decision decision;
};

struct Played {
  Nanoseconds length = 0;  // of the load
  std::int64_t calls = 0;
  std::int64_t answered = 0;
  std::int64_t held = 0;        // by the activator, for a replica or for a place of one, for however short a time
  std::int64_t refused = 0;     // because it held as many as it may
  std::int64_t unanswered = 0;  // for the relay timeout, or ten minutes after the load
  std::int64_t cold_starts = 0;
  bool interrupted = false;               // so all of it tells of a part only
  trace::FineLatencyHistogram latencies;  // of calls that were answered, as the mean
  absl::Duration mean_latency;
  // While the load lasted, as all of the following and the cold starts: from the decision to start a replica until it
  // was gone.
  double replica_seconds = 0;
  double average_replicas = 0;
  int most_replicas = 0;  // ready at once
  std::vector<Interval> timeline;
  std::vector<Supply> supply;
  std::vector<Choice> choices;
};

// Plays a load in virtual time. Scaling is the emulator's own: the same algorithm is given, tick by tick, what it would
// be told of the replicas; calls are dispatched as by routing::Gateway. A replica is a queue (ServiceModel) that is
// ready a cold start after it was wanted, and finishes its calls before it goes.
//
// The same arguments have the same outcome. The calls of a seed come at the same times and cost the same, whatever the
// settings are, so that settings can be compared. Pure; for any thread.
Played Play(const Load& load, const PlayOptions& options);

}  // namespace cloudstate::capacity
