#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/testing/recording.h"
#include "emulator/testing/test_file.h"

namespace cloudstate::cli {
namespace {

constexpr char kRecordExamples[] =
    "  cloudstate-dev record                                  until Ctrl-C, into recorded.yaml\n"
    "  cloudstate-dev record --newest 20 --out carts.yaml     of the calls that there were already\n"
    "  cloudstate-dev record --entity cart-7 --split";

constexpr char kRecordedHeader[] =
    "# Recorded by cloudstate-dev record. What differs each time, such as times, is expected as it was: write $any "
    "there.\n";

// What a person can still read; more is a load, not a test.
constexpr std::size_t kMostRecorded = 2'000;
// The emulator lists no more at once.
constexpr int kMostKept = 1'000;

struct RecordOptions {
  std::string file = "recorded.yaml";
  std::string entity;
  std::string service;
  int newest = 0;  // 0: those to come
  bool split = false;
  bool force = false;

  dev::v1::CommandFilter ToFilter() const {
    dev::v1::CommandFilter filter;
    filter.set_entity_id(entity);
    filter.set_service(service);
    return filter;
  }
};

absl::Status CheckTestFile(const RecordOptions& options) {
  std::error_code error;
  if (options.file == "-" || options.force || !std::filesystem::exists(options.file, error)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(options.file, " is there already; --force overwrites it, --out names another."));
}

// Each call once, in the order in which they came.
class RecordedTraces {
 public:
  void Skip(const std::string& trace_id) { known_.insert(trace_id); }
  void Add(dev::v1::CommandTrace trace) {
    if (known_.insert(trace.trace_id()).second) traces_.push_back(std::move(trace));
  }
  void AddMissed(std::int64_t missed) { missed_ += missed; }

  const std::vector<dev::v1::CommandTrace>& traces() const { return traces_; }
  std::int64_t missed() const { return missed_; }

