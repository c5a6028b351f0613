#include <memory>
#include <string>
#include <vector>

#include "emulator/journal/integrity.h"
#include "emulator/journal/schema.h"
#include "emulator/journal/sqlite_browser.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

Connection OpenShell(const std::string& file) {
  auto connection = Connection::Open(file, Connection::Mode::kCreate);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

void MakeVersion1(const std::string& file) {
  const std::string sql = ReadFile(std::string(TEST_DATA) + "/journal/version-1.sql");
  ASSERT_NE(sql, "");
  ASSERT_EQ(OpenShell(file).Execute(sql), absl::OkStatus());
}

TEST(Schema, BringsAVersion1JournalUpToDateWithEverythingInIt) {
  TestDirectory directory;
  MakeVersion1(directory.journal());

  auto journal = OpenJournal(directory.path());

  ASSERT_NE(journal, nullptr);
  EXPECT_EQ(*OpenShell(journal->file()).QueryInt("PRAGMA user_version"), kSchemaVersion);
  absl::StatusOr<Replay> replay = LoadPage(*journal, {"cart", "user-1"});
  ASSERT_TRUE(replay.ok()) << replay.status();
  EXPECT_EQ(replay->snapshot->sequence, 2);
  EXPECT_EQ(replay->snapshot->payload, (Payload{"json.example.com/Cart", "{}"}));
  ASSERT_EQ(replay->events.size(), 1u);
  EXPECT_EQ(replay->events[0].payload, (Payload{"type.googleapis.com/example.ItemAdded", "\n\0013"}));
  auto browser = SqliteBrowser::Open(journal->file());
  ASSERT_TRUE(browser.ok()) << browser.status();
  EXPECT_EQ((*browser)->EventsAfter(0, {}, 10)->size(), 4u);
  EXPECT_EQ(CheckIntegrity(journal->file())->problems, std::vector<std::string>{});
  EXPECT_EQ(WriteAndWait(*journal, AppendOf({"cart", "user-1"}, 3)), absl::OkStatus());
}

TEST(Schema, IsTheSameForAMigratedJournalAsForANewOne) {
  TestDirectory migrated;
  TestDirectory fresh;
  MakeVersion1(migrated.journal());
  OpenJournal(migrated.path());
  OpenJournal(fresh.path());
  const char* const sql =
      "SELECT group_concat(type || name || coalesce(sql, ''), char(10)) FROM "
      "(SELECT * FROM sqlite_schema ORDER BY name)";
  EXPECT_EQ(*OpenShell(migrated.journal()).QueryString(sql), *OpenShell(fresh.journal()).QueryString(sql));
}

TEST(Schema, IsNotMigratedByAReader) {
  TestDirectory directory;
  MakeVersion1(directory.journal());

  const absl::Status status = SqliteBrowser::Open(directory.journal()).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Contains(status, "older")) << status;
  EXPECT_EQ(*OpenShell(directory.journal()).QueryInt("PRAGMA user_version"), 1);
}

TEST(Schema, OfANewerVersionIsRefusedAndLeftAlone) {
  TestDirectory directory;
  OpenJournal(directory.path());
  ASSERT_EQ(OpenShell(directory.journal()).Execute("PRAGMA user_version = 99"), absl::OkStatus());
  const std::string before = ReadFile(directory.journal());

  for (const absl::Status& status : {SqliteJournal::Open(OptionsFor(directory.path())).status(),
                                     SqliteBrowser::Open(directory.journal()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(Contains(status, "schema 99")) << status;
    EXPECT_TRUE(Contains(status, directory.journal())) << status;
  }
  EXPECT_EQ(ReadFile(directory.journal()), before);
}

TEST(Schema, OfAnotherProgramIsRefusedAndLeftAlone) {
  for (const char* const other : {"CREATE TABLE theirs (x)", "PRAGMA application_id = 7; CREATE TABLE theirs (x)",
                                  "PRAGMA user_version = 2; CREATE TABLE theirs (x)"}) {
    TestDirectory directory;
    ASSERT_EQ(OpenShell(directory.journal()).Execute(other), absl::OkStatus());
    const std::string before = ReadFile(directory.journal());

    const absl::Status status = SqliteJournal::Open(OptionsFor(directory.path())).status();

    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(Contains(status, "another program")) << status;
    EXPECT_EQ(ReadFile(directory.journal()), before);
  }
}

TEST(Schema, HasViewsForPeople) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Append append = AppendOf(kCart, 0, 0);
  append.events = {{"type.googleapis.com/example.ItemAdded", "abc"}, {"json.example.com/a/Removed", ""}, {"bare", ""}};
  append.snapshot = Payload{"x/Snapshot", "s"};
  append.cause.command.type_url = "type.googleapis.com/example.AddItem";
  append.time = absl::FromUnixMillis(1'600'000'000'250);
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  Connection shell = OpenShell(journal->file());

  EXPECT_EQ(*shell.QueryString("SELECT group_concat(type, ' ') FROM events"), "example.ItemAdded Removed bare");
  EXPECT_EQ(
      *shell.QueryString("SELECT persistence_id || ' ' || entity_id || ' ' || sequence || ' ' || bytes || ' ' || "
                         "time || ' ' || service || ' ' || method || ' ' || command || ' ' || trace_id FROM events"),
      "cart a 1 3 2020-09-13T12:26:40.250Z example.Cart Add example.AddItem trace");
  EXPECT_EQ(*shell.QueryString("SELECT persistence_id || ' ' || entity_id || ' ' || service || ' ' || events || ' ' || "
                               "bytes || ' ' || snapshot_at || ' ' || created || ' ' || updated FROM entities"),
            "cart a example.Cart 3 3 3 2020-09-13T12:26:40.250Z 2020-09-13T12:26:40.250Z");
  EXPECT_EQ(*shell.QueryString("SELECT persistence_id || ' ' || entity_id || ' ' || sequence || ' ' || type || ' ' || "
                               "time || ' ' || payload FROM snapshots"),
            "cart a 3 Snapshot 2020-09-13T12:26:40.250Z s");
}

}  // namespace
}  // namespace cloudstate::journal
