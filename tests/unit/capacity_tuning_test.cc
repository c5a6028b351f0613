#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "emulator/capacity/tuning.h"
#include "tests/unit/capacity_support.h"

namespace cloudstate::capacity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_support::Exponential;
using testing_support::Fixed;
using testing_support::kMillisecond;
using testing_support::Knative;
using testing_support::LoadOf;

PlayOptions Options() { return Knative(1, 1, Exponential(20 * kMillisecond)); }

// "1", "2", …
std::vector<std::string> Numbers(int most) {
  std::vector<std::string> numbers;
  for (int i = 1; i <= most; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

Trial Tried(int p99_milliseconds, double replica_seconds, int refused = 0) {
  Trial trial;
  trial.p99 = absl::Milliseconds(p99_milliseconds);
  trial.replica_seconds = replica_seconds;
  trial.refused = refused;
  return trial;
}

std::vector<std::size_t> Best(const std::vector<Trial>& trials) {
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].best) best.push_back(i);
  }
  return best;
}

TEST(CapacityTuning, TriesEveryCombination) {
  const auto trials = Combine({{"scale-target", {"2", "7"}}, {"stable-window", {"30s", "60s", "90s"}}}, Options());
  ASSERT_TRUE(trials.ok()) << trials.status();
  ASSERT_EQ(trials->size(), 6u);
  EXPECT_THAT((*trials)[0].values, ElementsAre("2", "30s"));
  EXPECT_THAT((*trials)[5].values, ElementsAre("7", "90s"));
  EXPECT_EQ((*trials)[5].options.settings.knative.target, 7);
  EXPECT_EQ((*trials)[5].options.settings.knative.stable_window, absl::Seconds(90));
}

TEST(CapacityTuning, TakesWhatIsUsualForEachMode) {
  for (scaling::Mode mode : {scaling::Mode::kManual, scaling::Mode::kCloudstate, scaling::Mode::kKnative}) {
    PlayOptions options = Options();
    options.settings.mode = mode;
    const auto trials = Combine(UsualVariations(mode), options);
    ASSERT_TRUE(trials.ok()) << trials.status();
    EXPECT_GE(trials->size(), 10u);
  }
}

TEST(CapacityTuning, LeavesOutCombinationsThatContradictThemselves) {
  const auto trials = Combine({{"min-scale", {"2", "7"}}, {"max-scale", {"3", "9"}}}, Options());
  ASSERT_TRUE(trials.ok()) << trials.status();
  EXPECT_EQ(trials->size(), 3u);
}

TEST(CapacityTuning, VariesTheQueueOfTheActivatorInEachMode) {
  for (scaling::Mode mode : {scaling::Mode::kManual, scaling::Mode::kCloudstate, scaling::Mode::kKnative}) {
    PlayOptions options = Options();
    options.settings.mode = mode;
    EXPECT_TRUE(Combine({{"activator-queue", {"5", "50"}}}, options).ok()) << scaling::ModeName(mode);
  }
}

TEST(CapacityTuning, VariesNoTickWhereNobodyDecides) {
  PlayOptions options = Options();
  options.settings.mode = scaling::Mode::kManual;
  const absl::Status status = Combine({{"scale-tick", {"1s", "2s"}}}, options).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("does nothing in mode manual"));
}

TEST(CapacityTuning, SaysWhatCannotBeVaried) {
  const struct {
    std::vector<Variation> variations;
    std::string message;
  } cases[] = {
      {{{"scale-targte", {"2"}}}, "scale-target"},
      {{{"scale-target", {"many"}}}, "many"},
      {{{"replicas", {"2"}}}, "vary that"},
      {{{"scale-target", Numbers(60)}, {"min-scale", Numbers(60)}}, "more than 2000 combinations"},
      {{{"scale-target", {"1"}}, {"autoscaling.knative.dev/target", {"2"}}}, "scale-target is varied twice"},
      {{{"stable-window", {"30s", "60s", "1m"}}}, "stable-window has the value 1m twice"},
      {{{"user-function-target-concurrency", {"1"}}}, "does nothing in mode knative, only in cloudstate"},
      {{{"cold-start", {"1s", "2s"}}}, "leave out --cold-starts"},
      {{{"min-scale", {"7"}}, {"max-scale", {"3"}}}, "min-scale"},
  };
  for (const auto& each : cases) {
    const absl::Status status = Combine(each.variations, Options()).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.message));
  }
}

