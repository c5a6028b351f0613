#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cloudstate::scaling {

enum class Mode { kOff, kManual, kCloudstate, kKnative };

// "off", "manual", …
std::string_view ModeName(Mode mode);
// INVALID_ARGUMENT, with the names that there are.
absl::Status ParseMode(std::string_view name, Mode& mode);

// Of the published autoscaler (shared/spec: reference.conf of the published proxy).
struct CloudstateSettings {
  double user_function_target_concurrency = 1;  // per node
  double request_target_concurrency = 50;       // per node
  absl::Duration target_concurrency_window = absl::Seconds(60);
  absl::Duration scale_up_stable_deadline = absl::Seconds(180);
  absl::Duration scale_down_stable_deadline = absl::Seconds(30);
  double request_rate_threshold_factor = 1.5;
  absl::Duration request_rate_window = absl::Seconds(6);
  double max_scale_factor = 0;  // largest step, as a share of the nodes; 0: no such limit
  int max_scale_absolute = 2;   // largest step; 0: no such limit
};

// Of Knative Serving's pod autoscaler.
struct KnativeSettings {
  enum class Metric { kConcurrency, kRps };
  Metric metric = Metric::kConcurrency;
  double target = 0;  // per replica; 0: the default of the metric
  double concurrency_target_default = 100;
  double rps_target_default = 200;
  double target_utilization_percent = 70;
  absl::Duration stable_window = absl::Seconds(60);
  double panic_window_percent = 10;      // of the stable window
  double panic_threshold_percent = 200;  // of the replicas that are ready
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  bool enable_scale_to_zero = true;
  absl::Duration scale_to_zero_grace_period = absl::Seconds(30);
  absl::Duration scale_to_zero_pod_retention_period = absl::ZeroDuration();
  int min_scale = 0;
  int initial_scale = 1;  // at least 1: the emulator learns the services from a first replica
  absl::Duration scale_down_delay = absl::ZeroDuration();
  int activation_scale = 1;
  double target_burst_capacity = 200;  // -1: the activator is always in the path; 0: only from zero

  absl::Duration PanicWindow() const { return stable_window * panic_window_percent / 100; }
  double Target() const {
    return target > 0 ? target : metric == Metric::kConcurrency ? concurrency_target_default : rps_target_default;
  }
};

// All that scaling is told. Each setting has one name, under which flags, scenarios, the admin contract and the
// environment set it.
struct Settings {
  Mode mode = Mode::kOff;
  absl::Duration tick = absl::Seconds(2);
  int max_scale = 0;  // 0: what the mode has by itself: 100 nodes
  CloudstateSettings cloudstate;
  KnativeSettings knative;
  int container_concurrency = 0;  // calls that a replica takes at once, the others wait; 0: no limit
  int activator_queue = 1000;     // calls that it holds at most
  // Where replicas share one user function: how long one that is new takes until it is ready.
  absl::Duration cold_start = absl::Milliseconds(500);

  int MaxScale() const { return max_scale > 0 ? max_scale : 100; }
  // Replicas at the start: `told`, but where Knative's own setting says it.
  int InitialReplicas(int told) const { return mode == Mode::kKnative ? knative.initial_scale : told; }
  // An algorithm says how many there are.
  bool Decides() const { return mode == Mode::kCloudstate || mode == Mode::kKnative; }
};

// A setting as people see it.
struct SettingInfo {
  std::string_view name;         // "scale-target"; the flag is "--" and this
  std::string_view environment;  // as published; empty where nothing was
  // "autoscaling.knative.dev/target", "config-autoscaler: max-scale-up-rate", "spec: containerConcurrency"; or empty.
  std::string_view knative_name;
  std::vector<Mode> modes;     // in which it matters
  std::string_view type_name;  // "N", "TIME", "PERCENT", … for --help
  std::string_view help;
};

// In the order that people read them. Without the mode.
const std::vector<SettingInfo>& AllSettings();
// By the names that Set takes; null where there is no such setting.
const SettingInfo* FindSetting(std::string_view name);

// By the name in SettingInfo, or by its Knative name, also an older one such as minScale, with or without
// "autoscaling.knative.dev/" and "config-autoscaler:". INVALID_ARGUMENT says what is wrong with the value and what the
// setting takes, NOT_FOUND which names there are; then nothing has changed. Settings that contradict each other are
// found by Check only.
absl::Status Set(Settings& settings, std::string_view name, std::string_view value);
// Several, in the order of their names. INVALID_ARGUMENT at the first that Set refuses; those before have changed.
absl::Status SetAll(Settings& settings, const std::map<std::string, std::string>& values);
// As Set takes it: "60s", "0.7", "true". Names as in Set; empty where there is no such setting.
std::string Get(const Settings& settings, std::string_view name);
// INVALID_ARGUMENT: a min-scale above the max-scale, in every mode but "off"; and of settings that matter in the mode
// a panic window shorter than a tick, a window of more than 10'000 ticks, …
absl::Status Check(const Settings& settings);

}  // namespace cloudstate::scaling
