#include "cmd/cloudstate-dev/running_journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

absl::StatusOr<RunningEntity> FindRunningEntity(const Settings& settings, const std::string& name) {
  absl::StatusOr<std::optional<std::string>> emulator = FindEmulator(settings);
  if (!emulator.ok()) return emulator.status();
  if (!emulator->has_value()) {
    return absl::UnavailableError(
        absl::StrCat("This needs a running emulator, and none holds ", settings.data_directory,
                     ". Start one with `cloudstate-dev run`, or name another with --admin or --data-dir."));
  }
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(**emulator);
  if (!client.ok()) return client.status();
  absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(settings);
  if (!journal.ok()) return journal.status();
  absl::StatusOr<dev::v1::Entity> entity = FindEntity(**journal, {name});
  if (!entity.ok()) return entity.status();
  return RunningEntity{*std::move(client), *std::move(entity)};
}

int FailToFind(const absl::Status& status) { return Fail(status, absl::IsUnavailable(status) ? kNotFound : kFailed); }

}  // namespace cloudstate::cli
