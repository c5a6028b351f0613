#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/fuzz_emulator.h"
#include "cmd/cloudstate-dev/fuzz_memory.h"
#include "cmd/cloudstate-dev/fuzz_output.h"
#include "cmd/cloudstate-dev/fuzz_player.h"
#include "cmd/cloudstate-dev/fuzz_shrinking.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/seed_arguments.h"
#include "cmd/cloudstate-dev/simulate_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/admin/replaying.h"
#include "emulator/base/log.h"
#include "emulator/testing/test_file.h"

namespace cloudstate::cli {
namespace {

constexpr char kFuzzExamples[] =
    "  cloudstate-dev fuzz-user-function -- node index.js             a hundred sequences of commands\n"
    "  cloudstate-dev fuzz-user-function --seeds 1..5000 -- ./cart    more of them\n"
    "  cloudstate-dev fuzz-user-function --seed 42 -- ./cart          one again\n"
    "  cloudstate-dev fuzz-user-function --time 5m --seeds 1000000 -- ./cart    as many as come in five minutes\n"
    "  cloudstate-dev fuzz-user-function --service ShoppingCart --user-function 127.0.0.1:8080\n"
    "  cloudstate-dev fuzz-user-function --ignore memory -- java -jar cart.jar";

constexpr int kMostFuzzSteps = 10'000;
constexpr std::uint64_t kMemorySequences = 5;

struct FuzzOptions {
  UserFunctionChoice user_function;
  simulation::SeedRange seeds{1, 100};
  int steps = 30;
  absl::Duration time = absl::InfiniteDuration();
  std::string service;
  absl::Duration deadline = absl::Seconds(2);
  absl::Duration start_up = absl::Seconds(30);
  std::string out;
  std::set<fuzzing::FindingKind> ignored;
  bool verbose = false;
};

fuzzing::FindingKind ParseKind(const std::string& text) {
  std::vector<std::string> names;
  for (const fuzzing::FindingName& each : fuzzing::kFindingNames) {
    if (each.name == text) return each.kind;
    names.emplace_back(each.name);
  }
  throw CLI::ValidationError("--ignore takes one of " + absl::StrJoin(names, ", ") + ", not '" + text + "'.");
}

// A file that there is not yet.
absl::StatusOr<std::string> WriteNewFile(const std::string& wanted, std::uint64_t seed, const std::string& text) {
  std::string file = wanted.empty() ? absl::StrCat("fuzz-", seed, ".yaml") : wanted;
  for (int number = 2;; ++number) {
    if (std::FILE* made = std::fopen(file.c_str(), "wx"); made != nullptr) {
      const bool written = std::fwrite(text.data(), 1, text.size(), made) == text.size();
      if (std::fclose(made) == 0 && written) return file;
      return absl::UnavailableError(absl::StrCat("The file ", file, " can't be written."));
    }
    if (errno != EEXIST || !wanted.empty()) {
      return absl::UnavailableError(
          absl::StrCat("The file ", file, " can't be made: ", std::strerror(errno), ". Name another one with --out."));
    }
    file = absl::StrCat("fuzz-", seed, "-", number, ".yaml");
  }
}

// Of what was seen, without what the user function printed and the ports: the same seed finds the same file.
std::string SameEachTime(const std::string& seen) {
  static const std::regex kPorts(R"((127\.0\.0\.1|\[::1\]|localhost):\d+)");
  return std::regex_replace(Printable(seen.substr(0, seen.find('\n'))), kPorts, "$1");
}

// Before the work begins whose only result may be a file.
absl::Status CheckFoundFile(const std::string& out) {
  if (!out.empty() && std::ifstream(out).good()) {
    return absl::AlreadyExistsError(
        absl::StrCat("There is a file ", out, " already. Remove it, or name another with --out."));
  }
  if (!out.empty()) return CheckMayWrite(out, true);
  if (CheckMayWrite("fuzz-SEED.yaml", true).ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "A test of what is found goes into this directory, where nothing can be written: name a file with --out.");
}

class Fuzzing {
 public:
  Fuzzing(const FuzzOptions& options, bool json) : options_(options), progress_(!json) {
    report_.first_seed = options.seeds.first;
    report_.last_seed = options.seeds.last;
  }

  // The exit code goes by the report.
  absl::StatusOr<FuzzReport> Run();
  bool interrupted() const { return interrupted_; }

 private:
  bool GoesOn() const { return !interrupted_ && absl::Now() < end_; }

  absl::Status PlaySeeds();
  absl::Status CheckMemory();
  void Conclude();
  std::string FileText() const;
  std::string Again() const;
  std::string Arguments() const { return UserFunctionArguments(options_.user_function); }

