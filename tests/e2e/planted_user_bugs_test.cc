// Mistakes that people make in user functions, planted in a sample, and what finds each of them: `test`,
// `check-history` or `fuzz-user-function`. Without a mistake all three are content.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/struct.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::HasSubstr;

constexpr absl::Duration kFuzzingEnds = absl::Seconds(120);

enum class Finder { kTest, kCheckHistory, kFuzz };

struct PlantedUserBug {
  std::string fault;  // of faulty-cart
  Finder finder;
  std::string kind = "";                    // that fuzz-user-function calls it
  std::vector<std::string> arguments = {};  // of fuzz-user-function, besides
};

// What does not hang is given time, however busy the machine is.
const std::vector<std::string> kWithoutMemory = {"--ignore", "memory", "--deadline", "20s"};
// Each time that it hangs is waited for.
const std::vector<std::string> kImpatient = {"--ignore", "memory", "--deadline", "2s"};

const std::vector<PlantedUserBug>& PlantedUserBugs() {
  static const auto* const kBugs = new std::vector<PlantedUserBug>{
      {"ignored-event", Finder::kTest},
      {"wrong-total", Finder::kTest},
      {"missing-effect", Finder::kTest},
      {"renamed-event", Finder::kCheckHistory},
      {"different-answer", Finder::kCheckHistory},
      {"unstored-change", Finder::kFuzz, "state", kWithoutMemory},
      {"random-event", Finder::kFuzz, "chance", kWithoutMemory},
      {"lossy-snapshot", Finder::kFuzz, "snapshot", kWithoutMemory},
      {"forgotten-event", Finder::kFuzz, "load", kWithoutMemory},
      // That one cart's events are in all of them shows in many ways, of which any may come first.
      {"shared-state",
       Finder::kFuzz,
       "isolation",
       {"--ignore", "memory", "--ignore", "state", "--ignore", "chance", "--deadline", "20s"}},
      {"wrong-command-id", Finder::kFuzz, "protocol", kWithoutMemory},
      {"replies-twice", Finder::kFuzz, "protocol", kWithoutMemory},
      {"wrong-reply-type", Finder::kFuzz, "protocol", kWithoutMemory},
      {"crash", Finder::kFuzz, "crash", kWithoutMemory},
      {"hang", Finder::kFuzz, "hang", kImpatient},
      // Each stream that stays open is waited for.
      {"open-stream", Finder::kFuzz, "open-stream", {"--ignore", "memory", "--steps", "3", "--deadline", "20s"}},
      {"leak", Finder::kFuzz, "memory", {"--seeds", "1..5", "--deadline", "20s"}},
  };
  return *kBugs;
}

// The program, with a mistake or without.
std::vector<std::string> Cart(const std::string& fault) {
  if (fault.empty()) return {FAULTY_CART};
  return {FAULTY_CART, "--fault", fault};
}

std::string CartLine(const std::string& fault) {
  return fault.empty() ? std::string(FAULTY_CART) : absl::StrCat(FAULTY_CART, " --fault ", fault);
}

ToolResult RunCases(const std::string& fault, const std::string& file = absl::StrCat(TEST_DATA, "/planted/cart.yaml")) {
  return RunTool({"test", file, "--serve", CartLine(fault)});
}

// What fuzz-user-function has no test for.
bool HasTest(const PlantedUserBug& bug) {
  return bug.kind != "open-stream" && bug.kind != "memory" && bug.fault != "forgotten-event";
}

// Of a command that ended the process nobody knows whether it is right to fail it, as the cart does; of two answers by
// chance, which one would be right.
bool KnowsWhatIsRight(const std::string& kind) { return kind != "crash" && kind != "chance"; }

std::unique_ptr<support::ChildProcess> StartFuzzing(const std::string& fault, const std::vector<std::string>& more,
                                                    const std::string& file) {
  std::vector<std::string> arguments = {"fuzz-user-function", "--json", "--service", "ShoppingCart", "--out", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.push_back("--");
  for (const std::string& word : Cart(fault)) arguments.push_back(word);
  return support::StartTool(arguments);
}

// A journal of the cart without a mistake, that others are checked against.
class History {
 public:
  History() : emulator_({.arguments = {"--", FAULTY_CART}, .environment = {}}) {
    EXPECT_TRUE(emulator_.WaitUntilReady()) << emulator_.process().errors();
    for (const char* quantity : {"7", "2"}) {
      const ToolResult added = RunTool({"call", "ShoppingCart.AddItem",
                                        absl::StrCat(R"({"userId": "me", "productId": "a)", quantity,
                                                     R"(", "name": "Apple", "quantity": )", quantity, "}"),
                                        "--admin", emulator_.admin_address()});
      EXPECT_EQ(added.exit_code, 0) << added.errors;
    }
    emulator_.Stop();
  }

  ToolResult Check(const std::string& fault) const {
    return RunTool({"check-history", "--data-dir", emulator_.data_directory(), "--serve", CartLine(fault)});
  }

 private:
  support::EmulatorProcess emulator_;
};

