#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/scale_load.h"
#include "cmd/cloudstate-dev/scale_report.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/capacity/chart.h"
#include "emulator/capacity/tuning.h"

namespace cloudstate::cli {
namespace {

constexpr char kScaleTuneExamples[] =
    "  cloudstate-dev scale tune --from calls.csv                     which target and window\n"
    "  cloudstate-dev scale tune --from calls.csv --p99 200ms         the cheapest that is as fast\n"
    "  cloudstate-dev scale tune --load \"burst 5/s to 200/s for 10s every 5m over 1h\" --service 20ms \\\n"
    "      --vary scale-target=1,2,5 --vary min-scale=0,1,2 --svg trade-off.svg\n"
    "  cloudstate-dev scale tune --from calls.csv --scaling manual --vary replicas=1,2,3,4";

struct ScaleTuneOptions {
  ScaleArguments play;
  std::vector<std::string> vary;
  absl::Duration p99;
  int jobs = 0;
  std::string svg;
};

std::vector<capacity::Variation> ParseVariations(const std::vector<std::string>& texts) {
  std::vector<capacity::Variation> variations;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      throw CLI::ValidationError("--vary", "takes NAME=VALUE,VALUE, such as scale-target=1,2,5, not '" + text + "'");
    }
    capacity::Variation& added = variations.emplace_back();
    added.name = text.substr(0, equals);
    if (added.name.starts_with("--")) added.name.erase(0, 2);
    added.values = absl::StrSplit(text.substr(equals + 1), ',');
  }
  return variations;
}

// On several threads, until all are played or `interrupted`; returns those that were.
std::vector<capacity::Trial> PlayTrials(const capacity::Load& load, std::vector<capacity::Trial> trials, int threads,
                                        const std::atomic<bool>& interrupted, ProgressLine& progress) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::vector<bool> played(trials.size());
  std::size_t count = 0;
  const auto play = [&] {
    for (std::size_t i = next++; i < trials.size() && !interrupted; i = next++) {
      trials[i].options.interrupted = &interrupted;
      if (!PlayTrial(load, trials[i])) return;
      const std::lock_guard lock(mutex);
      played[i] = true;
      progress.Show(
          absl::StrCat(++count, " of ", Counted(static_cast<std::int64_t>(trials.size()), "combination"), " played"));
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(play);
    play();
  }
  std::vector<capacity::Trial> done;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (played[i]) done.push_back(std::move(trials[i]));
  }
  return done;
}

int TuneScaling(const Settings& settings, const ScaleTuneOptions& options,
                const std::vector<capacity::Variation>& variations) {
  absl::StatusOr<ScalePlay> play = PrepareScalePlay(options.play);
  if (!play.ok()) return Fail(play.status(), kUsage);
  play->options.interval = std::max<capacity::Nanoseconds>(1, play->load.Length());  // nobody looks at the timelines
  Tuned tuned;
  tuned.variations = variations.empty() ? capacity::UsualVariations(play->options.settings.mode) : variations;
  absl::StatusOr<std::vector<capacity::Trial>> trials = Combine(tuned.variations, play->options);
  if (!trials.ok()) return Fail(trials.status(), kUsage);
  TextOutput svg;
  if (absl::Status status = svg.Open(options.svg); !status.ok()) return Fail(status);
  std::atomic<bool> interrupted = false;
  const absl::Time begin = absl::Now();
  {
    const Interruption interruption([&] { interrupted = true; });
    ProgressLine progress(!settings.json);
    const int processors = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    tuned.trials = PlayTrials(play->load, *std::move(trials), options.jobs == 0 ? processors : options.jobs,
                              interrupted, progress);
  }
  tuned.took = absl::Now() - begin;
  tuned.interrupted = interrupted;
  const bool has_goal = options.p99 > absl::ZeroDuration();
  // Of a part of them nothing follows.
  if (!tuned.interrupted) {
    tuned.recommendation = Recommend(tuned.trials, has_goal ? std::optional(options.p99) : std::nullopt);
  }
  if (!svg.IsStandard()) {
    Print(settings.json ? TunedReportJson(*play, tuned) : TunedReport(*play, tuned, StandardOutput()));
  }
  if (svg.IsWanted()) {
    const absl::Status status =
        svg.Write(capacity::TuningChart(tuned.variations, tuned.trials, tuned.recommendation, ChartTitle(*play)));
    if (!status.ok()) return Fail(status);
  }
  return interrupted ? kInterrupted : kOk;
}

}  // namespace

void AddScaleTune(CLI::App& scale, Invocation& invocation) {
  auto options = std::make_shared<ScaleTuneOptions>();
  CLI::App* command = Command(scale, "tune", "Play a load with many settings: what latency costs in replica-seconds",
                              kScaleTuneExamples);
  AddScaleArguments(*command, options->play);
  command
      ->add_option(
          "--vary", options->vary,
          "A setting, by its flag without dashes, and what to try; repeat it for combinations. \"replicas\" is "
          "one, too. Target and window unless given")
      ->type_name("NAME=VALUE,…")
      ->type_size(1)
      ->allow_extra_args(false);
  DurationSetting(*command, "--p99", "", options->p99, "Recommend the cheapest with such a p99; else the best trade")
      ->default_str("");
  command->add_option("--jobs", options->jobs, "How many at a time; as there are processors unless given")
      ->check(CLI::Range(1, 256))
      ->type_name("NUMBER");
  command->add_option("--svg", options->svg, "Draws a chart; - for standard output, which then has nothing else")
      ->type_name("FILE");
  command->callback([&invocation, options] {
    RefuseTwoOutputs({options->svg}, invocation.settings.json);
    invocation.action = [&invocation, options, variations = ParseVariations(options->vary)] {
      return TuneScaling(invocation.settings, *options, variations);
    };
  });
}

}  // namespace cloudstate::cli
