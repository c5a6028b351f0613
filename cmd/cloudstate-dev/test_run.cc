#include "cmd/cloudstate-dev/test_run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace cloudstate::cli {
namespace {

using testing::CaseResult;
using testing::Outcome;

CaseResult NotRun(const ChosenCase& chosen, const std::string& reason) {
  const dev::v1::TestCase& test_case = chosen.file->file.cases(chosen.index);
  CaseResult result;
  result.line = chosen.file->places.Of(test_case).line;
  result.name = test_case.name();
  result.outcome = Outcome::kNotRun;
  result.reason = reason;
  return result;
}

// An emulator of its own, with the player of its cases.
class Stage {
 public:
  static absl::StatusOr<std::unique_ptr<Stage>> Start(const TestRunOptions& options, int nodes,
                                                      TestInterruption& interruption) {
    OwnEmulator::Options own;
    own.user_function = options.user_function;
    own.settings.nodes = static_cast<std::size_t>(nodes);
    own.show_output = options.show_output;
    own.start_up = options.start_up;
    own.given_up = [&interruption] { return interruption.interrupted(); };
    auto emulator = OwnEmulator::Start(std::move(own));
    if (!emulator.ok()) return emulator.status();
    auto player = TestPlayer::Connect({(*emulator)->client_address(), (*emulator)->admin_address()});
    if (!player.ok()) return player.status();
    return std::unique_ptr<Stage>(new Stage(*std::move(emulator), *std::move(player), nodes, options, interruption));
  }
  ~Stage() { interruption_.Remove(*player_); }

  int nodes() const { return nodes_; }
  TestPlayer& player() { return *player_; }

  CaseResult Play(const ChosenCase& chosen) {
    const bool skipped = !chosen.file->file.cases(chosen.index).skip().empty();
    if (!skipped && !IsThere()) return NotRun(chosen, Absence());
    const std::size_t troubles = emulator_->trouble_count();
    const std::size_t ends = emulator_->ends();
    CaseResult result = player_->Play(chosen.file->file, chosen.file->places, chosen.index, options_.timeout);
    if (result.outcome == Outcome::kFailed) AddTroubles(troubles, ends, result.failure);
    return result;
  }

 private:
  Stage(std::unique_ptr<OwnEmulator> emulator, std::unique_ptr<TestPlayer> player, int nodes,
        const TestRunOptions& options, TestInterruption& interruption)
      : emulator_(std::move(emulator)),
        player_(std::move(player)),
        nodes_(nodes),
        options_(options),
        interruption_(interruption),
        patience_(options.start_up) {
    interruption_.Add(*player_);
  }

  // The user function may have ended in the case before, and is started anew; where it stays away, no other case waits
  // as long again.
  bool IsThere() {
    const bool there = emulator_->AwaitReturn(patience_, [this] { return interruption_.interrupted(); });
    patience_ = there ? options_.start_up : absl::Seconds(1);
    return there || interruption_.interrupted();
  }

  std::string Absence() const {
    const std::vector<std::string> troubles = emulator_->troubles();
    return absl::StrCat("the user function was lost, and did not come back", troubles.empty() ? "" : ": ",
                        troubles.empty() ? "" : troubles.back());
  }

  // What the user function did wrong meanwhile; where it has ended, what it printed says why.
  void AddTroubles(std::size_t troubles, std::size_t ends, testing::CaseFailure& failure) const {
    // Calls fail a moment before the loss is known, and the loss is known a moment before the end of the process.
    constexpr absl::Duration kUntilLost = absl::Milliseconds(200);
    constexpr absl::Duration kUntilEnded = absl::Milliseconds(500);
    const absl::Time start = absl::Now();
    const auto patience = [&] { return emulator_->user_function_ready() ? kUntilLost : kUntilEnded; };
    while (emulator_->ends() == ends && absl::Now() < start + patience()) absl::SleepFor(absl::Milliseconds(5));
    for (std::string& each : emulator_->troubles(troubles)) failure.steps.push_back(std::move(each));
    if (emulator_->ends() == ends) return;
    for (const std::string& line : emulator_->OutputLines()) failure.steps.push_back(absl::StrCat("  | ", line));
  }

  std::unique_ptr<OwnEmulator> emulator_;
  std::unique_ptr<TestPlayer> player_;
  const int nodes_;
  const TestRunOptions& options_;
  TestInterruption& interruption_;
  absl::Duration patience_;  // with a user function that is away
};

// The cases that are still to be played, and the results of those that were.
class Queue {
 public:
  Queue(const std::vector<ChosenCase>& cases, const TestRunOptions& options, const TestInterruption& interruption,
        const std::function<void(const CaseResult&)>& on_result)
      : cases_(cases), options_(options), interruption_(interruption), on_result_(on_result), results_(cases.size()) {}

  std::optional<std::size_t> Take() {
    std::lock_guard lock(mutex_);
    if (next_ == cases_.size() || interruption_.interrupted() || (options_.fail_fast && failed_)) return std::nullopt;
    return next_++;
  }

