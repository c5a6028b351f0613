// Single cases of the CRDTs that histories of chance do not come to.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "emulator/base/chance.h"
#include "emulator/base/random.h"
#include "emulator/crdt/element.h"
#include "emulator/crdt/state.h"
#include "emulator/crdt/update.h"
#include "emulator/crdt/value.h"
#include "google/protobuf/text_format.h"
#include "tests/unit/crdt_history.h"

namespace cloudstate::crdt {
namespace {

constexpr ReplicaId kA = {1, 1};
constexpr ReplicaId kB = {2, 1};
const Voters kVoters = {kA, kB};

CrdtDelta Parse(const std::string& text) {
  CrdtDelta delta;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &delta)) << text;
  return delta;
}

State Updated(State& state, const std::string& text, ReplicaId self = kA) {
  absl::StatusOr<State> delta = Update(state, Parse(text), self, 1);
  EXPECT_TRUE(delta.ok()) << delta.status() << ": " << text;
  return delta.ok() ? *delta : State(State::Kind::kDelta);
}

// Element or key, in the text of a delta.
std::string Any(const std::string& value) { return "{ type_url: 't' value: '" + value + "' }"; }
std::string Entry(const std::string& key, const std::string& delta) {
  return "{ key " + Any(key) + " delta { " + delta + " } }";
}

Value ValueIn(const State& state) { return ValueOf(state, kA, kVoters).value_or(Value()); }

std::size_t Dots(const State& state) {
  std::size_t dots = 0;
  state.cells().VisitDots([&](const Dot&) { ++dots; });
  return dots;
}

struct Refusal {
  const char* name;
  std::string before;
  std::string update;
  absl::StatusCode code;
  std::string message;
};

void PrintTo(const Refusal& each, std::ostream* out) { *out << each.name; }

class RefusedUpdate : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedUpdate, ChangesNothing) {
  State state;
  Updated(state, GetParam().before);
  const State before = state;
  const absl::StatusOr<State> delta = Update(state, Parse(GetParam().update), kA, 1);
  EXPECT_EQ(delta.status().code(), GetParam().code) << delta.status();
  EXPECT_NE(delta.status().message().find(GetParam().message), std::string::npos) << delta.status();
  EXPECT_EQ(state, before);
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusedUpdate,
    ::testing::Values(
        Refusal{"Empty", "gcounter { increment: 1 }", "", absl::StatusCode::kInvalidArgument, "Empty delta"},
        Refusal{"OtherType", "gcounter { increment: 1 }", "gset { }", absl::StatusCode::kInvalidArgument,
                "GSetDelta is incompatible with CRDT GCounter"},
        Refusal{"FlagOff", "flag { value: true }", "flag { }", absl::StatusCode::kFailedPrecondition,
                "Cannot switch off already enabled flag"},
        Refusal{"GCounterTooHigh", "gcounter { increment: 18446744073709551615 }", "gcounter { increment: 1 }",
                absl::StatusCode::kOutOfRange, "beyond 18446744073709551615"},
        Refusal{"PNCounterTooHigh", "pncounter { change: 9223372036854775807 }", "pncounter { change: 1 }",
                absl::StatusCode::kOutOfRange, "beyond 9223372036854775807"},
        Refusal{"PNCounterTooLow", "pncounter { change: -9223372036854775808 }", "pncounter { change: -1 }",
                absl::StatusCode::kOutOfRange, "beyond -9223372036854775808"},
        Refusal{"FlagOffInMap", "ormap { added " + Entry("k", "flag { value: true }") + " }",
                "ormap { removed " + Any("j") + " updated " + Entry("k", "flag { }") + " }",
                absl::StatusCode::kFailedPrecondition, "Cannot switch off"},
        Refusal{"UpdatedTooHighInMap",
                "ormap { added " + Entry("k", "gcounter { increment: 18446744073709551615 }") + " }",
                "ormap { updated " + Entry("k", "gcounter { increment: 1 }") + " }", absl::StatusCode::kOutOfRange,
                "beyond"},
        Refusal{"AddedTooHighInMap",
                "ormap { added " + Entry("k", "gcounter { increment: 18446744073709551615 }") + " }",
                "ormap { added " + Entry("k", "gcounter { increment: 1 }") + " }", absl::StatusCode::kOutOfRange,
                "beyond"}),
    [](const auto& each) { return each.param.name; });

