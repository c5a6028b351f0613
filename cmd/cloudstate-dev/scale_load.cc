#include "cmd/cloudstate-dev/scale_load.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/scaling_flags.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/capacity/recording.h"
#include "emulator/cluster/latency.h"

namespace cloudstate::cli {
namespace {

constexpr double kMostCalls = 200e6;  // which takes minutes
// Enough for a chart as wide as a screen.
constexpr capacity::Nanoseconds kIntervals = 240;

// Of a length that people count in.
capacity::Nanoseconds IntervalFor(capacity::Nanoseconds length) {
  constexpr int kSeconds[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1'800, 3'600, 21'600};
  for (const int seconds : kSeconds) {
    if (length / (seconds * capacity::kSecond) <= kIntervals) return seconds * capacity::kSecond;
  }
  return length / kIntervals;
}

capacity::Spread ToSpread(const cluster::Latency& latency) {
  using Kind = cluster::Latency::Kind;
  capacity::Spread spread;
  spread.kind = latency.kind == Kind::kUniform       ? capacity::Spread::Kind::kUniform
                : latency.kind == Kind::kNormal      ? capacity::Spread::Kind::kNormal
                : latency.kind == Kind::kExponential ? capacity::Spread::Kind::kExponential
                                                     : capacity::Spread::Kind::kConstant;
  spread.low = absl::ToInt64Nanoseconds(latency.low);
  spread.high = absl::ToInt64Nanoseconds(latency.high);
  return spread;
}

absl::Status ReadSpread(const std::string& flag, const std::string& text, capacity::Spread& spread) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<cluster::Latency> latency = cluster::Latency::Parse(text);
  if (!latency.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": ", std::string(latency.status().message())));
  }
  spread = ToSpread(*latency);
  return absl::OkStatus();
}

absl::StatusOr<capacity::Recording> ReadRecordingFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, " can't be read."));
  return capacity::ReadRecording(file, path);
}

bool IsFile(const std::string& text) {
  std::error_code error;
  return std::filesystem::is_regular_file(text, error);
}

// What looks like a shape is none of a file that is not there.
bool LooksLikeFile(const std::string& text) {
  return absl::EndsWith(text, ".csv") || (text.find(' ') == std::string::npos && text.find('/') != std::string::npos);
}

absl::Status ReadLoad(const ScaleArguments& arguments, std::optional<capacity::Recording>& recording, ScalePlay& play) {
  const std::string& text = arguments.load.empty() ? arguments.from : arguments.load;
  play.name = Printable(text);
  if (IsFile(text) || LooksLikeFile(text)) {
    absl::StatusOr<capacity::Recording> read = ReadRecordingFile(text);
    if (!read.ok()) return read.status();
    play.load = read->ToLoad();
    // What it was recorded with is what it is played with, unless that is said.
    if (arguments.from.empty() && arguments.service.empty() && read->has_times) recording = *std::move(read);
  } else {
    absl::StatusOr<capacity::Load> load = capacity::ParseLoad(text);
    if (!load.ok()) return load.status();
    play.load = *std::move(load);
  }
  play.load.times = arguments.times;
  if (arguments.times != 1) absl::StrAppend(&play.name, ", ", arguments.times, " times");
  if (play.load.Calls() <= kMostCalls) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "The load has more than 200 million calls, which would take minutes; make it shorter, or slower.");
}

absl::Status ReadModel(const ScaleArguments& arguments, std::optional<capacity::Recording>& recording,
                       ScalePlay& play) {
  if (!arguments.from.empty()) {
    absl::StatusOr<capacity::Recording> read = ReadRecordingFile(arguments.from);
    if (!read.ok()) return read.status();
    recording = *std::move(read);
  }
  if (recording.has_value()) {
    absl::StatusOr<capacity::Fit> fit = capacity::FitModel(*recording, arguments.workers);
    if (!fit.ok()) return fit.status();
    play.options.model = std::move(fit->model);
    play.fit = *std::move(fit);
    return absl::OkStatus();
  }
  if (arguments.service.empty()) {
    return absl::InvalidArgumentError(
        "How long do calls take? Say it with --service, such as 20ms or \"exponential(20ms)\", or name a recording of "
        "`scale record` with --from.");
  }
  play.options.model.workers = arguments.workers.value_or(1);
  absl::Status status = ReadSpread("--service", arguments.service, play.options.model.service);
  status.Update(ReadSpread("--rest", arguments.rest, play.options.model.rest));
  return status;
}

