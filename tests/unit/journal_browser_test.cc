#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/journal/integrity.h"
#include "emulator/journal/sqlite_browser.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

class BrowserTest : public ::testing::Test {
 protected:
  BrowserTest() : journal_(OpenJournal(directory_.path())) {}

  void Store(Append append) { ASSERT_EQ(WriteAndWait(*journal_, std::move(append)), absl::OkStatus()); }

  std::unique_ptr<SqliteBrowser> Open() {
    auto browser = SqliteBrowser::Open(directory_.journal());
    EXPECT_TRUE(browser.ok()) << browser.status();
    return *std::move(browser);
  }

  TestDirectory directory_;
  std::unique_ptr<SqliteJournal> journal_;
};

std::vector<std::string> Ids(const EntityPage& page) {
  std::vector<std::string> ids;
  for (const EntityRow& row : page.rows) ids.push_back(row.key.ToString());
  return ids;
}

TEST_F(BrowserTest, ShowsAnEntity) {
  Store(AppendOf(kCart, 0, 3));
  Append append = AppendOf(kCart, 3, 0);
  append.snapshot = Payload{"x/Snapshot", "s"};
  append.service = "example.v2.Cart";
  append.time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  Store(append);

  absl::StatusOr<EntityRow> row = Open()->Entity(kCart);

  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->key, kCart);
  EXPECT_EQ(row->service, "example.v2.Cart");
  EXPECT_EQ(row->last_sequence, 3);
  EXPECT_EQ(row->event_bytes, 3);
  EXPECT_EQ(row->snapshot_sequence, 3);
  EXPECT_EQ(row->created, absl::FromUnixSeconds(1'600'000'000));
  EXPECT_EQ(row->updated, append.time);
}

TEST_F(BrowserTest, SaysNotFoundForAnUnknownEntity) {
  EXPECT_TRUE(absl::IsNotFound(Open()->Entity(kCart).status()));
  EXPECT_TRUE(Open()->Events(kCart, 0, 10)->empty());
  EXPECT_TRUE(Open()->Snapshots(kCart, {})->empty());
}

TEST_F(BrowserTest, ListsEntitiesInPagesByPersistenceIdThenEntityId) {
  for (const auto& [persistence_id, id] : std::vector<std::pair<std::string, std::string>>{
           {"cart", "c"}, {"account", "z"}, {"cart", "a"}, {"cart", std::string("a\0", 2)}, {"cart", "b"}}) {
    Store(AppendOf({persistence_id, id}, 0));
  }
  auto browser = Open();
  std::vector<std::string> all;
  std::string page;
  do {
    absl::StatusOr<EntityPage> result = browser->Entities({}, page, 2);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->total, 5);
    for (const std::string& id : Ids(*result)) all.push_back(id);
    page = result->next;
  } while (!page.empty());
  EXPECT_EQ(all, (std::vector<std::string>{"account|z", "cart|a", std::string("cart|a\0", 7), "cart|b", "cart|c"}));
}

TEST_F(BrowserTest, EndsPagesWithoutAnEmptyOne) {
  Store(AppendOf({"cart", "a"}, 0));
  Store(AppendOf({"cart", "b"}, 0));
  EXPECT_EQ(Open()->Entities({}, "", 2)->next, "");
}

TEST_F(BrowserTest, FiltersEntities) {
  Store(AppendOf({"cart", "user-1"}, 0));
  Store(AppendOf({"cart", "User-2"}, 0));
  Append other = AppendOf({"account", "user-1"}, 0);
  other.service = "example.Account";
  Store(other);
  auto browser = Open();

  EXPECT_EQ(Ids(*browser->Entities({.service = "example.Account", .persistence_id = "", .id_contains = ""}, "", 9)),
            (std::vector<std::string>{"account|user-1"}));
  EXPECT_EQ(Ids(*browser->Entities({.service = "", .persistence_id = "cart", .id_contains = ""}, "", 9)),
            (std::vector<std::string>{"cart|User-2", "cart|user-1"}));
  absl::StatusOr<EntityPage> page =
      browser->Entities({.service = "", .persistence_id = "", .id_contains = "user"}, "", 1);
  EXPECT_EQ(Ids(*page), (std::vector<std::string>{"account|user-1"}));
  EXPECT_EQ(page->total, 2);
  page = browser->Entities({.service = "", .persistence_id = "", .id_contains = "user"}, page->next, 1);
  EXPECT_EQ(Ids(*page), (std::vector<std::string>{"cart|user-1"}));
  EXPECT_EQ(page->next, "");
  EXPECT_EQ(browser->Entities({.service = "none", .persistence_id = "", .id_contains = ""}, "", 9)->total, 0);
}

