// What archive.h promises, on real files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "emulator/journal/archive.h"
#include "emulator/journal/archive_line.h"
#include "emulator/journal/sqlite.h"
#include "emulator/journal/sqlite_browser.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const ArchiveProgress kGoOn = [](const ArchiveCounts&) { return absl::OkStatus(); };

ArchiveOutput OutputTo(const std::string& file) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  absl::StatusOr<ArchiveOutput> output = ArchiveOutput::To(descriptor, file);
  close(descriptor);
  return *std::move(output);
}

ArchiveInput InputFrom(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY);
  absl::StatusOr<ArchiveInput> input = ArchiveInput::From(descriptor, "a.gz");
  close(descriptor);
  return *std::move(input);
}

class JournalArchive : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return files_.path() + "/" + name; }

  // The bytes of the archive.
  std::string Export(const std::string& journal, const EntityFilter& filter = {}) {
    const std::string file = File("export.gz");
    const absl::StatusOr<ArchiveCounts> counts = ExportJournal(journal, filter, OutputTo(file), kGoOn);
    EXPECT_TRUE(counts.ok()) << counts.status();
    return ReadFile(file);
  }
  std::vector<std::string> LinesOf(const std::string& archive) {
    WriteFile(File("lines.gz"), archive);
    ArchiveInput input = InputFrom(File("lines.gz"));
    std::vector<std::string> lines;
    while (*input.Next()) lines.emplace_back(input.line());
    return lines;
  }
  absl::StatusOr<ArchiveCounts> Import(const std::string& archive, const std::string& directory) {
    WriteFile(File("import.gz"), archive);
    return ImportJournal(InputFrom(File("import.gz")), directory, kGoOn);
  }
  // Makes an archive of lines, with the end that they should have.
  static std::string ArchiveOf(std::vector<std::string> lines, const std::string& counts) {
    const std::string text = absl::StrJoin(lines, "\n") + "\n";
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
    return absl::StrCat(text, "{\"end\":{", counts, ",\"crc32\":\"", absl::Hex(checksum, absl::kZeroPad8), "\"}}\n");
  }

  TestDirectory files_;
};

// Appends of several events, of one snapshot alone, texts that JSON escapes, bytes of all kinds, a replica.
void FillJournal(const std::string& directory) {
  auto journal = OpenJournal(directory);
  Append first = AppendOf(kCart, 0, 3);
  first.snapshot = Payload{"x/Snapshot", std::string("\0\xff", 2)};
  EXPECT_EQ(WriteAndWait(*journal, first), absl::OkStatus());
  Append other = AppendOf({"cart", "quote\" back\\slash \n ümlaut"}, 0, 1);
  other.time = absl::FromUnixNanos(1'600'000'000'123'456'789);
  EXPECT_EQ(WriteAndWait(*journal, other), absl::OkStatus());
  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 3, 1)), absl::OkStatus());
  Append snapshot = AppendOf(kCart, 4, 0);
  snapshot.snapshot = Payload{"x/Snapshot", "alone"};
  EXPECT_EQ(WriteAndWait(*journal, snapshot), absl::OkStatus());
  std::promise<absl::Status> kept;
  journal->Keep(
      {{.node = 2, .key = {"crdts", "a"}, .state = "\xff\n"}, {.node = 1, .key = {"crdts", "a"}, .state = ""}},
      [&](absl::Status status) { kept.set_value(std::move(status)); });
  EXPECT_EQ(kept.get_future().get(), absl::OkStatus());
  std::promise<void> begun;
  journal->BeginLife(2, ~std::uint64_t{0}, [&](auto) { begun.set_value(); });
  begun.get_future().wait();
  std::promise<absl::Status> stored;
  journal->StoreDescriptorSet("here", "types", [&](absl::Status status) { stored.set_value(std::move(status)); });
  EXPECT_EQ(stored.get_future().get(), absl::OkStatus());
}

