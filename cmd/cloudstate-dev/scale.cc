#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/scaling_text.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

// ---- status

int ShowScaling(Client& client, const Settings& settings, bool all_settings) {
  const auto state = client.Call(&Client::ScalingStub::GetScaling, dev::v1::GetScalingRequest());
  if (!state.ok()) return Fail(state.status());
  const Terminal terminal = StandardOutput();
  if (settings.json) {
    Print(ToJson(*state) + "\n");
    return kOk;
  }
  if (all_settings) {
    Print(FormatScalingSettings(*state, terminal));
    return kOk;
  }
  dev::v1::ListScalingEventsRequest newest;
  newest.set_limit(1);
  newest.set_ticks(true);
  const auto events = client.Call(&Client::ScalingStub::ListScalingEvents, newest);
  if (!events.ok()) return Fail(events.status());
  Print(FormatScaling(*state, events->events().empty() ? dev::v1::ScalingEvent() : events->events(0), terminal));
  return kOk;
}

void AddScaleStatus(CLI::App& scale, Invocation& invocation) {
  auto all_settings = std::make_shared<bool>(false);
  CLI::App* command = Command(scale, "status", "Show the replicas, and what was decided by which numbers",
                              "  cloudstate-dev scale status\n"
                              "  cloudstate-dev scale status --settings        all settings, and what they are now\n"
                              "  cloudstate-dev scale status --json | jq '.replicas[] | {node, state, coldStart}'");
  command->add_flag("--settings", *all_settings, "The settings instead, of all modes; --json has them anyway");
  SetClusterAction(*command, invocation, [all_settings](Client& client, const Settings& settings) {
    return ShowScaling(client, settings, *all_settings);
  });
}

// ---- watch

struct ScaleWatchOptions {
  int newest = 10;
  bool ticks = false;
};

int WatchScaling(Client& client, const Settings& settings, const ScaleWatchOptions& options) {
  const auto state = client.Call(&Client::ScalingStub::GetScaling, dev::v1::GetScalingRequest());
  if (!state.ok()) return Fail(state.status());
  if (state->mode() == "off") {  // nothing would ever come
    return Fail(
        absl::FailedPreconditionError("Scaling is off. Start the emulator with `cloudstate-dev run --scaling manual`, "
                                      "or with cloudstate or knative."));
  }
  const Terminal terminal = StandardOutput();
  dev::v1::WatchScalingEventsRequest request;
  request.set_newest(options.newest);
  request.set_ticks(options.ticks);
  return Fail(client.Follow<dev::v1::WatchScalingEventsRequest, dev::v1::ScalingEvent>(
      &Client::ScalingStub::WatchScalingEvents, request, [&](dev::v1::ScalingEvent& event) {
        Print(settings.json ? ToJson(event) + "\n" : FormatScalingEvent(event, terminal));
      }));
}

void AddScaleWatch(CLI::App& scale, Invocation& invocation) {
  auto options = std::make_shared<ScaleWatchOptions>();
  CLI::App* command = Command(scale, "watch", "Show decisions, replicas that come and go, and held calls, until Ctrl-C",
                              "  cloudstate-dev scale watch\n"
                              "  cloudstate-dev scale watch --ticks            also what changes nothing, and why not\n"
                              "  cloudstate-dev scale watch --json | jq -r 'select(.kind == \"decision\") | .text'");
  command->add_option("--newest", options->newest, "Begin with so many of those that were")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
  command->add_flag("--ticks", options->ticks, "Also each time that the algorithm leaves things as they are");
  SetClusterAction(*command, invocation, [options](Client& client, const Settings& settings) {
    return WatchScaling(client, settings, *options);
  });
}

}  // namespace

void AddScale(CLI::App& root, Invocation& invocation) {
  CLI::App* scale = Command(root, "scale", "Look at scaling and steer it, simulate it, and find settings for it",
                            "  cloudstate-dev run --scaling manual -- ./server       in another terminal\n"
                            "  cloudstate-dev scale watch                            and in a third one:\n"
                            "  cloudstate-dev scale set 3\n"
                            "  cloudstate-dev scale set --mode knative scale-target=10");
  scale->group(kClusterGroup);
  scale->require_subcommand(1);
  AddScaleStatus(*scale, invocation);
  AddScaleSet(*scale, invocation);
  AddScaleWatch(*scale, invocation);
  AddScaleRecord(*scale, invocation);
  AddScaleSimulate(*scale, invocation);
  AddScaleTune(*scale, invocation);
}

}  // namespace cloudstate::cli