TEST(CrdtStateTest, ADeletedEntityTakesNoUpdate) {
  State state;
  Updated(state, "gset { added " + Any("x") + " }");
  State other;
  other.Join(state.Delete());
  EXPECT_TRUE(other.deleted());
  EXPECT_EQ(Update(other, Parse("gset { }"), kA, 1).status().message(), "Entity deleted");
  EXPECT_EQ(ValueOf(other, kA, kVoters), std::nullopt);
  EXPECT_EQ(State::Decode(other.Encode()).value(), state);
}

TEST(CrdtStateTest, CountersCountToTheLastNumber) {
  State state;
  Updated(state, "gcounter { increment: 18446744073709551614 }");
  Updated(state, "gcounter { increment: 1 }");
  EXPECT_EQ(ValueIn(state).count, std::numeric_limits<std::uint64_t>::max());
  State both;
  Updated(both, "pncounter { change: -9223372036854775808 }");
  EXPECT_EQ(ValueIn(both).number, std::numeric_limits<std::int64_t>::min());
  Updated(both, "pncounter { change: 9223372036854775807 }");
  Updated(both, "pncounter { change: 1 }");
  EXPECT_EQ(ValueIn(both).number, 0);
}

TEST(CrdtStateTest, ConcurrentCountsBeyondTheLastNumberDoNotWrap) {
  State a;
  State b;
  const std::string most = "gcounter { increment: 18446744073709551615 }";
  Updated(a, most);
  b.Join(Updated(b, most, kB));
  a.Join(b);
  EXPECT_EQ(ValueIn(a).count, std::numeric_limits<std::uint64_t>::max());
}

// One change may remove within an entry and then, by another type, the entry: others learn of both.
TEST(CrdtStateTest, ADeltaNamesAllThatItHasRemovedWithinAnEntryThatGoes) {
  for (const std::string& inner : {std::string("orset { added " + Any("x") + " added " + Any("y") + " }"),
                                   "ormap { added " + Entry("x", "gset { added " + Any("z") + " }") + " }"}) {
    State a;
    State b;
    b.Join(Updated(a, "ormap { added " + Entry("k", inner) + " }"));
    const std::string type = inner.substr(0, inner.find(' '));
    b.Join(Updated(a, "ormap { updated " + Entry("k", type + " { removed " + Any("x") + " }") + " added " +
                          Entry("k", "flag { }") + " }"));
    EXPECT_EQ(a, b) << inner;
  }
}

TEST(CrdtStateTest, WhatIsRemovedLeavesNothingBehind) {
  State a;
  State b;
  for (int i = 0; i < 1000; ++i) {
    const std::string element = Any(std::to_string(i));
    b.Join(Updated(a, "orset { added " + element + " }"));
    a.Join(Updated(b, "orset { removed " + element + " added " + Any("y") + " }", kB));
  }
  EXPECT_EQ(a, b);
  EXPECT_EQ(ValueIn(a).elements.size(), 1U);
  EXPECT_EQ(Dots(a), 2U);  // that it is there, and y
  EXPECT_TRUE(a.context().cloud().empty());
  EXPECT_EQ(a.context().vector().size(), 2U);
  EXPECT_LT(a.Encode().size(), 100U);
}

TEST(CrdtStateTest, AMapThatIsChangedForLongHoldsWhatIsThereOnly) {
  State a;
  for (int i = 0; i < 1000; ++i) {
    Updated(a, "ormap { added " + Entry(std::to_string(i % 7), "gcounter { increment: 1 }") + " updated " +
                   Entry("1", "gcounter { increment: 1 }") + " removed " + Any(std::to_string(i % 5)) + " }");
  }
  EXPECT_LE(Dots(a), 1 + 2 * ValueIn(a).entries.size());
}