TEST_F(JournalArchive, IsTheSameBytesAfterAnImport) {
  TestDirectory from, to;
  FillJournal(from.path());
  const std::string archive = Export(from.journal());
  const absl::StatusOr<ArchiveCounts> counts = Import(archive, to.path());
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(*counts,
            (ArchiveCounts{.types = 1, .entities = 2, .events = 5, .snapshots = 2, .lives = 1, .replicas = 2}));
  EXPECT_EQ(Export(to.journal()), archive);
}

TEST_F(JournalArchive, GivesAJournalThatGoesOn) {
  TestDirectory from, to;
  FillJournal(from.path());
  ASSERT_TRUE(Import(Export(from.journal()), to.path()).ok());
  auto journal = OpenJournal(to.path());
  EXPECT_EQ(CountSoundEvents(*journal, kCart), 4);
  EXPECT_EQ(LoadPage(*journal, kCart)->snapshot->payload, (Payload{"x/Snapshot", "alone"}));
  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 4)), absl::OkStatus());
  EXPECT_EQ(journal->FormerLives().at(2), ~std::uint64_t{0});
}

// Rows of an entity that was deleted leave holes in the numbers.
TEST_F(JournalArchive, DoesNotDependOnTheNumbersOfRows) {
  TestDirectory one, other;
  FillJournal(one.path());
  {
    auto journal = OpenJournal(other.path());
    const EntityKey gone{"a", "gone"};
    EXPECT_EQ(WriteAndWait(*journal, AppendOf(gone, 0, 7)), absl::OkStatus());
    EXPECT_TRUE(StartDelete(*journal, gone).get().ok());
  }
  FillJournal(other.path());
  // When descriptors were seen is a part of what is stored.
  const auto without_types = [&](const std::string& archive) {
    std::vector<std::string> lines = LinesOf(archive);
    std::erase_if(
        lines, [](const std::string& line) { return line.starts_with("{\"types\"") || line.starts_with("{\"end\""); });
    return lines;
  };
  EXPECT_EQ(without_types(Export(one.journal())), without_types(Export(other.journal())));
}

TEST_F(JournalArchive, IsReadableLines) {
  TestDirectory from;
  FillJournal(from.path());
  const std::vector<std::string> lines = LinesOf(Export(from.journal()));
  EXPECT_EQ(lines.front(), R"({"archive":"cloudstate-dev journal","version":1})");
  EXPECT_THAT(
      lines, ::testing::Contains(R"({"event":{"persistence_id":"cart","entity_id":"a","sequence":1,)"
                                 R"("time":"2020-09-13T12:26:40Z","service":"example.Cart","type":"x/Event",)"
                                 R"("payload":"MQ==","cause":{"trace":"trace","service":"example.Cart","method":"Add",)"
                                 R"("type":"x/Command","payload":"Yw=="}}})"));
  EXPECT_THAT(lines, ::testing::Contains(R"({"event":{"persistence_id":"cart","entity_id":"a","sequence":2,)"
                                         R"("time":"2020-09-13T12:26:40Z","service":"example.Cart","type":"x/Event",)"
                                         R"("payload":"Mg=="}})"));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr(R"("entity_id":"quote\" back\\slash \u000a ümlaut")")));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("2020-09-13T12:26:40.123456789Z")));
  EXPECT_THAT(lines.back(), StartsWith(R"({"end":{"types":1,"entities":2,"events":5,"snapshots":2,"lives":1,)"));
}

