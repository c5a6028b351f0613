#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/export_source.h"
#include "cmd/cloudstate-dev/import_file.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr char kImportExamples[] =
    "  cloudstate-dev import carts.journal.gz\n"
    "  cloudstate-dev --data-dir copy import carts.journal.gz\n"
    "  cloudstate-dev --admin 127.0.0.1:9001 export - | cloudstate-dev --data-dir copy import -";

int Import(const Settings& settings, const std::string& file) {
  std::atomic<bool> interrupted = false;
  const Interruption interruption([&] { interrupted = true; });
  absl::StatusOr<journal::ArchiveCounts> counts;
  {
    ProgressLine line(!settings.json);
    counts = ImportFile(file, settings.data_directory, [&](const journal::ArchiveCounts& so_far) {
      line.Show(absl::StrCat(ArchiveCountsText(so_far), " imported; Ctrl-C leaves nothing"));
      return interrupted ? absl::CancelledError("Interrupted: nothing was imported.") : absl::OkStatus();
    });
  }
  if (!counts.ok()) return Fail(counts.status(), interrupted ? kInterrupted : kFailed);
  Print(
      settings.json
          ? absl::StrCat("{\"directory\":", JsonString(settings.data_directory), ",", ArchiveCountsJson(*counts), "}\n")
          : absl::StrCat("Imported ", ArchiveCountsText(*counts), " into ", Printable(settings.data_directory), ".\n"));
  return kOk;
}

}  // namespace

absl::StatusOr<journal::ArchiveCounts> ImportFile(const std::string& file, const std::string& directory,
                                                  const journal::ArchiveProgress& progress) {
  const bool standard_input = file == "-";
  const std::string name = standard_input ? "standard input" : file;
  const int descriptor = standard_input ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", name));
  absl::StatusOr<journal::ArchiveInput> input = journal::ArchiveInput::From(descriptor, name);
  if (!standard_input) close(descriptor);
  if (!input.ok()) return input.status();
  return journal::ImportJournal(*std::move(input), directory, progress);
}

void AddImport(CLI::App& root, Invocation& invocation) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = Command(root, "import",
                              "Make a journal of a file that `export` wrote, in a data directory that has none. All of "
                              "it, or nothing",
                              kImportExamples);
  command->group(kTestGroup);
  command->add_option("FILE", *file, "The archive; - is standard input")->required();
  command->callback(
      [&invocation, file] { invocation.action = [&invocation, file] { return Import(invocation.settings, *file); }; });
}

}  // namespace cloudstate::cli
