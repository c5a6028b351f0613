#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/call_input.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/difference_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/running_journal.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/replaying.h"
#include "emulator/admin/views.h"
#include "emulator/base/line_diff.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {
namespace {

using dev::v1::ReplayOutcome;
using dev::v1::ReplayRequest;
using dev::v1::ReplayResponse;

struct JournalReplayOptions {
  std::string entity;
  std::string method;
  std::vector<std::string> inputs;
  std::optional<std::int64_t> at;
  std::optional<std::int64_t> compare;
  bool no_snapshots = false;
  absl::Duration deadline = absl::Seconds(10);
};

// What is wrong with the text, if anything is.
std::string WrongEventNumber(const std::string& text) {
  std::int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= 0) return "";
  return absl::StrCat("'", text, "' is no number of an event, which is 0 or more");
}

// The service is the one that wrote last, unless the method is named with one.
absl::Status AddMethod(RunningEntity& entity, const JournalReplayOptions& options, dev::v1::ReplayCommand& command) {
  if (options.method.find_first_of("/.") == std::string::npos) {
    command.set_method(options.method);
    return absl::OkStatus();
  }
  auto services = entity.client->Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  absl::StatusOr<testing::MethodReference> found = testing::FindMethod(*services, options.method);
  if (!found.ok()) return found.status();
  command.set_service(found->service->name());
  command.set_method(found->method->name());
  return absl::OkStatus();
}

// `inputs` are texts of JSON.
absl::StatusOr<ReplayRequest> MakeRequest(RunningEntity& entity, const JournalReplayOptions& options,
                                          std::vector<std::string> inputs) {
  ReplayRequest request;
  request.set_persistence_id(entity.entity.persistence_id());
  request.set_entity_id(entity.entity.entity_id());
  request.set_without_snapshots(options.no_snapshots);
  *request.mutable_deadline() = admin::ToDuration(options.deadline);
  dev::v1::ReplayCommand command;
  if (absl::Status status = AddMethod(entity, options, command); !status.ok()) return status;
  if (inputs.empty()) inputs.emplace_back();
  for (std::string& input : inputs) {
    command.set_json(std::move(input));
    *request.add_commands() = command;
  }
  return request;
}

std::string FormatFurther(const std::string& what, const dev::v1::ReplayFurther& further, const Terminal& terminal) {
  return absl::StrCat("  ", what, " ", Printable(ShortMethod(further.service(), further.method())), "  ",
                      FormatPayload(further.payload(), terminal), "\n");
}

// What would come of it, if it were not a replay.
std::string FormatConsequences(const ReplayOutcome& outcome, const Terminal& terminal) {
  std::string text;
  for (const dev::v1::Payload& event : outcome.events()) {
    absl::StrAppend(&text, "  would store  ", FormatPayload(event, terminal), "\n");
  }
  if (outcome.has_snapshot()) {
    absl::StrAppend(&text, "  would store the snapshot  ", FormatPayload(outcome.snapshot(), terminal), "\n");
  }
  for (const dev::v1::ReplayFurther& effect : outcome.effects()) {
    absl::StrAppend(&text,
                    FormatFurther(effect.synchronous() ? "would call, and wait for," : "would call", effect, terminal));
  }
  if (outcome.has_forward()) absl::StrAppend(&text, FormatFurther("would forward to", outcome.forward(), terminal));
  return text;
}

std::string FormatFailure(const ReplayOutcome& outcome, const Terminal& terminal) {
  return absl::StrCat("  ", Styled(CodeName(outcome.code()), Style::kBad, terminal), ": ", Printable(outcome.message()),
                      "\n");
}

std::string FormatOutcome(const ReplayOutcome& outcome, const Terminal& terminal) {
  std::string text;
  if (outcome.has_reply()) absl::StrAppend(&text, "  ", FormatPayload(outcome.reply(), terminal), "\n");
  if (outcome.code() != 0) absl::StrAppend(&text, FormatFailure(outcome, terminal));
  return text + FormatConsequences(outcome, terminal);
}

std::string FormatPoint(const RunningEntity& entity, std::int64_t sequence, const ReplayResponse& response,
                        const Terminal& terminal) {
  const std::string snapshot =
      response.snapshot_sequence() > 0 ? absl::StrCat("snapshot at #", response.snapshot_sequence(), " and ") : "";
  return absl::StrCat(Styled(Printable(EntityNameOf(entity.entity)), Style::kBold, terminal), " at #", sequence, " of ",
                      entity.entity.last_sequence(), "  ",
                      Styled(absl::StrCat(snapshot, Counted(response.replayed_events(), "event"), ", ",
                                          FormatShortDuration(admin::FromDuration(response.duration()))),
                             Style::kDim, terminal),
                      "\n");
}

