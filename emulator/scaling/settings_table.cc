#include "emulator/scaling/settings_table.h"

namespace cloudstate::scaling {
namespace {

constexpr double kHour = 3'600;
constexpr double kManyCalls = 1'000'000;
constexpr double kMostReplicas = 100;

constexpr SettingRange kAnyTime{.most = 24 * kHour, .words = "a time from 0s to 24h, such as 30s"};
constexpr SettingRange kWindow{
    .most = kHour, .words = "a time of more than 0s, at most 1h, such as 60s", .above_least = true};
constexpr SettingRange kTarget{.most = kManyCalls, .words = "a number above 0, such as 10", .above_least = true};
constexpr SettingRange kRate{
    .least = 1, .most = kManyCalls, .words = "a number above 1, such as 2", .above_least = true};
constexpr SettingRange kPercent{
    .least = 1, .most = 100, .words = "a percentage from 1 to 100, such as 70", .percent = true};
constexpr SettingRange kReplicasFromOne{.least = 1, .most = kMostReplicas, .words = "a whole number from 1 to 100"};

const std::vector<Mode> kCloudstateOnly = {Mode::kCloudstate};
const std::vector<Mode> kKnativeOnly = {Mode::kKnative};
const std::vector<Mode> kAll = {Mode::kManual, Mode::kCloudstate, Mode::kKnative};

std::vector<SettingRow> CloudstateRows() {
  return {
      {{"user-function-target-concurrency", "USER_FUNCTION_TARGET_CONCURRENCY", "", kCloudstateOnly, "N",
        "Commands in the hands of the user function that a replica is to have, on average"},
       +[](Settings& s) -> double& { return s.cloudstate.user_function_target_concurrency; },
       kTarget},
      {{"request-target-concurrency", "REQUEST_TARGET_CONCURRENCY", "", kCloudstateOnly, "N",
        "Clients' calls less reads and writes of the journal that a replica is to have open, on average"},
       +[](Settings& s) -> double& { return s.cloudstate.request_target_concurrency; },
       kTarget},
      {{"target-concurrency-window", "TARGET_CONCURRENCY_WINDOW", "", kCloudstateOnly, "TIME",
        "Time that concurrency is averaged over"},
       +[](Settings& s) -> absl::Duration& { return s.cloudstate.target_concurrency_window; },
       kWindow},
      {{"scale-up-stable-deadline", "SCALE_UP_STABLE_DEADLINE", "", kCloudstateOnly, "TIME",
        "After scaling up, decide again by the targets only after this time"},
       +[](Settings& s) -> absl::Duration& { return s.cloudstate.scale_up_stable_deadline; },
       kAnyTime},
      {{"scale-down-stable-deadline", "SCALE_DOWN_STABLE_DEADLINE", "", kCloudstateOnly, "TIME",
        "After scaling down, decide again only after this time"},
       +[](Settings& s) -> absl::Duration& { return s.cloudstate.scale_down_stable_deadline; },
       kAnyTime},
      {{"request-rate-threshold-factor", "REQUEST_RATE_THRESHOLD_FACTOR", "", kCloudstateOnly, "FACTOR",
        "While scaling up, scale up again at once when the request rate is above the last stable one by this factor"},
       +[](Settings& s) -> double& { return s.cloudstate.request_rate_threshold_factor; },
       {.least = 1, .most = 1'000, .words = "a number of at least 1, such as 1.5"}},
      {{"request-rate-window", "REQUEST_RATE_WINDOW", "", kCloudstateOnly, "TIME",
        "Time that the request rate is taken over"},
       +[](Settings& s) -> absl::Duration& { return s.cloudstate.request_rate_window; },
       kWindow},
      {{"max-scale-factor", "", "", kCloudstateOnly, "SHARE",
        "Largest step, as a share of the replicas that there are; 0 for no such limit"},
       +[](Settings& s) -> double& { return s.cloudstate.max_scale_factor; },
       {.most = 100, .words = "a number of at least 0, such as 0.5"}},
      {{"max-scale-absolute", "", "", kCloudstateOnly, "N", "Largest step in replicas; 0 for no such limit"},
       +[](Settings& s) -> int& { return s.cloudstate.max_scale_absolute; },
       {.most = kMostReplicas, .words = "a whole number from 0 to 100"}},
  };
}

std::vector<SettingRow> KnativeTargetRows() {
  return {
      {{"scale-metric", "", "autoscaling.knative.dev/metric", kKnativeOnly, "concurrency|rps",
        "What a replica has its target of: calls under way, or calls per second"},
       +[](Settings& s) -> KnativeSettings::Metric& { return s.knative.metric; },
       {.words = "concurrency or rps"}},
      {{"scale-target", "", "autoscaling.knative.dev/target", kKnativeOnly, "N",
        "Of the metric, for each replica; 0 for the default of the metric"},
       +[](Settings& s) -> double& { return s.knative.target; },
       {.least = 0.01,
        .most = kManyCalls,
        .words = "a number of at least 0.01, or 0 for the metric's own",
        .besides = 0}},
      {{"container-concurrency-target-default", "", "config-autoscaler: container-concurrency-target-default",
        kKnativeOnly, "N", "Calls under way that are each replica's target where scale-target is 0"},
       +[](Settings& s) -> double& { return s.knative.concurrency_target_default; },
       kTarget},
      {{"requests-per-second-target-default", "", "config-autoscaler: requests-per-second-target-default", kKnativeOnly,
        "N", "Calls per second that are each replica's target where scale-target is 0"},
       +[](Settings& s) -> double& { return s.knative.rps_target_default; },
       kTarget},
      {{"scale-target-utilization", "", "autoscaling.knative.dev/target-utilization-percentage", kKnativeOnly,
        "PERCENT", "Share of the target that replicas are to have on average"},
       +[](Settings& s) -> double& { return s.knative.target_utilization_percent; },
       kPercent},
      {{"stable-window", "", "autoscaling.knative.dev/window", kKnativeOnly, "TIME",
        "Time that the metric is averaged over"},
       +[](Settings& s) -> absl::Duration& { return s.knative.stable_window; },
       kWindow},
      {{"panic-window-percentage", "", "autoscaling.knative.dev/panic-window-percentage", kKnativeOnly, "PERCENT",
        "Share of the stable window that the metric is averaged over to notice a burst"},
       +[](Settings& s) -> double& { return s.knative.panic_window_percent; },
       kPercent},
      {{"panic-threshold-percentage", "", "autoscaling.knative.dev/panic-threshold-percentage", kKnativeOnly, "PERCENT",
        "Panic when so many replicas are wanted over the panic window, by those that are ready"},
       +[](Settings& s) -> double& { return s.knative.panic_threshold_percent; },
       {.least = 110, .most = 1'000, .words = "a percentage from 110 to 1000, such as 200", .percent = true}},
      {{"target-burst-capacity", "", "autoscaling.knative.dev/target-burst-capacity", kKnativeOnly, "N",
        "Calls that replicas are to have room for before the activator leaves the path; -1 to keep it there, 0 to have "
        "it there only from zero"},
       +[](Settings& s) -> double& { return s.knative.target_burst_capacity; },
       {.most = kManyCalls, .words = "a number of at least 0, or -1 for always", .besides = -1}},
  };
}

std::vector<SettingRow> KnativeStepRows() {
  return {
      {{"max-scale-up-rate", "", "config-autoscaler: max-scale-up-rate", kKnativeOnly, "FACTOR",
        "At most so many times the replicas that are ready are wanted in a tick"},
       +[](Settings& s) -> double& { return s.knative.max_scale_up_rate; },
       kRate},
      {{"max-scale-down-rate", "", "config-autoscaler: max-scale-down-rate", kKnativeOnly, "FACTOR",
        "At least this part of the replicas that are ready is wanted in a tick"},
       +[](Settings& s) -> double& { return s.knative.max_scale_down_rate; },
       kRate},
      {{"scale-down-delay", "", "autoscaling.knative.dev/scale-down-delay", kKnativeOnly, "TIME",
        "Scale down only when fewer have been wanted for this time"},
       +[](Settings& s) -> absl::Duration& { return s.knative.scale_down_delay; },
       {.most = kHour, .words = "a time from 0s to 1h, such as 30s"}},
      {{"enable-scale-to-zero", "", "config-autoscaler: enable-scale-to-zero", kKnativeOnly, "true|false",
        "Whether the last replica goes when there is nothing to do"},
       +[](Settings& s) -> bool& { return s.knative.enable_scale_to_zero; },
       {.words = "true or false"}},
      {{"scale-to-zero-grace-period", "", "config-autoscaler: scale-to-zero-grace-period", kKnativeOnly, "TIME",
        "Time that the last replica stays while the activator takes over"},
       +[](Settings& s) -> absl::Duration& { return s.knative.scale_to_zero_grace_period; },
       kAnyTime},
      {{"scale-to-zero-pod-retention-period", "", "autoscaling.knative.dev/scale-to-zero-pod-retention-period",
        kKnativeOnly, "TIME", "Time that the last replica stays at least once zero is wanted"},
       +[](Settings& s) -> absl::Duration& { return s.knative.scale_to_zero_pod_retention_period; },
       kAnyTime},
      {{"min-scale", "", "autoscaling.knative.dev/min-scale", kKnativeOnly, "N", "Fewest replicas"},
       +[](Settings& s) -> int& { return s.knative.min_scale; },
       {.most = kMostReplicas, .words = "a whole number from 0 to 100"}},
      {{"initial-scale", "", "autoscaling.knative.dev/initial-scale", kKnativeOnly, "N", "Replicas at the start"},
       +[](Settings& s) -> int& { return s.knative.initial_scale; },
       kReplicasFromOne},
      {{"activation-scale", "", "autoscaling.knative.dev/activation-scale", kKnativeOnly, "N",
        "Fewest replicas where there are any"},
       +[](Settings& s) -> int& { return s.knative.activation_scale; },
       kReplicasFromOne},
  };
}

std::vector<SettingRow> CommonRows() {
  return {
      {{"max-scale", "", "autoscaling.knative.dev/max-scale", kAll, "N", "Most replicas; 0 for 100"},
       +[](Settings& s) -> int& { return s.max_scale; },
       {.most = kMostReplicas, .words = "a whole number from 1 to 100, or 0 for 100"}},
      {{"scale-tick", "", "config-autoscaler: tick-interval", kAll, "TIME",
        "Time from one decision to the next, and until a lost replica is replaced"},
       +[](Settings& s) -> absl::Duration& { return s.tick; },
       {.least = 0.01, .most = kHour, .words = "a time from 10ms to 1h, such as 2s"}},
      {{"container-concurrency", "", "spec: containerConcurrency", kAll, "N",
        "Calls that a replica takes at once while others wait; 0 for no limit"},
       +[](Settings& s) -> int& { return s.container_concurrency; },
       {.most = 1'000, .words = "a whole number from 0 to 1000"}},
      {{"activator-queue", "", "", kAll, "N",
        "Calls that wait at most, for a replica or for a place of one; more are refused"},
       +[](Settings& s) -> int& { return s.activator_queue; },
       {.least = 1, .most = kManyCalls, .words = "a whole number from 1 to 1000000"}},
      {{"cold-start", "", "", kAll, "TIME",
        "Where replicas share one user function: how long a new one takes until it is ready"},
       +[](Settings& s) -> absl::Duration& { return s.cold_start; },
       kAnyTime},
  };
}

}  // namespace

const std::vector<SettingRow>& SettingRows() {
  static const std::vector<SettingRow> rows = [] {
    std::vector<SettingRow> all = CommonRows();
    for (const auto& part : {CloudstateRows(), KnativeTargetRows(), KnativeStepRows()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return rows;
}

}  // namespace cloudstate::scaling
