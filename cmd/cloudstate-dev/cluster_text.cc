#include "cmd/cloudstate-dev/cluster_text.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/network_text.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

Style StateStyle(const std::string& state) {
  if (state == "up") return Style::kGood;
  return state == "joining" || state == "leaving" ? Style::kWarning : Style::kBad;
}

Table::Cell State(const dev::v1::Node& node) {
  if (node.paused()) return {absl::StrCat(node.state(), ", paused"), Style::kWarning};
  return {node.state(), StateStyle(node.state())};
}

std::string Signed(absl::Duration time) {
  return absl::StrCat(time > absl::ZeroDuration() ? "+" : "", absl::FormatDuration(time));
}

// What is out of the ordinary.
Table::Cell Notes(const dev::v1::Node& node) {
  std::vector<std::string> notes;
  if (node.coordinator()) notes.push_back("coordinator");
  if (!node.unreachable().empty()) {
    notes.push_back(absl::StrCat("does not hear ", absl::StrJoin(node.unreachable(), ", ")));
  }
  const absl::Duration skew = admin::FromDuration(node.skew());
  if (skew != absl::ZeroDuration()) notes.push_back(absl::StrCat("clock ", Signed(skew)));
  if (node.incarnation() > 1) notes.push_back(absl::StrCat("life ", node.incarnation()));
  return {absl::StrJoin(notes, "; "), node.unreachable().empty() ? Style::kPlain : Style::kWarning};
}

std::string NodeOrNone(std::int32_t node) { return node == 0 ? "-" : absl::StrCat(node); }

Table PeersTable(const dev::v1::NodeDetail& detail) {
  Table table({{"PEER", Table::Align::kRight},
               {"STATE"},
               {"LIFE", Table::Align::kRight},
               {"REACHABLE"},
               {"PHI", Table::Align::kRight},
               {"LAST HEARD", Table::Align::kRight},
               {"UNACKNOWLEDGED", Table::Align::kRight}});
  for (const dev::v1::Peer& peer : detail.peers()) {
    table.AddRow({{absl::StrCat(peer.node()), Style::kBold},
                  {peer.state(), StateStyle(peer.state())},
                  {absl::StrCat(peer.incarnation())},
                  {peer.reachable() ? "yes" : "no", peer.reachable() ? Style::kGood : Style::kBad},
                  {absl::StrFormat("%.1f", peer.phi())},
                  {peer.has_last_heard() ? FormatAge(admin::FromDuration(peer.last_heard())) : "never"},
                  {absl::StrCat(peer.unacknowledged())}});
  }
  return table;
}

std::string MoveText(const dev::v1::Shard& shard) {
  return absl::StrCat("shard ", shard.shard(), " from node ", shard.owner(),
                      shard.target() == 0 ? "" : absl::StrCat(" to node ", shard.target()), " (", shard.phase(), ")");
}

// Each line at most `width` characters wide; 0 for no limit. Codes for colours stay, so that each ends.
std::string Clipped(const std::string& text, std::size_t width) {
  if (width == 0) return text;
  std::string clipped;
  for (absl::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    const bool fits = Width(line) <= width;
    std::size_t column = 0;
    bool in_code = false;
    for (const char each : line) {
      in_code = in_code || each == '\x1b';
      const bool begins = !in_code && (static_cast<unsigned char>(each) & 0xC0) != 0x80;  // a character
      if (begins && ++column == width && !fits) clipped += "…";
      if (fits || in_code || column < width) clipped += each;
      in_code = in_code && each != 'm';
    }
    clipped += '\n';
  }
  return clipped;
}

std::string FirstLines(const std::string& text, std::size_t lines) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < lines; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

}  // namespace

std::string FormatRanges(const std::vector<std::int32_t>& numbers) {
  if (numbers.empty()) return "none";
  std::vector<std::string> ranges;
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    ranges.push_back(end == begin + 1 ? absl::StrCat(numbers[begin])
                                      : absl::StrCat(numbers[begin], "-", numbers[end - 1]));
    begin = end;
  }
  return absl::StrJoin(ranges, ", ");
}

std::string FormatNodes(const dev::v1::ListNodesResponse& nodes, const Terminal& terminal) {
  const bool with_addresses =
      std::ranges::any_of(nodes.nodes(), [](const dev::v1::Node& node) { return !node.client_address().empty(); });
  std::vector<Table::Column> columns = {{"NODE", Table::Align::kRight},
                                        {"STATE"},
                                        {"SINCE"},
                                        {"SHARDS", Table::Align::kRight},
                                        {"ENTITIES", Table::Align::kRight},
                                        {"WAITING", Table::Align::kRight},
                                        {"CALLS", Table::Align::kRight}};
  if (with_addresses) columns.push_back({"CLIENTS"});
  columns.push_back({"NOTES"});
  Table table(std::move(columns));
  for (const dev::v1::Node& node : nodes.nodes()) {
    std::vector<Table::Cell> cells = {{absl::StrCat(node.node()), Style::kBold},
                                      State(node),
                                      {FormatWhen(admin::FromTimestamp(node.since()), terminal)},
                                      {absl::StrCat(node.shards())},
                                      {absl::StrCat(node.active_entities())},
                                      {absl::StrCat(node.waiting_commands())},
                                      {absl::StrCat(node.open_calls())}};
    if (with_addresses) cells.push_back({node.client_address()});
    cells.push_back(Notes(node));
    table.AddRow(std::move(cells));
  }
  return table.Format(terminal);
}