absl::Status ReadScaling(const ScaleArguments& arguments, capacity::PlayOptions& options) {
  options.settings = arguments.settings;
  absl::Status status = scaling::ParseMode(arguments.scaling, options.settings.mode);
  if (status.ok()) status = scaling::Check(options.settings);
  if (!status.ok()) return status;
  options.replicas =
      options.settings.mode == scaling::Mode::kKnative ? options.settings.knative.initial_scale : arguments.replicas;
  options.cold_start.low = absl::ToInt64Nanoseconds(options.settings.cold_start);
  return ReadSpread("--cold-starts", arguments.cold_starts, options.cold_start);
}

void AddModelArguments(CLI::App& command, ScaleArguments& arguments) {
  command
      .add_option("--from", arguments.from,
                  "A recording of `scale record`, which the user function is modelled after; its calls are the load "
                  "unless --load says otherwise")
      ->type_name("RECORDING");
  command
      .add_option("--service", arguments.service,
                  "Instead: how long a call is worked on, as 20ms, \"exponential(20ms)\", \"uniform(5ms, 30ms)\" or "
                  "\"normal(20ms, 5ms)\"")
      ->type_name("TIME")
      ->excludes("--from");
  command
      .add_option_function<int>(
          "--workers", [&arguments](int workers) { arguments.workers = workers; },
          "Calls that a replica works on at once, the others wait in turn; 0 for no limit. 1 with --service, with "
          "--from "
          "what fits best, unless given")
      ->check(CLI::Range(0, 10'000))
      ->type_name("N");
  command
      .add_option("--rest", arguments.rest,
                  "What a call takes besides, without anybody's being occupied; with --service")
      ->type_name("TIME")
      ->needs("--service");
  command
      .add_option("--kind", arguments.kind,
                  "What calls are of: entities, whose commands the replica works on that has the entity, or actions, "
                  "which are worked on where the call was taken")
      ->check(CLI::IsMember({"entities", "actions"}))
      ->capture_default_str();
  command
      .add_option("--cold-starts", arguments.cold_starts,
                  "Instead of --cold-start, which is always the same: drawn for each replica, as \"uniform(1s, 3s)\"")
      ->type_name("TIME");
}

}  // namespace

void AddScaleArguments(CLI::App& command, ScaleArguments& arguments) {
  command
      .add_option(
          "--load", arguments.load,
          "\"constant 50/s for 10m\", \"ramp 10/s to 200/s over 5m\", \"step 10/s to 100/s by 30/s every 1m\", "
          "\"sine 10/s to 100/s every 10m for 1h\", \"burst 5/s to 200/s for 10s every 5m over 1h\", \"idle for "
          "10m\", several of them with commas; or a recording")
      ->type_name("SHAPE|FILE");
  AddModelArguments(command, arguments);
  command.add_option("--scaling", arguments.scaling, "Who says how many replicas there are")
      ->check(CLI::IsMember({"manual", "cloudstate", "knative"}))
      ->capture_default_str();
  command
      .add_option("--replicas", arguments.replicas,
                  "At the beginning; with --scaling manual always. Knative begins with --initial-scale")
      ->check(CLI::Range(1, 1'000))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--times", arguments.times, "So many calls for each of the load")
      ->check(CLI::Range(0.001, 10'000.0))
      ->type_name("FACTOR")
      ->capture_default_str();
  command.add_flag("--even", arguments.even, "Space the calls of a shape evenly, not by chance");
  command.add_option("--seed", arguments.seed, "What chance begins with; the same has the same outcome")
      ->type_name("NUMBER")
      ->capture_default_str();
  AddScalingFlags(command, arguments.settings);
}

absl::StatusOr<ScalePlay> PrepareScalePlay(const ScaleArguments& arguments) {
  if (arguments.load.empty() && arguments.from.empty()) {
    return absl::InvalidArgumentError(
        "There is no load. Give one with --load, such as \"sine 10/s to 100/s every 10m for 1h\", or name a recording "
        "of "
        "`scale record` with --from.");
  }
  ScalePlay play;
  std::optional<capacity::Recording> recording;
  absl::Status status = ReadLoad(arguments, recording, play);
  if (status.ok()) status = ReadModel(arguments, recording, play);
  if (status.ok()) status = ReadScaling(arguments, play.options);
  if (!status.ok()) return status;
  play.options.model.work_at =
      arguments.kind == "entities" ? capacity::ServiceModel::WorkAt::kOwner : capacity::ServiceModel::WorkAt::kTaker;
  play.options.seed = arguments.seed;
  play.options.spacing = arguments.even ? capacity::Spacing::kEven : capacity::Spacing::kPoisson;
  play.options.interval = IntervalFor(play.load.Length());
  return play;
}

absl::Status WriteTextFile(const std::string& path, const std::string& text) {
  if (path == "-") {
    Print(text);
    return absl::OkStatus();
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (file << text && file.flush()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, " can't be written. Is its directory there, and yours?"));
}

}  // namespace cloudstate::cli
