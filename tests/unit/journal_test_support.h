#pragma once

#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "emulator/journal/sqlite_journal.h"
#include "gtest/gtest.h"

namespace cloudstate::journal {

// A directory of a test's own, removed with it.
class TestDirectory {
 public:
  TestDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "journal-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) abort();
    path_ = path;
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string journal() const { return JournalFileIn(path_); }

 private:
  std::string path_;
};

inline SqliteJournal::Options OptionsFor(const std::string& directory, Durability durability = Durability::kFull) {
  return {.directory = directory, .durability = durability, .addresses = {}, .limits = {}};
}

inline std::unique_ptr<SqliteJournal> OpenJournal(const SqliteJournal::Options& options) {
  auto journal = SqliteJournal::Open(options);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

inline std::unique_ptr<SqliteJournal> OpenJournal(const std::string& directory) {
  return OpenJournal(OptionsFor(directory));
}

inline const EntityKey kCart{"cart", "a"};

// An append of `count` events whose payloads are their sequence numbers.
inline Append AppendOf(const EntityKey& key, SequenceNumber expected, int count = 1) {
  Append append{
      .key = key,
      .service = "example.Cart",
      .expected = expected,
      .events = {},
      .snapshot = std::nullopt,
      .cause = {.trace_id = "trace", .service = "example.Cart", .method = "Add", .command = {"x/Command", "c"}},
      .time = absl::FromUnixSeconds(1'600'000'000),
      .fence = {}};
  for (int i = 1; i <= count; ++i) append.events.push_back({"x/Event", absl::StrCat(expected + i)});
  return append;
}

inline std::future<absl::Status> StartWrite(Journal& journal, Append append) {
  auto done = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> result = done->get_future();
  journal.Write(std::move(append), [done](absl::Status status) { done->set_value(std::move(status)); });
  return result;
}

inline absl::Status WriteAndWait(Journal& journal, Append append) {
  return StartWrite(journal, std::move(append)).get();
}

inline std::future<absl::StatusOr<Deleted>> StartDelete(Journal& journal, const EntityKey& key) {
  auto done = std::make_shared<std::promise<absl::StatusOr<Deleted>>>();
  std::future<absl::StatusOr<Deleted>> result = done->get_future();
  journal.Delete(key, [done](absl::StatusOr<Deleted> deleted) { done->set_value(std::move(deleted)); });
  return result;
}

using Holders = absl::StatusOr<std::vector<ShardHolder>>;

inline std::future<Holders> StartClaim(Journal& journal, std::vector<ShardClaim> claims) {
  auto done = std::make_shared<std::promise<Holders>>();
  std::future<Holders> result = done->get_future();
  journal.Claim(std::move(claims), [done](Holders holders) { done->set_value(std::move(holders)); });
  return result;
}

inline absl::StatusOr<Replay> LoadPage(Journal& journal, const EntityKey& key, std::optional<SequenceNumber> after = {},
                                       std::size_t max_bytes = 1 << 20) {
  std::promise<absl::StatusOr<Replay>> done;
  journal.Load(key, after, max_bytes, [&](absl::StatusOr<Replay> replay) { done.set_value(std::move(replay)); });
  return done.get_future().get();
}

inline absl::StatusOr<Replay> LoadLast(Journal& journal, const EntityKey& key) {
  std::promise<absl::StatusOr<Replay>> done;
  journal.LoadLast(key, [&](absl::StatusOr<Replay> replay) { done.set_value(std::move(replay)); });
  return done.get_future().get();
}

// How many events an entity has, having checked that they are 1, 2, … with the payloads of AppendOf.
inline SequenceNumber CountSoundEvents(Journal& journal, const EntityKey& key) {
  SequenceNumber last = 0;
  for (;;) {
    absl::StatusOr<Replay> page = LoadPage(journal, key, last);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return -1;
    for (const Event& event : page->events) {
      EXPECT_EQ(event.sequence, ++last);
      EXPECT_EQ(event.payload, (Payload{"x/Event", absl::StrCat(last)}));
    }
    if (page->complete) return last;
  }
}

inline std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline bool Contains(const absl::Status& status, const std::string& part) {
  return std::string(status.message()).find(part) != std::string::npos;
}

}  // namespace cloudstate::journal
