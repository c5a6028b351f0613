#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/simulate_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/capacity/recording.h"

namespace cloudstate::cli {
namespace {

constexpr char kScaleRecordExamples[] =
    "  cloudstate-dev scale record calls.csv                  until Ctrl-C\n"
    "  cloudstate-dev scale record calls.csv --for 5m\n"
    "  cloudstate-dev scale simulate --from calls.csv         what other settings would have made of it";

struct ScaleRecordOptions {
  std::string file;
  absl::Duration time;  // none: until it is interrupted
  bool force = false;
};

// What was written down so far.
struct RecordedSoFar {
  std::int64_t calls = 0;
  std::int64_t missed = 0;
};

void WriteCalls(const dev::v1::CallTimes& times, std::ostream& output, RecordedSoFar& so_far) {
  const int calls = std::min({times.at_size(), times.total_size(), times.until_sent_size(), times.user_function_size(),
                              times.journal_size(), times.node_size(), times.code_size()});
  for (int i = 0; i < calls; ++i) {
    capacity::WriteRecordedCall({.at = times.at(i) * 1'000,
                                 .total = times.total(i) * 1'000,
                                 .until_sent = times.until_sent(i) * 1'000,
                                 // An emulator of before does not say it.
                                 .held = i < times.held_size() ? times.held(i) * 1'000 : 0,
                                 .user_function = times.user_function(i) * 1'000,
                                 .journal = times.journal(i) * 1'000,
                                 .node = static_cast<std::uint32_t>(times.node(i)),
                                 .code = times.code(i)},
                                output);
  }
  so_far.calls += calls;
  so_far.missed += times.missed();
}

std::string RecordedText(const ScaleRecordOptions& options, const RecordedSoFar& so_far, absl::Duration took) {
  std::string text = absl::StrCat(Grouped(static_cast<std::uint64_t>(so_far.calls)), " calls recorded in ",
                                  FormatShortDuration(took), ", in ", Printable(options.file), "\n");
  if (so_far.missed > 0) {
    absl::StrAppend(&text, Grouped(static_cast<std::uint64_t>(so_far.missed)),
                    " more were too many to write down: the file tells of less load than there was\n");
  }
  return text;
}

std::string RecordedJson(const ScaleRecordOptions& options, const RecordedSoFar& so_far, absl::Duration took) {
  return absl::StrCat("{\"file\":", JsonString(Printable(options.file)), ",\"calls\":", so_far.calls,
                      ",\"missed\":", so_far.missed, ",\"seconds\":", absl::ToDoubleSeconds(took), "}\n");
}

// Until the time is over, somebody interrupts, or the emulator ends; OK in the first two cases.
absl::Status Record(Client& client, grpc::ClientContext& context, const std::atomic<bool>& interrupted,
                    std::ostream& output, ProgressLine& progress, RecordedSoFar& so_far) {
  const absl::Time begin = absl::Now();
  const absl::Status status = client.Follow<dev::v1::RecordCallsRequest, dev::v1::CallTimes>(
      &Client::ScalingStub::RecordCalls, dev::v1::RecordCallsRequest(),
      [&](dev::v1::CallTimes& times) {
        WriteCalls(times, output, so_far);
        progress.Show(absl::StrCat(Grouped(static_cast<std::uint64_t>(so_far.calls)), " calls recorded in ",
                                   FormatShortDuration(absl::Now() - begin), "; Ctrl-C ends"));
      },
      context);
  return interrupted || absl::IsDeadlineExceeded(status) ? absl::OkStatus() : status;
}

absl::Status CheckRecordedFile(const ScaleRecordOptions& options) {
  if (options.file == "-") {
    return absl::InvalidArgumentError("A recording is a file, so that `scale simulate` can read it again; name one.");
  }
  return CheckMayWrite(options.file, options.force);
}

int RecordScaling(const Settings& settings, const ScaleRecordOptions& options) {
  if (absl::Status status = CheckRecordedFile(options); !status.ok()) return Fail(status, kUsage);
  std::atomic<bool> interrupted = false;
  grpc::ClientContext context;
  if (options.time > absl::ZeroDuration()) context.set_deadline(absl::ToChronoTime(absl::Now() + options.time));
  // Before the connection, so that its threads leave the signals alone.
  const Interruption interruption([&] {
    interrupted = true;
    context.TryCancel();
  });
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
  const absl::Time begin = absl::Now();
  file << "# recorded by cloudstate-dev scale record, from " << FormatInstant(begin) << "\n";
  capacity::WriteRecordingHeader(file);
  file.flush();
  if (!file) {
    return Fail(
        absl::UnavailableError(absl::StrCat(options.file, " can't be written. Is its directory there, and yours?")));
  }
  absl::Status status;
  RecordedSoFar so_far;
  {
    ProgressLine progress(!settings.json);
    status = Record(**client, context, interrupted, file, progress, so_far);
    if (!file.flush()) status = absl::UnavailableError(absl::StrCat(options.file, " can't be written to its end."));
  }
  const absl::Duration took = absl::Now() - begin;
  if (status.ok() && so_far.calls == 0) {
    file.close();
    std::error_code kept;  // then it is overwritten only with --force, as any other
    std::filesystem::remove(options.file, kept);
    return Fail(absl::FailedPreconditionError(
        "No call came, so there is nothing to play. Send calls to the emulator while `scale record` runs."));
  }
  Print(settings.json ? RecordedJson(options, so_far, took) : RecordedText(options, so_far, took));
  return status.ok() ? kOk : Fail(status);
}

}  // namespace

void AddScaleRecord(CLI::App& scale, Invocation& invocation) {
  auto options = std::make_shared<ScaleRecordOptions>();
  CLI::App* command = Command(scale, "record", "Write down when calls come and where their time goes, until Ctrl-C",
                              kScaleRecordExamples);
  command->add_option("FILE", options->file, "Where to: CSV, a line for each call")->required();
  DurationSetting(*command, "--for", "", options->time, "For this long")->default_str("");
  command->add_flag("--force", options->force, "Overwrite the file");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return RecordScaling(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
