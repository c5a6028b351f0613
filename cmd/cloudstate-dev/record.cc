#include <algorithm>
#include <atomic>
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
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/progress_line.h"
#include "cmd/cloudstate-dev/served_service.h"
#include "cmd/cloudstate-dev/stored_events.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/base/proto_time.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/known_types.h"
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

// Each call once, in the order in which they came, with all that a file needs to hold it: it is asked for as they come,
// since the emulator may end before the recording does.
class Recorded {
 public:
  void Skip(const std::string& trace_id) { known_.insert(trace_id); }
  // Errors are the emulator's; then the call is not there.
  absl::Status Add(Client& client, dev::v1::CommandTrace trace) {
    if (known_.contains(trace.trace_id())) return absl::OkStatus();
    if (absl::Status status = LearnTypes(client, trace); !status.ok()) return status;
    if (absl::Status status = TakeEvents(client, trace.service(), trace.entity_id()); !status.ok()) return status;
    for (const dev::v1::CausedCommand& caused : trace.caused()) {
      if (absl::Status status = TakeEvents(client, caused.service(), caused.entity_id()); !status.ok()) return status;
    }
    known_.insert(trace.trace_id());
    traces_.push_back(std::move(trace));
    return absl::OkStatus();
  }
  void AddMissed(std::int64_t missed) { missed_ += missed; }

  const std::vector<dev::v1::CommandTrace>& traces() const { return traces_; }
  std::int64_t missed() const { return missed_; }
  // Those that the calls got to, as far as they store something.
  std::vector<testing::RecordedEntity> entities() const {
    std::vector<testing::RecordedEntity> all;
    for (const auto& entity : entities_) all.push_back(entity.second);
    return all;
  }
  absl::StatusOr<std::unique_ptr<testing::KnownTypes>> Types() const {
    return testing::KnownTypes::Build(services_, types_.file_descriptor_set());
  }

 private:
  // Again where the user function has become another one.
  absl::Status LearnTypes(Client& client, const dev::v1::CommandTrace& trace) {
    if (persistence_ids_.contains(trace.service())) return absl::OkStatus();
    auto services = client.Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
    if (!services.ok()) return services.status();
    auto types = client.Call(&Client::TestingStub::GetTypes, dev::v1::GetTypesRequest());
    if (!types.ok()) return types.status();
    services_ = *std::move(services);
    types_ = *std::move(types);
    for (const dev::v1::Service& service : services_.services())
      persistence_ids_[service.name()] = service.persistence_id();
    return absl::OkStatus();
  }

  static bool IsSame(const dev::v1::Event& one, const dev::v1::Event& other) {
    return one.position() == other.position() && one.sequence() == other.sequence() &&
           base::FromTimestamp(one.time()) == base::FromTimestamp(other.time());
  }

  // Of an entity, also of that with the empty id, those that have come since.
  absl::Status TakeEvents(Client& client, const std::string& service, const std::string& entity_id) {
    const std::string& persistence_id = persistence_ids_[service];
    if (persistence_id.empty()) return absl::OkStatus();
    testing::RecordedEntity& entity = entities_[{service, entity_id}];
    entity.service = service;
    entity.entity_id = entity_id;
    const dev::v1::Event last = entity.events.empty() ? dev::v1::Event() : entity.events.back();
    const base::EntityKey key{persistence_id, entity_id};
    absl::StatusOr<std::vector<dev::v1::Event>> events =
        StoredEvents(client, key, std::max<std::int64_t>(last.sequence(), 1));
    if (events.ok() && last.sequence() > 0) {
      const bool goes_on = !events->empty() && IsSame(events->front(), last);
      if (goes_on) events->erase(events->begin());
      if (!goes_on) events = StoredEvents(client, key);  // it was deleted, and has begun anew
    }
    if (!events.ok()) return events.status();
    for (dev::v1::Event& event : *events) entity.events.push_back(std::move(event));
    return absl::OkStatus();
  }

