#include <memory>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/call_tree.h"
#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/served_service.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct CallsOptions {
  std::string service, method, entity;
  bool failed = false;
  absl::Duration slower;
  bool open = false;
  int limit = 20;
  std::string trace;

  void AddFilterTo(CLI::App& command) {
    command.add_option("--service", service, "Only calls that reached this service; the last part of its name will do")
        ->type_name("SERVICE");
    command.add_option("--method", method, "Only calls that reached this method")->type_name("METHOD");
    command.add_option("--entity", entity, "Only calls that reached an entity with this id")->type_name("ID");
    command.add_flag("--failed", failed, "Only calls that failed");
    DurationSetting(command, "--slower", "", slower, "Only calls that took so long or longer")->default_str("");
  }
  dev::v1::CommandFilter ToFilter() const {
    dev::v1::CommandFilter result;
    result.set_service(service);
    result.set_method(method);
    result.set_entity_id(entity);
    result.set_failed_only(failed);
    if (slower > absl::ZeroDuration()) *result.mutable_at_least() = admin::ToDuration(slower);
    result.set_open(open);
    return result;
  }
};

Table::Cell Outcome(const dev::v1::CommandTrace& trace) {
  if (trace.open() && trace.code() == 0) return {"under way", Style::kDim};
  if (trace.code() == 0) return {"OK", Style::kGood};
  return {absl::StrCat(CodeName(trace.code()), " ", trace.message()), Style::kBad};
}

std::string FormatList(const dev::v1::ListCommandsResponse& listed, bool open, const Terminal& terminal) {
  if (listed.commands().empty()) {
    return open ? "No calls that fit are under way.\n"
                : "No calls that fit. Only the newest ones of this run are kept.\n";
  }
  Table table({{"TRACE"},
               {"STARTED"},
               {"CALL"},
               {"ENTITY"},
               {"CAUSED", Table::Align::kRight},
               {"TOOK", Table::Align::kRight},
               {"OUTCOME"}});
  for (const dev::v1::CommandTrace& trace : listed.commands()) {
    table.AddRow({{trace.trace_id()},
                  {FormatWhen(admin::FromTimestamp(trace.started()), terminal)},
                  {ShortMethod(trace.service(), trace.method()), Style::kBold},
                  {trace.entity_id()},
                  {trace.caused().empty() ? "" : absl::StrCat(trace.caused_size())},
                  {FormatShortDuration(admin::FromDuration(trace.duration()))},
                  Outcome(trace)});
  }
  return table.Format(terminal);
}

// `nodes` is how many there are: of one alone there is nothing to tell.
std::string FormatTrace(const dev::v1::CommandTrace& trace, int nodes, const Terminal& terminal) {
  const Table::Cell outcome = Outcome(trace);
  std::string text = absl::StrCat(
      Styled(Printable(absl::StrCat(trace.service(), "/", trace.method())), Style::kBold, terminal),
      trace.entity_id().empty() ? "" : "  ", Printable(trace.entity_id()), "\n",
      FormatInstant(admin::FromTimestamp(trace.started())), " by ", trace.protocol(), " from ", Printable(trace.peer()),
      nodes > 1 && trace.node() > 0 ? absl::StrCat(" at node ", trace.node()) : "", ", took ",
      FormatShortDuration(admin::FromDuration(trace.duration())), ": ",
      Styled(Printable(outcome.text), outcome.style, terminal), "\n\n");
  absl::StrAppend(&text, FormatCallTree(trace, terminal));
  if (trace.dropped_steps() > 0) absl::StrAppend(&text, trace.dropped_steps(), " more steps were not kept.\n");
  return text;
}

std::string FormatLine(const dev::v1::CommandTrace& trace, const Terminal& terminal) {
  const Table::Cell outcome = Outcome(trace);
  return absl::StrCat(Styled(FormatInstant(admin::FromTimestamp(trace.started())), Style::kDim, terminal), "  ",
                      Printable(trace.trace_id()), "  ", Printable(ShortMethod(trace.service(), trace.method())), "  ",
                      Printable(trace.entity_id()), trace.caused().empty() ? "" : "  caused ",
                      trace.caused().empty() ? "" : absl::StrCat(trace.caused_size()), "  ",
                      FormatShortDuration(admin::FromDuration(trace.duration())), "  ",
                      Styled(Printable(outcome.text), outcome.style, terminal), "\n");
}