TEST_F(BrowserTest, GoesOnBehindAnEntityThatWasDeletedMeanwhile) {
  for (const char* id : {"a", "b", "c", "d"}) Store(AppendOf({"cart", id}, 0));
  auto browser = Open();
  const std::string page = browser->Entities({}, "", 2)->next;
  ASSERT_TRUE(StartDelete(*journal_, {"cart", "b"}).get().ok());
  EXPECT_EQ(Ids(*browser->Entities({}, page, 2)), (std::vector<std::string>{"cart|c", "cart|d"}));
}

TEST_F(BrowserTest, LoadsWhatAnEntityIsReplayedFromUntilAnEvent) {
  Append append = AppendOf(kCart, 0, 3);
  append.snapshot = Payload{"x/Snapshot", "at 3"};
  Store(append);
  append = AppendOf(kCart, 3, 3);
  append.snapshot = Payload{"x/Snapshot", "at 6"};
  Store(append);
  auto browser = Open();
  struct Case {
    SequenceNumber until;
    std::optional<SequenceNumber> after;
    std::string expected;
  };
  for (const Case& each :
       {Case{0, {}, ""}, Case{2, {}, "12"}, Case{3, {}, "at 3:"}, Case{5, {}, "at 3:45"}, Case{6, {}, "at 6:"},
        Case{9, {}, "at 6:"}, Case{5, 0, "12345"}, Case{5, 4, "5"}, Case{3, 3, ""}}) {
    absl::StatusOr<Replay> replay = browser->LoadUntil(kCart, each.until, each.after, 1 << 20);
    ASSERT_TRUE(replay.ok()) << replay.status();
    std::string found = replay->snapshot.has_value() ? replay->snapshot->payload.value + ":" : "";
    for (const Event& event : replay->events) found += event.payload.value;
    EXPECT_EQ(found, each.expected) << each.until;
    EXPECT_TRUE(replay->complete);
    EXPECT_EQ(replay->last_sequence, 6);
  }
  absl::StatusOr<Replay> page = browser->LoadUntil(kCart, 5, 0, 1);
  EXPECT_EQ(page->events.size(), 1u);
  EXPECT_FALSE(page->complete);
  EXPECT_TRUE(browser->LoadUntil(kCart, 1, 0, 1)->complete);
  EXPECT_EQ(browser->LoadUntil({"cart", "none"}, 5, {}, 1)->last_sequence, 0);
}

TEST_F(BrowserTest, FindsTheEntitiesOfAServiceThatAreFewAmongMany) {
  for (const char* id : {"a", "z1", "z2"}) {
    Append rare = AppendOf({"cart", id}, 0);
    rare.service = "example.Rare";
    Store(rare);
  }
  Store(AppendOf({"cart", "b"}, 0));
  journal_->Close();
  auto connection = Connection::Open(directory_.journal(), Connection::Mode::kCreate);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_EQ(
      connection->Execute(
          "WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 10000) INSERT INTO "
          "entity (persistence_id, entity_id, service, last_sequence, event_bytes, created, updated) "
          "SELECT 'cart', printf('m%05d', i), (SELECT service FROM entity WHERE entity_id = 'b'), 1, 1, 1, 1 "
          "FROM number"),
      absl::OkStatus());
  auto browser = Open();
  const EntityFilter filter{.service = "example.Rare", .persistence_id = "", .id_contains = ""};
  const absl::StatusOr<EntityPage> first = browser->Entities(filter, "", 2);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Ids(*first), (std::vector<std::string>{"cart|a", "cart|z1"}));
  EXPECT_EQ(first->total, 3);
  const absl::StatusOr<EntityPage> last = browser->Entities(filter, first->next, 2);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(Ids(*last), (std::vector<std::string>{"cart|z2"}));
  EXPECT_EQ(last->next, "");
}