TEST(PlantedUserBugs, AreAllThatTheSampleHas) {
  std::vector<std::string> planted;
  for (const PlantedUserBug& bug : PlantedUserBugs()) planted.push_back(bug.fault);
  const auto listing = support::ChildProcess::Start({FAULTY_CART, "--list-faults"});
  ASSERT_EQ(listing->WaitForExit(), 0);
  std::vector<std::string> listed;
  for (const auto line : absl::StrSplit(listing->output(), '\n', absl::SkipEmpty())) {
    listed.emplace_back(line.substr(0, line.find(' ')));
  }
  EXPECT_THAT(planted, ::testing::UnorderedElementsAreArray(listed));
}

TEST(PlantedUserBugs, AreFoundByTest) {
  for (const PlantedUserBug& bug : PlantedUserBugs()) {
    if (bug.finder != Finder::kTest) continue;
    const ToolResult result = RunCases(bug.fault);
    EXPECT_EQ(result.exit_code, 1) << bug.fault << "\n" << result.output << result.errors;
    EXPECT_THAT(result.output, HasSubstr("cart.yaml")) << bug.fault;
  }
}

TEST(PlantedUserBugs, AreFoundByCheckHistory) {
  const History history;
  for (const PlantedUserBug& bug : PlantedUserBugs()) {
    if (bug.finder != Finder::kCheckHistory) continue;
    const ToolResult result = history.Check(bug.fault);
    EXPECT_EQ(result.exit_code, 1) << bug.fault << "\n" << result.output << result.errors;
    EXPECT_THAT(result.output, HasSubstr("me")) << bug.fault;
  }
  const ToolResult good = history.Check("");
  EXPECT_EQ(good.exit_code, 0) << good.output << good.errors;
}

TEST(PlantedUserBugs, AreFoundByFuzzing) {
  const testing::TemporaryDirectory directory;
  std::map<std::string, std::unique_ptr<support::ChildProcess>>
      running;  // by fault: all at once, since some wait a lot
  for (const PlantedUserBug& bug : PlantedUserBugs()) {
    if (bug.finder != Finder::kFuzz) continue;
    running[bug.fault] = StartFuzzing(bug.fault, bug.arguments, (directory.path() / (bug.fault + ".yaml")).string());
  }
  for (const PlantedUserBug& bug : PlantedUserBugs()) {
    if (bug.finder != Finder::kFuzz) continue;
    support::ChildProcess& fuzzing = *running[bug.fault];
    EXPECT_EQ(fuzzing.WaitForExit(kFuzzingEnds), 1) << bug.fault << "\n" << fuzzing.output() << fuzzing.errors();
    EXPECT_THAT(fuzzing.output(), HasSubstr(absl::StrCat("\"found\":{\"kind\":\"", bug.kind, "\""))) << bug.fault;
    if (!HasTest(bug)) continue;
    // The test that is left fails as long as the mistake is there, and passes without it.
    const std::string file = (directory.path() / (bug.fault + ".yaml")).string();
    const ToolResult with = RunCases(bug.fault, file);
    EXPECT_EQ(with.exit_code, 1) << bug.fault << "\n" << with.output << with.errors;
    if (!KnowsWhatIsRight(bug.kind)) continue;
    const ToolResult without = RunCases("", file);
    EXPECT_EQ(without.exit_code, 0) << bug.fault << "\n" << without.output << without.errors;
  }
}

TEST(PlantedUserBugs, AreNotSeenWhereThereIsNone) {
  const ToolResult test = RunCases("");
  EXPECT_EQ(test.exit_code, 0) << test.output << test.errors;
  const testing::TemporaryDirectory directory;
  const auto fuzzing =
      StartFuzzing("", {"--seeds", "1..40", "--deadline", "20s"}, (directory.path() / "none.yaml").string());
  EXPECT_EQ(fuzzing->WaitForExit(kFuzzingEnds), 0) << fuzzing->output() << fuzzing->errors();
}

}  // namespace
}  // namespace cloudstate
