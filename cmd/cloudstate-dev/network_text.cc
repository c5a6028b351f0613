#include "cmd/cloudstate-dev/network_text.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kMostInMatrix = 10;

std::string Percent(double share) { return absl::StrFormat("%.3g%%", share * 100); }

std::string Bytes(std::int64_t bytes) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};
  for (const auto& [unit, name] : kUnits) {
    if (bytes >= unit) return absl::StrFormat("%.4g%s", static_cast<double>(bytes) / static_cast<double>(unit), name);
  }
  return absl::StrCat(bytes, "B");
}

class Links {
 public:
  explicit Links(const dev::v1::NetworkState& network) : usual_(network.default_settings().SerializeAsString()) {
    for (int i = 0; i < network.partition_size(); ++i) {
      for (const std::int32_t node : network.partition(i).nodes()) groups_[node] = i + 1;
    }
  }

  bool IsUsual(const dev::v1::LinkState& link) const {
    return !link.cut() && link.settings().SerializeAsString() == usual_;
  }
  // Cut, and not by the partition.
  bool IsCutByItself(const dev::v1::LinkState& link) const {
    return link.cut() && GroupOf(link.from()) == GroupOf(link.to());
  }
  // More to tell than the partition does.
  bool IsSpecial(const dev::v1::LinkState& link) const { return link.cut() ? IsCutByItself(link) : !IsUsual(link); }
  Table::Cell Cell(const dev::v1::LinkState& link) const {
    if (link.cut()) return {"cut", Style::kBad};
    if (IsUsual(link)) return {"ok", Style::kGood};
    return {FormatLinkSettings(link.settings()), Style::kWarning};
  }

 private:
  // Those in no group make up one more.
  int GroupOf(std::int32_t node) const {
    const auto group = groups_.find(node);
    return group == groups_.end() ? 0 : group->second;
  }

  const std::string usual_;
  std::map<std::int32_t, int> groups_;
};

std::string FormatMatrix(const dev::v1::NetworkState& network, const std::set<std::int32_t>& nodes,
                         const Terminal& terminal) {
  const Links links(network);
  std::map<std::pair<std::int32_t, std::int32_t>, Table::Cell> cells;
  for (const dev::v1::LinkState& link : network.links()) cells[{link.from(), link.to()}] = links.Cell(link);
  std::vector<Table::Column> columns = {{"FROM \\ TO", Table::Align::kRight}};
  for (const std::int32_t node : nodes) columns.push_back({absl::StrCat(node)});
  Table table(std::move(columns));
  for (const std::int32_t from : nodes) {
    std::vector<Table::Cell> row = {{absl::StrCat(from), Style::kBold}};
    for (const std::int32_t to : nodes) {
      row.push_back(from == to ? Table::Cell{"·", Style::kDim} : cells[{from, to}]);
    }
    table.AddRow(std::move(row));
  }
  return table.Format(terminal);
}

std::string FormatSpecial(const dev::v1::NetworkState& network, const Terminal& terminal) {
  const Links links(network);
  Table table({{"FROM", Table::Align::kRight}, {"TO", Table::Align::kRight}, {"LINK"}});
  for (const dev::v1::LinkState& link : network.links()) {
    if (links.IsSpecial(link)) {
      table.AddRow({{absl::StrCat(link.from())}, {absl::StrCat(link.to())}, links.Cell(link)});
    }
  }
  return table.empty() ? "No link is cut by itself or has settings of its own.\n" : table.Format(terminal);
}

std::string FormatPartition(const dev::v1::NetworkState& network) {
  return absl::StrJoin(network.partition(), " / ", [](std::string* out, const dev::v1::NodeGroup& group) {
    absl::StrAppend(out, absl::StrJoin(group.nodes(), ", "));
  });
}

// What holds for the whole network.
std::string FormatWhole(const dev::v1::NetworkState& network, const Terminal& terminal) {
  std::int64_t sent = 0, bytes = 0, lost = 0, duplicated = 0, in_flight = 0;
  for (const dev::v1::LinkState& link : network.links()) {
    sent += link.sent();
    bytes += link.sent_bytes();
    lost += link.lost();
    duplicated += link.duplicated();
    in_flight += link.in_flight();
  }
  std::string text;
  if (!network.partition().empty()) {
    const std::string groups = absl::StrCat("Partition  ", FormatPartition(network));
    absl::StrAppend(&text, Styled(groups, Style::kBad, terminal), "\n");
  }
  return absl::StrCat(text, "All links  ", FormatLinkSettings(network.default_settings()), "\nMessages   ", sent,
                      " sent (", Bytes(bytes), "), ", lost, " lost, ", duplicated, " duplicated, ", in_flight,
                      " on their way\n");
}

}  // namespace