// Each filter goes another way through the file.
TEST_F(BrowserTest, PagesThroughEveryFilterWithTheTotalOnTheFirstPage) {
  for (const char* persistence_id : {"account", "cart"}) {
    for (const char* id : {"b-1", "a-1", "a-2", "c-1", "a-3"}) {
      Append append = AppendOf({persistence_id, id}, 0);
      if (*id == 'a') append.service = "example.A";
      Store(append);
    }
  }
  const std::vector<std::pair<EntityFilter, std::vector<std::string>>> cases = {
      {{.service = "example.A", .persistence_id = "", .id_contains = ""},
       {"account|a-1", "account|a-2", "account|a-3", "cart|a-1", "cart|a-2", "cart|a-3"}},
      {{.service = "", .persistence_id = "cart", .id_contains = ""},
       {"cart|a-1", "cart|a-2", "cart|a-3", "cart|b-1", "cart|c-1"}},
      {{.service = "", .persistence_id = "", .id_contains = "-1"},
       {"account|a-1", "account|b-1", "account|c-1", "cart|a-1", "cart|b-1", "cart|c-1"}},
      {{.service = "example.A", .persistence_id = "cart", .id_contains = "a-"}, {"cart|a-1", "cart|a-2", "cart|a-3"}},
  };
  auto browser = Open();
  for (const auto& [filter, expected] : cases) {
    std::vector<std::string> all;
    std::string page;
    do {
      absl::StatusOr<EntityPage> result = browser->Entities(filter, page, 2);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->total, page.empty() ? static_cast<std::int64_t>(expected.size()) : 0);
      for (const std::string& id : Ids(*result)) all.push_back(id);
      page = result->next;
    } while (!page.empty());
    EXPECT_EQ(all, expected);
    const absl::StatusOr<EntityPage> jump = browser->Entities(filter, "@2", 2);
    ASSERT_TRUE(jump.ok()) << jump.status();
    EXPECT_EQ(Ids(*jump),
              std::vector<std::string>(expected.begin() + 2,
                                       expected.begin() + std::min<std::ptrdiff_t>(4, std::ssize(expected))));
    EXPECT_EQ(jump->total, 0);
    EXPECT_EQ(Ids(*browser->Entities(filter, "@100", 2)), std::vector<std::string>());
  }
}

TEST_F(BrowserTest, RefusesPagesAndLimitsThatMakeNoSense) {
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Entities({}, "nonsense", 2).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Entities({}, "OTk6YQ", 2).status()));  // "99:a"
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Entities({}, "@-1", 2).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Entities({}, "@many", 2).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Entities({}, "", 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->Events(kCart, 0, -1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Open()->EventsAfter(0, {}, 0).status()));
}

TEST_F(BrowserTest, ShowsEventsWithTheirCauses) {
  Append append = AppendOf(kCart, 0, 2);
  append.cause = {"trace-7", "example.Other", "Remove", {"x/Remove", std::string("\0\1", 2)}};
  Store(append);
  Store(AppendOf(kCart, 2));

  absl::StatusOr<std::vector<EventRow>> events = Open()->Events(kCart, 2, 10);

  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 2u);
  const EventRow& event = events->front();
  EXPECT_EQ(event.position, 2);
  EXPECT_EQ(event.key, kCart);
  EXPECT_EQ(event.service, "example.Cart");
  EXPECT_EQ(event.sequence, 2);
  EXPECT_EQ(event.payload, append.events[1]);
  EXPECT_EQ(event.time, append.time);
  EXPECT_EQ(event.cause.trace_id, "trace-7");
  EXPECT_EQ(event.cause.service, "example.Other");
  EXPECT_EQ(event.cause.method, "Remove");
  EXPECT_EQ(event.cause.command, append.cause.command);
  EXPECT_EQ((*events)[1].cause.method, "Add");
  EXPECT_EQ(Open()->Events(kCart, 1, 2)->size(), 2u);
}