 private:
  std::set<std::string> known_;
  std::vector<dev::v1::CommandTrace> traces_;
  std::int64_t missed_ = 0;
};

// Oldest first.
absl::StatusOr<std::vector<dev::v1::CommandTrace>> NewestTraces(Client& client, const RecordOptions& options,
                                                                int limit) {
  dev::v1::ListCommandsRequest request;
  *request.mutable_filter() = options.ToFilter();
  request.set_limit(limit);
  absl::StatusOr<dev::v1::ListCommandsResponse> listed = client.Call(&Client::Stub::ListCommands, request);
  if (!listed.ok()) return listed.status();
  return std::vector<dev::v1::CommandTrace>(listed->commands().rbegin(), listed->commands().rend());
}

// Until somebody interrupts, or there are enough.
absl::Status WatchTraces(Client& client, const RecordOptions& options, grpc::ClientContext& context,
                         const std::atomic<bool>& interrupted, RecordedTraces& recorded) {
  ProgressLine progress(true);
  dev::v1::WatchCommandsRequest request;
  *request.mutable_filter() = options.ToFilter();
  const absl::Status status = client.Follow<dev::v1::WatchCommandsRequest, dev::v1::WatchCommandsResponse>(
      &Client::Stub::WatchCommands, request,
      [&](dev::v1::WatchCommandsResponse& response) {
        recorded.AddMissed(response.missed());
        if (response.has_command()) recorded.Add(std::move(*response.mutable_command()));
        progress.Show(absl::StrCat(Counted(static_cast<std::int64_t>(recorded.traces().size()), "call"),
                                   " recorded; Ctrl-C ends"));
        if (recorded.traces().size() >= kMostRecorded) context.TryCancel();
      },
      context);
  return interrupted || recorded.traces().size() >= kMostRecorded ? absl::OkStatus() : status;
}

// What came before the watching had begun, or was on its way when it ended, is among the newest.
absl::StatusOr<RecordedTraces> TracesToCome(Client& client, const RecordOptions& options, grpc::ClientContext& context,
                                            const std::atomic<bool>& interrupted) {
  RecordedTraces recorded;
  absl::StatusOr<std::vector<dev::v1::CommandTrace>> before = NewestTraces(client, options, kMostKept);
  if (!before.ok()) return before.status();
  for (const dev::v1::CommandTrace& trace : *before) recorded.Skip(trace.trace_id());
  PrintError("Recording what clients do; Ctrl-C ends.");
  if (absl::Status status = WatchTraces(client, options, context, interrupted, recorded); !status.ok()) return status;
  absl::StatusOr<std::vector<dev::v1::CommandTrace>> after = NewestTraces(client, options, kMostKept);
  if (!after.ok()) return after.status();
  for (dev::v1::CommandTrace& trace : *after) recorded.Add(std::move(trace));
  return recorded;
}

absl::StatusOr<RecordedTraces> Traces(Client& client, const RecordOptions& options, grpc::ClientContext& context,
                                      const std::atomic<bool>& interrupted) {
  if (options.newest == 0) return TracesToCome(client, options, context, interrupted);
  absl::StatusOr<std::vector<dev::v1::CommandTrace>> newest = NewestTraces(client, options, options.newest);
  if (!newest.ok()) return newest.status();
  RecordedTraces recorded;
  for (dev::v1::CommandTrace& trace : *newest) recorded.Add(std::move(trace));
  return recorded;
}

absl::StatusOr<std::vector<dev::v1::Event>> AllEvents(Client& client, const std::string& persistence_id,
                                                      const std::string& entity_id) {
  std::vector<dev::v1::Event> events;
  dev::v1::ListEventsRequest request;
  request.set_persistence_id(persistence_id);
  request.set_entity_id(entity_id);
  request.set_limit(1'000);
  do {
    absl::StatusOr<dev::v1::ListEventsResponse> page = client.Call(&Client::Stub::ListEvents, request);
    if (absl::IsNotFound(page.status())) return events;
    if (!page.ok()) return page.status();
    for (dev::v1::Event& event : *page->mutable_events()) events.push_back(std::move(event));
    request.set_from_sequence(page->next_sequence());
  } while (request.from_sequence() != 0);
  return events;
}

// Those that the calls got to, as far as they store something.
absl::StatusOr<std::vector<testing::RecordedEntity>> ReachedEntities(Client& client,
                                                                     const std::vector<dev::v1::CommandTrace>& traces,
                                                                     const dev::v1::ListServicesResponse& services) {
  std::map<std::string, std::string> persistence_ids;
  for (const dev::v1::Service& service : services.services())
    persistence_ids[service.name()] = service.persistence_id();
  std::set<std::pair<std::string, std::string>> reached;
  for (const dev::v1::CommandTrace& trace : traces) {
    reached.emplace(trace.service(), trace.entity_id());
    for (const dev::v1::CausedCommand& caused : trace.caused()) reached.emplace(caused.service(), caused.entity_id());
  }
  std::vector<testing::RecordedEntity> entities;
  for (const auto& [service, entity_id] : reached) {
    const std::string& persistence_id = persistence_ids[service];
    if (persistence_id.empty() || entity_id.empty()) continue;
    absl::StatusOr<std::vector<dev::v1::Event>> events = AllEvents(client, persistence_id, entity_id);
    if (!events.ok()) return events.status();
    entities.push_back({.service = service, .entity_id = entity_id, .events = *std::move(events)});
  }
  return entities;
}

struct WrittenTest {
  testing::RecordedTest test;
  std::string text;
};

// Of as many of the calls, the first, as a file can hold that `test` can read again; how many, `traces` shows.
absl::StatusOr<WrittenTest> WriteReadably(std::vector<dev::v1::CommandTrace>& traces,
                                          const std::vector<testing::RecordedEntity>& entities,
                                          const testing::KnownTypes& types, testing::RecordedCases cases) {
  for (;; traces.resize(traces.size() / 2)) {
    WrittenTest written{.test = testing::MakeRecordedTest(traces, entities, types, cases), .text = kRecordedHeader};
    if (written.test.calls == 0) return written;
    written.text += testing::RecordedTestFileText(written.test.file);
    dev::v1::TestFile read;
    simulation::YamlPlaces places("the file");
    const absl::Status status = testing::ReadTestFile(written.text, read, places);
    if (status.ok()) return written;
    if (traces.size() < 2) {
      return absl::FailedPreconditionError(absl::StrCat(
          "What was recorded can't be read from a file again, so there is none: ", status.message(),
          ". All that was stored of an entity before is in it: record one with a shorter history, with --entity."));
    }
  }
}

absl::StatusOr<WrittenTest> MakeTest(Client& client, RecordedTraces& recorded, testing::RecordedCases cases) {
  auto services = client.Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  auto types = client.Call(&Client::TestingStub::GetTypes, dev::v1::GetTypesRequest());
  if (!types.ok()) return types.status();
  std::vector<dev::v1::CommandTrace> traces = recorded.traces();
  absl::StatusOr<std::vector<testing::RecordedEntity>> entities = ReachedEntities(client, traces, *services);
  if (!entities.ok()) return entities.status();
  auto known = testing::KnownTypes::Build(*services, types->file_descriptor_set());
  if (!known.ok()) return known.status();
  absl::StatusOr<WrittenTest> written = WriteReadably(traces, *entities, **known, cases);
  recorded.AddMissed(static_cast<std::int64_t>(recorded.traces().size() - traces.size()));
  return written;
}

absl::Status WriteTest(const std::string& file, const std::string& text) {
  if (file == "-") {
    Print(text);
    return absl::OkStatus();
  }
  return WriteFile(file, text);
}

std::string RecordedSummary(const RecordOptions& options, const testing::RecordedTest& test) {
  const std::string left_out = test.left_out.empty()
                                   ? ""
                                   : absl::StrCat(" ", Counted(static_cast<std::int64_t>(test.left_out.size()), "call"),
                                                  test.left_out.size() == 1 ? " is" : " are", " left out.");
  return absl::StrCat(Counted(test.calls, "call"), " in ", Counted(test.file.cases_size(), "case"), ", in ",
                      Printable(options.file), ".", left_out, " `cloudstate-dev test ", Printable(options.file),
                      "` plays ", test.calls == 1 ? "it" : "them", " again.\n");
}

int TellRecorded(const Settings& settings, const RecordOptions& options, const RecordedTraces& traces,
                 const WrittenTest& written) {
  const testing::RecordedTest& test = written.test;
  for (const std::string& each : test.left_out) PrintError(Printable(each));
  if (traces.missed() > 0)
    PrintError(absl::StrCat(Counted(traces.missed(), "call"), traces.missed() == 1 ? " was" : " were",
                            " too many for one file. --entity and --service choose."));
  if (test.calls == 0) {
    return Fail(
        absl::FailedPreconditionError("No call came that could be written down, so there is no file. Send "
                                      "calls to the emulator while `record` runs."));
  }
  if (absl::Status status = WriteTest(options.file, written.text); !status.ok()) return Fail(status);
  if (options.file == "-") return kOk;
  const auto left_out = static_cast<std::int64_t>(test.left_out.size());
  Print(settings.json ? absl::StrCat("{\"file\":", JsonString(options.file), ",\"calls\":", test.calls,
                                     ",\"cases\":", test.file.cases_size(), ",\"leftOut\":", left_out,
                                     ",\"missed\":", traces.missed(), "}\n")
                      : RecordedSummary(options, test));
  return kOk;
}

int RecordTest(const Settings& settings, const RecordOptions& options) {
  if (absl::Status status = CheckTestFile(options); !status.ok()) return Fail(status, kUsage);
  std::atomic<bool> interrupted = false;
  grpc::ClientContext context;
  // Before the connection, so that its threads leave the signals alone.
  const Interruption interruption([&] {
    interrupted = true;
    context.TryCancel();
  });
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  absl::StatusOr<RecordedTraces> traces = Traces(**client, options, context, interrupted);
  if (!traces.ok()) return Fail(traces.status());
  absl::StatusOr<WrittenTest> written = MakeTest(
      **client, *traces, options.split ? testing::RecordedCases::kForEachEntity : testing::RecordedCases::kOne);
  if (!written.ok()) return Fail(written.status());
  return TellRecorded(settings, options, *traces, *written);
}

}  // namespace

void AddRecord(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = Command(root, "record",
                              "Write what clients do with the running emulator, until Ctrl-C, into a test file that "
                              "expects the same again",
                              kRecordExamples);
  command->group(kTestGroup);
  command->add_option("--out", options->file, "The file; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--entity", options->entity, "Only calls that reached an entity with this id")->type_name("ID");
  command->add_option("--service", options->service, "Only calls that reached this service (full name)")
      ->type_name("SERVICE");
  command->add_option("--newest", options->newest, "Not what is to come, but the newest calls that there were")
      ->check(CLI::Range(1, 1'000))
      ->type_name("N");
  command->add_flag("--split", options->split, "A case for each entity");
  command->add_flag("--force", options->force, "Overwrite the file");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return RecordTest(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
