// What CRDTs promise, in very many short histories of each type, played by crdt_history.h.

#include "tests/unit/crdt_history.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "emulator/crdt/cell.h"

namespace cloudstate::crdt {
namespace {

class CrdtHistories : public ::testing::TestWithParam<int> {};

TEST_P(CrdtHistories, AreAsTheModelSays) {
  for (std::uint64_t seed = 1; seed <= CRDT_HISTORIES; ++seed) {
    const std::string wrong = PlayHistory(GetParam(), seed);
    ASSERT_EQ(wrong, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, CrdtHistories, ::testing::Range(kAnyType, kTypes + 1), [](const auto& each) {
  return each.param == kAnyType ? std::string("AnyType") : std::string(TypeName(each.param));
});

}  // namespace
}  // namespace cloudstate::crdt
