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

// An emulator of its own, with the player of its cases.
class Stage {
 public:
  static absl::StatusOr<std::unique_ptr<Stage>> Start(const TestRunOptions& options, int nodes,
                                                      TestInterruption& interruption) {
    OwnEmulator::Options own;
    own.user_function = options.user_function;
    own.settings.nodes = static_cast<std::size_t>(nodes);
    own.show_output = options.show_output;
    own.given_up = [&interruption] { return interruption.interrupted(); };
    auto emulator = OwnEmulator::Start(std::move(own));
    if (!emulator.ok()) return emulator.status();
    auto player = TestPlayer::Connect({(*emulator)->client_address(), (*emulator)->admin_address()});
    if (!player.ok()) return player.status();
    return std::unique_ptr<Stage>(new Stage(*std::move(emulator), *std::move(player), nodes, interruption));
  }
  ~Stage() { interruption_.Remove(*player_); }

  int nodes() const { return nodes_; }
  TestPlayer& player() { return *player_; }

  CaseResult Play(const ChosenCase& chosen, absl::Duration timeout) {
    const std::size_t troubles = emulator_->trouble_count();
    CaseResult result = player_->Play(chosen.file->file, chosen.file->places, chosen.index, timeout);
    if (result.outcome == Outcome::kFailed) {
      for (std::string& each : emulator_->troubles(troubles)) result.failure.steps.push_back(std::move(each));
    }
    return result;
  }

 private:
  Stage(std::unique_ptr<OwnEmulator> emulator, std::unique_ptr<TestPlayer> player, int nodes,
        TestInterruption& interruption)
      : emulator_(std::move(emulator)), player_(std::move(player)), nodes_(nodes), interruption_(interruption) {
    interruption_.Add(*player_);
  }

  std::unique_ptr<OwnEmulator> emulator_;
  std::unique_ptr<TestPlayer> player_;
  const int nodes_;
  TestInterruption& interruption_;
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
      CaseResult result;
      result.name = cases_[i].file->file.cases(cases_[i].index).name();
      result.outcome = Outcome::kNotRun;
      result.reason = reason;
      Keep(i, std::move(result));
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
        CaseResult result;
        const ChosenCase& chosen = queue.at(*index);
        result.name = chosen.file->file.cases(chosen.index).name();
        result.outcome = Outcome::kNotRun;
        result.reason = std::string(started.status().message());
        queue.Put(*index, std::move(result));
        return started.status();
      }
      stage = *std::move(started);
    }
    queue.Put(*index, stage->Play(queue.at(*index), options.timeout));
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
