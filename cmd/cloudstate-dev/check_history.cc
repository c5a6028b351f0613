#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/check_history_names.h"
#include "cmd/cloudstate-dev/check_history_report.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/export_source.h"
#include "cmd/cloudstate-dev/import_file.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/stored_service.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/admin/replaying.h"
#include "emulator/journal/sqlite_journal.h"
#include "emulator/journal/temporary_directory.h"

namespace cloudstate::cli {
namespace {

constexpr char kCheckHistoryExamples[] =
    "  cloudstate-dev check-history --serve 'node index.js'\n"
    "  cloudstate-dev check-history --archive carts.journal.gz --user-function 127.0.0.1:8080\n"
    "  cloudstate-dev check-history --serve ./cart --ignore ItemAdded.time --read GetCart --junit history.xml";

struct CheckHistoryOptions {
  UserFunctionChoice user_function;
  absl::Duration start_up = absl::Seconds(30);
  std::string archive;
  std::string entity;
  std::string service;
  std::string junit;
  std::int64_t limit = 0;
  int workers = 8;
  bool fail_fast = false;
  HistoryCheck check;
};

// The original is never touched.
absl::Status CopyOriginal(const Settings& settings, const CheckHistoryOptions& options, const CallEnd& end,
                          const std::string& directory) {
  if (!options.archive.empty()) {
    const journal::ArchiveProgress progress = [&](const journal::ArchiveCounts&) {
      return end.interrupted() ? absl::CancelledError("Interrupted: nothing was checked.") : absl::OkStatus();
    };
    return ImportFile(options.archive, directory, progress).status();
  }
  absl::StatusOr<std::string> file = FindJournalFile(settings);
  if (!file.ok()) return file.status();
  return journal::CopyJournal(*file, journal::JournalFileIn(directory));
}

// With which commands find the emulator of this one.
Settings SettingsOf(const Client& client) {
  Settings settings;
  settings.admin = client.address();
  return settings;
}

absl::StatusOr<std::vector<dev::v1::Entity>> EntitiesToCheck(Client& client, const CheckHistoryOptions& options) {
  if (!options.entity.empty()) {
    absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(SettingsOf(client));
    if (!journal.ok()) return journal.status();
    absl::StatusOr<dev::v1::Entity> entity = FindEntity(**journal, {options.entity});
    if (!entity.ok()) return entity.status();
    return std::vector{*std::move(entity)};
  }
  std::vector<dev::v1::Entity> entities;
  dev::v1::ListEntitiesRequest request;
  request.mutable_filter()->set_service(options.service);
  request.set_page_size(1'000);
  do {
    absl::StatusOr<dev::v1::ListEntitiesResponse> page = client.Call(&Client::Stub::ListEntities, request);
    if (!page.ok()) return page.status();
    for (dev::v1::Entity& entity : *page->mutable_entities()) {
      if (options.limit > 0 && entities.size() == static_cast<std::size_t>(options.limit)) return entities;
      entities.push_back(std::move(entity));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return entities;
}

// Checks many entities at once.
class HistoryRun {
 public:
  HistoryRun(Client& client, const CheckHistoryOptions& options, bool json, CallEnd& end)
      : client_(client), options_(options), json_(json), end_(end), line_(!json) {}

  HistoryReport Check(const std::vector<dev::v1::Entity>& entities) {
    std::vector<std::thread> workers;
    for (int i = 0; i < options_.workers; ++i) {
      workers.emplace_back([&] {
        for (std::size_t next = next_++; next < entities.size() && !ended_ && !end_.interrupted(); next = next_++) {
          Tell(next, CheckEntity(client_, entities[next], options_.check, replays_, end_), entities.size());
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return std::move(report_);
  }

 private:
  // In the order of the entities, whichever is done first.
  void Tell(std::size_t index, EntityHistory history, std::size_t of) {
    const std::lock_guard lock(mutex_);
    done_.emplace(index, std::move(history));
    for (auto first = done_.begin(); first != done_.end() && first->first == told_;
         first = done_.erase(first), ++told_) {
      TellOne(first->second);
    }
    line_.Show(absl::StrCat(told_, " of ", of, " entities; Ctrl-C ends"));
  }

  void TellOne(const EntityHistory& history) {
    if (ended_) return;
    report_.Add(history);
    if (report_.failed() && options_.fail_fast) ended_ = true;
    if (json_) return;
    const std::string text = HistoryReport::FormatEntity(history, StandardOutput());
    if (text.empty()) return;
    line_.Clear();
    Print(text);
  }

  Client& client_;
  const CheckHistoryOptions& options_;
  const bool json_;
  CallEnd& end_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> ended_ = false;
  absl::Mutex replays_;
  std::mutex mutex_;
  std::map<std::size_t, EntityHistory> done_;  // that wait for those before them
  std::size_t told_ = 0;
  ProgressLine line_;
  HistoryReport report_;
};

int Tell(const HistoryReport& report, const CheckHistoryOptions& options, bool json, absl::Duration took) {
  Print(json ? report.Json(took) : report.FormatSummary(took, StandardOutput()));
  if (!options.junit.empty()) {
    if (absl::Status status = WriteFile(options.junit, report.JUnit(took)); !status.ok()) return Fail(status);
  }
  return report.failed() ? kFailed : kOk;
}

// What fails since it was interrupted has not failed.
int FailOrEnd(const absl::Status& status, const CallEnd& end, ExitCode code = kFailed) {
  if (!end.interrupted()) return Fail(status, code);
  return Fail(absl::CancelledError("Interrupted: nothing was checked."), kInterrupted);
}

int CheckCopy(const Settings& settings, CheckHistoryOptions& options, const std::string& directory, CallEnd& end) {
  absl::StatusOr<std::unique_ptr<OwnEmulator>> emulator =
      OwnEmulator::Start({.user_function = options.user_function,
                          .settings = {},
                          .data_directory = directory,
                          .start_up = options.start_up,
                          .given_up = [&end] { return end.interrupted(); }});
  if (!emulator.ok()) return FailOrEnd(emulator.status(), end);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect((*emulator)->admin_address());
  if (!client.ok()) return FailOrEnd(client.status(), end);
  if (absl::Status status = UseStoredService(SettingsOf(**client), options.service); !status.ok()) {
    return FailOrEnd(status, end, kUsage);
  }
  absl::StatusOr<std::vector<dev::v1::Entity>> entities = EntitiesToCheck(**client, options);
  if (!entities.ok()) return FailOrEnd(entities.status(), end);
  if (entities->empty()) {
    return FailOrEnd(
        absl::NotFoundError("There are no entities to check: the journal, or what --service lets through, is "
                            "empty."),
        end);
  }
  if (absl::Status status = ResolveNames(**client, *entities, options.check); !status.ok()) {
    return FailOrEnd(status, end, absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kUsage : kFailed);
  }
  const absl::Time begin = absl::Now();
  const HistoryReport report = HistoryRun(**client, options, settings.json, end).Check(*entities);
  const int code = Tell(report, options, settings.json, absl::Now() - begin);
  return end.interrupted() ? kInterrupted : code;
}

int CheckHistory(const Settings& settings, CheckHistoryOptions options) {
  if (options.user_function.empty()) {
    return Fail(absl::InvalidArgumentError("Which user function? Name one with --user-function, --serve, --sample, or "
                                           "a command after --."),
                kUsage);
  }
  if (!options.junit.empty()) {
    if (absl::Status status = CheckMayWrite(options.junit, true); !status.ok()) return Fail(status, kUsage);
  }
  CallEnd end;
  const Interruption interruption([&] { end.Interrupt(); });
  absl::StatusOr<journal::TemporaryDirectory> directory = journal::TemporaryDirectory::Make();
  if (!directory.ok()) return FailOrEnd(directory.status(), end);
  if (absl::Status status = CopyOriginal(settings, options, end, directory->path()); !status.ok()) {
    return FailOrEnd(status, end, absl::IsNotFound(status) ? kNotFound : kFailed);
  }
  return CheckCopy(settings, options, directory->path(), end);
}

}  // namespace

void AddCheckHistory(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<CheckHistoryOptions>();
  CLI::App* command = Command(
      root, "check-history",
      "Bring all stored events to the user function as it is now, and tell which entities do not load any more, "
      "or answer the commands that are stored otherwise. On a copy: the journal stays as it is",
      kCheckHistoryExamples);
  command->group(kTestGroup);
  AddUserFunctionChoice(*command, options->user_function, TakesCommand::kYes);
  command->add_option("--archive", options->archive, "Of a file that `export` wrote, not of the data directory")
      ->type_name("FILE");
  command->add_option("--entity", options->entity, "Only this one: PERSISTENCE_ID|ENTITY_ID, or the entity's id alone");
  command->add_option("--service", options->service, "Only entities of this service; its last name is enough")
      ->type_name("SERVICE");
  command->add_option("--limit", options->limit, "At most so many entities; 0 for all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--commands-per-entity", options->check.commands,
                   "Compare the newest commands of each entity, so many; 0 for all")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--read", options->check.read,
                   "A method that tells the state: is it the same from the newest snapshot as from all events?")
      ->type_name("METHOD");
  command->add_option("--ignore", options->check.ignored, "A field that differs each time, such as ItemAdded.time")
      ->allow_extra_args(false)
      ->type_name("TYPE.FIELD");
  command->add_option("--workers", options->workers, "Entities at once")
      ->check(CLI::Range(1, admin::ReplayPlaces::kMost))
      ->capture_default_str();
  command->add_option("--junit", options->junit, "Write a JUnit report, too, with a case for each entity")
      ->type_name("FILE");
  DurationSetting(*command, "--deadline", "", options->check.deadline, "For each replay, at most 1m",
                  admin::Replaying::kLongestDeadline);
  DurationSetting(*command, "--start-timeout", "", options->start_up,
                  "How long the user function may take until it has answered discovery");
  command->add_flag("--fail-fast", options->fail_fast, "End after the first entity that differs");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return CheckHistory(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