TEST_F(BrowserTest, CountsTheEventsThatAreLeftAfterADeletion) {
  auto browser = Open();
  EXPECT_EQ(*browser->CountEvents(), 0);
  Store(AppendOf({"cart", "a"}, 0, 2));
  Store(AppendOf({"account", "b"}, 0, 3));
  Store(AppendOf({"cart", "a"}, 2));
  EXPECT_EQ(*browser->CountEvents(), 6);
  ASSERT_TRUE(StartDelete(*journal_, {"account", "b"}).get().ok());
  EXPECT_EQ(*browser->CountEvents(), 3);
  EXPECT_EQ(*browser->LastPosition(), 6);
}

TEST_F(BrowserTest, FollowsTheWholeJournalByPosition) {
  auto browser = Open();
  EXPECT_EQ(*browser->LastPosition(), 0);
  Store(AppendOf({"cart", "a"}, 0, 2));
  Store(AppendOf({"account", "b"}, 0));
  Store(AppendOf({"cart", "a"}, 2));

  EXPECT_EQ(*browser->LastPosition(), 4);
  absl::StatusOr<std::vector<EventRow>> events = browser->EventsAfter(1, {}, 10);
  ASSERT_TRUE(events.ok()) << events.status();
  std::vector<std::string> seen;
  for (const EventRow& event : *events) {
    seen.push_back(absl::StrCat(event.position, " ", event.key.ToString(), " ", event.sequence));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"2 cart|a 2", "3 account|b 1", "4 cart|a 3"}));
  EXPECT_EQ(browser->EventsAfter(0, {}, 2)->back().position, 2);
  absl::StatusOr<std::vector<EventRow>> filtered =
      browser->EventsAfter(0, {.service = "", .persistence_id = "account", .id_contains = ""}, 10);
  ASSERT_EQ(filtered->size(), 1u);
  EXPECT_EQ(filtered->front().position, 3);
}

TEST_F(BrowserTest, AListOfLargeEventsEndsEarly) {
  for (int i = 0; i < 5; ++i) {
    Append append = AppendOf(kCart, i);
    append.events.front().value.assign(kMostEventBytes / 4, 'x');
    append.cause.command.value.assign(kMostEventBytes / 4, 'y');
    Store(append);
  }
  Append larger = AppendOf(kCart, 5);
  larger.events.front().value.assign(kMostEventBytes * 2, 'x');
  Store(larger);
  auto browser = Open();
  EXPECT_EQ(browser->Events(kCart, 1, 100)->size(), 2u);
  EXPECT_EQ(browser->Events(kCart, 5, 100)->size(), 2u);
  EXPECT_EQ(browser->Events(kCart, 6, 100)->size(), 1u);
  EXPECT_EQ(browser->EventsAfter(0, {}, 100)->size(), 2u);
  EXPECT_EQ(browser->EventsAfter(5, {}, 100)->size(), 1u);
}

