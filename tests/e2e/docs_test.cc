// What the documentation tells people to type, typed: the ```sh blocks of a page, in their order, with the real
// program. A ```text block below one has the lines that must come, in this order, others between them; … in it stands
// for anything, and white space counts once. A block without it must succeed. Blocks that begin with a look at the
// nodes, CRDT entities or scaling, are asked again until it is so. A block that runs an emulator has it take the place
// of the one before. A ```yaml block becomes a file that is called as it calls itself.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "tests/support/emulator_process.h"

namespace cloudstate {
namespace {

using support::ChildProcess;
using support::EmulatorProcess;

constexpr absl::Duration kPatience = absl::Seconds(90);
constexpr absl::string_view kAnything = "…";

struct Block {
  std::string language;
  std::vector<std::string> lines;
};

std::vector<Block> BlocksOf(const std::string& page) {
  std::ifstream file(std::filesystem::path(DOCS) / page);
  std::vector<Block> blocks;
  bool within = false;
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "```")) {
      within = !within;
      if (within) blocks.push_back({std::string(rest), {}});
    } else if (within) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

std::string Simplified(absl::string_view line) {
  return absl::StrJoin(absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty()), " ");
}

bool Fits(absl::string_view line, absl::string_view pattern) {
  const std::vector<std::string> parts = absl::StrSplit(pattern, kAnything);
  if (parts.size() == 1) return line == pattern;
  if (!absl::ConsumePrefix(&line, parts.front())) return false;
  if (!absl::ConsumeSuffix(&line, parts.back())) return false;
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    const std::string part = Simplified(parts[i]);
    const std::size_t at = line.find(part);
    if (at == absl::string_view::npos) return false;
    line.remove_prefix(at + part.size());
  }
  return true;
}

// The first expected line that did not come; empty if all did.
std::string Missing(const std::string& output, const Block& expected) {
  const std::vector<std::string> lines = absl::StrSplit(output, '\n');
  auto line = lines.begin();
  for (const std::string& each : expected.lines) {
    const std::string pattern = Simplified(each);
    while (line != lines.end() && !Fits(Simplified(*line), pattern)) ++line;
    if (line == lines.end()) return each;
    ++line;
  }
  return "";
}

bool OnlyLooks(const Block& block) {
  return absl::StartsWith(block.lines.front(), "cloudstate-dev nodes ls") ||
         absl::StartsWith(block.lines.front(), "cloudstate-dev nodes events") ||
         absl::StartsWith(block.lines.front(), "cloudstate-dev crdt ls") ||
         absl::StartsWith(block.lines.front(), "cloudstate-dev crdt show") ||
         absl::StartsWith(block.lines.front(), "cloudstate-dev scale status");
}

class Docs : public ::testing::Test {
 protected:
  void SetUp() override { RunEmulator({"--sample", "shopping-cart", "--nodes", "3"}); }

  void Follow(const std::string& page) {
    const std::vector<Block> blocks = BlocksOf(page);
    int scripts = 0;
    for (std::size_t i = 0; i < blocks.size() && !HasFailure(); ++i) {
      if (blocks[i].language == "yaml") Save(blocks[i]);
      if (blocks[i].language != "sh") continue;
      ++scripts;
      if (absl::string_view arguments = blocks[i].lines.front();
          absl::ConsumePrefix(&arguments, "cloudstate-dev run ")) {
        RunEmulator(absl::StrSplit(arguments, ' ', absl::SkipEmpty()));
        continue;
      }
      const bool tells = i + 1 < blocks.size() && blocks[i + 1].language == "text";
      Run(blocks[i], tells ? &blocks[i + 1] : nullptr);
    }
    EXPECT_GT(scripts, 0) << page << " has no commands";
  }

 private:
  void RunEmulator(std::vector<std::string> arguments) {
    emulator_ = nullptr;  // it ends first
    emulator_ = std::make_unique<EmulatorProcess>(EmulatorProcess::Options{std::move(arguments), {}});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
  }

  void Save(const Block& block) const {
    const std::string name(absl::StripPrefix(block.lines.front(), "name: "));
    std::ofstream(directory_.path() / absl::StrCat(name, ".yaml")) << absl::StrJoin(block.lines, "\n") << "\n";
  }

  void Run(const Block& script, const Block* expected) const {
    const absl::Time end = absl::Now() + kPatience;
    for (;;) {
      std::string output;
      const int code = RunOnce(script, output);
      const std::string missing = expected == nullptr ? "" : Missing(output, *expected);
      if (missing.empty() && (expected != nullptr || code == 0)) return;
      if (!OnlyLooks(script) || absl::Now() > end) {
        ADD_FAILURE() << absl::StrJoin(script.lines, "\n") << "\nends with " << code << " and prints\n"
                      << output << (missing.empty() ? "" : "without the line\n") << missing;
        return;
      }
    }
  }

  int RunOnce(const Block& script, std::string& output) const {
    const std::string text =
        absl::StrReplaceAll(absl::StrJoin(script.lines, "\n"), {{"127.0.0.1:9000", emulator_->client_address()},
                                                                {"127.0.0.1:9001", emulator_->admin_address()},
                                                                {"127.0.0.1:9090", emulator_->metrics_address()}});
    const std::string programs = std::filesystem::path(support::EmulatorProgram()).parent_path().string();
    const char* path = std::getenv("PATH");
    const auto shell =
        ChildProcess::Start({"bash", "-c", absl::StrCat("exec 2>&1\ncd ", directory_.path().string(), "\n", text)},
                            {{"PATH", absl::StrCat(programs, ":", path == nullptr ? "" : path)},
                             {"CLOUDSTATE_DEV_DATA_DIR", emulator_->data_directory()}});
    const int code = shell->WaitForExit(kPatience);
    output = shell->output();
    return code;
  }

  testing::TemporaryDirectory directory_;
  std::unique_ptr<EmulatorProcess> emulator_;
};

TEST_F(Docs, DoesWhatThePageOnTheCommandLineSays) { Follow("cli.md"); }

TEST_F(Docs, DoesWhatThePageOnContinuousIntegrationSays) { Follow("ci.md"); }

TEST_F(Docs, DoesWhatThePageOnClustersSays) { Follow("cluster.md"); }

TEST_F(Docs, DoesWhatThePageOnFuzzingSays) { Follow("fuzzing.md"); }

TEST_F(Docs, DoesWhatThePageOnHistoriesSays) { Follow("history.md"); }

TEST_F(Docs, DoesWhatThePageOnTheJournalSays) { Follow("journal.md"); }

TEST_F(Docs, DoesWhatThePageOnScalingSays) { Follow("scaling.md"); }

TEST_F(Docs, DoesWhatThePageOnScenariosSays) { Follow("scenarios.md"); }

TEST_F(Docs, DoesWhatThePageOnTestingSays) { Follow("testing.md"); }

}  // namespace
}  // namespace cloudstate
