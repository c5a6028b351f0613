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
constexpr double kMostTicks = 20e6;   // more than a year has of the usual length
constexpr double kMostSamples = 1e9;  // of a replica
constexpr absl::Duration kLongestRelayTimeout = absl::Hours(24 * 366);
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
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory; name a recording in it."));
  }
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError(
        absl::StrCat("There is no ", path, "; record one with `cloudstate-dev scale record ", path, "`."));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, " can't be read; is it yours?"));
  return capacity::ReadRecording(file, path);
}

bool IsFile(const std::string& text) {
  std::error_code error;
  return std::filesystem::exists(text, error);
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
    const bool is_model = text == arguments.from || arguments.from.empty();
    if (is_model && arguments.service.empty() && read->has_times) recording = *std::move(read);
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
  if (!arguments.from.empty() && !recording.has_value()) {
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

absl::Status ReadReplicas(const ScaleArguments& arguments, capacity::PlayOptions& options) {
  const scaling::Settings& settings = options.settings;
  options.replicas = settings.InitialReplicas(arguments.replicas.value_or(1));
  if (settings.mode == scaling::Mode::kKnative && arguments.replicas.has_value()) {
    return absl::InvalidArgumentError(
        "--replicas: with --scaling knative the algorithm begins with --initial-scale; say that instead.");
  }
  if (options.replicas <= settings.MaxScale()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--replicas: ", options.replicas, " are more than max-scale, ",
                                                 settings.MaxScale(), "; take fewer, or raise --max-scale."));
}

absl::Status ReadScaling(const ScaleArguments& arguments, capacity::PlayOptions& options) {
  options.settings = arguments.settings;
  absl::Status status = scaling::ParseMode(arguments.scaling, options.settings.mode);
  if (status.ok()) status = scaling::Check(options.settings);
  if (!status.ok()) return status;
  if (status = ReadReplicas(arguments, options); !status.ok()) return status;
  options.relay_timeout = absl::ToInt64Nanoseconds(std::min(arguments.relay_timeout, kLongestRelayTimeout));
  if (arguments.cold_starts.empty()) return absl::OkStatus();
  return ReadSpread("--cold-starts", arguments.cold_starts, options.cold_start.emplace());
}

// What would take minutes, or hours.
absl::Status CheckTicks(const capacity::Load& load, const scaling::Settings& settings) {
  if (settings.mode == scaling::Mode::kManual) return absl::OkStatus();
  const bool knative = settings.mode == scaling::Mode::kKnative;
  const absl::Duration window =
      knative ? settings.knative.stable_window : settings.cloudstate.target_concurrency_window;
  const double ticks = absl::FDivDuration(absl::Nanoseconds(load.Length()), settings.tick);
  if (ticks <= kMostTicks && ticks * absl::FDivDuration(window, settings.tick) <= kMostSamples) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("A load of ", absl::FormatDuration(absl::Nanoseconds(load.Length())),
                                                 " has too many ticks of ", absl::FormatDuration(settings.tick),
                                                 " that look at a window of ", absl::FormatDuration(window),
                                                 ": make scale-tick longer, or the window or the load shorter."));
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
          "--from what fits best, unless given")
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
  DurationSetting(command, "--relay-timeout", "", arguments.relay_timeout,
                  "How long a call may take, or be held; then it ends without an answer");
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
      .add_option_function<int>(
          "--replicas", [&arguments](int replicas) { arguments.replicas = replicas; },
          "At the beginning, 1 unless given; with --scaling manual always. Not with knative, which has --initial-scale")
      ->check(CLI::Range(1, 1'000))
      ->type_name("N");
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
        "of `scale record` with --from.");
  }
  ScalePlay play;
  std::optional<capacity::Recording> recording;
  absl::Status status = ReadLoad(arguments, recording, play);
  if (status.ok()) status = ReadModel(arguments, recording, play);
  if (status.ok()) status = ReadScaling(arguments, play.options);
  if (status.ok()) status = CheckTicks(play.load, play.options.settings);
  if (!status.ok()) return status;
  play.options.model.work_at =
      arguments.kind == "entities" ? capacity::ServiceModel::WorkAt::kOwner : capacity::ServiceModel::WorkAt::kTaker;
  play.options.seed = arguments.seed;
  play.options.spacing = arguments.even ? capacity::Spacing::kEven : capacity::Spacing::kPoisson;
  play.options.interval = IntervalFor(play.load.Length());
  return play;
}

absl::Status TextOutput::Open(const std::string& path) {
  path_ = path;
  if (path.empty() || IsStandard()) return absl::OkStatus();
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory; name a file in it."));
  }
  file_.open(path, std::ios::binary | std::ios::trunc);
  return Check();
}

absl::Status TextOutput::Write(const std::string& text) {
  if (IsStandard()) {
    Print(text);
    return absl::OkStatus();
  }
  file_ << text;
  file_.flush();
  return Check();
}

absl::Status TextOutput::Check() const {
  if (file_) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path_, " can't be written. Is its directory there, and yours?"));
}

void RefuseTwoOutputs(const std::vector<std::string>& paths, bool json) {
  const auto standard = std::count(paths.begin(), paths.end(), "-");
  if (standard > 1 || (standard == 1 && json)) {
    throw CLI::ValidationError(json ? "--json" : "--csv",
                               "only one thing can go to standard output; name a file instead of -");
  }
}

}  // namespace cloudstate::cli