TEST_F(BrowserTest, KeepsAllSnapshotsOldestFirst) {
  for (int i = 0; i < 3; ++i) {
    Append append = AppendOf(kCart, i);
    append.snapshot = Payload{"x/Snapshot", absl::StrCat("at ", i + 1)};
    Store(append);
  }
  absl::StatusOr<std::vector<SnapshotRow>> snapshots = Open()->Snapshots(kCart, {});
  ASSERT_EQ(snapshots->size(), 3u);
  EXPECT_EQ((*snapshots)[0].sequence, 1);
  EXPECT_EQ((*snapshots)[2].payload, (Payload{"x/Snapshot", "at 3"}));
  EXPECT_EQ((*snapshots)[2].time, absl::FromUnixSeconds(1'600'000'000));
}

TEST_F(BrowserTest, ShowsARangeOfSnapshotsWithoutReadingPayloads) {
  for (int i = 0; i < 4; ++i) {
    Append append = AppendOf(kCart, i);
    append.snapshot = Payload{"x/Snapshot", absl::StrCat("at ", i + 1)};
    Store(append);
  }
  auto browser = Open();
  const auto some = browser->Snapshots(kCart, {.from = 2, .limit = 2, .payloads = true});
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ((*some)[0].payload, (Payload{"x/Snapshot", "at 2"}));
  EXPECT_EQ((*some)[1].sequence, 3);
  const auto brief = browser->Snapshots(kCart, {.from = 4, .limit = std::nullopt, .payloads = false});
  ASSERT_EQ(brief->size(), 1u);
  EXPECT_EQ((*brief)[0].payload, Payload());
  EXPECT_EQ((*brief)[0].time, absl::FromUnixSeconds(1'600'000'000));
  EXPECT_TRUE(absl::IsInvalidArgument(browser->Snapshots(kCart, {.from = 0, .limit = -1, .payloads = true}).status()));
}

TEST_F(BrowserTest, ReadsAFileThatNoEmulatorWritesTo) {
  Store(AppendOf(kCart, 0));
  journal_.reset();
  EXPECT_EQ(Open()->Entity(kCart)->last_sequence, 1);
}

TEST_F(BrowserTest, SaysNotFoundWhereThereIsNoJournal) {
  const absl::Status status = SqliteBrowser::Open(directory_.path() + "/none.db").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/none.db"));
}

TEST_F(BrowserTest, FindsASoundJournalSound) {
  Append append = AppendOf(kCart, 0, 3);
  append.snapshot = Payload{"x/Snapshot", "s"};
  Store(append);
  append = AppendOf({"cart", "snapshot only"}, 0, 0);
  append.snapshot = Payload{"x/Snapshot", "s"};
  Store(append);

  absl::StatusOr<IntegrityReport> report = CheckIntegrity(directory_.journal());

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->problems, std::vector<std::string>{});
  EXPECT_EQ(report->entities, 2);
  EXPECT_EQ(report->events, 3);
  EXPECT_EQ(report->snapshots, 2);
}

TEST_F(BrowserTest, FindsWhatIsWrongInAJournal) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"DELETE FROM event WHERE sequence = 1", "Entity cart|a should have the events 1 to 3, but has 2 from 2 to 3."},
      {"DELETE FROM event WHERE sequence = 2", "Entity cart|a should have the events 1 to 3, but has 2 from 1 to 3."},
      {"DELETE FROM event", "Entity cart|a should have the events 1 to 3, but has 0 from 1 to 0."},
      {"UPDATE event SET sequence = 9 WHERE sequence = 3",
       "Entity cart|a should have the events 1 to 3, but has 3 from 1 to 9."},
      {"UPDATE snapshot SET sequence = 4", "Entity cart|a has a snapshot at 4, after its last event 3."},
      {"DELETE FROM cause", "Row 1 of table event refers to a missing row of cause."},
  };
  for (const auto& [damage, problem] : cases) {
    TestDirectory directory;
    Append append = AppendOf(kCart, 0, 3);
    append.snapshot = Payload{"x/Snapshot", "s"};
    ASSERT_EQ(WriteAndWait(*OpenJournal(directory.path()), append), absl::OkStatus());
    ASSERT_EQ(Connection::Open(directory.journal(), Connection::Mode::kCreate)->Execute(damage), absl::OkStatus());
    absl::StatusOr<IntegrityReport> report = CheckIntegrity(directory.journal());
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_NE(std::find(report->problems.begin(), report->problems.end(), problem), report->problems.end())
        << damage << ": " << testing::PrintToString(report->problems);
  }
}

}  // namespace
}  // namespace cloudstate::journal
