#include "emulator/journal/sqlite_journal.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/view.h"
#include "emulator/journal/durable.h"
#include "emulator/journal/schema.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {
namespace {

constexpr int kReaders = 2;

absl::Status MakeDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat("cannot make the data directory ", directory, "; choose another one"));
}

absl::Status SyncNames(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(directory, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot find the data directory ", directory));
  for (const std::filesystem::path& each : {path, path.parent_path()}) {
    absl::Status status = MakeDurable(each.string());
    // Where it is not ours, we didn't make anything in it.
    if (!status.ok() && !absl::IsPermissionDenied(status)) return status;
  }
  return absl::OkStatus();
}

const char* SynchronousFor(Durability durability) {
  switch (durability) {
    case Durability::kFull:
      return "FULL";
    case Durability::kRelaxed:
      return "NORMAL";
    case Durability::kEphemeral:
      return "OFF";
  }
  return "FULL";
}

absl::StatusOr<std::unique_ptr<Writer>> OpenWriter(const std::string& file, Durability durability, Fences& fences) {
  absl::StatusOr<Connection> connection = Connection::Open(file, Connection::Mode::kCreate);
  if (!connection.ok()) return connection.status();
  // Before anything is written to it: a file that is not a journal stays as it is.
  if (absl::Status status = Migrate(*connection); !status.ok()) return status;
  absl::StatusOr<std::string> mode = connection->QueryString("PRAGMA journal_mode = WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") {
    return absl::FailedPreconditionError(absl::StrCat(
        "journal ", file, ": its file system can't hold a write-ahead log. Choose a data directory on a local disk."));
  }
  // A log of 4,000 pages (16 MiB) before each checkpoint: pages that are written again and again go to the main file
  // once. It is reused from its start afterwards; only one that grew unusually long is cut.
  absl::Status status =
      connection->Execute(absl::StrCat("PRAGMA synchronous = ", SynchronousFor(durability),
                                       "; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864"
                                       "; PRAGMA cache_size = -8000"));
  if (!status.ok()) return status;
  return Writer::Make(*std::move(connection), fences);
}

absl::StatusOr<std::unique_ptr<Reader>> OpenReader(const std::string& file) {
  absl::StatusOr<Connection> connection = Connection::Open(file, Connection::Mode::kReadOnly);
  if (!connection.ok()) return connection.status();
  return Reader::Make(*std::move(connection));
}

absl::Status Closed() {
  return absl::UnavailableError("the journal has been closed because the emulator ends; start it again");
}

absl::Status TooMuch(std::string_view what) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "too many ", base::ToAbsl(what), " wait for the journal's disk; send fewer at a time, or use a faster disk"));
}

}  // namespace

std::string JournalFileIn(const std::string& directory) { return directory + "/journal.db"; }

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const Options& options) {
  std::string directory = options.directory;
  std::optional<TemporaryDirectory> temporary;
  if (options.durability == Durability::kEphemeral) {
    absl::StatusOr<TemporaryDirectory> made = TemporaryDirectory::Make();
    if (!made.ok()) return made.status();
    temporary.emplace(*std::move(made));
    directory = temporary->path();
  } else if (absl::Status status = MakeDirectory(directory); !status.ok()) {
    return status;
  }
  absl::StatusOr<DirectoryLock> lock = DirectoryLock::Acquire(directory, options.addresses);
  if (!lock.ok()) return lock.status();
  const std::string file = JournalFileIn(directory);
  auto fences = std::make_unique<Fences>();
  absl::StatusOr<std::unique_ptr<Writer>> writer = OpenWriter(file, options.durability, *fences);
  if (!writer.ok()) return writer.status();
  auto former_lives = (*writer)->FormerLives();
  if (!former_lives.ok()) return former_lives.status();
  if (options.durability == Durability::kFull) {
    if (absl::Status status = SyncNames(directory); !status.ok()) return status;
  }
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < kReaders; ++i) {
    absl::StatusOr<std::unique_ptr<Reader>> reader = OpenReader(file);
    if (!reader.ok()) return reader.status();
    readers.push_back(*std::move(reader));
  }
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(directory), std::move(temporary), *std::move(lock),
                                                          std::move(fences), *std::move(former_lives),
                                                          *std::move(writer), std::move(readers), options.limits));
}

SqliteJournal::SqliteJournal(std::string directory, std::optional<TemporaryDirectory> temporary, DirectoryLock lock,
                             std::unique_ptr<Fences> fences, std::map<std::uint32_t, std::uint64_t> former_lives,
                             std::unique_ptr<Writer> writer, std::vector<std::unique_ptr<Reader>> readers,
                             const Limits& limits)
    : directory_(std::move(directory)),
      limits_(limits),
      lock_(std::move(lock)),
      temporary_(std::move(temporary)),
      fences_(std::move(fences)),
      former_lives_(std::move(former_lives)),
      writer_(std::move(writer)),
      readers_(std::move(readers)),
      requests_({limits.outstanding_writes, limits.outstanding_bytes}),
      answers_({}),
      loads_({.items = limits.outstanding_loads}),
      writer_thread_([this] { RunWriter(); }),
      answers_thread_([this] { RunAnswers(); }) {
  for (std::unique_ptr<Reader>& reader : readers_)
    reader_threads_.emplace_back([this, &reader] { RunReader(*reader); });
}

SqliteJournal::~SqliteJournal() { Close(); }

void SqliteJournal::Close() {
  requests_.Close();
  loads_.Close();
  if (!writer_thread_.joinable()) return;
  writer_thread_.join();
  answers_.Close();
  answers_thread_.join();
  for (std::thread& thread : reader_threads_) thread.join();
  readers_.clear();
  writer_->Checkpoint();
  writer_.reset();
  temporary_.reset();
  lock_.reset();
}

