#include "cmd/cloudstate-dev/export_source.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/journal/directory_lock.h"
#include "emulator/journal/sqlite_journal.h"

namespace cloudstate::cli {
namespace {

// Where an emulator on this machine may have its journal: the directory is as it was told to it, and an ephemeral one
// tells none.
std::vector<std::filesystem::path> LikelyDirectories(const dev::v1::Status& status) {
  if (!status.data_directory().empty()) {
    const std::filesystem::path told = status.data_directory();
    return {told, std::filesystem::path(absl::StrCat("/proc/", status.pid(), "/cwd")) / told};
  }
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    found.push_back(entry->path());
  }
  return found;
}

bool IsHeldBy(const std::filesystem::path& directory, std::int64_t pid) {
  const absl::StatusOr<std::optional<journal::LockHolder>> holder = journal::ReadLock(directory.string());
  return holder.ok() && holder->has_value() && (*holder)->pid == pid;
}

absl::StatusOr<std::string> JournalOfEmulator(const std::string& address) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(address);
  if (!client.ok()) return client.status();
  absl::StatusOr<dev::v1::Status> status = (*client)->Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return status.status();
  for (const std::filesystem::path& directory : LikelyDirectories(*status)) {
    if (IsHeldBy(directory, status->pid())) return journal::JournalFileIn(directory.string());
  }
  return absl::NotFoundError(absl::StrCat("The emulator at ", address,
                                          " has its journal where this program does not find it. Run this on the "
                                          "emulator's machine, as its user, with the same TMPDIR."));
}

}  // namespace

absl::StatusOr<std::string> FindJournalFile(const Settings& settings) {
  if (!settings.admin.empty()) return JournalOfEmulator(settings.admin);
  const std::string file = journal::JournalFileIn(settings.data_directory);
  std::error_code error;
  if (std::filesystem::exists(file, error)) return file;
  return absl::NotFoundError(absl::StrCat(settings.data_directory,
                                          " holds no journal. Name another directory with --data-dir, or a running "
                                          "emulator with --admin."));
}

std::string ArchiveCountsText(const journal::ArchiveCounts& counts) {
  std::string text = absl::StrCat(Counted(counts.entities, "entity"), ", ", Counted(counts.events, "event"), ", ",
                                  Counted(counts.snapshots, "snapshot"));
  if (counts.replicas > 0) absl::StrAppend(&text, ", ", Counted(counts.replicas, "piece"), " of CRDT replicas");
  return text;
}

std::string ArchiveCountsJson(const journal::ArchiveCounts& counts) {
  return absl::StrCat("\"types\":", counts.types, ",\"entities\":", counts.entities, ",\"events\":", counts.events,
                      ",\"snapshots\":", counts.snapshots, ",\"lives\":", counts.lives,
                      ",\"replicas\":", counts.replicas);
}

}  // namespace cloudstate::cli