TEST(CrdtStateTest, AReplicaThatIsPrunedIsNowhereInTheBytes) {
  const ReplicaId gone = {77, 78};
  State a;
  State b;
  a.Join(Updated(b, "gcounter { increment: 5 }", gone));
  Updated(a, "gcounter { increment: 2 }");
  a.Prune(gone, kA);
  a.Forget(gone);
  EXPECT_EQ(ValueIn(a).count, 7U);
  EXPECT_EQ(a.Encode().find(77), std::string::npos);
}

TEST(CrdtStateTest, WhatCanBeRemovedDoesNotComeBackWithPruning) {
  const ReplicaId gone = {77, 78};
  for (const std::string kind : {"orset", "ormap"}) {
    const std::string added = kind == "orset" ? Any("x") : Entry("x", "gcounter { increment: 5 }");
    State a;
    State b;
    a.Join(Updated(b, kind + " { added " + added + " }", gone));
    const State removal = Updated(b, kind + " { removed " + Any("x") + " }", kB);
    const State pruning = a.Prune(gone, kA);
    EXPECT_TRUE(a.HoldsWritesOf(gone));
    EXPECT_FALSE(a.CanPrune(gone));
    a.Join(removal);
    b.Join(pruning);
    EXPECT_EQ(a, b);
    EXPECT_TRUE(ValueIn(a).elements.empty() && ValueIn(a).entries.empty());
    EXPECT_FALSE(a.HoldsWritesOf(gone));
  }
}

TEST(CrdtStateTest, AValueThatShrankWithinAMapIsRemovedAndAdded) {
  const std::string key = {'t', '\0', 'k'};
  Value from;
  from.type = CrdtDelta::kOrmap;
  Value to = from;
  from.entries[key].type = to.entries[key].type = CrdtDelta::kGcounter;
  from.entries[key].count = 5;
  to.entries[key].count = 3;
  const CrdtDelta change = Difference(from, to).value();
  EXPECT_EQ(change.ormap().removed_size(), 1);
  EXPECT_EQ(change.ormap().added(0).delta().gcounter().increment(), 3U);
  ApplyOwn(change, from);
  EXPECT_EQ(from, to);
}

TEST(CrdtStateTest, AFormatOfALaterVersionIsRefused) {
  std::string bytes = State().Encode();
  ++bytes[0];
  EXPECT_EQ(State::Decode(bytes).status().code(), absl::StatusCode::kInvalidArgument);
}

// Damaged bytes are refused, or are a state like any other: it can be shown, joined, changed, and written again.
TEST(CrdtStateTest, DamagedBytesDoNoHarm) {
  base::Random random(7);
  int taken = 0;
  for (std::uint64_t seed = 1; seed <= CRDT_HISTORIES / 20; ++seed) {
    const std::vector<State> states = StatesWithin(static_cast<int>(seed % (kTypes + 1)), seed);
    for (const State& state : states) {
      std::string bytes = state.Encode();
      if (bytes.empty()) continue;
      for (auto flips = 1 + base::Below(random, 3); flips > 0; --flips) {
        char& byte = bytes[base::Below(random, bytes.size())];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << base::Below(random, 8)));
      }
      if (base::Happens(random, 0.2)) bytes.resize(base::Below(random, bytes.size()));
      absl::StatusOr<State> read = State::Decode(bytes);
      if (!read.ok()) continue;
      ++taken;
      ASSERT_EQ(State::Decode(read->Encode()).value(), *read);
      State whole = states[0];
      whole.Join(*read);
      const std::optional<Value> value = ValueOf(whole, kA, kVoters);
      if (!value) continue;
      EXPECT_EQ(WholeDelta(*value).delta_case(), value->type);
      (void)Update(whole, WholeDelta(*value), kA, 1);
      whole.Prune(kB, kA);
      ASSERT_TRUE(State::Decode(whole.Encode()).ok());
    }
  }
  EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace cloudstate::crdt