void SqliteJournal::Write(Append append, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(std::move(append), std::move(done));
}

void SqliteJournal::Delete(EntityKey key, absl::AnyInvocable<void(absl::StatusOr<Deleted>)> done) {
  auto deleted = std::make_shared<Deleted>();
  Enqueue(Deletion{std::move(key), deleted}, [deleted, done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) return done(std::move(status));
    done(*deleted);
  });
}

void SqliteJournal::Claim(std::vector<ShardClaim> claims,
                          absl::AnyInvocable<void(absl::StatusOr<std::vector<ShardHolder>>)> done) {
  auto holders = std::make_shared<std::vector<ShardHolder>>();
  Enqueue(Claims{std::move(claims), holders}, [holders, done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) return done(std::move(status));
    done(std::move(*holders));
  });
}

void SqliteJournal::Inherit(std::uint32_t nodes, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(ReplicaChange(InheritReplicas{nodes}), std::move(done));
}

// By the writer, so that it sees what was to be kept before.
void SqliteJournal::BeginLife(std::uint32_t node, std::uint64_t life,
                              absl::AnyInvocable<void(absl::StatusOr<std::vector<ReplicaPiece>>)> done) {
  auto pieces = std::make_shared<std::vector<ReplicaPiece>>();
  Enqueue(ReplicaChange(BeginReplicaLife{node, life, pieces}),
          [pieces, done = std::move(done)](absl::Status status) mutable {
            if (!status.ok()) return done(std::move(status));
            done(std::move(*pieces));
          });
}

void SqliteJournal::Keep(std::vector<ReplicaPiece> pieces, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(ReplicaChange(KeepReplicas{std::move(pieces)}), std::move(done));
}

void SqliteJournal::KeepOnly(std::vector<std::uint32_t> nodes, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(ReplicaChange(KeepOnlyReplicas{std::move(nodes)}), std::move(done));
}

void SqliteJournal::ClearAll(absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(CopyChange(ClearStored{}), std::move(done));
}

void SqliteJournal::KeepCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::StatusOr<StoredAmount>)> done) {
  auto amount = std::make_shared<StoredAmount>();
  Enqueue(CopyChange(KeepStored{copy, amount}), [amount, done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) return done(std::move(status));
    done(*amount);
  });
}

void SqliteJournal::RestoreCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(CopyChange(ClearStored{.restored = copy}), std::move(done));
}

void SqliteJournal::DropCopies(std::vector<std::uint64_t> copies, absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(CopyChange(DropKept{std::move(copies)}), std::move(done));
}

void SqliteJournal::StoreDescriptorSet(std::string name, std::string bytes,
                                       absl::AnyInvocable<void(absl::Status)> done) {
  Enqueue(DescriptorSet{std::move(name), std::move(bytes), absl::Now()}, std::move(done));
}

void SqliteJournal::Enqueue(Change change, absl::AnyInvocable<void(absl::Status)> done) {
  const std::size_t bytes = BytesOf(change);
  Request request{std::move(change), std::move(done)};
  switch (requests_.Push(request, bytes)) {
    case WorkQueue<Request>::Pushed::kYes:
      return;
    case WorkQueue<Request>::Pushed::kFull:
      return request.done(TooMuch("writes"));
    case WorkQueue<Request>::Pushed::kClosed:
      return request.done(Closed());
  }
}

void SqliteJournal::Load(const EntityKey& key, std::optional<SequenceNumber> after, std::size_t max_bytes,
                         absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) {
  Enqueue(LoadRequest{[key, after, max_bytes](Reader& reader) { return reader.Load(key, after, max_bytes); },
                      std::move(done)});
}

void SqliteJournal::LoadLast(const EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) {
  Enqueue(LoadRequest{[key](Reader& reader) { return reader.LoadLast(key); }, std::move(done)});
}

void SqliteJournal::Enqueue(LoadRequest request) {
  switch (loads_.Push(request, 0)) {
    case WorkQueue<LoadRequest>::Pushed::kYes:
      return;
    case WorkQueue<LoadRequest>::Pushed::kFull:
      return request.done(TooMuch("loads"));
    case WorkQueue<LoadRequest>::Pushed::kClosed:
      return request.done(Closed());
  }
}

void SqliteJournal::RunWriter() {
  for (;;) {
    auto taken = requests_.Take({limits_.transaction_writes, limits_.transaction_bytes});
    if (taken.items.empty()) return;
    std::vector<Change> changes;
    changes.reserve(taken.items.size());
    for (Request& request : taken.items) changes.push_back(std::move(request.change));
    std::vector<absl::Status> outcomes = writer_->Commit(changes);
    Batch batch{.answers = {}, .bytes = taken.bytes};
    batch.answers.reserve(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      batch.answers.push_back({std::move(taken.items[i].done), std::move(outcomes[i])});
    }
    answers_.Push(batch, 0);
  }
}

void SqliteJournal::RunAnswers() {
  for (;;) {
    auto taken = answers_.Take({.items = 1});
    if (taken.items.empty()) return;
    Batch& batch = taken.items.front();
    requests_.Release(batch.answers.size(), batch.bytes);
    for (Answer& answer : batch.answers) answer.done(std::move(answer.status));
  }
}

void SqliteJournal::RunReader(Reader& reader) {
  for (;;) {
    auto taken = loads_.Take({.items = 1});
    if (taken.items.empty()) return;
    LoadRequest& request = taken.items.front();
    absl::StatusOr<Replay> replay = request.read(reader);
    loads_.Release(1, 0);
    request.done(std::move(replay));
  }
}

}  // namespace cloudstate::journal