TEST(CapacityTuning, MarksThoseThatNoOtherBeatsInBoth) {
  std::vector<Trial> trials = {Tried(100, 50), Tried(50, 100), Tried(100, 60),
                               Tried(40, 200), Tried(60, 150), Tried(10, 10, 3)};
  Recommend(trials, std::nullopt);
  EXPECT_THAT(Best(trials), ElementsAre(0, 1, 3));
}

TEST(CapacityTuning, RecommendsTheCheapestThatIsFastEnough) {
  std::vector<Trial> trials = {Tried(100, 50), Tried(50, 100), Tried(40, 200)};
  EXPECT_EQ(Recommend(trials, absl::Milliseconds(60)).trial, 1u);
  EXPECT_EQ(Recommend(trials, absl::Milliseconds(100)).trial, 0u);
  const Recommendation none = Recommend(trials, absl::Milliseconds(5));
  EXPECT_EQ(none.trial, 2u);
  EXPECT_THAT(none.reason, HasSubstr("none has a p99 of at most 5ms"));
}

TEST(CapacityTuning, RecommendsTheKneeWhereNobodySaysHowFast) {
  // From 1 s to 20 ms for little more, from there to 19 ms for a lot.
  std::vector<Trial> trials = {Tried(1'000, 100), Tried(20, 120), Tried(19, 500)};
  EXPECT_EQ(Recommend(trials, std::nullopt).trial, 1u);
  std::vector<Trial> none;
  EXPECT_FALSE(Recommend(none, std::nullopt).trial.has_value());
}

TEST(CapacityTuning, TakesReplicasWithinTheirLimits) {
  PlayOptions options = Fixed(1, 1, Exponential(20 * kMillisecond));
  options.settings.max_scale = 3;
  EXPECT_EQ(Combine({{"replicas", {"2", "3", "4"}}}, options)->size(), 2u);
  for (const char* wrong : {"0", "101", "many"}) {
    EXPECT_THAT(std::string(Combine({{"replicas", {wrong}}}, options).status().message()),
                HasSubstr("replicas takes a number from 1 to 100"));
  }
  EXPECT_THAT(std::string(Combine({{"replicas", {"4"}}}, options).status().message()), HasSubstr("max-scale, 3"));
}

TEST(CapacityTuning, VariesTheColdStart) {
  PlayOptions options = Options();
  options.cold_start.reset();
  std::vector<Trial> trials = *Combine({{"cold-start", {"100ms", "20s"}}}, options);
  for (Trial& trial : trials) ASSERT_TRUE(PlayTrial(LoadOf("idle for 5m, constant 1/s for 1m"), trial));
  EXPECT_LT(trials[0].p99, trials[1].p99);
}

TEST(CapacityTuning, SaysThatAllCameOutAlike) {
  std::vector<Trial> trials = {Tried(20, 100), Tried(20, 100), Tried(20, 100)};
  EXPECT_THAT(Recommend(trials, std::nullopt).reason, HasSubstr("alike"));
  trials.push_back(Tried(30, 90));
  EXPECT_THAT(Recommend(trials, std::nullopt).reason, HasSubstr("begins to cost"));
}

TEST(CapacityTuning, JudgesNoTrialThatWasInterrupted) {
  const std::atomic<bool> interrupted = true;
  Trial trial;
  trial.options = Options();
  trial.options.interrupted = &interrupted;
  EXPECT_FALSE(PlayTrial(LoadOf("constant 100/s for 1h"), trial));
  EXPECT_EQ(trial.calls, 0);
}

TEST(CapacityTuning, MoreReplicasAreFasterAndDearer) {
  std::vector<Trial> trials = *Combine({{"replicas", {"3", "4", "8"}}}, Fixed(1, 1, Exponential(20 * kMillisecond)));
  for (Trial& trial : trials) PlayTrial(LoadOf("constant 100/s for 2m"), trial);
  for (std::size_t i = 1; i < trials.size(); ++i) {
    EXPECT_LT(trials[i].p99, trials[i - 1].p99);
    EXPECT_GT(trials[i].replica_seconds, trials[i - 1].replica_seconds);
  }
}

}  // namespace
}  // namespace cloudstate::capacity
