#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/capacity/player.h"
#include "tests/unit/capacity_support.h"

namespace cloudstate::capacity {
namespace {

using testing_support::Always;
using testing_support::Exponential;
using testing_support::Fixed;
using testing_support::kMillisecond;
using testing_support::Knative;
using testing_support::LoadOf;

// A million calls, 80 a second.
constexpr char kMillion[] = "constant 80/s for 12500s";

double MeanMilliseconds(const Played& played) { return absl::ToDoubleMilliseconds(played.mean_latency); }

// The share of calls that wait with `servers`, which are `load` busy altogether (Erlang, 1917).
double ErlangC(int servers, double load) {
  double term = 1, sum = 0;
  for (int k = 0; k < servers; ++k) {
    sum += term;
    term *= load / (k + 1);
  }
  const double waiting = term / (1 - load / servers);
  return waiting / (sum + waiting);
}

TEST(CapacityPlayer, QueuesAsTheoryHasItForOneWorker) {
  // M/M/1: 1 / (100 - 80) s.
  const Played played = Play(LoadOf(kMillion), Fixed(1, 1, Exponential(10 * kMillisecond)));
  EXPECT_EQ(played.answered, played.calls);
  EXPECT_NEAR(MeanMilliseconds(played), 50, 50 * 0.04);
  // Sojourn times are exponential, so half are over after ln 2 means.
  EXPECT_NEAR(absl::ToDoubleMilliseconds(played.latencies.Quantile(0.5)), 34.66, 34.66 * 0.04);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(played.latencies.Quantile(0.99)), 230.3, 230.3 * 0.06);
}

TEST(CapacityPlayer, QueuesAsTheoryHasItForSeveralWorkers) {
  // M/M/4, each 80 % busy: waiting is ErlangC / (4 / 40 ms - 80 / s).
  const double expected = 40 + ErlangC(4, 3.2) / (100 - 80) * 1'000;
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), Fixed(1, 4, Exponential(40 * kMillisecond)))), expected,
              expected * 0.03);
}

TEST(CapacityPlayer, QueuesAsTheoryHasItForEqualCalls) {
  // M/D/1: waits half as long as M/M/1.
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), Fixed(1, 1, Always(10 * kMillisecond)))), 30, 30 * 0.03);
}

TEST(CapacityPlayer, NobodyWaitsWhereWorkersAreEndless) {
  PlayOptions options = Fixed(1, 0, Always(500 * kMillisecond));
  options.model.rest = Always(7 * kMillisecond);
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf("constant 80/s for 100s"), options)), 507, 0.001);
}

TEST(CapacityPlayer, AnActivatorThatSpreadsCallsByFreePlacesIsOneQueueForAll) {
  // Four replicas that take one call each are four servers of one queue.
  PlayOptions options = Knative(1, 1, Exponential(40 * kMillisecond));
  options.replicas = 4;
  options.settings.knative.min_scale = 4;
  options.settings.max_scale = 4;
  options.settings.container_concurrency = 1;
  options.settings.knative.target_burst_capacity = -1;
  const double expected = 40 + ErlangC(4, 3.2) / (100 - 80) * 1'000;
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), options)), expected, expected * 0.03);
}

TEST(CapacityPlayer, ReplicasInTurnQueueEachForItself) {
  // Equal calls at an even rate, in turn to four replicas: no one waits, though all are busy.
  PlayOptions options = Fixed(4, 1, Always(49 * kMillisecond));
  options.spacing = Spacing::kEven;
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), options)), 49, 0.001);
}

TEST(CapacityPlayer, EntitiesQueueAtTheReplicaThatHasThem) {
  // Calls by chance that chance spreads: each of the two is M/M/1 with half the load, whoever takes the calls.
  PlayOptions options = Fixed(2, 1, Exponential(20 * kMillisecond));
  options.model.work_at = ServiceModel::WorkAt::kOwner;
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), options)), 100, 100 * 0.04);
}

TEST(CapacityPlayer, CallsWaitForThePlacesOfTheirReplica) {
  // Many workers, but one place: as one worker.
  PlayOptions options = Fixed(1, 0, Exponential(10 * kMillisecond));
  options.settings.container_concurrency = 1;
  EXPECT_NEAR(MeanMilliseconds(Play(LoadOf(kMillion), options)), 50, 50 * 0.04);
}