int List(Client& client, const Settings& settings, CallsOptions options) {
  if (absl::Status status = UseServedService(client, options.service); !status.ok()) return Fail(status, kUsage);
  dev::v1::ListCommandsRequest request;
  *request.mutable_filter() = options.ToFilter();
  request.set_limit(options.limit);
  absl::StatusOr<dev::v1::ListCommandsResponse> listed = client.Call(&Client::Stub::ListCommands, request);
  if (!listed.ok()) return Fail(listed.status());
  Print(settings.json ? ToJson(*listed) + "\n" : FormatList(*listed, options.open, StandardOutput()));
  return kOk;
}

int Show(Client& client, const Settings& settings, const CallsOptions& options) {
  dev::v1::GetCommandRequest request;
  request.set_trace_id(options.trace);
  absl::StatusOr<dev::v1::CommandTrace> trace = client.Call(&Client::Stub::GetCommand, request);
  if (!trace.ok()) return Fail(trace.status());
  if (settings.json) {
    Print(ToJson(*trace) + "\n");
    return kOk;
  }
  absl::StatusOr<dev::v1::Status> status = client.Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return Fail(status.status());
  Print(FormatTrace(*trace, status->nodes(), StandardOutput()));
  return kOk;
}

int Tail(Client& client, const Settings& settings, CallsOptions options) {
  if (absl::Status status = UseServedService(client, options.service); !status.ok()) return Fail(status, kUsage);
  const Terminal terminal = StandardOutput();
  dev::v1::WatchCommandsRequest request;
  *request.mutable_filter() = options.ToFilter();
  return Fail(client.Follow<dev::v1::WatchCommandsRequest, dev::v1::WatchCommandsResponse>(
      &Client::Stub::WatchCommands, request, [&](dev::v1::WatchCommandsResponse& response) {
        if (settings.json) {
          Print(ToJson(response) + "\n");
          return;
        }
        if (response.missed() > 0) Print(absl::StrCat("(", response.missed(), " calls were too many to show)\n"));
        Print(FormatLine(response.command(), terminal));
      }));
}

}  // namespace

void AddCalls(CLI::App& root, Invocation& invocation) {
  CLI::App* calls = Command(root, "calls", "Follow calls on their way: ls, show, tail",
                            "  cloudstate-dev calls ls --failed\n"
                            "  cloudstate-dev calls tail");
  calls->group(kLookGroup);
  calls->require_subcommand(1);

  auto options = std::make_shared<CallsOptions>();
  CLI::App* list = Command(*calls, "ls", "List the newest calls",
                           "  cloudstate-dev calls ls --entity cart-7\n"
                           "  cloudstate-dev calls ls --slower 50ms\n"
                           "  cloudstate-dev calls ls --failed --limit 5\n"
                           "  cloudstate-dev calls ls --open            streams that have not ended, for example");
  options->AddFilterTo(*list);
  list->add_flag("--open", options->open, "Only calls that are under way, as they are now");
  list->add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 1'000))->capture_default_str();
  SetClusterAction(*list, invocation,
                   [options](Client& client, const Settings& settings) { return List(client, settings, *options); });

  options = std::make_shared<CallsOptions>();
  CLI::App* show = Command(*calls, "show", "Show one call and all that it set off, step by step",
                           "  cloudstate-dev calls show 1f2e3d4c-17");
  show->add_option("TRACE", options->trace, "The trace's id, as `calls ls` and `journal show` print it")->required();
  SetClusterAction(*show, invocation,
                   [options](Client& client, const Settings& settings) { return Show(client, settings, *options); });

  options = std::make_shared<CallsOptions>();
  CLI::App* tail = Command(*calls, "tail", "Show calls as they end, until Ctrl-C",
                           "  cloudstate-dev calls tail --service ShoppingCart\n"
                           "  cloudstate-dev calls tail --json | jq -r .command.duration");
  options->AddFilterTo(*tail);
  SetClusterAction(*tail, invocation,
                   [options](Client& client, const Settings& settings) { return Tail(client, settings, *options); });
}

}  // namespace cloudstate::cli