  const FuzzOptions& options_;
  ProgressLine progress_;
  std::atomic<bool> interrupted_ = false;
  absl::Time end_ = absl::InfiniteFuture();
  std::unique_ptr<FuzzEmulator> emulator_;
  std::unique_ptr<FuzzPlayer> player_;
  FuzzReport report_;
};

absl::StatusOr<FuzzReport> Fuzzing::Run() {
  const Interruption interruption([this] { interrupted_ = true; });
  const absl::Time start = absl::Now();
  end_ = start + options_.time;
  auto emulator = FuzzEmulator::Start({options_.user_function, options_.service, options_.deadline, options_.start_up,
                                       options_.verbose, [this] { return interrupted_.load(); }});
  if (!emulator.ok()) return emulator.status();
  emulator_ = *std::move(emulator);
  player_ = std::make_unique<FuzzPlayer>(
      *emulator_, FuzzPlayer::Options{options_.deadline, options_.ignored, [this] { return !GoesOn(); }});
  absl::Status status = player_->CollectProbes();
  if (status.ok()) status = PlaySeeds();
  if (status.ok() && !report_.found.has_value()) status = CheckMemory();
  if (absl::IsCancelled(status) && !GoesOn()) {
    report_.ended_early = true;
    status = absl::OkStatus();
  }
  report_.took = absl::Now() - start;
  report_.drawing_lots = player_->drawing_lots();
  if (!status.ok())
    return absl::Status(status.code(), absl::StrCat(absl::string_view(status.message()), emulator_->Output()));
  if (report_.found.has_value()) Conclude();
  return std::move(report_);
}

absl::Status Fuzzing::PlaySeeds() {
  const std::string all = absl::StrCat(options_.seeds.first, "..", options_.seeds.last);
  for (std::uint64_t seed = options_.seeds.first;; ++seed) {
    if (absl::Status status = emulator_->Renew(FuzzEmulator::Renewal::kReset); !status.ok()) return status;
    fuzzing::Sequence sequence =
        fuzzing::MakeSequence(emulator_->types().methods(), player_->probes(), seed, options_.steps);
    absl::StatusOr<FuzzPlayer::Result> result = player_->Play(sequence);
    if (!result.ok()) return result.status();
    ++report_.sequences;
    report_.commands += result->commands;
    progress_.Show(absl::StrCat("seeds ", all, ": ", Grouped(report_.sequences), " played, ", Grouped(report_.commands),
                                " commands"));
    if (result->finding.has_value()) {
      report_.seed = seed;
      sequence.resize(result->finding->step + 1);
      fuzzing::Played played{std::move(sequence), std::move(result->codes), *std::move(result->finding)};
      report_.found = ShrinkFinding(
          *emulator_, *player_, std::move(played), [this] { return GoesOn(); },
          [this](const std::string& text) { progress_.Show(text); });
      return absl::OkStatus();
    }
    if (seed == options_.seeds.last) return absl::OkStatus();
  }
}

absl::Status Fuzzing::CheckMemory() {
  if (!emulator_->owns_user_function() || options_.ignored.contains(fuzzing::FindingKind::kMemory))
    return absl::OkStatus();
  std::vector<fuzzing::Sequence> sequences;
  for (std::uint64_t i = 0; i < kMemorySequences; ++i) {
    sequences.push_back(
        fuzzing::MakeSequence(emulator_->types().methods(), {}, options_.seeds.first + i, options_.steps));
  }
  progress_.Show("measuring memory");
  auto rounds = MeasureMemory(*emulator_, sequences, options_.deadline, [this] { return !GoesOn(); });
  if (!rounds.ok()) return rounds.status();
  report_.memory = fuzzing::TrendText(*rounds);
  report_.commands += static_cast<std::uint64_t>(rounds->commands) * (rounds->kibibytes.size() - 1);
  if (fuzzing::TrendOf(*rounds) == fuzzing::Trend::kFlat) return absl::OkStatus();
  report_.seed = options_.seeds.first;
  report_.found.emplace();
  report_.found->played.finding.kind = fuzzing::FindingKind::kMemory;
  report_.found->played.finding.text = report_.memory;
  report_.found->happens_again = true;
  return absl::OkStatus();
}

// A finding is told whatever becomes of its file.
void Fuzzing::Conclude() {
  report_.again = Again();
  if (!fuzzing::TestShows(report_.found->played.finding)) return;
  const std::string text = FileText();
  auto file = WriteNewFile(options_.out, report_.seed, text);
  if (!file.ok()) {
    progress_.Clear();
    PrintError(absl::StrCat(absl::string_view(file.status().message()), " The test would be\n", text));
    return;
  }
  report_.file = *file;
  report_.test = absl::StrCat("cloudstate-dev test ", ShellWord(report_.file), Arguments());
}

// With all that the sequences and what is found in them depend on.
std::string Fuzzing::Again() const {
  std::string command = "cloudstate-dev fuzz-user-function";
  const bool memory = report_.found->played.finding.kind == fuzzing::FindingKind::kMemory;
  absl::StrAppend(&command, memory ? absl::StrCat(" --seeds ", report_.seed, "..", report_.seed)
                                   : absl::StrCat(" --seed ", report_.seed));
  const FuzzOptions usual;
  if (options_.steps != usual.steps) absl::StrAppend(&command, " --steps ", options_.steps);
  if (!options_.service.empty()) absl::StrAppend(&command, " --service ", ShellWord(options_.service));
  if (options_.deadline != usual.deadline) {
    absl::StrAppend(&command, " --deadline ", absl::FormatDuration(options_.deadline));
  }
  for (const fuzzing::FindingKind kind : options_.ignored) {
    absl::StrAppend(&command, " --ignore ", std::string(fuzzing::NameOf(kind).name));
  }
  return command + Arguments();
}

std::string Fuzzing::FileText() const {
  const fuzzing::Played& played = report_.found->played;
  const fuzzing::FindingName& name = fuzzing::NameOf(played.finding.kind);
  const std::string title = absl::StrCat("seed ", report_.seed, ": ", std::string(name.meaning));
  return absl::StrCat("# Found by cloudstate-dev fuzz-user-function, with seed ", report_.seed, ". What was seen:\n# ",
                      SameEachTime(played.finding.text), "\n",
                      testing::FoundTestFileText(
                          fuzzing::MakeTestFile(played, emulator_->types().methods(), options_.deadline, title)));
}

int Run(const Settings& settings, const FuzzOptions& options) {
  signal(SIGPIPE, SIG_IGN);
  base::SetUpLog(-1);  // what the emulator complains of is what is looked for
  if (absl::Status status = CheckFoundFile(options.out); !status.ok()) return Fail(status, kUsage);
  absl::StatusOr<FuzzReport> report;
  bool interrupted = false;
  {
    Fuzzing fuzzing(options, settings.json);
    report = fuzzing.Run();
    interrupted = fuzzing.interrupted();
  }
  if (!report.ok()) return interrupted ? kInterrupted : Fail(report.status());
  Print(settings.json ? FuzzJson(*report) : FuzzText(*report, StandardOutput()));
  if (report->found.has_value()) return kFailed;
  return interrupted ? kInterrupted : kOk;
}

}  // namespace

void AddFuzzUserFunction(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<FuzzOptions>();
  auto seeds = std::make_shared<std::string>();
  auto seed = std::make_shared<std::string>();
  auto ignored = std::make_shared<std::vector<std::string>>();
  CLI::App* command = Command(root, "fuzz-user-function",
                              "Look for mistakes of a user function with commands by chance", kFuzzExamples);
  command->group(kTestGroup);
  AddUserFunctionChoice(*command, options->user_function, TakesCommand::kYes);
  command->add_option("--seeds", *seeds, "What chance begins with in each sequence of commands; 1..100 unless given")
      ->type_name("A..B|N");
  command->add_option("--seed", *seed, "One sequence only")->type_name("NUMBER")->excludes("--seeds");
  command->add_option("--steps", options->steps, "How long a sequence is")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, kMostFuzzSteps))
      ->capture_default_str();
  DurationSetting(*command, "--time", "", options->time, "End after this time, whatever is left");
  command->add_option("--service", options->service, "Only services whose name, or its last part, matches")
      ->type_name("GLOB");
  DurationSetting(*command, "--deadline", "", options->deadline, "A command that is not answered within this hangs",
                  admin::Replaying::kLongestDeadline);
  DurationSetting(*command, "--start-timeout", "", options->start_up,
                  "How long the user function may take until it has answered discovery");
  command->add_option("--out", options->out, "Where a test that shows what was found goes; fuzz-SEED.yaml unless given")
      ->type_name("FILE");
  command
      ->add_option("--ignore", *ignored,
                   "Do not look for this: protocol, crash, hang, load, chance, state, snapshot, isolation, open-stream "
                   "or memory; repeatable")
      ->type_name("KIND")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_flag("-v,--verbose", options->verbose, "Show what the user function prints, on standard error");
  command->callback([&invocation, options, seeds, seed, ignored, command] {
    if (options->user_function.empty()) {
      throw CLI::ValidationError("Which user function? Give a COMMAND after --, --serve, --sample or --user-function.");
    }
    if (!seeds->empty()) options->seeds = ParseSeeds(absl::StrContains(*seeds, "..") ? *seeds : "1.." + *seeds);
    if (command->count("--seed") > 0) {
      const std::uint64_t only = ParseSeed(*seed);
      options->seeds = {only, only};
    }
    for (const std::string& kind : *ignored) options->ignored.insert(ParseKind(kind));
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