  std::set<std::string> known_;
  std::vector<dev::v1::CommandTrace> traces_;
  std::int64_t missed_ = 0;
  dev::v1::ListServicesResponse services_;
  dev::v1::Types types_;
  std::map<std::string, std::string> persistence_ids_;
  std::map<std::pair<std::string, std::string>, testing::RecordedEntity> entities_;
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

absl::Status AddNewest(Client& client, const RecordOptions& options, int limit, Recorded& recorded) {
  absl::StatusOr<std::vector<dev::v1::CommandTrace>> newest = NewestTraces(client, options, limit);
  if (!newest.ok()) return newest.status();
  for (dev::v1::CommandTrace& trace : *newest) {
    if (absl::Status status = recorded.Add(client, std::move(trace)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Until somebody interrupts, or there are enough.
absl::Status WatchTraces(Client& client, const RecordOptions& options, grpc::ClientContext& context,
                         const std::atomic<bool>& interrupted, Recorded& recorded) {
  ProgressLine progress(true);
  dev::v1::WatchCommandsRequest request;
  *request.mutable_filter() = options.ToFilter();
  absl::Status added;
  const absl::Status status = client.Follow<dev::v1::WatchCommandsRequest, dev::v1::WatchCommandsResponse>(
      &Client::Stub::WatchCommands, request,
      [&](dev::v1::WatchCommandsResponse& response) {
        recorded.AddMissed(response.missed());
        if (response.has_command() && added.ok()) added = recorded.Add(client, std::move(*response.mutable_command()));
        progress.Show(absl::StrCat(Counted(static_cast<std::int64_t>(recorded.traces().size()), "call"),
                                   " recorded; Ctrl-C ends"));
        if (recorded.traces().size() >= kMostRecorded || !added.ok()) context.TryCancel();
      },
      context, [] { PrintError("Recording what clients do; Ctrl-C ends."); });
  if (!added.ok()) return added;
  return interrupted || recorded.traces().size() >= kMostRecorded ? absl::OkStatus() : status;
}

// What came before the watching had begun, or was on its way when it ended, is among the newest.
absl::Status RecordWhatComes(Client& client, const RecordOptions& options, grpc::ClientContext& context,
                             const std::atomic<bool>& interrupted, Recorded& recorded) {
  absl::StatusOr<std::vector<dev::v1::CommandTrace>> before = NewestTraces(client, options, kMostKept);
  if (!before.ok()) return before.status();
  for (const dev::v1::CommandTrace& trace : *before) recorded.Skip(trace.trace_id());
  absl::Status status = WatchTraces(client, options, context, interrupted, recorded);
  if (status.ok()) status = AddNewest(client, options, kMostKept, recorded);
  if (status.ok() || recorded.traces().empty()) return status;
  PrintError(absl::StrCat("The recording has ended early. What had come by then is in the file. ",
                          absl::string_view(status.message())));
  return absl::OkStatus();
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
    absl::Status status = testing::ReadTestFile(written.text, read, places);
    if (status.ok()) status = testing::CheckForm(read, places);
    if (status.ok()) return written;
    if (traces.size() < 2) {
      return absl::FailedPreconditionError(absl::StrCat(
          "What was recorded can't be read from a file again, so there is none: ", status.message(),
          ". All that was stored of an entity before is in it: record one with a shorter history, with --entity."));
    }
  }
}

absl::StatusOr<WrittenTest> MakeTest(Recorded& recorded, testing::RecordedCases cases) {
  if (recorded.traces().empty()) return WrittenTest();
  auto known = recorded.Types();
  if (!known.ok()) return known.status();
  std::vector<dev::v1::CommandTrace> traces = recorded.traces();
  absl::StatusOr<WrittenTest> written = WriteReadably(traces, recorded.entities(), **known, cases);
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
                      Printable(options.file), ".", left_out, " `cloudstate-dev test ",
                      Printable(ShellWord(options.file)), "` plays ", test.calls == 1 ? "it" : "them", " again.\n");
}

int TellRecorded(const Settings& settings, const RecordOptions& options, const Recorded& traces,
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

int RecordTest(const Settings& settings, RecordOptions options) {
  if (options.file != "-") {
    if (absl::Status status = CheckMayWrite(options.file, options.force); !status.ok()) return Fail(status, kUsage);
  }
  std::atomic<bool> interrupted = false;
  grpc::ClientContext context;
  // Before the connection, so that its threads leave the signals alone.
  const Interruption interruption([&] {
    interrupted = true;
    context.TryCancel();
  });
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  if (absl::Status status = UseServedService(**client, options.service); !status.ok()) return Fail(status, kUsage);
  Recorded recorded;
  const absl::Status status = options.newest == 0 ? RecordWhatComes(**client, options, context, interrupted, recorded)
                                                  : AddNewest(**client, options, options.newest, recorded);
  if (!status.ok()) return Fail(status);
  absl::StatusOr<WrittenTest> written =
      MakeTest(recorded, options.split ? testing::RecordedCases::kForEachEntity : testing::RecordedCases::kOne);
  if (!written.ok()) return Fail(written.status());
  return TellRecorded(settings, options, recorded, *written);
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
  command->add_option("--service", options->service, "Only calls that reached this service; its last name is enough")
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
