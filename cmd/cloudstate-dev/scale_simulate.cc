#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/scale_load.h"
#include "cmd/cloudstate-dev/scale_report.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/capacity/chart.h"

namespace cloudstate::cli {
namespace {

constexpr char kScaleSimulateExamples[] =
    "  cloudstate-dev scale simulate --load \"sine 10/s to 100/s every 10m for 1h\" --service 20ms --scale-target 5\n"
    "  cloudstate-dev scale simulate --load \"idle for 2m, burst 200/s for 10s every 5m over 1h\" --service "
    "\"exponential(20ms)\"\n"
    "  cloudstate-dev scale simulate --from calls.csv                 what was recorded, under other settings\n"
    "  cloudstate-dev scale simulate --from calls.csv --times 3       three times as much\n"
    "  cloudstate-dev scale simulate --from calls.csv --scaling cloudstate --svg chart.svg";

struct ScaleSimulateOptions {
  ScaleArguments play;
  bool all = false;
  std::string svg, csv;
};

int SimulateScaling(const Settings& settings, const ScaleSimulateOptions& options) {
  absl::StatusOr<ScalePlay> play = PrepareScalePlay(options.play);
  if (!play.ok()) return Fail(play.status(), kUsage);
  play->options.keep_ticks = options.all;
  TextOutput svg, csv;
  absl::Status status = svg.Open(options.svg);
  status.Update(csv.Open(options.csv));
  if (!status.ok()) return Fail(status);
  const absl::Time begin = absl::Now();
  const capacity::Played played = capacity::Play(play->load, play->options);
  const absl::Duration took = absl::Now() - begin;
  const Decisions decisions = options.all ? Decisions::kAll : Decisions::kFirst;
  if (!svg.IsStandard() && !csv.IsStandard()) {
    Print(settings.json ? PlayedReportJson(*play, played, took)
                        : PlayedReport(*play, played, took, decisions, StandardOutput()));
  }
  if (svg.IsWanted()) status = svg.Write(capacity::PlayedChart(played, play->options.settings, ChartTitle(*play)));
  if (csv.IsWanted()) status.Update(csv.Write(TimelineCsv(*play, played)));
  return status.ok() ? kOk : Fail(status);
}

}  // namespace

void AddScaleSimulate(CLI::App& scale, Invocation& invocation) {
  auto options = std::make_shared<ScaleSimulateOptions>();
  CLI::App* command = Command(scale, "simulate", "Play a load on replicas in virtual time, scaled as they would be",
                              kScaleSimulateExamples);
  AddScaleArguments(*command, options->play);
  command->add_flag("--all", options->all, "Show every decision, also those that changed nothing");
  command->add_option("--svg", options->svg, "Draws a chart; - for standard output, which then has nothing else")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "Writes down the timeline; - as for --svg")->type_name("FILE");
  command->callback([&invocation, options] {
    RefuseTwoOutputs({options->svg, options->csv}, invocation.settings.json);
    invocation.action = [&invocation, options] { return SimulateScaling(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
