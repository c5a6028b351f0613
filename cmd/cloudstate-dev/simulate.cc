#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/scenario_choice.h"
#include "cmd/cloudstate-dev/seed_arguments.h"
#include "cmd/cloudstate-dev/shrunk_failure.h"
#include "cmd/cloudstate-dev/simulate_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/base/log.h"
#include "emulator/base/planted_bug.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/seeds.h"
#include "emulator/simulation/simulator.h"

namespace cloudstate::cli {
namespace {

using simulation::Outcome;
using simulation::SeedRange;

constexpr char kSimulateExamples[] =
    "  cloudstate-dev simulate                              a minute of chaos on five nodes\n"
    "  cloudstate-dev simulate --seeds 1..1000              a thousand of them\n"
    "  cloudstate-dev simulate --list                       the scenarios that are built in\n"
    "  cloudstate-dev simulate --scenario split-brain       one of them\n"
    "  cloudstate-dev simulate --print > mine.yaml          one to begin with\n"
    "  cloudstate-dev simulate --scenario mine.yaml         your own\n"
    "  cloudstate-dev simulate --seed 42 --trace trace.txt  everything that happens with this seed";

constexpr int kMostJobs = 256;

struct SimulateOptions {
  ScenarioChoice choice;
  std::optional<std::uint64_t> seed;
  std::optional<SeedRange> seeds;
  std::string trace;
  int jobs = 0;  // 0: as many as there are processors
  std::string shrunk;
  bool shrink = true;
  base::PlantedBug bug = base::PlantedBug::kNone;
  bool list = false;
  bool print = false;
};

void CheckNumber(const CLI::App& command, const std::string& option, int value, int most) {
  if (command.count(option) == 0 || (value >= 1 && value <= most)) return;
  throw CLI::ValidationError(absl::StrCat(option, " takes a number from 1 to ", most, ", not ", value, "."));
}

void CheckTogether(const CLI::App& command) {
  constexpr std::pair<const char*, const char*> kExcluding[] = {
      {"--seeds", "--seed"},    {"--seeds", "--trace"}, {"--seeds", "--shrink"}, {"--no-shrink", "--shrink"},
      {"--list", "--scenario"}, {"--list", "--seed"},   {"--list", "--seeds"},   {"--list", "--print"},
      {"--list", "--trace"},    {"--print", "--seeds"}, {"--print", "--trace"}};
  for (const auto& [one, other] : kExcluding) {
    if (command.count(one) > 0 && command.count(other) > 0) {
      throw CLI::ValidationError(absl::StrCat("Choose one of the two: ", one, " or ", other, "."));
    }
  }
}

// Short enough to be typed again.
std::uint64_t AnySeed() { return std::random_device()(); }

// ---- one seed

std::string ReplayCommand(const ScenarioChoice& choice, std::uint64_t seed) {
  std::string command = "cloudstate-dev simulate";
  if (!choice.scenario.empty()) absl::StrAppend(&command, " --scenario ", ShellWord(choice.scenario));
  if (choice.nodes > 0) absl::StrAppend(&command, " --nodes ", choice.nodes);
  return absl::StrCat(command, " --seed ", seed);
}

// Plays, and writes the trace where it is wanted.
absl::StatusOr<PlayedSeed> Play(const ChosenScenario& chosen, const SimulateOptions& options) {
  std::ofstream file;
  if (!options.trace.empty() && options.trace != "-") file.open(options.trace, std::ios::binary | std::ios::trunc);
  std::ostream* trace = options.trace.empty() ? nullptr : options.trace == "-" ? &std::cout : &file;
  const auto unwritten = absl::UnavailableError(absl::StrCat("The trace can't be written to ", options.trace, "."));
  if (trace != nullptr && !*trace) return unwritten;
  PlayedSeed played;
  played.scenario = chosen.name;
  const absl::Time start = absl::Now();
  played.outcome = simulation::Simulate(chosen.scenario, options.seed.has_value() ? *options.seed : AnySeed(), trace);
  played.took = absl::Now() - start;
  if (trace != nullptr && !trace->flush()) return unwritten;
  if (!played.outcome.violations.empty()) played.replay = ReplayCommand(options.choice, played.outcome.seed);
  return played;
}

int PlayOne(const Settings& settings, const SimulateOptions& options, const ChosenScenario& chosen) {
  if (!options.shrunk.empty()) {
    if (absl::Status status = CheckMayWrite(options.shrunk, true); !status.ok()) return Fail(status, kUsage);
  }
  const absl::StatusOr<PlayedSeed> played = Play(chosen, options);
  if (!played.ok()) return Fail(played.status());
  // A trace on standard output is the same each time, so nothing else goes there.
  const bool to_errors = options.trace == "-";
  const auto tell = [&](const std::string& text) { to_errors ? void(std::fputs(text.c_str(), stderr)) : Print(text); };
  if (!settings.json) tell(PlayedText(*played, to_errors ? Terminal{} : StandardOutput()));

  const bool failed = !played->outcome.violations.empty();
  absl::StatusOr<std::optional<ShrunkScenario>> shrunk = std::nullopt;
  if (failed && options.shrink) {
    const std::string file =
        options.shrunk.empty() ? absl::StrCat("shrunk-", played->outcome.seed, ".yaml") : options.shrunk;
    ProgressLine progress(!settings.json);
    shrunk = ShrinkFailure(chosen.scenario, played->outcome, chosen.name, file,
                           [&](const std::string& text) { progress.Show(text); });
  }
  if (settings.json) tell(PlayedJson(*played, shrunk.value_or(std::nullopt)));
  if (!shrunk.ok()) return Fail(shrunk.status());
  if (!settings.json && shrunk->has_value()) tell(ShrunkText(**shrunk, played->outcome.seed));
  return failed ? kFailed : kOk;
}

// ---- many

void Add(const simulation::Summary& one, simulation::Summary& total) {
  total.simulated += one.simulated;
  total.calls += one.calls;
  total.ok += one.ok;
  total.failed += one.failed;
  total.unknown += one.unknown;
  total.events += one.events;
  total.messages += one.messages;
  total.steps += one.steps;
}

int PlayMany(const Settings& settings, const SimulateOptions& options, const ChosenScenario& chosen) {
  PlayedSeeds played;
  played.scenario = chosen.name;
  played.seeds = *options.seeds;
  const int processors = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::atomic<bool> interrupted = false;
  const absl::Time start = absl::Now();
  {
    const Interruption interruption([&] { interrupted = true; });
    ProgressLine progress(!settings.json);
    const std::string all = absl::StrCat(played.seeds.first, "..", played.seeds.last);
    SimulateSeeds(chosen.scenario, played.seeds, options.jobs == 0 ? processors : options.jobs,
                  [&](const Outcome& outcome) {
                    ++played.played;
                    Add(outcome.summary, played.total);
                    if (!outcome.violations.empty()) played.failed.push_back({outcome.seed, Invariants(outcome)});
                    progress.Show(absl::StrCat("seeds ", all, ": ", Grouped(played.played), " played, ",
                                               Grouped(played.failed.size()), " failed"));
                    return !interrupted;
                  });
  }
  played.took = absl::Now() - start;
  played.interrupted = interrupted;
  std::sort(played.failed.begin(), played.failed.end(),
            [](const FailedSeed& one, const FailedSeed& other) { return one.seed < other.seed; });
  if (!played.failed.empty()) played.replay = ReplayCommand(options.choice, played.failed.front().seed);
  Print(settings.json ? PlayedJson(played) : PlayedText(played, StandardOutput()));
  if (!played.failed.empty()) return kFailed;
  return interrupted ? kInterrupted : kOk;
}

int Run(const Settings& settings, const SimulateOptions& options) {
  base::planted_bug = options.bug;
  base::SetUpLog(-1);  // what goes wrong in there is meant to
  if (options.list) {
    Print(settings.json ? ScenarioListJson() : ScenarioList(StandardOutput()));
    return kOk;
  }
  const absl::StatusOr<ChosenScenario> chosen = Choose(options.choice);
  if (!chosen.ok()) return Fail(chosen.status(), kUsage);
  if (options.print) {
    Print(chosen->text);
    return kOk;
  }
  return options.seeds.has_value() ? PlayMany(settings, options, *chosen) : PlayOne(settings, options, *chosen);
}

}  // namespace

void AddSimulate(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<SimulateOptions>();
  auto seed = std::make_shared<std::string>();
  auto seeds = std::make_shared<std::string>();
  auto no_shrink = std::make_shared<bool>(false);
  CLI::App* command = Command(root, "simulate", "Play a cluster in virtual time, with faults, and check what must hold",
                              kSimulateExamples);
  command->group(kClusterGroup);
  command->add_option("--scenario", options->choice.scenario, "A file, or the name of one that is built in")
      ->type_name("FILE|NAME");
  command->add_option("--seed", *seed, "What chance begins with; any unless given")->type_name("NUMBER");
  command->add_option("--seeds", *seeds, "Plays with each of these")->type_name("A..B");
  command->add_option("--nodes", options->choice.nodes, "Instead of as many as the scenario has")->type_name("NUMBER");
  command->add_option("--trace", options->trace, "Writes down everything that happens; - for standard output")
      ->type_name("FILE");
  command->add_option("--jobs", options->jobs, "How many of --seeds at a time; as there are processors unless given")
      ->type_name("NUMBER");
  command
      ->add_option("--shrink", options->shrunk, "Where a failure's short scenario goes; shrunk-SEED.yaml unless given")
      ->type_name("FILE");
  command->add_flag("--no-shrink", *no_shrink, "Leave a failure as long as it is");
  command->add_flag("--list", options->list, "Show the scenarios that are built in");
  command->add_flag("--print", options->print, "Show the scenario, play nothing");
  std::map<std::string, base::PlantedBug> bugs(base::kPlantedBugs.begin(), base::kPlantedBugs.end());
  command->add_option("--plant", options->bug, "A mistake for the emulator to make, for tests of simulation itself")
      ->transform(CLI::Transformer(std::move(bugs)))
      ->group("");
  command->callback([&invocation, options, seed, seeds, no_shrink, command] {
    CheckTogether(*command);
    CheckNumber(*command, "--nodes", options->choice.nodes, simulation::kMostScenarioNodes);
    CheckNumber(*command, "--jobs", options->jobs, kMostJobs);
    options->shrink = !*no_shrink;
    if (command->count("--seed") > 0) options->seed = ParseSeed(*seed);
    if (!seeds->empty()) options->seeds = ParseSeeds(*seeds);
    if (options->trace == "-" && invocation.settings.json) {
      throw CLI::ValidationError("Standard output takes one of the two: --json or --trace -.");
    }
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