TEST(CapacityPlayer, ScalesUpToZeroAndFromZero) {
  PlayOptions options = Knative(2, 1, Always(20 * kMillisecond));
  options.interval = 10 * kSecond;
  const Played played = Play(LoadOf("constant 150/s for 5m, idle for 5m, constant 1/s for 1m"), options);
  EXPECT_EQ(played.answered, played.calls);
  EXPECT_EQ(played.refused, 0);
  EXPECT_GE(played.most_replicas, 3);
  EXPECT_GE(played.cold_starts, played.most_replicas);
  int fewest = 1;
  for (const Supply& supply : played.supply) fewest = std::min(fewest, supply.ready);
  EXPECT_EQ(fewest, 0);
  EXPECT_EQ(played.supply.back().ready, 1);
  // The first call after the pause waits for its replica.
  EXPECT_GE(played.held, 1);
  EXPECT_GE(played.timeline.back().ready, 0.99);
  EXPECT_GE(played.latencies.longest(), absl::Seconds(2));
}

TEST(CapacityPlayer, RefusesWhatTheActivatorCannotHold) {
  PlayOptions options = Knative(10, 1, Always(kMillisecond));
  options.cold_start = Always(10 * kSecond);
  options.settings.activator_queue = 5;
  const Played played = Play(LoadOf("idle for 5m, constant 100/s for 5s, constant 1/s for 1m"), options);
  EXPECT_GT(played.refused, 400);
  EXPECT_GE(played.held, 5);
  EXPECT_EQ(played.answered + played.refused, played.calls);
}

TEST(CapacityPlayer, RefusesWhatWouldWaitForPlacesBeyondTheQueue) {
  // Of 40 calls at once one has the place, and five wait for it.
  PlayOptions options = Fixed(1, 0, Always(kSecond));
  options.settings.container_concurrency = 1;
  options.settings.activator_queue = 5;
  Load load;
  load.recorded.assign(40, 0);
  const Played played = Play(load, options);
  EXPECT_EQ(played.answered, 6);
  EXPECT_EQ(played.held, 5);
  EXPECT_EQ(played.refused, 34);
}

TEST(CapacityPlayer, CountsTheTimeInWhichACallIsHeldAsTimeThatItTakes) {
  // The first call is held for 8 s and would then take 5.
  PlayOptions options = Knative(10, 0, Always(5 * kSecond));
  options.cold_start = Always(8 * kSecond);
  options.relay_timeout = 10 * kSecond;
  options.spacing = Spacing::kEven;
  const Played played = Play(LoadOf("idle for 5m, constant 1/s for 1s"), options);
  EXPECT_EQ(played.calls, 1);
  EXPECT_EQ(played.unanswered, 1);
}

TEST(CapacityPlayer, MovesWhatWaitsForThePlacesOfAReplicaThatDrains) {
  // Two replicas with a place each; ten calls of 5 s come at once. By targets that they do not reach one replica is
  // enough, so the other goes at the first tick, with the call that it has begun.
  PlayOptions options = Fixed(2, 0, Always(5 * kSecond));
  options.settings.mode = scaling::Mode::kCloudstate;
  options.settings.container_concurrency = 1;
  options.settings.cloudstate.user_function_target_concurrency = 1'000;
  options.settings.cloudstate.request_target_concurrency = 1'000;
  Load load;
  load.recorded.assign(10, 0);
  load.recorded.push_back(60 * kSecond);
  const Played played = Play(load, options);
  EXPECT_EQ(played.supply.back().ready, 1);
  EXPECT_EQ(played.answered, 11);
  EXPECT_EQ(played.latencies.longest(), absl::Seconds(9 * 5));
}

TEST(CapacityPlayer, DrainsBeforeAReplicaGoes) {
  // Every call takes longer than scaling down does.
  PlayOptions options = Knative(1, 0, Always(20 * kSecond));
  options.settings.knative.stable_window = absl::Seconds(20);
  const Played played = Play(LoadOf("constant 2/s for 1m, idle for 5m"), options);
  EXPECT_EQ(played.answered, played.calls);
  bool drained = false;
  for (const Supply& supply : played.supply) drained |= supply.draining > 0;
  EXPECT_TRUE(drained);
  EXPECT_GE(played.latencies.Quantile(0), absl::Seconds(19));
}

