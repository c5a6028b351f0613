#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/export_source.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/stored_service.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/journal/archive.h"

namespace cloudstate::cli {
namespace {

constexpr char kExportExamples[] =
    "  cloudstate-dev export carts.journal.gz\n"
    "  cloudstate-dev export carts.journal.gz --force --id-contains me\n"
    "  cloudstate-dev --admin 127.0.0.1:9001 export - | zcat | head";

struct ExportOptions {
  std::string file;
  EntityFilterOptions filter;
  std::string persistence_id;
  bool force = false;
};

absl::Status CheckExportedFile(const ExportOptions& options) {
  if (options.file == "-") {
    if (isatty(STDOUT_FILENO) != 1) return absl::OkStatus();
    return absl::InvalidArgumentError("An archive is nothing for a terminal: name a file, or send it to a pipe.");
  }
  return CheckMayWrite(options.file, options.force);
}

absl::StatusOr<journal::ArchiveCounts> ExportTo(int descriptor, const std::string& name, const std::string& journal,
                                                const journal::EntityFilter& filter,
                                                const journal::ArchiveProgress& progress) {
  absl::StatusOr<journal::ArchiveOutput> output = journal::ArchiveOutput::To(descriptor, name);
  if (!output.ok()) return output.status();
  return journal::ExportJournal(journal, filter, *std::move(output), progress);
}

// Beside the file that it becomes when it is whole.
absl::StatusOr<journal::ArchiveCounts> ExportToFile(const std::string& file, const std::string& journal,
                                                    const journal::EntityFilter& filter,
                                                    const journal::ArchiveProgress& progress) {
  const std::string beside = absl::StrCat(file, ".", getpid(), ".part");
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", beside));
  const absl::Cleanup clean_up = [&] {
    close(descriptor);
    unlink(beside.c_str());
  };
  absl::StatusOr<journal::ArchiveCounts> counts = ExportTo(descriptor, file, journal, filter, progress);
  if (!counts.ok()) return counts;
  if (fsync(descriptor) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", file));
  if (rename(beside.c_str(), file.c_str()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", file));
  return counts;
}

int Export(const Settings& settings, ExportOptions options) {
  if (absl::Status status = CheckExportedFile(options); !status.ok()) return Fail(status, kUsage);
  std::atomic<bool> interrupted = false;
  const Interruption interruption([&] { interrupted = true; });
  signal(SIGPIPE, SIG_IGN);  // whoever reads may have had enough
  absl::StatusOr<std::string> journal = FindJournalFile(settings);
  if (!journal.ok()) return Fail(journal.status(), kNotFound);
  if (absl::Status status = UseStoredService(settings, options.filter.service); !status.ok()) {
    return Fail(status, kUsage);
  }
  const journal::EntityFilter filter{.service = options.filter.service,
                                     .persistence_id = options.persistence_id,
                                     .id_contains = options.filter.id_contains};
  absl::StatusOr<journal::ArchiveCounts> counts;
  {
    ProgressLine line(!settings.json);
    const journal::ArchiveProgress progress = [&](const journal::ArchiveCounts& so_far) {
      line.Show(absl::StrCat(ArchiveCountsText(so_far), " exported; Ctrl-C leaves nothing"));
      return interrupted ? absl::CancelledError("Interrupted: nothing was exported.") : absl::OkStatus();
    };
    counts = options.file == "-" ? ExportTo(STDOUT_FILENO, "standard output", *journal, filter, progress)
                                 : ExportToFile(options.file, *journal, filter, progress);
  }
  if (!counts.ok()) return Fail(counts.status(), interrupted ? kInterrupted : kFailed);
  if (options.file == "-") return kOk;
  Print(settings.json
            ? absl::StrCat("{\"file\":", JsonString(options.file), ",", ArchiveCountsJson(*counts), "}\n")
            : absl::StrCat("Exported ", ArchiveCountsText(*counts), " into ", Printable(options.file), ".\n"));
  return kOk;
}

}  // namespace

void AddExport(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = Command(root, "export",
                              "Write a journal into one file, the same bytes for the same content. Of a running "
                              "emulator it is what is stored at one moment",
                              kExportExamples);
  command->group(kTestGroup);
  command->add_option("FILE", options->file, "Where to; - is standard output")->required();
  options->filter.AddTo(*command);
  command->add_option("--persistence-id", options->persistence_id, "Only entities of this persistence id")
      ->type_name("TEXT");
  command->add_flag("--force", options->force, "Overwrite the file");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Export(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