TEST_F(JournalArchive, HoldsWhatTheFilterLetsThrough) {
  TestDirectory from, to;
  FillJournal(from.path());
  {
    auto journal = OpenJournal(from.path());
    Append other = AppendOf({"users", "a"}, 0);
    other.service = "example.Users";
    EXPECT_EQ(WriteAndWait(*journal, other), absl::OkStatus());
  }
  const auto counts = [&](const EntityFilter& filter) {
    TestDirectory into;
    return *Import(Export(from.journal(), filter), into.path());
  };
  const ArchiveCounts by_service = counts({.service = "example.Users", .persistence_id = "", .id_contains = ""});
  EXPECT_EQ(by_service,
            (ArchiveCounts{.types = 1, .entities = 1, .events = 1, .snapshots = 0, .lives = 1, .replicas = 0}));
  EXPECT_EQ(counts({.service = "", .persistence_id = "cart", .id_contains = ""}).events, 5);
  const ArchiveCounts by_id = counts({.service = "", .persistence_id = "", .id_contains = "a"});
  EXPECT_EQ(by_id, (ArchiveCounts{.types = 1, .entities = 3, .events = 6, .snapshots = 2, .lives = 1, .replicas = 2}));
  EXPECT_EQ(counts({.service = "no.Such", .persistence_id = "", .id_contains = ""}).entities, 0);
}

TEST_F(JournalArchive, IsOfOneMomentWhileAnEmulatorWrites) {
  TestDirectory from, to;
  FillJournal(from.path());
  auto journal = OpenJournal(from.path());
  SequenceNumber last = 4;
  const ArchiveProgress write = [&](const ArchiveCounts&) { return WriteAndWait(*journal, AppendOf(kCart, last++)); };
  ASSERT_TRUE(ExportJournal(from.journal(), {}, OutputTo(File("busy.gz")), write).ok());
  const absl::StatusOr<ArchiveCounts> counts = Import(ReadFile(File("busy.gz")), to.path());
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->events, 5);
}

TEST_F(JournalArchive, ThatWasCutOrChangedIsNoticedAndLeavesNothing) {
  TestDirectory from;
  FillJournal(from.path());
  const std::string archive = Export(from.journal());
  const std::string text = absl::StrJoin(LinesOf(archive), "\n") + "\n";
  const std::string directory = File("made");
  for (std::size_t size = 20; size < archive.size(); size += 40) {
    EXPECT_EQ(Import(archive.substr(0, size), directory).status().code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_FALSE(std::filesystem::exists(directory));
  }
  for (std::size_t size = 60; size < text.size() - 1; size += 61) {
    const absl::Status status = Import(text.substr(0, size), directory).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  }
  std::string damaged = archive;
  damaged[archive.size() / 2] = static_cast<char>(damaged[archive.size() / 2] ^ 0x55);
  EXPECT_FALSE(Import(damaged, directory).ok());
  const std::string changed = absl::StrReplaceAll(text, {{"\"payload\":\"MQ==\"", "\"payload\":\"NQ==\""}});
  EXPECT_THAT(std::string(Import(changed, directory).status().message()), HasSubstr("checksum"));
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_TRUE(Import(text, directory).ok());
}

TEST_F(JournalArchive, SaysInWhichLineItIsWrong) {
  const std::string header = R"({"archive":"cloudstate-dev journal","version":1})";
  const std::string entity = R"({"entity":{"persistence_id":"c","entity_id":"a","service":"s",)"
                             R"("created":"2020-01-01T00:00:00Z","updated":"2020-01-01T00:00:00Z"}})";
  const auto event = [](const std::string& id, int sequence, const std::string& rest) {
    return absl::StrCat(R"({"event":{"persistence_id":"c","entity_id":")", id, R"(","sequence":)", sequence,
                        R"(,"time":"2020-01-01T00:00:00Z","service":"s","type":"x/E","payload":"Mg==")", rest, "}}");
  };
  const std::string cause = R"(,"cause":{"trace":"t","service":"s","method":"m","type":"x/C","payload":""})";
  const std::string snapshot = R"({"snapshot":{"persistence_id":"c","entity_id":"a","sequence":2,)"
                               R"("time":"2020-01-01T00:00:00Z","type":"x/S","payload":""}})";
  struct Case {
    std::vector<std::string> lines;
    std::string problem;
  };
  for (const Case& each : std::vector<Case>{
           {{"not an archive"}, "a.gz is no archive of a journal"},
           {{R"({"archive":"cloudstate-dev journal","version":2})"}, "is an archive of version 2"},
           {{header, "{\"what\":{}}"}, "a.gz:2: it is none of the lines"},
           {{header, entity, entity}, "a.gz:3: c|a is there twice"},
           {{header, event("b", 1, cause)}, "a.gz:2: there is no entity c|b"},
           {{header, entity, event("a", 1, "")}, "a.gz:3: it has no cause"},
           {{header, entity, event("a", 2, cause)}, "a.gz:3: event 2 does not follow"},
           {{header, entity, event("a", 1, cause), event("a", 1, "")}, "a.gz:4: event 1 does not follow"},
           {{header, entity, event("a", 1, cause), snapshot},
            "a.gz:4: it has no cause, and there is no event 2 of c|a"},
           {{header, absl::StrReplaceAll(entity, {{"2020-01-01T", "2020-13-01T"}})}, "there should be a time"},
           {{header, entity, absl::StrReplaceAll(event("a", 1, cause), {{"Mg==", "M!=="}})}, "bytes in base64"},
           {{header, entity + " "}, "a.gz:2: column 130: there should be the end of the line"},
       }) {
    const std::string counts = R"("types":0,"entities":0,"events":0,"snapshots":0,"lives":0,"replicas":0)";
    const absl::Status status = Import(ArchiveOf(each.lines, counts), File("made")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.problem));
    EXPECT_FALSE(std::filesystem::exists(File("made")));
  }
}

