#include "emulator/runtime/free_ports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace cloudstate::runtime {
namespace {

class FreePortsTest : public ::testing::Test {
 protected:
  std::vector<std::uint16_t> drawn_;
  std::size_t next_ = 0;
  // The last one again and again.
  FreePorts ports_{[this]() -> absl::StatusOr<userfunction::ReservedPort> {
    if (drawn_.empty()) return absl::UnavailableError("none is left");
    return userfunction::ReservedPort(drawn_[std::min(next_++, drawn_.size() - 1)]);
  }};
};

TEST_F(FreePortsTest, NoTwoAreTheSame) {
  drawn_ = {7, 7, 7, 8};
  const auto first = ports_.Take();
  const auto second = ports_.Take();
  EXPECT_EQ((*first)->number(), 7);
  EXPECT_EQ((*second)->number(), 8);
}

TEST_F(FreePortsTest, OneThatIsGivenBackIsTakenAgain) {
  drawn_ = {7};
  EXPECT_EQ((*ports_.Take())->number(), 7);
  EXPECT_EQ((*ports_.Take())->number(), 7);
}

TEST_F(FreePortsTest, WhereAllAreTakenNobodyTriesForEver) {
  drawn_ = {7};
  const auto first = ports_.Take();
  EXPECT_EQ(ports_.Take().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FreePortsTest, WhatIsWrongWithTheMachineIsTold) { EXPECT_EQ(ports_.Take().status().message(), "none is left"); }

}  // namespace
}  // namespace cloudstate::runtime
