#include "emulator/cluster/failure_detector.h"

#include <cmath>
#include <utility>

#include "gtest/gtest.h"

namespace cloudstate::cluster {
namespace {

const absl::Time kFirstHeartbeat = absl::UnixEpoch() + absl::Hours(1);

// The time after the last of `count` heartbeats, the first of which is at kFirstHeartbeat.
absl::Time Beat(FailureDetector& detector, int count, absl::Duration pause) {
  for (int beat = 0; beat < count; ++beat) detector.OnHeartbeat(kFirstHeartbeat + beat * pause);
  return kFirstHeartbeat + (count - 1) * pause;
}

// How long a silence has to be to become suspicious.
absl::Duration Detection(const FailureDetector& detector) {
  absl::Duration silence;
  while (detector.IsAvailable(detector.last_heartbeat() + silence)) silence += absl::Milliseconds(1);
  return silence;
}

TEST(FailureDetectorTest, NobodyIsLateWithTheFirstHeartbeat) {
  const FailureDetector detector({});
  EXPECT_FALSE(detector.heard());
  EXPECT_EQ(detector.Phi(kFirstHeartbeat + absl::Hours(1)), 0);
  EXPECT_TRUE(detector.IsAvailable(kFirstHeartbeat + absl::Hours(1)));
}

TEST(FailureDetectorTest, PhiIsTheLogarithmOfTheChanceThatTheHeartbeatStillComes) {
  FailureDetector detector({.acceptable_pause = absl::ZeroDuration()});
  const absl::Time last = Beat(detector, 1000, absl::Milliseconds(500));
  // The deviation is the least, 100 ms; the tails of the normal distribution at 0, 1, 2, 3 and 5 deviations.
  // Far out the approximation suspects a little early.
  for (const auto& [deviations, tail] :
       {std::pair(0, 0.5), {1, 0.158655}, {2, 0.0227501}, {3, 0.00134990}, {5, 2.86652e-7}}) {
    const double phi = detector.Phi(last + absl::Milliseconds(500 + 100 * deviations));
    EXPECT_NEAR(phi, -std::log10(tail), deviations < 5 ? 0.05 : 0.8) << deviations;
  }
}

TEST(FailureDetectorTest, SuspicionGrowsAndStaysFinite) {
  FailureDetector detector({});
  const absl::Time last = Beat(detector, 10, absl::Milliseconds(500));
  double before = -1;
  for (const int millis : {0, 500, 1000, 1500, 2000, 2300, 2600, 3000, 10'000, 3'600'000, 2'000'000'000}) {
    const double phi = detector.Phi(last + absl::Milliseconds(millis));
    EXPECT_GE(phi, before) << millis;
    EXPECT_TRUE(std::isfinite(phi)) << millis;
    before = phi;
  }
  EXPECT_GT(before, 1000);
}

TEST(FailureDetectorTest, ARegularNodeIsSuspectedAfterItsPauseTheAcceptableOneAndSomeDeviations) {
  FailureDetector detector({});
  Beat(detector, 200, absl::Milliseconds(500));
  EXPECT_GT(Detection(detector), absl::Milliseconds(2450));
  EXPECT_LT(Detection(detector), absl::Milliseconds(2600));
}

TEST(FailureDetectorTest, OneHeartbeatIsEnoughToBeSuspectedLater) {
  FailureDetector detector({});
  Beat(detector, 1, absl::Milliseconds(500));
  EXPECT_GT(Detection(detector), absl::Milliseconds(2450));
  EXPECT_LT(Detection(detector), absl::Milliseconds(2800));
}

TEST(FailureDetectorTest, IrregularHeartbeatsMakeItPatient) {
  FailureDetector regular({});
  FailureDetector irregular({});
  absl::Time now = kFirstHeartbeat;
  for (int beat = 0; beat < 100; ++beat) {
    regular.OnHeartbeat(kFirstHeartbeat + beat * absl::Milliseconds(500));
    irregular.OnHeartbeat(now);
    now += absl::Milliseconds(beat % 2 == 0 ? 100 : 900);
  }
  EXPECT_GT(Detection(irregular), Detection(regular) + absl::Seconds(1));
}

TEST(FailureDetectorTest, ASilenceThatWasSuspiciousIsNoUsualPause) {
  FailureDetector detector({});
  const absl::Time last = Beat(detector, 10, absl::Milliseconds(500));
  const absl::Duration before = Detection(detector);
  detector.OnHeartbeat(last + absl::Minutes(1));
  EXPECT_EQ(detector.last_heartbeat(), last + absl::Minutes(1));
  EXPECT_EQ(Detection(detector), before);
}

TEST(FailureDetectorTest, OnlyTheLastHundredPausesCount) {
  FailureDetector once({});
  Beat(once, 200, absl::Milliseconds(500));
  FailureDetector changed({});
  absl::Time now = kFirstHeartbeat;
  for (int beat = 0; beat < 5000; ++beat) {
    changed.OnHeartbeat(now);
    now += absl::Milliseconds(beat < 4899 ? 200 + beat % 1001 : 500);
  }
  EXPECT_EQ(changed.Phi(changed.last_heartbeat() + absl::Milliseconds(2500)),
            once.Phi(once.last_heartbeat() + absl::Milliseconds(2500)));
}

TEST(FailureDetectorTest, AClockThatGoesBackDoesNoHarm) {
  FailureDetector detector({});
  const absl::Time last = Beat(detector, 10, absl::Milliseconds(500));
  detector.OnHeartbeat(last - absl::Seconds(1));
  EXPECT_EQ(detector.last_heartbeat(), last);
  EXPECT_TRUE(detector.IsAvailable(last - absl::Seconds(1)));
}

}  // namespace
}  // namespace cloudstate::cluster
