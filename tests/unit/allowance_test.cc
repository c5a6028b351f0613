#include "emulator/admin/allowance.h"

#include <gtest/gtest.h>

namespace cloudstate::admin {
namespace {

const absl::Time kBegin = absl::UnixEpoch() + absl::Hours(1);

// How many of so many, evenly spread over the time, get through.
int Taken(Allowance& allowance, int count, absl::Time from, absl::Duration time) {
  int taken = 0;
  for (int i = 0; i < count; ++i) taken += allowance.Take(from + time * i / count) ? 1 : 0;
  return taken;
}

TEST(Allowance, LetsEverythingThroughWithoutALimit) {
  Allowance allowance(0);
  EXPECT_EQ(Taken(allowance, 1'000, kBegin, absl::Milliseconds(1)), 1'000);
}

TEST(Allowance, IsSpreadOverTheSecond) {
  Allowance allowance(200);
  for (int tenth = 0; tenth < 30; ++tenth) {
    EXPECT_EQ(Taken(allowance, 500, kBegin + absl::Milliseconds(100) * tenth, absl::Milliseconds(100)), 20) << tenth;
  }
}

TEST(Allowance, KeepsWithinTheSecondWhatWasNotTaken) {
  Allowance allowance(200);
  EXPECT_EQ(Taken(allowance, 500, kBegin + absl::Milliseconds(900), absl::Milliseconds(100)), 200);
  EXPECT_EQ(Taken(allowance, 500, kBegin + absl::Seconds(1), absl::Milliseconds(100)), 20);
}

TEST(Allowance, IsExactWhereItIsNoMultipleOfTen) {
  for (const int most : {1, 3, 7, 15, 99}) {
    Allowance allowance(most);
    EXPECT_EQ(Taken(allowance, 10'000, kBegin, absl::Seconds(1)), most);
    EXPECT_EQ(Taken(allowance, 10'000, kBegin + absl::Seconds(5), absl::Seconds(1)), most);
  }
}

}  // namespace
}  // namespace cloudstate::admin
