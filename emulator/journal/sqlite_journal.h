#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/copies.h"
#include "emulator/journal/directory_lock.h"
#include "emulator/journal/journal.h"
#include "emulator/journal/reader.h"
#include "emulator/journal/replica_store.h"
#include "emulator/journal/temporary_directory.h"
#include "emulator/journal/work_queue.h"
#include "emulator/journal/writer.h"

namespace cloudstate::journal {

// What an acknowledged append survives.
enum class Durability {
  kFull,       // a loss of power: each commit waits for the disk
  kRelaxed,    // a crash of the emulator, but what the operating system has not written yet is lost with it or with the
               // power
  kEphemeral,  // nothing: kept in a temporary directory, which is removed when the journal is closed
};

// The database of a data directory.
std::string JournalFileIn(const std::string& directory);

// A journal in an SQLite file. One thread writes: it takes all that has queued up as one transaction (group commit), so
// that many appends share one wait for the disk. A second thread gives the answers, so that slow receivers do not hold
// up the next transaction. Two more read, each through a connection of its own.
class SqliteJournal final : public Journal, public ReplicaStore, public Copies {
 public:
  // Beyond what may be outstanding, writes and loads are refused with RESOURCE_EXHAUSTED.
  struct Limits {
    std::size_t outstanding_writes = 16'384;
    std::size_t outstanding_bytes = 64 << 20;
    std::size_t outstanding_loads = 16'384;
    std::size_t transaction_writes = 1'024;
    std::size_t transaction_bytes = 8 << 20;
  };

  struct Options {
    std::string directory;  // made if missing; without meaning for kEphemeral
    Durability durability = Durability::kFull;
    Addresses addresses;  // for the lock file
    Limits limits;
  };

  // FAILED_PRECONDITION: another emulator has the directory, the file is of a newer version or of another program.
  // PERMISSION_DENIED, RESOURCE_EXHAUSTED, DATA_LOSS, UNAVAILABLE: as for Journal.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const Options& options);

  // Closes. Not from an answer.
  ~SqliteJournal() override;

  // A refusal because of a limit or after Close is answered before the call returns, everything else on a thread of the
  // journal.
  void Write(Append append, absl::AnyInvocable<void(absl::Status)> done) override;
  void Load(const EntityKey& key, std::optional<SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) override;
  void LoadLast(const EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<Replay>)> done) override;
  // Counts as a write.
  void Delete(EntityKey key, absl::AnyInvocable<void(absl::StatusOr<Deleted>)> done) override;
  // Counts as a write. Holders are not kept in the file: after reopening nobody holds anything.
  void Claim(std::vector<ShardClaim> claims,
             absl::AnyInvocable<void(absl::StatusOr<std::vector<ShardHolder>>)> done) override;
  bool Holds(const Fence& fence) const override { return fences_->Holds(fence); }

  // All of these count as writes.
  const std::map<std::uint32_t, std::uint64_t>& FormerLives() const override { return former_lives_; }
  void Inherit(std::uint32_t nodes, absl::AnyInvocable<void(absl::Status)> done) override;
  void BeginLife(std::uint32_t node, std::uint64_t life,
                 absl::AnyInvocable<void(absl::StatusOr<std::vector<ReplicaPiece>>)> done) override;
  void Keep(std::vector<ReplicaPiece> pieces, absl::AnyInvocable<void(absl::Status)> done) override;
  void KeepOnly(std::vector<std::uint32_t> nodes, absl::AnyInvocable<void(absl::Status)> done) override;

  // These, too.
  void ClearAll(absl::AnyInvocable<void(absl::Status)> done) override;
  void KeepCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::StatusOr<StoredAmount>)> done) override;
  void RestoreCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::Status)> done) override;
  void DropCopies(std::vector<std::uint64_t> copies, absl::AnyInvocable<void(absl::Status)> done) override;

  // Keeps a serialized google.protobuf.FileDescriptorSet, once for each content; `name` says where it came from.
  void StoreDescriptorSet(std::string name, std::string bytes, absl::AnyInvocable<void(absl::Status)> done);

  // Finishes and answers what has been asked for, puts all into the main file and gives the directory back. Later calls
  // of anything but Close are refused with UNAVAILABLE. Not from an answer.
  void Close();

  // Tells other processes where this emulator is reached. Not after Close.
  absl::Status SetLockAddresses(const Addresses& addresses) { return lock_->SetAddresses(addresses); }

  const std::string& directory() const { return directory_; }
  std::string file() const { return JournalFileIn(directory_); }

 private:
  struct Request {
    Change change;
    absl::AnyInvocable<void(absl::Status)> done;
  };
  struct Answer {
    absl::AnyInvocable<void(absl::Status)> done;
    absl::Status status;
  };
  struct Batch {  // of answers
    std::vector<Answer> answers;
    std::size_t bytes = 0;
  };
  struct LoadRequest {
    absl::AnyInvocable<absl::StatusOr<Replay>(Reader&)> read;
    absl::AnyInvocable<void(absl::StatusOr<Replay>)> done;
  };

  SqliteJournal(std::string directory, std::optional<TemporaryDirectory> temporary, DirectoryLock lock,
                std::unique_ptr<Fences> fences, std::map<std::uint32_t, std::uint64_t> former_lives,
                std::unique_ptr<Writer> writer, std::vector<std::unique_ptr<Reader>> readers, const Limits& limits);

  void Enqueue(Change change, absl::AnyInvocable<void(absl::Status)> done);
  void RunWriter();
  void RunAnswers();
  void Enqueue(LoadRequest request);
  void RunReader(Reader& reader);

  const std::string directory_;
  const Limits limits_;
  std::optional<DirectoryLock> lock_;
  std::optional<TemporaryDirectory> temporary_;
  const std::unique_ptr<Fences> fences_;  // the writer refers to them
  const std::map<std::uint32_t, std::uint64_t> former_lives_;
  std::unique_ptr<Writer> writer_;                // touched by the writer thread only, while it runs
  std::vector<std::unique_ptr<Reader>> readers_;  // each by its own thread only

  WorkQueue<Request> requests_;
  WorkQueue<Batch> answers_;  // bounded by what is outstanding in requests_
  WorkQueue<LoadRequest> loads_;
  std::thread writer_thread_;
  std::thread answers_thread_;
  std::vector<std::thread> reader_threads_;
};

}  // namespace cloudstate::journal
