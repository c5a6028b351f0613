// An ORSet of 100,000 elements that replica A adds one by one, of which replica B takes each delta as bytes: how long
// an addition and its join take, and how many bytes are sent for each; then the whole as one state, and how it is
// cleared.
//
// The ceiling is what no such set can do without: to keep the same keys on both sides.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "emulator/crdt/element.h"
#include "emulator/crdt/state.h"
#include "emulator/crdt/update.h"

namespace cloudstate::crdt {
namespace {

constexpr int kElements = 100'000;
constexpr ReplicaId kA = {1, 1'700'000'000'000};

std::vector<CrdtDelta> Additions() {
  std::vector<CrdtDelta> additions(kElements);
  for (int i = 0; i < kElements; ++i) {
    google::protobuf::Any& element = *additions[static_cast<std::size_t>(i)].mutable_orset()->add_added();
    element.set_type_url("p.cloudstate.io/string");
    // In no order, as users' names are.
    element.set_value(absl::StrCat("\n\x0fuser-", static_cast<std::uint32_t>(i) * 2'654'435'761U));
  }
  return additions;
}

// Of the processor: others that want it do not count.
double Now() { return static_cast<double>(std::clock()) * (1e9 / CLOCKS_PER_SEC); }

State Built(const std::vector<CrdtDelta>& additions) {
  State state;
  for (const CrdtDelta& each : additions) (void)Update(state, each, kA, 1);
  return state;
}

void AddsOneByOne(benchmark::State& run) {
  const std::vector<CrdtDelta> additions = Additions();
  std::vector<std::string> sent(additions.size());
  double adding = 0;
  double joining = 0;
  double keeping = 0;
  std::size_t bytes = 0;
  for (auto _ : run) {
    State a;
    State b;
    const double start = Now();
    for (std::size_t i = 0; i < additions.size(); ++i) {
      absl::StatusOr<State> delta = Update(a, additions[i], kA, 1);
      if (!delta.ok()) return run.SkipWithError(delta.status().ToString().c_str());
      sent[i] = delta->Encode();
    }
    const double added = Now();
    for (const std::string& each : sent) {
      absl::StatusOr<State> delta = State::Decode(each);
      if (!delta.ok()) return run.SkipWithError(delta.status().ToString().c_str());
      b.Join(*delta);
    }
    const double joined = Now();
    run.PauseTiming();
    if (a != b) return run.SkipWithError("the two replicas differ");
    const double keep = Now();
    for (int side = 0; side < 2; ++side) {
      absl::btree_map<std::string, std::uint64_t> plain;
      for (const CrdtDelta& each : additions) plain.try_emplace(KeyOf(each.orset().added(0)), plain.size());
      benchmark::DoNotOptimize(plain);
    }
    keeping += Now() - keep;
    adding += added - start;
    joining += joined - added;
    bytes = 0;
    for (const std::string& each : sent) bytes += each.size();
    run.ResumeTiming();
  }
  const auto elements = static_cast<double>(run.iterations()) * kElements;
  run.counters["add_ns"] = adding / elements;
  run.counters["join_ns"] = joining / elements;
  run.counters["ceiling_ns"] = keeping / elements;
  run.counters["ratio"] = (adding + joining) / keeping;
  run.counters["delta_bytes"] = static_cast<double>(bytes) / kElements;
  run.SetItemsProcessed(run.iterations() * kElements);
}
BENCHMARK(AddsOneByOne)->Unit(benchmark::kMillisecond);

// As a node gets it that has just come, or as it is stored.
void SendsTheWhole(benchmark::State& run) {
  const State a = Built(Additions());
  std::size_t bytes = 0;
  for (auto _ : run) {
    const std::string encoded = a.Encode();
    bytes = encoded.size();
    State b;
    b.Join(State::Decode(encoded).value());
    benchmark::DoNotOptimize(b);
  }
  run.counters["bytes"] = static_cast<double>(bytes) / kElements;
  run.SetItemsProcessed(run.iterations() * kElements);
}
BENCHMARK(SendsTheWhole)->Unit(benchmark::kMillisecond);

void Clears(benchmark::State& run) {
  const State full = Built(Additions());
  CrdtDelta clear;
  clear.mutable_orset()->set_cleared(true);
  std::size_t bytes = 0;
  std::size_t left = 0;
  for (auto _ : run) {
    run.PauseTiming();
    State a = full;
    State b = full;
    run.ResumeTiming();
    const std::string sent = Update(a, clear, kA, 1).value().Encode();
    b.Join(State::Decode(sent).value());
    bytes = sent.size();
    left = b.Encode().size();
  }
  run.counters["delta_bytes"] = static_cast<double>(bytes) / kElements;
  run.counters["state_bytes_after"] = static_cast<double>(left);
  run.SetItemsProcessed(run.iterations() * kElements);
}
BENCHMARK(Clears)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloudstate::crdt