TEST(CapacityPlayer, ScalesAsThePublishedAutoscalerDoes) {
  PlayOptions options = Fixed(1, 1, Exponential(20 * kMillisecond));
  options.settings.mode = scaling::Mode::kCloudstate;
  options.cold_start = Always(kSecond);
  const Played played = Play(LoadOf("constant 5/s for 5m, constant 120/s for 10m, constant 5/s for 10m"), options);
  EXPECT_EQ(played.answered, played.calls);
  EXPECT_GE(played.most_replicas, 3);
  EXPECT_EQ(played.supply.back().wanted, 1);
  ASSERT_FALSE(played.choices.empty());
  EXPECT_FALSE(played.choices.front().decision.reason.empty());
}

TEST(CapacityPlayer, CountsReplicasFromTheirStartUntilTheyAreGone) {
  const Played fixed = Play(LoadOf("constant 1/s for 100s"), Fixed(3, 1, Always(kMillisecond)));
  EXPECT_DOUBLE_EQ(fixed.replica_seconds, 300);
  EXPECT_DOUBLE_EQ(fixed.average_replicas, 3);
  EXPECT_EQ(fixed.cold_starts, 0);
}

TEST(CapacityPlayer, TellsOfCallsThatAreNeverAnswered) {
  const Played played = Play(LoadOf("constant 100/s for 60s"), Fixed(1, 1, Always(kSecond)));
  EXPECT_GT(played.unanswered, 5'000);
  EXPECT_EQ(played.answered + played.unanswered, played.calls);
}

TEST(CapacityPlayer, GivesCallsUpAfterTheRelayTimeout) {
  // One each second, worked on for two seconds by one worker: the one that came at i s would be answered i + 2 s later.
  PlayOptions options = Fixed(1, 1, Always(2 * kSecond));
  options.spacing = Spacing::kEven;
  options.relay_timeout = 10 * kSecond + kMillisecond;
  const Played played = Play(LoadOf("constant 1/s for 20s"), options);
  EXPECT_EQ(played.answered, 9);
  EXPECT_EQ(played.unanswered, 11);
  EXPECT_EQ(played.latencies.longest(), absl::Seconds(10));
}

TEST(CapacityPlayer, GivesUpCallsThatWaitForAPlace) {
  PlayOptions options = Fixed(1, 0, Always(2 * kSecond));
  options.spacing = Spacing::kEven;
  options.settings.container_concurrency = 1;
  options.relay_timeout = 10 * kSecond + kMillisecond;
  // The tenth gets the place a second before it is given up, and leaves it to the next one, which has a second, too.
  const Played played = Play(LoadOf("constant 1/s for 20s"), options);
  EXPECT_EQ(played.answered, 9);
  EXPECT_EQ(played.unanswered, 11);
}

TEST(CapacityPlayer, GivesUpCallsThatAreHeldForTooLong) {
  PlayOptions options = Knative(10, 1, Always(kMillisecond));
  options.cold_start = Always(30 * kSecond);
  options.relay_timeout = 10 * kSecond;
  options.spacing = Spacing::kEven;
  const Played played = Play(LoadOf("idle for 5m, constant 10/s for 60s"), options);
  // Of those that came in the first 30 s, all but those of the last 10.
  EXPECT_NEAR(static_cast<double>(played.unanswered), 200, 2);
  EXPECT_EQ(played.answered + played.unanswered, played.calls);
}

TEST(CapacityPlayer, TellsOfDecisionsAndReplicasOnlyWhileTheLoadLasts) {
  // What is still there at the end takes minutes, in which much is decided.
  PlayOptions options = Knative(1, 1, Always(20 * kSecond));
  options.keep_ticks = true;
  options.cold_start = Always(10 * kSecond);
  const Played played = Play(LoadOf("constant 2/s for 9s"), options);
  ASSERT_FALSE(played.choices.empty());
  EXPECT_LE(played.choices.back().at, played.length);
  EXPECT_EQ(played.most_replicas, 1);
}

TEST(CapacityPlayer, SkipsATimeInWhichNothingIsThere) {
  PlayOptions options = Knative(2, 1, Always(20 * kMillisecond));
  options.interval = 100'000 * kSecond;
  const Load load = LoadOf("constant 10/s for 1m, idle for 8000h, constant 10/s for 1m");
  const Played played = Play(load, options);
  EXPECT_EQ(played.answered, played.calls);
  PlayOptions every_tick = options;
  every_tick.keep_ticks = true;
  const Load shorter = LoadOf("constant 10/s for 1m, idle for 1h, constant 10/s for 1m");
  const Played skipped = Play(shorter, options);
  const Played ticked = Play(shorter, every_tick);
  EXPECT_EQ(skipped.supply, ticked.supply);
  EXPECT_EQ(skipped.mean_latency, ticked.mean_latency);
}

TEST(CapacityPlayer, HasNoTicksWhereNobodyDecides) {
  PlayOptions options = Fixed(2, 1, Always(20 * kMillisecond));
  options.interval = 100'000 * kSecond;
  options.settings.tick = absl::Nanoseconds(1);
  const Played played = Play(LoadOf("constant 10/s for 1m, idle for 8000h, constant 10/s for 1m"), options);
  EXPECT_EQ(played.answered, played.calls);
  EXPECT_TRUE(played.choices.empty());
}

TEST(CapacityPlayer, LosesNoCallWhateverTheSettings) {
  base::Random random(5);
  const Load load = LoadOf("sine 0/s to 60/s every 3m for 6m, idle for 2m, burst 5/s to 90/s for 5s every 30s over 2m");
  for (int i = 0; i < 60; ++i) {
    PlayOptions options = Knative(static_cast<double>(1 + random() % 20), static_cast<int>(random() % 3),
                                  Exponential(static_cast<Nanoseconds>(1 + random() % 80) * kMillisecond));
    options.seed = static_cast<std::uint64_t>(i);
    if (random() % 2 == 0) options.model.work_at = ServiceModel::WorkAt::kOwner;
    options.model.rest = Exponential(static_cast<Nanoseconds>(random() % 2) * kMillisecond);
    options.settings.container_concurrency = static_cast<int>(random() % 4);
    options.settings.activator_queue = random() % 2 == 0 ? 10 : 1'000;
    options.settings.knative.stable_window = absl::Seconds(20 + 10 * static_cast<int>(random() % 5));
    options.cold_start = Exponential(static_cast<Nanoseconds>(random() % 5) * kSecond);
    if (random() % 4 == 0) options.settings.mode = scaling::Mode::kCloudstate;
    options.relay_timeout = i % 2 == 0 ? 600 * kSecond : kSecond;
    const Played played = Play(load, options);
    EXPECT_EQ(played.answered + played.refused + played.unanswered, played.calls) << "seed " << i;
    EXPECT_TRUE(played.unanswered == 0 || i % 2 == 1) << "seed " << i;
    std::int64_t arrived = 0;
    for (const Interval& interval : played.timeline) arrived += interval.arrived;
    EXPECT_EQ(arrived, played.calls);
    EXPECT_EQ(played.latencies.count(), played.answered);
  }
}

std::string Account(const Played& played) {
  std::string text = absl::StrCat(played.calls, " ", absl::FormatDuration(played.mean_latency), " ",
                                  played.replica_seconds, " ", played.held);
  for (const Supply& supply : played.supply)
    absl::StrAppend(&text, "\n", supply.at, " ", supply.wanted, " ", supply.ready);
  for (const Choice& choice : played.choices) absl::StrAppend(&text, "\n", choice.at, " ", choice.decision.reason);
  return text;
}

TEST(CapacityPlayer, PlaysTheSameForASeed) {
  const Load load = LoadOf("sine 5/s to 100/s every 5m for 20m");
  PlayOptions options = Knative(3, 1, Exponential(20 * kMillisecond));
  const std::string first = Account(Play(load, options));
  EXPECT_EQ(Account(Play(load, options)), first);
  options.seed = 2;
  EXPECT_NE(Account(Play(load, options)), first);
}

TEST(CapacityPlayer, PlaysAnHourInWellUnderASecond) {
  const Load load = LoadOf("sine 100/s to 300/s every 10m for 1h");
  PlayOptions options = Knative(5, 1, Exponential(20 * kMillisecond));
  options.model.rest = Exponential(2 * kMillisecond);
  const absl::Time begin = absl::Now();
  const Played played = Play(load, options);
  const absl::Duration took = absl::Now() - begin;
  std::cout << played.calls << " calls of an hour played in " << absl::FormatDuration(took) << "\n";
  EXPECT_GT(played.calls, 700'000);
  EXPECT_LT(took, absl::Seconds(60));  // sanitizers, and a machine that does something else
}

}  // namespace
}  // namespace cloudstate::capacity
