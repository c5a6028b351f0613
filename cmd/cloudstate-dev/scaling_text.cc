#include "cmd/cloudstate-dev/scaling_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "emulator/base/proto_time.h"
#include "emulator/scaling/metric_window.h"

namespace cloudstate::cli {
namespace {

constexpr char kNothing[] = "-";

Style ReplicaStyle(const std::string& state) { return state == "ready" ? Style::kGood : Style::kWarning; }

Style EventStyle(const std::string& kind) {
  if (kind == "decision") return Style::kBold;
  if (kind == "activator" || kind == "missed") return Style::kWarning;
  return kind == "tick" ? Style::kDim : Style::kPlain;
}

std::string CallsPerSecond(const dev::v1::NodeLoad& load) {
  const double seconds = absl::ToDoubleSeconds(base::FromDuration(load.length()));
  return seconds > 0 ? absl::StrFormat("%.1f", static_cast<double>(load.requests().count()) / seconds) : kNothing;
}

std::string Concurrency(const dev::v1::Replica& replica, const dev::v1::Usage& usage) {
  return replica.has_load() ? absl::StrFormat("%.2f", usage.concurrency()) : kNothing;
}

Table ReplicasTable(const dev::v1::ScalingState& state, const Terminal& terminal) {
  std::vector<Table::Column> columns = {{"NODE", Table::Align::kRight},
                                        {"STATE"},
                                        {"SINCE"},
                                        {"COLD START", Table::Align::kRight},
                                        {"CALLS", Table::Align::kRight},
                                        {"CALLS/S", Table::Align::kRight},
                                        {"CONCURRENCY", Table::Align::kRight},
                                        {"IN USER FUNCTION", Table::Align::kRight}};
  if (state.real_processes()) columns.push_back({"PID", Table::Align::kRight});
  columns.push_back({"USER FUNCTION"});
  Table table(std::move(columns));
  for (const dev::v1::Replica& replica : state.replicas()) {
    std::vector<Table::Cell> cells = {
        {absl::StrCat(replica.node()), Style::kBold},
        {replica.state(), ReplicaStyle(replica.state())},
        {FormatWhen(base::FromTimestamp(replica.since()), terminal)},
        {replica.has_cold_start() ? FormatShortDuration(base::FromDuration(replica.cold_start())) : kNothing},
        {absl::StrCat(replica.open_calls())},
        {CallsPerSecond(replica.load())},
        {Concurrency(replica, replica.load().requests())},
        {Concurrency(replica, replica.load().user_function())}};
    if (state.real_processes()) cells.push_back({replica.pid() == 0 ? kNothing : absl::StrCat(replica.pid())});
    cells.push_back({replica.user_function_address()});
    table.AddRow(std::move(cells));
  }
  return table;
}

// A decision or a tick with its numbers below.
std::string Reasoned(const std::string& title, const dev::v1::ScalingEvent& event, const Terminal& terminal) {
  const std::string when = FormatWhen(base::FromTimestamp(event.time()), terminal);
  std::string text = absl::StrCat(title, when, ": ", Printable(event.text()), "\n");
  const std::string figures = FormatScalingFigures(event);
  if (!figures.empty()) absl::StrAppend(&text, "             ", Styled(figures, Style::kDim, terminal), "\n");
  return text;
}

}  // namespace

std::string FormatReplicaCounts(const dev::v1::ScalingState& state) {
  std::vector<std::string> parts = {absl::StrCat(state.wanted(), " wanted"), absl::StrCat(state.ready(), " ready")};
  if (state.starting() > 0) parts.push_back(absl::StrCat(state.starting(), " starting"));
  if (state.draining() > 0) parts.push_back(absl::StrCat(state.draining(), " draining"));
  if (state.held_calls() > 0) parts.push_back(Counted(state.held_calls(), "call") + " held");
  return absl::StrJoin(parts, ", ");
}

std::string FormatScalingFigures(const dev::v1::ScalingEvent& event) {
  return absl::StrJoin(event.figures(), ", ", [](std::string* out, const dev::v1::ScalingFigure& figure) {
    absl::StrAppend(out, Printable(figure.name()), " ", scaling::NumberText(figure.value()));
  });
}

std::string FormatScaling(const dev::v1::ScalingState& state, const dev::v1::ScalingEvent& newest,
                          const Terminal& terminal) {
  if (state.mode() == "off") {
    return absl::StrCat("Scaling is off: ", Counted(state.ready(), "node"), state.ready() == 1 ? " runs" : " run",
                        ", and nobody starts more.\nTurn it on with `cloudstate-dev run --scaling knative`, or with "
                        "cloudstate or manual.\n");
  }
  std::string text =
      absl::StrCat("Mode         ", Styled(state.mode(), Style::kBold, terminal), newest.phase().empty() ? "" : ", ",
                   Printable(newest.phase()), "\nReplicas     ", FormatReplicaCounts(state), "\n             ",
                   state.real_processes() ? "each a process of its own" : "nodes that share one user function", "\n");
  if (state.has_last_decision()) {
    absl::StrAppend(&text, Reasoned("Decided      ", state.last_decision(), terminal));
  }
  if (newest.kind() == "tick") absl::StrAppend(&text, Reasoned("Last look    ", newest, terminal));
  const Table replicas = ReplicasTable(state, terminal);
  return absl::StrCat(text, "\n", replicas.empty() ? "No replica is there.\n" : replicas.Format(terminal));
}

std::string FormatScalingSettings(const dev::v1::ScalingState& state, const Terminal& terminal) {
  Table table({{"SETTING"}, {"VALUE"}, {"DEFAULT"}, {"MODES"}, {"ENVIRONMENT"}, {"KNATIVE'S NAME"}});
  for (const dev::v1::ScalingSetting& setting : state.settings()) {
    const bool own = setting.value() != setting.default_value();
    const bool counts =
        state.mode() == "off" || std::ranges::find(setting.modes(), state.mode()) != setting.modes().end();
    table.AddRow({{setting.name(), counts ? Style::kPlain : Style::kDim},
                  {setting.value(), own ? Style::kBold : Style::kPlain},
                  {own ? setting.default_value() : ""},
                  {absl::StrJoin(setting.modes(), " ")},
                  {setting.environment()},
                  {setting.knative_name()}});
  }
  return absl::StrCat(table.Format(terminal), Styled("DEFAULT is told where VALUE is another.", Style::kDim, terminal),
                      "\n");
}

std::string FormatScalingEvent(const dev::v1::ScalingEvent& event, const Terminal& terminal) {
  const std::string instant = FormatInstant(base::FromTimestamp(event.time()));
  const std::string kind = absl::StrFormat("%-9s", Printable(event.kind()));
  std::string what = Printable(event.text());
  const bool reasoned = event.kind() == "decision" || event.kind() == "tick";
  const std::string figures = reasoned ? FormatScalingFigures(event) : "";
  if (!figures.empty()) absl::StrAppend(&what, " (", figures, ")");
  const std::size_t used = instant.size() + Width(kind) + 4;
  if (terminal.width > 0) what = Truncated(what, terminal.width - std::min(used, terminal.width));
  return absl::StrCat(Styled(instant, Style::kDim, terminal), "  ", Styled(kind, EventStyle(event.kind()), terminal),
                      "  ", what, "\n");
}

}  // namespace cloudstate::cli