std::vector<std::string> ReplyLines(const ReplayResponse& response, int command) {
  if (command >= response.outcomes_size()) return {"(not reached)"};
  const ReplayOutcome& outcome = response.outcomes(command);
  if (outcome.code() != 0) return {absl::StrCat(CodeName(outcome.code()), ": ", outcome.message())};
  if (!outcome.has_reply()) return {"(no reply)"};
  return base::JsonLines(outcome.reply().json());
}

std::string FormatDifference(const ReplayResponse& at, const ReplayResponse& other, const Terminal& terminal) {
  std::string text;
  for (int i = 0; i < std::max(at.outcomes_size(), other.outcomes_size()); ++i) {
    for (const std::string& line : base::DiffLines(ReplyLines(at, i), ReplyLines(other, i))) {
      absl::StrAppend(&text, "  ", DifferenceLine(line, terminal), "\n");
    }
  }
  return text;
}

int ExitCodeOf(const ReplayResponse& response) {
  const bool failed = response.outcomes_size() > 0 && response.outcomes().rbegin()->code() != 0;
  return failed ? kFailed : kOk;
}

int Run(const Settings& settings, const JournalReplayOptions& options) {
  absl::StatusOr<std::vector<std::string>> inputs = ReadAll(options.inputs);
  if (!inputs.ok()) return Fail(inputs.status(), kUsage);
  absl::StatusOr<RunningEntity> entity = FindRunningEntity(settings, options.entity);
  if (!entity.ok()) return FailToFind(entity.status());
  absl::StatusOr<ReplayRequest> request = MakeRequest(*entity, options, *std::move(inputs));
  if (!request.ok()) return Fail(request.status());
  const std::int64_t at = options.at.value_or(entity->entity.last_sequence());
  request->set_sequence(at);
  auto response = entity->client->Call(&Client::ReplaysStub::Replay, *request);
  if (!response.ok()) return Fail(response.status());
  const Terminal terminal = StandardOutput();
  if (!options.compare.has_value()) {
    std::string text = settings.json ? ToJson(*response) + "\n" : FormatPoint(*entity, at, *response, terminal);
    for (int i = 0; i < response->outcomes_size() && !settings.json; ++i) {
      text += FormatOutcome(response->outcomes(i), terminal);
    }
    Print(text);
    return ExitCodeOf(*response);
  }
  request->set_sequence(*options.compare);
  auto other = entity->client->Call(&Client::ReplaysStub::Replay, *request);
  if (!other.ok()) return Fail(other.status());
  if (settings.json) {
    Print(absl::StrCat("{\"at\":", ToJson(*response), ",\"compare\":", ToJson(*other), "}\n"));
  } else {
    Print(absl::StrCat("- ", FormatPoint(*entity, at, *response, terminal), "+ ",
                       FormatPoint(*entity, *options.compare, *other, terminal),
                       FormatDifference(*response, *other, terminal)));
  }
  return std::max(ExitCodeOf(*response), ExitCodeOf(*other));
}

}  // namespace

void AddJournalReplay(CLI::App& journal, Invocation& invocation) {
  auto options = std::make_shared<JournalReplayOptions>();
  CLI::App* command =
      Command(journal, "replay",
              "Run a command against an entity as it was. A fresh stream of the user function gets its first events; "
              "nothing is stored, and the entity itself notices nothing",
              "  cloudstate-dev journal replay cart-7 --at 3 GetCart\n"
              "  cloudstate-dev journal replay cart-7 --at 3 --compare 5 GetCart\n"
              "  cloudstate-dev journal replay 'shopping-cart|cart-7' ShoppingCart/AddItem '{\"productId\": \"a\"}'");
  command->add_option("ENTITY", options->entity, "PERSISTENCE_ID|ENTITY_ID, or the entity's id alone")->required();
  command
      ->add_option("METHOD", options->method, "A method of the service that wrote last, or SERVICE/METHOD of another")
      ->required();
  command->add_option("JSON", options->inputs,
                      "Its input, in which the entity's key may be missing; - reads standard input, @FILE a file. "
                      "Several are commands one after the other");
  command->add_option("--at", options->at, "The last event that is replayed, by its number; 0 for none; otherwise all")
      ->check(WrongEventNumber)
      ->type_name("N");
  command->add_option("--compare", options->compare, "Do the same at another event, and show how the replies differ")
      ->check(WrongEventNumber)
      ->type_name("M");
  command->add_flag("--no-snapshots", options->no_snapshots, "Replay events instead of the snapshots of them");
  DurationSetting(*command, "--deadline", "", options->deadline, "How long it may take, at most 1m",
                  admin::Replaying::kLongestDeadline);
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