std::string FormatNode(const dev::v1::NodeDetail& detail, const Terminal& terminal) {
  const dev::v1::Node& node = detail.node();
  const Table::Cell state = State(node);
  const std::string notes = Notes(node).text;
  std::string text =
      absl::StrCat(Styled(absl::StrCat("Node ", node.node()), Style::kBold, terminal), "  ",
                   Styled(state.text, state.style, terminal), " since ",
                   FormatWhen(admin::FromTimestamp(node.since()), terminal), notes.empty() ? "" : "; ", notes, "\n");
  if (!node.client_address().empty()) absl::StrAppend(&text, "Clients   ", Printable(node.client_address()), "\n");
  absl::StrAppend(&text, "Calls     ", node.open_calls(), " open\nEntities  ", node.active_entities(), " active, ",
                  Counted(node.waiting_commands(), "command"), " waiting\nShards    ", detail.owned_shards_size(), ": ",
                  FormatRanges({detail.owned_shards().begin(), detail.owned_shards().end()}), "\n");
  if (!detail.peers().empty()) absl::StrAppend(&text, "\n", PeersTable(detail).Format(terminal));
  return text;
}

std::string FormatShards(const dev::v1::ListShardsResponse& shards, const Terminal& terminal) {
  std::map<std::int32_t, std::vector<std::int32_t>> owned;  // by node; 0 is nobody
  std::map<std::int32_t, std::int64_t> entities;
  std::string moving;
  for (const dev::v1::Shard& shard : shards.shards()) {
    owned[shard.owner()].push_back(shard.shard());
    entities[shard.owner()] += shard.active_entities();
    if (shard.owner() != 0 && shard.phase() != "owned") absl::StrAppend(&moving, "  ", MoveText(shard), "\n");
  }
  Table table({{"NODE", Table::Align::kRight},
               {"SHARDS", Table::Align::kRight},
               {"ENTITIES", Table::Align::kRight},
               {"WHICH"}});
  for (const auto& [node, numbers] : owned) {
    table.AddRow({{node == 0 ? "nobody" : absl::StrCat(node), node == 0 ? Style::kWarning : Style::kBold},
                  {absl::StrCat(numbers.size())},
                  {absl::StrCat(entities[node])},
                  {FormatRanges(numbers)}});
  }
  return absl::StrCat(table.Format(terminal), moving.empty() ? "" : "On their way:\n", moving, "As node ",
                      shards.seen_by(), " sees it.\n");
}

std::string FormatEveryShard(const dev::v1::ListShardsResponse& shards, const Terminal& terminal) {
  Table table({{"SHARD", Table::Align::kRight},
               {"NODE", Table::Align::kRight},
               {"LIFE", Table::Align::kRight},
               {"EPOCH", Table::Align::kRight},
               {"PHASE"},
               {"TO", Table::Align::kRight},
               {"ENTITIES", Table::Align::kRight}});
  for (const dev::v1::Shard& shard : shards.shards()) {
    const bool settled = shard.phase() == "owned";
    table.AddRow({{absl::StrCat(shard.shard()), Style::kBold},
                  {NodeOrNone(shard.owner())},
                  {absl::StrCat(shard.owner_incarnation())},
                  {absl::StrCat(shard.epoch())},
                  {shard.phase(), settled ? Style::kPlain : Style::kWarning},
                  {NodeOrNone(shard.target())},
                  {absl::StrCat(shard.active_entities())}});
  }
  return absl::StrCat(table.Format(terminal), "As node ", shards.seen_by(), " sees it.\n");
}

std::string FormatClusterEvent(const dev::v1::ClusterEvent& event, const Terminal& terminal) {
  const Style style = event.kind() == "unreachable" ? Style::kBad
                      : event.kind() == "reachable" ? Style::kGood
                      : event.kind() == "steered"   ? Style::kBold
                                                    : Style::kPlain;
  const std::string instant = FormatInstant(admin::FromTimestamp(event.time()));
  const std::string who = absl::StrFormat("%-7s", event.node() == 0 ? "" : absl::StrCat("node ", event.node()));
  const std::string kind = absl::StrFormat("%-11s", Printable(event.kind()));
  std::string what = Printable(event.text());
  const std::size_t used = instant.size() + who.size() + Width(kind) + 6;
  if (terminal.width > 0) what = Truncated(what, terminal.width - std::min(used, terminal.width));
  return absl::StrCat(Styled(instant, Style::kDim, terminal), "  ", who, "  ", Styled(kind, style, terminal), "  ",
                      what, "\n");
}

std::string FormatSnapshot(const ClusterSnapshot& snapshot, std::size_t lines, const Terminal& terminal) {
  const std::string nodes = Clipped(FormatNodes(snapshot.nodes, terminal), terminal.width);
  const std::string troubles = FormatTroubles(snapshot.network, terminal);
  const auto rows = static_cast<std::size_t>(snapshot.nodes.nodes_size());
  const std::size_t used = rows + 3;  // titles, an empty line, troubles
  if (used > lines) {
    if (lines < 4) return FirstLines(nodes + troubles, lines);
    const std::size_t shown = lines - 3;
    const std::string rest = absl::StrCat("… and ", Counted(static_cast<std::int64_t>(rows - shown), "more node"));
    return absl::StrCat(FirstLines(nodes, shown + 1), Styled(rest, Style::kDim, terminal), "\n", troubles);
  }
  std::string text = absl::StrCat(nodes, "\n", troubles);
  const auto& events = snapshot.events.events();
  if (events.empty() || used + 2 >= lines) return text;
  absl::StrAppend(&text, "\n");
  const auto shown = std::min(lines - used - 1, static_cast<std::size_t>(events.size()));
  for (int i = events.size() - static_cast<int>(shown); i < events.size(); ++i) {
    absl::StrAppend(&text, FormatClusterEvent(events[i], terminal));
  }
  return text;
}

}  // namespace cloudstate::cli
