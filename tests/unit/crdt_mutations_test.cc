// The histories of crdt_history.h find what they are there to find: with each planted bug of the CRDTs
// (base/planted_bug.h), one of the first few histories goes wrong.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <set>
#include <string>

#include "emulator/base/planted_bug.h"
#include "emulator/crdt/cell.h"
#include "tests/unit/crdt_history.h"

namespace cloudstate::crdt {
namespace {

using base::PlantedBug;

constexpr std::uint64_t kMostHistories = 5'000;

class Planted {
 public:
  explicit Planted(PlantedBug bug) { base::planted_bug = bug; }
  ~Planted() { base::planted_bug = PlantedBug::kNone; }
};

struct Case {
  PlantedBug bug;
  int type;  // of the histories that find it
};

std::string NameOf(PlantedBug bug) {
  const auto found = std::ranges::find(base::kPlantedCrdtBugs, bug, [](const auto& each) { return each.second; });
  std::string name(found->first);
  std::ranges::replace(name, '-', '_');
  return name;
}

void PrintTo(const Case& each, std::ostream* out) { *out << NameOf(each.bug); }

const Case kCases[] = {
    {PlantedBug::kContextNotJoined, CrdtDelta::kOrset},
    {PlantedBug::kGapSkipped, CrdtDelta::kGset},
    {PlantedBug::kUnseenRemoved, CrdtDelta::kGset},
    {PlantedBug::kRemovalNotJoined, CrdtDelta::kOrset},
    {PlantedBug::kRemovalNotNamed, CrdtDelta::kOrset},
    {PlantedBug::kCountKept, CrdtDelta::kGcounter},
    {PlantedBug::kOthersCountsReplaced, CrdtDelta::kPncounter},
    {PlantedBug::kOneAdded, CrdtDelta::kGset},
    {PlantedBug::kAddLoses, CrdtDelta::kOrset},
    {PlantedBug::kTieToHigherReplica, CrdtDelta::kLwwregister},
    {PlantedBug::kFlagNeedsAll, CrdtDelta::kFlag},
    {PlantedBug::kUpdateLoses, CrdtDelta::kOrmap},
    {PlantedBug::kOldContentBack, CrdtDelta::kOrmap},
    {PlantedBug::kFirstVoteKept, CrdtDelta::kVote},
    {PlantedBug::kPrunedCountedTwice, CrdtDelta::kGcounter},
    {PlantedBug::kEarlyWritesNotEncoded, CrdtDelta::kOrset},
};

class CrdtMutations : public ::testing::TestWithParam<Case> {};

TEST_P(CrdtMutations, AreFound) {
  const Planted planted(GetParam().bug);
  for (std::uint64_t seed = 1; seed <= kMostHistories; ++seed) {
    const std::string wrong = PlayHistory(GetParam().type, seed);
    if (wrong.empty()) continue;
    RecordProperty("histories", std::to_string(seed));
    std::cout << NameOf(GetParam().bug) << ": found by " << wrong << "\n";
    return;
  }
  FAIL() << "none of " << kMostHistories << " histories";
}

INSTANTIATE_TEST_SUITE_P(Each, CrdtMutations, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return NameOf(each.param.bug); });

TEST(CrdtMutationsTest, EachHasACase) {
  std::set<PlantedBug> bugs;
  for (const Case& each : kCases) bugs.insert(each.bug);
  EXPECT_EQ(bugs.size(), base::kPlantedCrdtBugs.size());
}

}  // namespace
}  // namespace cloudstate::crdt