TEST_F(JournalArchive, CountsItsLines) {
  const std::string header = R"({"archive":"cloudstate-dev journal","version":1})";
  const std::string none = R"("types":0,"entities":0,"events":0,"snapshots":0,"lives":0,"replicas":0)";
  EXPECT_TRUE(Import(ArchiveOf({header}, none), File("empty")).ok());
  const std::string one = absl::StrReplaceAll(none, {{"\"events\":0", "\"events\":1"}});
  EXPECT_EQ(Import(ArchiveOf({header}, one), File("other")).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalArchive, IsNotImportedOverAJournal) {
  TestDirectory from, full, empty, used;
  FillJournal(from.path());
  FillJournal(full.path());
  const std::string archive = Export(from.journal());
  const std::string before = Export(full.journal());
  const absl::Status refused = Import(archive, full.path()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("has a journal already"));
  EXPECT_EQ(Export(full.journal()), before);
  OpenJournal(empty.path());  // and closed again
  EXPECT_TRUE(Import(archive, empty.path()).ok());
  EXPECT_EQ(Export(empty.journal()), archive);
  auto journal = OpenJournal(used.path());
  EXPECT_THAT(std::string(Import(archive, used.path()).status().message()), HasSubstr("is in use by the emulator"));
}

TEST_F(JournalArchive, RefusesAJournalOfAnOlderVersionWithoutBringingItUpToDate) {
  TestDirectory from, old;
  FillJournal(from.path());
  FillJournal(old.path());
  const auto open = [&] { return *Connection::Open(old.journal(), Connection::Mode::kCreate); };
  ASSERT_EQ(open().Execute("DROP TABLE replica; DROP TABLE replica_life; PRAGMA user_version = 2"), absl::OkStatus());
  EXPECT_THAT(std::string(Import(Export(from.journal()), old.path()).status().message()),
              HasSubstr("has a journal already"));
  EXPECT_EQ(*open().QueryInt("PRAGMA user_version"), 2);
}

// Of an emulator that was killed, whose journal.db somebody has deleted.
TEST_F(JournalArchive, IsNotMixedWithALogThatWasLeftBehind) {
  TestDirectory from, killed, imported, copied;
  FillJournal(from.path());
  {
    auto journal = OpenJournal(killed.path());
    EXPECT_EQ(WriteAndWait(*journal, AppendOf({"cart", "of the killed one"}, 0, 3)), absl::OkStatus());
    for (const TestDirectory* to : {&imported, &copied}) {
      WriteFile(to->journal() + "-wal", ReadFile(killed.journal() + "-wal"));
    }
  }
  const std::string archive = Export(from.journal());
  ASSERT_TRUE(Import(archive, imported.path()).ok());
  EXPECT_FALSE(std::filesystem::exists(imported.journal() + "-wal"));
  ASSERT_EQ(CopyJournal(from.journal(), copied.journal()), absl::OkStatus());
  for (const TestDirectory* to : {&imported, &copied}) EXPECT_EQ(Export(to->journal()), archive);
}

TEST_F(JournalArchive, LeavesAJournalThatIsNoneAsItIs) {
  TestDirectory from, other;
  FillJournal(from.path());
  WriteFile(other.journal(), "something else, which is no SQLite file at all");
  EXPECT_FALSE(Import(Export(from.journal()), other.path()).ok());
  EXPECT_THAT(ReadFile(other.journal()), StartsWith("something else"));
}

TEST_F(JournalArchive, LeavesNothingWhereSomebodyEndsIt) {
  TestDirectory from;
  FillJournal(from.path());
  const ArchiveProgress end = [](const ArchiveCounts&) { return absl::CancelledError("enough"); };
  EXPECT_EQ(ExportJournal(from.journal(), {}, OutputTo(File("ended.gz")), end).status().code(),
            absl::StatusCode::kCancelled);
  WriteFile(File("whole.gz"), Export(from.journal()));
  EXPECT_EQ(ImportJournal(InputFrom(File("whole.gz")), File("made"), end).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(File("made")));
}

TEST_F(JournalArchive, ACopyHoldsTheSame) {
  TestDirectory from, to;
  FillJournal(from.path());
  auto journal = OpenJournal(from.path());  // which somebody has at that time
  EXPECT_EQ(CopyJournal(from.journal(), to.journal()), absl::OkStatus());
  EXPECT_EQ(Export(to.journal()), Export(from.journal()));
  EXPECT_EQ(CountSoundEvents(*OpenJournal(to.path()), kCart), 4);
}

TEST(ArchiveLine, ReadsBackEveryTextNumberAndTime) {
  std::string every;
  for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
  std::string line;
  ArchiveLineWriter(line).Text(every).Bytes(every).Bytes("").Number(~std::uint64_t{0}).Raw(" ").Time(-1).Time(0);
  std::string text, bytes, none = "x";
  std::uint64_t number = 0;
  std::int64_t before = 0, then = 1;
  ArchiveLineReader reader(line);
  reader.Text(text).Bytes(bytes).Bytes(none).Number(number).Raw(" ").Time(before).Time(then);
  EXPECT_EQ(reader.End(), absl::OkStatus());
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_EQ(text, every);
  EXPECT_EQ(bytes, every);
  EXPECT_EQ(none, "");
  EXPECT_EQ(number, ~std::uint64_t{0});
  EXPECT_EQ(before, -1);
  EXPECT_EQ(then, 0);
}

TEST(ArchiveLine, TellsTheColumnOfTheFirstThingThatIsWrong) {
  std::string text;
  std::int64_t number = 0;
  for (const auto& [line, problem] : std::vector<std::pair<std::string, std::string>>{
           {"\"abc", "column 5: there should be a text's next character, or its end"},
           {"\"a\\x\"", "column 3: there should be a text's next character, or its end"},
           {"\"a\"x", "column 4: there should be a number"},
           {"\"a\"9223372036854775808", "column 4: there should be a number of 63 bits"},
           {"\"a\"99999999999999999999", "column 4: there should be a number"},
           {"\"a\"1,", "column 5: there should be the end of the line"}}) {
    ArchiveLineReader reader(line);
    EXPECT_EQ(std::string(reader.Text(text).Number(number).End().message()), problem) << line;
  }
}

}  // namespace
}  // namespace cloudstate::journal
