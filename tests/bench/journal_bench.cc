// How many one-event appends a second the journal makes durable, with 1, 16 and 64 of them outstanding at a time over
// 1,000 entities, and how fast it replays.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/journal/sqlite_journal.h"

namespace cloudstate::journal {
namespace {

constexpr int kEntities = 1'000;

class Directory {
 public:
  Directory() {
    std::string path = (std::filesystem::temp_directory_path() / "journal-bench-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Append OneEvent(int entity, SequenceNumber expected) {
  return Append{.key = {"shopping-cart", absl::StrCat("user-", entity)},
                .service = "com.example.shoppingcart.ShoppingCart",
                .expected = expected,
                .events = {Payload{"type.googleapis.com/com.example.ItemAdded", std::string(60, 'e')}},
                .snapshot = std::nullopt,
                .cause = {.trace_id = "0af7651916cd43dd8448eb211c80319c",
                          .service = "com.example.shoppingcart.ShoppingCart",
                          .method = "AddItem",
                          .command = {"type.googleapis.com/com.example.AddLineItem", std::string(60, 'c')}},
                .time = absl::Now()};
}

std::unique_ptr<SqliteJournal> OpenOrSkip(benchmark::State& state, const std::string& directory,
                                          Durability durability) {
  auto journal = SqliteJournal::Open({.directory = directory, .durability = durability, .addresses = {}, .limits = {}});
  if (journal.ok()) return *std::move(journal);
  state.SkipWithError(journal.status().ToString().c_str());
  return nullptr;
}

// The argument: how many are outstanding.
void Appends(benchmark::State& state, Durability durability) {
  Directory directory;
  std::unique_ptr<SqliteJournal> journal = OpenOrSkip(state, directory.path(), durability);
  if (journal == nullptr) return;
  std::vector<SequenceNumber> last(kEntities, 0);
  std::counting_semaphore<> free(state.range(0));
  std::atomic<int> failed = 0;
  int next = 0;
  for (auto _ : state) {
    free.acquire();
    const int entity = next++ % kEntities;
    journal->Write(OneEvent(entity, last[static_cast<std::size_t>(entity)]++), [&](absl::Status status) {
      if (!status.ok()) ++failed;
      free.release();
    });
  }
  journal->Close();
  if (failed != 0) state.SkipWithError("appends failed");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(Appends, full, Durability::kFull)->Arg(1)->Arg(16)->Arg(64)->Arg(512)->UseRealTime();
BENCHMARK_CAPTURE(Appends, relaxed, Durability::kRelaxed)->Arg(1)->Arg(16)->Arg(64)->Arg(512)->UseRealTime();
BENCHMARK_CAPTURE(Appends, ephemeral, Durability::kEphemeral)->Arg(1)->Arg(16)->Arg(64)->Arg(512)->UseRealTime();

// The argument: how many events the entity has.
void Replays(benchmark::State& state) {
  Directory directory;
  std::unique_ptr<SqliteJournal> journal = OpenOrSkip(state, directory.path(), Durability::kRelaxed);
  if (journal == nullptr) return;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    std::promise<absl::Status> done;
    journal->Write(OneEvent(0, i), [&](absl::Status status) { done.set_value(std::move(status)); });
    if (absl::Status status = done.get_future().get(); !status.ok()) state.SkipWithError(status.ToString().c_str());
  }
  for (auto _ : state) {
    std::promise<std::size_t> loaded;
    journal->Load(OneEvent(0, 0).key, std::nullopt, 1 << 20,
                  [&](absl::StatusOr<Replay> replay) { loaded.set_value(replay.ok() ? replay->events.size() : 0); });
    if (loaded.get_future().get() != static_cast<std::size_t>(state.range(0))) state.SkipWithError("a replay failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Replays)->Arg(1)->Arg(100)->Arg(1'000)->UseRealTime();

}  // namespace
}  // namespace cloudstate::journal