  void Put(std::size_t index, CaseResult result) {
    std::lock_guard lock(mutex_);
    failed_ = failed_ || result.outcome == Outcome::kFailed;
    Keep(index, std::move(result));
  }

  // What no worker has taken was not run. All workers have ended.
  std::vector<CaseResult> Finish(const std::string& reason) {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].has_value()) continue;
      Keep(i, NotRun(cases_[i], reason));
    }
    std::vector<CaseResult> results;
    for (std::optional<CaseResult>& each : results_) results.push_back(*std::move(each));
    return results;
  }

  int NodesOf(std::size_t index) const {
    const int own = cases_[index].file->file.nodes();
    return options_.nodes > 0 ? options_.nodes : std::max(1, own);
  }
  const ChosenCase& at(std::size_t index) const { return cases_[index]; }

 private:
  void Keep(std::size_t index, CaseResult result) {
    result.file = cases_[index].file->path;
    results_[index] = std::move(result);
    for (; told_ < results_.size() && results_[told_].has_value(); ++told_) on_result_(*results_[told_]);
  }

  const std::vector<ChosenCase>& cases_;
  const TestRunOptions& options_;
  const TestInterruption& interruption_;
  const std::function<void(const CaseResult&)>& on_result_;
  std::mutex mutex_;
  std::vector<std::optional<CaseResult>> results_;
  std::size_t next_ = 0;
  std::size_t told_ = 0;
  bool failed_ = false;
};

// Plays case after case, with as many nodes as each needs. The error is that of a start.
absl::Status Work(std::unique_ptr<Stage> stage, Queue& queue, const TestRunOptions& options,
                  TestInterruption& interruption) {
  while (const std::optional<std::size_t> index = queue.Take()) {
    const int nodes = queue.NodesOf(*index);
    if (stage == nullptr || stage->nodes() != nodes) {
      stage = nullptr;  // it ends first
      auto started = Stage::Start(options, nodes, interruption);
      if (!started.ok()) {
        queue.Put(*index, NotRun(queue.at(*index), std::string(started.status().message())));
        return started.status();
      }
      stage = *std::move(started);
    }
    queue.Put(*index, stage->Play(queue.at(*index)));
  }
  return absl::OkStatus();
}

std::size_t WorkerCount(const TestRunOptions& options, std::size_t cases) {
  constexpr std::size_t kCasesWorthAWorker = 10;
  const std::size_t most = options.workers > 0 ? cases : (cases + kCasesWorthAWorker - 1) / kCasesWorthAWorker;
  const std::size_t wanted = options.workers > 0 ? static_cast<std::size_t>(options.workers)
                                                 : std::max(1u, std::thread::hardware_concurrency());
  return std::max<std::size_t>(1, std::min(wanted, most));
}

absl::Status CheckAll(const std::vector<ChosenCase>& cases, TestPlayer& player) {
  const LoadedTestFile* checked = nullptr;
  for (const ChosenCase& each : cases) {
    if (each.file == checked) continue;
    if (absl::Status status = player.Check(each.file->file, each.file->places); !status.ok()) return status;
    checked = each.file;
  }
  return absl::OkStatus();
}

}  // namespace

void TestInterruption::Interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  for (TestPlayer* player : players_) player->Interrupt();
}

bool TestInterruption::interrupted() const {
  std::lock_guard lock(mutex_);
  return interrupted_;
}

void TestInterruption::Add(TestPlayer& player) {
  std::lock_guard lock(mutex_);
  players_.insert(&player);
  if (interrupted_) player.Interrupt();
}

void TestInterruption::Remove(TestPlayer& player) {
  std::lock_guard lock(mutex_);
  players_.erase(&player);
}

absl::StatusOr<testing::Report> RunTests(const std::vector<ChosenCase>& cases, const TestRunOptions& options,
                                         TestInterruption& interruption,
                                         const std::function<void(const CaseResult&)>& on_result) {
  const absl::Time start = absl::Now();
  Queue queue(cases, options, interruption, on_result);
  auto first = Stage::Start(options, queue.NodesOf(0), interruption);
  if (!first.ok()) return first.status();
  if (absl::Status status = CheckAll(cases, (*first)->player()); !status.ok()) return status;
  const dev::v1::ListServicesResponse services = (*first)->player().services();

  std::vector<absl::Status> ends(WorkerCount(options, cases.size()));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    others.emplace_back([&, i] { ends[i] = Work(nullptr, queue, options, interruption); });
  }
  ends[0] = Work(*std::move(first), queue, options, interruption);
  for (std::thread& each : others) each.join();

  testing::Report report;
  report.interrupted = interruption.interrupted();
  std::string reason = report.interrupted ? "interrupted" : "a case before it failed, and --fail-fast was given";
  for (const absl::Status& end : ends) {
    if (!end.ok() && !report.interrupted) reason = std::string(end.message());
  }
  report.results = queue.Finish(reason);
  testing::Covered covered;
  for (const CaseResult& each : report.results) covered.Add(each.covered);
  report.coverage = testing::CoverageOf(services, covered);
  report.took = absl::Now() - start;
  return report;
}

}  // namespace cloudstate::cli
