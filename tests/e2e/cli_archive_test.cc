// A journal as a file, with the real program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string BytesOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class CliArchive : public RunningEmulator {
 protected:
  explicit CliArchive(std::vector<std::string> arguments = {"--sample", "shopping-cart"})
      : RunningEmulator(std::move(arguments)) {}

  void Add(const std::string& user, const std::string& product) const {
    Output({"call", "ShoppingCart/AddItem",
            absl::StrCat(R"({"userId":")", user, R"(","productId":")", product, R"(","name":"N","quantity":1})")});
  }
  std::string In(const std::string& name) const { return (directory_.path() / name).string(); }

  testing::TemporaryDirectory directory_;
};

TEST_F(CliArchive, MakesTheSameJournalElsewhere) {
  Add("me", "tea");
  Add("me", "mug");
  Add("you", "tea");
  EXPECT_THAT(Output({"export", In("a.gz")}), HasSubstr("Exported 2 entities, 3 events, 0 snapshots into "));
  const ToolResult imported = RunTool({"--data-dir", In("copy"), "import", In("a.gz")});
  EXPECT_EQ(imported.exit_code, 0) << imported.errors;
  EXPECT_THAT(imported.output, HasSubstr("Imported 2 entities, 3 events, 0 snapshots into "));
  EXPECT_EQ(RunTool({"--data-dir", In("copy"), "export", In("b.gz")}).exit_code, 0);
  EXPECT_EQ(BytesOf(In("a.gz")), BytesOf(In("b.gz")));
  EXPECT_EQ(RunTool({"--data-dir", In("copy"), "journal", "show", "me", "--json"}).output,
            Output({"journal", "show", "me", "--json"}));
  // Another one is left alone.
  const std::string before = BytesOf(In("copy") + "/journal.db");
  const ToolResult again = RunTool({"--data-dir", In("copy"), "import", In("b.gz")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.errors, HasSubstr("has a journal already"));
  EXPECT_EQ(BytesOf(In("copy") + "/journal.db"), before);
}

TEST_F(CliArchive, IsNotOverwrittenUnlessThatIsMeant) {
  Add("me", "tea");
  Output({"export", In("a.gz"), "--json"});
  const ToolResult again = Tool({"export", In("a.gz")});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, AllOf(HasSubstr("is there already"), HasSubstr("--force")));
  EXPECT_THAT(Output({"export", In("a.gz"), "--force", "--json"}), HasSubstr(R"("entities":1,"events":1,)"));
  EXPECT_THAT(Output({"export", In("a.gz"), "--force", "--id-contains", "you"}), HasSubstr("0 entities, 0 events"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(CliArchive, HoldsTheServiceThatIsMeant) {
  Add("me", "tea");
  EXPECT_THAT(Output({"export", In("a.gz"), "--service", "ShoppingCart"}), HasSubstr("Exported 1 entity, 1 event,"));
  const ToolResult unknown = Tool({"export", In("b.gz"), "--service", "ShopingCart"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean 'ShoppingCart'?"));
  EXPECT_FALSE(std::filesystem::exists(In("b.gz")));
}

TEST_F(CliArchive, IsNotImportedUnderARunningEmulator) {
  Add("me", "tea");
  Output({"export", In("a.gz")});
  const ToolResult result = RunTool({"--data-dir", emulator_.data_directory(), "import", In("a.gz")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("is in use by the emulator"));
}

class CliEphemeralArchive : public CliArchive {
 protected:
  CliEphemeralArchive() : CliArchive({"--sample", "shopping-cart", "--ephemeral"}) {}
};

TEST_F(CliEphemeralArchive, HoldsWhatWouldBeLost) {
  Add("me", "tea");
  const std::string archive = Output({"export", "-"});
  std::ofstream(In("a.gz"), std::ios::binary) << archive;
  EXPECT_EQ(RunTool({"--data-dir", In("copy"), "import", In("a.gz")}).exit_code, 0);
  EXPECT_THAT(RunTool({"--data-dir", In("copy"), "journal", "show", "me"}).output, HasSubstr("ItemAdded"));
}

TEST(CliArchiveOfNothing, SaysWhatToDo) {
  const testing::TemporaryDirectory directory;
  const ToolResult exported = RunTool({"--data-dir", directory.path().string(), "export", "-"});
  EXPECT_EQ(exported.exit_code, 3);
  EXPECT_THAT(exported.errors, AllOf(HasSubstr("holds no journal"), HasSubstr("--data-dir")));
  const std::string file = (directory.path() / "text").string();
  std::ofstream(file) << "no archive\n";
  const ToolResult imported = RunTool({"--data-dir", (directory.path() / "made").string(), "import", file});
  EXPECT_EQ(imported.exit_code, 1);
  EXPECT_THAT(imported.errors, HasSubstr("is no archive of a journal"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "made"));
}

}  // namespace
}  // namespace cloudstate
