#include "tests/bench/scale_truth.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/chance.h"
#include "emulator/capacity/arrivals.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/bench/cart_calls.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::bench {
namespace {

constexpr std::size_t kTruthLanes = 512;
constexpr absl::Duration kTruthPatience = absl::Seconds(60);
constexpr int kSimulateSeeds = 5;

using google::protobuf::Struct;

absl::StatusOr<Struct> ParseStruct(const std::string& json) {
  Struct parsed;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &parsed);
  if (status.ok()) return parsed;
  return absl::InternalError(absl::StrCat("This is no JSON: ", json));
}

double NumberIn(const Struct& parsed, const std::string& field) {
  const auto found = parsed.fields().find(field);
  return found == parsed.fields().end() ? 0 : found->second.number_value();
}

bool Within(absl::Duration patience, const std::function<bool()>& holds) {
  const absl::Time end = absl::Now() + patience;
  while (!holds()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(50));
  }
  return true;
}

// Of every node the same number of shards, or one more or less.
bool ShardsAreSpread(const std::string& admin_address, int replicas) {
  const auto listed = ParseStruct(support::Http(admin_address, "GET", "/v1/nodes").body);
  if (!listed.ok() || !listed->fields().contains("nodes")) return false;
  double least = 1e9, most = 0;
  int up = 0;
  for (const auto& node : listed->fields().at("nodes").list_value().values()) {
    const double shards = NumberIn(node.struct_value(), "shards");
    if (shards == 0) continue;
    ++up;
    least = std::min(least, shards);
    most = std::max(most, shards);
  }
  return up == replicas && most - least <= 1;
}

absl::Status WaitForReplicas(support::EmulatorProcess& emulator, int replicas) {
  if (!emulator.WaitUntilReady()) return absl::UnavailableError(emulator.process().errors());
  const bool ready = Within(kTruthPatience, [&] {
    const auto state = ParseStruct(support::Http(emulator.admin_address(), "GET", "/v1/scaling").body);
    return state.ok() && NumberIn(*state, "ready") == replicas && ShardsAreSpread(emulator.admin_address(), replicas);
  });
  if (ready) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("The replicas do not become ready: ", emulator.process().errors()));
}

std::vector<absl::Duration> Plan(const TruthOptions& options) {
  capacity::Load load;
  load.stretches = {{absl::ToInt64Nanoseconds(options.time), options.per_second, options.per_second}};
  capacity::Arrivals arrivals(load, capacity::Spacing::kPoisson, options.seed);
  std::vector<absl::Duration> plan;
  for (capacity::Nanoseconds at = 0; arrivals.Next(at);) plan.push_back(absl::Nanoseconds(at));
  return plan;
}

// Ids that are counted upwards belong to shards that are next to each other, and so for a while to one node: to be
// called by chance, entities are called in another order.
class Shuffled final : public Calls {
 public:
  Shuffled(Calls& calls, std::size_t entities, std::uint64_t seed) : calls_(calls), order_(entities) {
    base::Random random(seed);
    for (std::size_t i = 0; i < entities; ++i) {
      order_[i] = i;
      std::swap(order_[i], order_[base::Below(random, i + 1)]);
    }
  }

  void Make(std::size_t lane, std::size_t entity, Done done) override {
    calls_.Make(lane, order_[entity], std::move(done));
  }

 private:
  Calls& calls_;
  std::vector<std::size_t> order_;
};

// Calls while that is recorded.
absl::StatusOr<Figures> RecordCalls(support::EmulatorProcess& emulator, const std::vector<absl::Duration>& plan,
                                    const std::string& file) {
  const auto recorder = support::StartTool({"scale", "record", file, "--admin", emulator.admin_address()});
  std::error_code error;
  if (!Within(kTruthPatience, [&] { return std::filesystem::file_size(file, error) > 0 && !error; })) {
    return absl::UnavailableError(absl::StrCat("Nothing is recorded: ", recorder->errors()));
  }
  absl::SleepFor(absl::Milliseconds(300));  // nothing tells that the first call will be recorded, and it hardly counts
  const std::unique_ptr<Calls> calls = CartCalls(emulator.client_address(), CartMethod::kGetCart);
  Shuffled shuffled(*calls, plan.size(), plan.size());
  Figures figures = MeasureAtTimes(shuffled, kTruthLanes, plan.size(), plan);
  absl::SleepFor(absl::Seconds(1));  // they are handed over a moment later
  recorder->Signal(SIGINT);
  if (recorder->WaitForExit() != 0) return absl::InternalError(recorder->errors());
  if (!figures.failure.ok()) return figures.failure;
  return figures;
}

absl::Status SimulateRecording(const std::string& file, const TruthOptions& options, Truth& truth) {
  std::vector<double> p50, p99;
  for (int seed = 1; seed <= kSimulateSeeds; ++seed) {
    const support::ToolResult result =
        support::RunTool({"--json", "scale", "simulate", "--from", file, "--scaling", "manual", "--replicas",
                          absl::StrCat(options.replicas), "--seed", absl::StrCat(seed)});
    if (result.exit_code != 0) return absl::InternalError(result.errors);
    const auto simulated = ParseStruct(result.output);
    if (!simulated.ok()) return simulated.status();
    p50.push_back(NumberIn(*simulated, "p50Seconds"));
    p99.push_back(NumberIn(*simulated, "p99Seconds"));
    truth.workers = static_cast<int>(NumberIn(simulated->fields().at("model").struct_value(), "workers"));
  }
  truth.modelled_p50 = absl::Seconds(Median(p50));
  truth.modelled_p99 = absl::Seconds(Median(p99));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Truth> CompareWithTruth(const TruthOptions& options) {
  const std::string replicas = absl::StrCat(options.replicas);
  // Nodes are quick to spread their shards, of which two move at a time.
  support::EmulatorProcess emulator(
      {.arguments = {"--scaling", "manual", "--nodes", replicas, "--durability", "relaxed", "--rebalance-interval",
                     "10ms", "--heartbeat-interval", "50ms", "--", CLOUDSTATE_DEV, "sample", "shopping-cart", "--work",
                     options.work, "--workers", absl::StrCat(options.workers)},
       .environment = {}});
  if (absl::Status status = WaitForReplicas(emulator, options.replicas); !status.ok()) return status;
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "calls.csv").string();
  const absl::StatusOr<Figures> figures = RecordCalls(emulator, Plan(options), file);
  if (!figures.ok()) return figures.status();
  Truth truth;
  truth.calls = figures->calls;
  truth.measured_p50 = Percentile(figures->latencies, 0.5);
  truth.measured_p99 = Percentile(figures->latencies, 0.99);
  if (absl::Status status = SimulateRecording(file, options, truth); !status.ok()) return status;
  return truth;
}

}  // namespace cloudstate::bench
