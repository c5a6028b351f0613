#include "emulator/trace/load_meter.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/virtual_strand.h"

namespace cloudstate::trace {
namespace {

class LoadMeterTest : public ::testing::Test {
 protected:
  LoadMeter::Reading Read() { return meter_.Read(strand_.Now()); }
  void Pass(int seconds) { strand_.Advance(absl::Seconds(seconds)); }

  cloudstate::testing::VirtualStrand strand_;
  LoadMeter meter_;
};

TEST_F(LoadMeterTest, IntegratesTheNumberUnderWayOverTime) {
  Pass(5);
  meter_.Begin(strand_.Now());
  Pass(1);
  meter_.Begin(strand_.Now());
  Pass(3);
  meter_.End(strand_.Now(), absl::Seconds(4));
  Pass(2);
  // One for a second, two for three seconds, one for two seconds.
  EXPECT_EQ(Read().integral, absl::Seconds(1 + 6 + 2));
  EXPECT_EQ(Read().time, absl::Seconds(4));
  EXPECT_EQ(Read().ended, 1);
  EXPECT_EQ(meter_.open(), 1);
}

TEST_F(LoadMeterTest, StandsStillWhileNothingIsUnderWay) {
  Pass(5);
  EXPECT_EQ(Read().integral, absl::ZeroDuration());
  meter_.Begin(strand_.Now());
  Pass(1);
  meter_.End(strand_.Now(), absl::Seconds(1));
  Pass(5);
  EXPECT_EQ(Read().integral, absl::Seconds(1));
}

TEST_F(LoadMeterTest, ReadingDoesNotChangeWhatIsReadLater) {
  meter_.Begin(strand_.Now());
  Pass(1);
  Read();
  Pass(1);
  EXPECT_EQ(Read().integral, absl::Seconds(2));
}

TEST_F(LoadMeterTest, CountsThousandsForAMonth) {
  for (int i = 0; i < 2'000; ++i) meter_.Begin(strand_.Now());
  strand_.Advance(absl::Hours(24 * 30));
  EXPECT_EQ(Read().integral, 2'000 * absl::Hours(24 * 30));
}

TEST_F(LoadMeterTest, TheDifferenceOfTwoReadingsIsWhatWasBetweenThem) {
  meter_.Begin(strand_.Now());
  Pass(1);
  const LoadMeter::Reading before = Read();
  Pass(2);
  meter_.End(strand_.Now(), absl::Seconds(3));
  const LoadMeter::Reading since = Read() - before;
  EXPECT_EQ(since.integral, absl::Seconds(2));
  EXPECT_EQ(since.time, absl::Seconds(3));
  EXPECT_EQ(since.ended, 1);
}

TEST_F(LoadMeterTest, WhatIsMeteredTakesFromItsBeginToItsEnd) {
  Metered metered;
  metered.Begin(meter_, strand_, strand_.Now());
  Pass(2);
  EXPECT_TRUE(metered.running());
  EXPECT_EQ(metered.End(), absl::Seconds(2));
  EXPECT_FALSE(metered.running());
  EXPECT_EQ(meter_.open(), 0);
  EXPECT_EQ(Read().time, absl::Seconds(2));
}

TEST_F(LoadMeterTest, WhatIsMeteredEndsOnce) {
  Metered metered;
  metered.Begin(meter_, strand_, strand_.Now());
  Pass(2);
  metered.End(strand_.Now());
  EXPECT_EQ(metered.End(), absl::ZeroDuration());
  EXPECT_EQ(Read().ended, 1);
}

TEST_F(LoadMeterTest, WhatIsMeteredEndsWithWhoeverHasIt) {
  std::optional<Metered> metered(std::in_place);
  metered->Begin(meter_, strand_, strand_.Now());
  Pass(2);
  metered.reset();
  EXPECT_EQ(meter_.open(), 0);
  EXPECT_EQ(Read().time, absl::Seconds(2));
}

}  // namespace
}  // namespace cloudstate::trace