std::string FormatLinkSettings(const dev::v1::LinkSettings& settings) {
  std::vector<std::string> parts;
  if (!settings.latency().empty()) parts.push_back(Printable(settings.latency()));
  if (settings.loss() > 0) parts.push_back(absl::StrCat("loss ", Percent(settings.loss())));
  if (settings.duplicate() > 0) parts.push_back(absl::StrCat("duplicate ", Percent(settings.duplicate())));
  if (settings.reorder() > 0) parts.push_back(absl::StrCat("reorder ", Percent(settings.reorder())));
  if (settings.bytes_per_second() > 0) parts.push_back(absl::StrCat(Bytes(settings.bytes_per_second()), "/s"));
  return parts.empty() ? "perfect" : absl::StrJoin(parts, ", ");
}

std::string FormatNetwork(const dev::v1::NetworkState& network, const Terminal& terminal) {
  std::set<std::int32_t> nodes;
  for (const dev::v1::LinkState& link : network.links()) nodes.insert({link.from(), link.to()});
  if (nodes.empty()) return "There is one node, and no link. `cloudstate-dev nodes add` makes another.\n";
  return absl::StrCat(
      nodes.size() <= kMostInMatrix ? FormatMatrix(network, nodes, terminal) : FormatSpecial(network, terminal), "\n",
      FormatWhole(network, terminal));
}

std::string FormatEveryLink(const dev::v1::NetworkState& network, const Terminal& terminal) {
  const Links links(network);
  Table table({{"FROM", Table::Align::kRight},
               {"TO", Table::Align::kRight},
               {"SENT", Table::Align::kRight},
               {"BYTES", Table::Align::kRight},
               {"DELIVERED", Table::Align::kRight},
               {"LOST", Table::Align::kRight},
               {"DUPLICATED", Table::Align::kRight},
               {"ON THEIR WAY", Table::Align::kRight},
               {"LINK"}});
  for (const dev::v1::LinkState& link : network.links()) {
    table.AddRow({{absl::StrCat(link.from())},
                  {absl::StrCat(link.to())},
                  {absl::StrCat(link.sent())},
                  {absl::StrCat(link.sent_bytes())},
                  {absl::StrCat(link.delivered())},
                  {absl::StrCat(link.lost())},
                  {absl::StrCat(link.duplicated())},
                  {absl::StrCat(link.in_flight())},
                  links.Cell(link)});
  }
  return absl::StrCat(table.Format(terminal), "\n", FormatWhole(network, terminal));
}

std::string FormatTroubles(const dev::v1::NetworkState& network, const Terminal& terminal) {
  const Links links(network);
  std::vector<std::string> cut;
  int own = 0;
  for (const dev::v1::LinkState& link : network.links()) {
    if (links.IsCutByItself(link)) cut.push_back(absl::StrCat(link.from(), " to ", link.to()));
    if (!link.cut() && !links.IsUsual(link)) ++own;
  }
  std::vector<std::string> troubles;
  if (!network.partition().empty()) troubles.push_back(absl::StrCat("partition ", FormatPartition(network)));
  if (!cut.empty()) troubles.push_back(absl::StrCat("cut ", absl::StrJoin(cut, ", ")));
  if (own > 0) troubles.push_back(absl::StrCat(Counted(own, "link"), own == 1 ? " is" : " are", " not as the others"));
  const std::string usual = FormatLinkSettings(network.default_settings());
  std::string text =
      absl::StrCat("Network: links are ", usual, troubles.empty() ? "" : "; ", absl::StrJoin(troubles, "; "));
  if (terminal.width > 0) text = Truncated(text, terminal.width);
  return Styled(text, troubles.empty() ? Style::kPlain : Style::kBad, terminal) + "\n";
}

}  // namespace cloudstate::cli
