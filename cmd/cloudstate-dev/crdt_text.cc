#include "cmd/cloudstate-dev/crdt_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "emulator/admin/crdt_text.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

// With more writers there is one column for all.
constexpr std::size_t kMostWriterColumns = 8;

std::string NodeList(const std::vector<std::int32_t>& nodes) {
  return absl::StrCat(nodes.size() == 1 ? "node " : "nodes ", absl::StrJoin(nodes, ", "));
}

std::string CrdtTypeOf(const dev::v1::Crdt& crdt) { return crdt.deleted() ? "deleted" : crdt.type(); }

// The value that all have, or who has which.
std::string ValuesText(const dev::v1::Crdt& crdt) {
  std::vector<std::pair<std::string, std::vector<std::int32_t>>> groups;
  for (const dev::v1::CrdtValueOnNode& each : crdt.values()) {
    const std::string text = each.has_value() ? each.value().text() : "-";
    const auto group = std::ranges::find(groups, text, [](const auto& known) { return known.first; });
    if (group == groups.end()) {
      groups.push_back({text, {each.node()}});
    } else {
      group->second.push_back(each.node());
    }
  }
  if (groups.empty()) return "-";
  if (groups.size() == 1) return groups.front().first;
  return absl::StrJoin(groups, "; ", [](std::string* out, const auto& group) {
    absl::StrAppend(out, group.first, " on ", NodeList(group.second));
  });
}

Table::Cell AgreedCell(bool agreed) { return {agreed ? "yes" : "no", agreed ? Style::kGood : Style::kWarning}; }

// ---- replicas side by side

using Life = std::pair<std::int32_t, std::int64_t>;

Life LifeOf(const dev::v1::CrdtWrites& writes) { return {writes.node(), writes.incarnation()}; }

std::vector<Life> WritersOf(const dev::v1::CrdtDetail& detail) {
  std::set<Life> writers;
  for (const dev::v1::CrdtReplica& replica : detail.replicas()) {
    for (const dev::v1::CrdtWrites& writes : replica.writes()) writers.insert(LifeOf(writes));
  }
  return {writers.begin(), writers.end()};
}

// "2", or "2, life 3" where other lives of that node have written too.
std::string WriterName(const Life& writer, const std::vector<Life>& writers) {
  const auto lives = std::ranges::count(writers, writer.first, [](const Life& life) { return life.first; });
  return lives == 1 ? absl::StrCat(writer.first) : absl::StrCat(writer.first, ", LIFE ", writer.second);
}

const dev::v1::CrdtWrites* WritesBy(const dev::v1::CrdtReplica& replica, const Life& writer) {
  const auto found = std::ranges::find(replica.writes(), writer, LifeOf);
  return found == replica.writes().end() ? nullptr : &*found;
}

// A warning where another replica knows of other writes.
Table::Cell WritesCell(const dev::v1::CrdtDetail& detail, const dev::v1::CrdtReplica& replica, const Life& writer) {
  const dev::v1::CrdtWrites* writes = WritesBy(replica, writer);
  const std::string text = writes == nullptr ? "-" : admin::RangesText(*writes);
  const bool lacks = std::ranges::any_of(detail.replicas(), [&](const dev::v1::CrdtReplica& other) {
    const dev::v1::CrdtWrites* others = WritesBy(other, writer);
    return others != nullptr && admin::RangesText(*others) != text;
  });
  return {text, lacks ? Style::kWarning : Style::kPlain};
}

Table::Cell StateCell(const dev::v1::CrdtReplica& replica) {
  const bool fine = replica.state() == "up" && !replica.paused();
  return {replica.paused() ? absl::StrCat(replica.state(), ", paused") : replica.state(),
          fine ? Style::kGood : Style::kWarning};
}

std::string NotesOf(const dev::v1::CrdtReplica& replica) {
  std::vector<std::string> notes;
  if (replica.active()) notes.push_back("active");
  if (replica.waiting_writes() > 0)
    notes.push_back(absl::StrCat(Counted(replica.waiting_writes(), "write"), " waiting"));
  if (replica.waiting_reads() > 0) notes.push_back(absl::StrCat(Counted(replica.waiting_reads(), "read"), " waiting"));
  return notes.empty() ? "-" : absl::StrJoin(notes, ", ");
}

Table::Cell ValueCell(const dev::v1::CrdtReplica& replica) {
  if (!replica.known()) {
    const bool runs = replica.state() != "stopped" && replica.state() != "down";
    return {runs ? "knows nothing of it" : "-", Style::kDim};
  }
  if (replica.deleted()) return {"deleted", Style::kBad};
  return {replica.has_value() ? replica.value().text() : "no value", Style::kBold};
}

Table ReplicasTable(const dev::v1::CrdtDetail& detail) {
  const std::vector<Life> writers = WritersOf(detail);
  const bool columns_for_writers = writers.size() <= kMostWriterColumns;
  std::vector<Table::Column> columns = {
      {"NODE", Table::Align::kRight}, {"STATE"}, {"NOTES"}, {"BYTES", Table::Align::kRight}};
  if (columns_for_writers) {
    for (const Life& writer : writers) {
      columns.push_back(
          {absl::StrCat(&writer == &writers.front() ? "WRITES OF " : "OF ", WriterName(writer, writers))});
    }
  } else {
    columns.push_back({"WRITES"});
  }
  columns.push_back({"VALUE"});
  Table table(std::move(columns));
  for (const dev::v1::CrdtReplica& replica : detail.replicas()) {
    std::vector<Table::Cell> cells = {{absl::StrCat(replica.node()), Style::kBold},
                                      StateCell(replica),
                                      {NotesOf(replica)},
                                      {absl::StrCat(replica.bytes())}};
    if (columns_for_writers) {
      for (const Life& writer : writers) cells.push_back(WritesCell(detail, replica, writer));
    } else {
      cells.push_back({absl::StrCat("of ", replica.writes_size(), " lives")});
    }
    cells.push_back(ValueCell(replica));
    table.AddRow(std::move(cells));
  }
  return table;
}

std::string TransferText(const dev::v1::CrdtTransfer& transfer) {
  std::vector<std::string> parts;
  if (transfer.number() != 0) {
    parts.push_back(absl::StrCat("change ", transfer.number(), ", ", Counted(transfer.bytes(), "byte"), ", for ",
                                 FormatShortDuration(admin::FromDuration(transfer.age()))));
  }
  if (transfer.due_changes() > 0) {
    parts.push_back(absl::StrCat(transfer.due_whole() ? "the whole state" : Counted(transfer.due_changes(), "change"),
                                 ", ", Counted(transfer.due_bytes(), "byte"), ", due",
                                 transfer.number() != 0 ? " when that is acknowledged" : ""));
  }
  return absl::StrCat(transfer.from(), " → ", transfer.to(), "  ", absl::StrJoin(parts, "; "));
}

std::string TransfersText(const dev::v1::CrdtDetail& detail, std::int32_t only, const Terminal& terminal) {
  std::string text;
  for (const dev::v1::CrdtTransfer& transfer : detail.transfers()) {
    if (only != 0 && transfer.from() != only && transfer.to() != only) continue;
    absl::StrAppend(&text, "  ", TransferText(transfer), "\n");
  }
  return text.empty() ? "" : absl::StrCat("\n", Styled("On its way, or due", Style::kDim, terminal), "\n", text);
}

// ---- what differs

// What a node lacks, who has it, and what keeps each of these from telling it.
struct CrdtLack {
  std::string what;
  std::vector<std::int32_t> known_by;
  std::vector<std::string> reasons;
};

std::string WhatIsLacked(const dev::v1::CrdtDifference& difference) {
  if (difference.known_by() == 0) return absl::StrCat("Node ", difference.node(), " has no replica");
  return absl::StrCat("Node ", difference.node(),
                      difference.deletion() ? " does not know that it is deleted"
                                            : absl::StrCat(" lacks ", admin::WritesText(difference.missing())));
}

std::string DifferencesText(const dev::v1::CrdtDetail& detail, std::int32_t only, const Terminal& terminal) {
  std::vector<CrdtLack> lacks;
  for (const dev::v1::CrdtDifference& difference : detail.differences()) {
    if (only != 0 && difference.node() != only && difference.known_by() != only) continue;
    std::string what = WhatIsLacked(difference);
    auto lack = std::ranges::find(lacks, what, &CrdtLack::what);
    if (lack == lacks.end()) lack = lacks.insert(lack, CrdtLack{std::move(what), {}, {}});
    if (difference.known_by() != 0) lack->known_by.push_back(difference.known_by());
    for (const dev::v1::CrdtReason& reason : difference.reasons()) {
      if (std::ranges::find(lack->reasons, reason.text()) == lack->reasons.end())
        lack->reasons.push_back(reason.text());
    }
  }
  if (lacks.empty()) return "";
  std::string text = absl::StrCat("\n", Styled("What differs, and why", Style::kDim, terminal), "\n");
  for (const CrdtLack& lack : lacks) {
    const char* has = lack.known_by.size() == 1 ? " has" : " have";
    absl::StrAppend(&text, "  ", Styled(lack.what, Style::kWarning, terminal),
                    lack.known_by.empty() ? "" : absl::StrCat(", which ", NodeList(lack.known_by), has), "\n");
    for (const std::string& reason : lack.reasons) absl::StrAppend(&text, "    ", Printable(reason), "\n");
  }
  return text;
}

std::string CrdtHead(const dev::v1::Crdt& crdt, const Terminal& terminal) {
  // Mostly the persistence id is the service's name.
  const bool tell =
      crdt.services_size() > 1 || (crdt.services_size() == 1 && crdt.services(0) != crdt.persistence_id());
  return absl::StrCat(Styled(Printable(EntityNameOf(crdt)), Style::kBold, terminal), "  ", CrdtTypeOf(crdt),
                      tell ? absl::StrCat("  of ", Printable(absl::StrJoin(crdt.services(), ", "))) : "", "\n");
}

// ---- a value in full

std::string FullValue(const dev::v1::CrdtValue& value, const std::string& indent) {
  std::string text;
  for (const dev::v1::Payload& element : value.elements()) {
    absl::StrAppend(&text, indent, Printable(element.json()), "\n");
  }
  for (const dev::v1::CrdtEntry& entry : value.entries()) {
    const bool nested = entry.value().size() > 0;
    absl::StrAppend(&text, indent, Printable(entry.key().json()), ": ",
                    nested ? entry.value().type() : Printable(entry.value().text()), "\n");
    if (nested) absl::StrAppend(&text, FullValue(entry.value(), indent + "  "));
  }
  const auto more = value.size() - value.elements_size() - value.entries_size();
  if (more > 0) absl::StrAppend(&text, indent, "… ", more, " more\n");
  if (value.size() > 0) return text;
  return absl::StrCat(indent, Printable(value.has_registered() ? value.registered().json() : value.text()), "\n");
}

Style KindStyle(const std::string& kind) {
  if (kind == "written" || kind == "deleted") return Style::kBold;
  if (kind == "joined" || kind == "confirmed") return Style::kGood;
  if (kind == "differs" || kind == "missed") return Style::kWarning;
  return kind == "timed out" ? Style::kBad : Style::kPlain;
}

}  // namespace

std::string FormatCrdts(const dev::v1::ListCrdtsResponse& listed, const Terminal& terminal) {
  if (listed.crdts().empty()) {
    return "No node knows of a CRDT entity that fits. They are there from their first command on.\n";
  }
  Table table(
      {{"ENTITY"}, {"TYPE"}, {"NODES", Table::Align::kRight}, {"AGREE"}, {"PENDING", Table::Align::kRight}, {"VALUE"}});
  for (const dev::v1::Crdt& crdt : listed.crdts()) {
    table.AddRow({{EntityNameOf(crdt), Style::kBold},
                  {CrdtTypeOf(crdt)},
                  {absl::StrCat(crdt.nodes())},
                  AgreedCell(crdt.agreed()),
                  {absl::StrCat(crdt.pending())},
                  {ValuesText(crdt)}});
  }
  return absl::StrCat(table.Format(terminal),
                      listed.next_page_token().empty() ? "" : "More follow: --all shows them.\n");
}

std::string FormatCrdt(const dev::v1::CrdtDetail& detail, const Terminal& terminal) {
  const bool agreed = detail.crdt().agreed();
  return absl::StrCat(CrdtHead(detail.crdt(), terminal),
                      Styled(agreed ? "All nodes that are up know the same." : "The nodes do not know the same.",
                             agreed ? Style::kGood : Style::kWarning, terminal),
                      "\n\n", ReplicasTable(detail).Format(terminal), TransfersText(detail, 0, terminal),
                      DifferencesText(detail, 0, terminal));
}

std::string FormatReplica(const dev::v1::CrdtDetail& detail, std::int32_t node, const Terminal& terminal) {
  const dev::v1::CrdtReplica& replica = *std::ranges::find(detail.replicas(), node, &dev::v1::CrdtReplica::node);
  const Table::Cell state = StateCell(replica);
  std::string text = absl::StrCat(CrdtHead(detail.crdt(), terminal), "On node ", node, ", which is ",
                                  Styled(state.text, state.style, terminal), "\n");
  if (replica.state() == "stopped" || replica.state() == "down") {
    return absl::StrCat(text, "It knows of nothing until it is started; then it begins with what it has kept.\n");
  }
  if (!replica.known()) return absl::StrCat(text, "It knows nothing of the entity.\n");
  const std::string writes = admin::WritesText(replica.writes());
  absl::StrAppend(&text, "Notes   ", NotesOf(replica), "\nSize    ", Counted(replica.bytes(), "byte"),
                  " encoded\nDigest  ", replica.digest(), "\nKnows   ", writes.empty() ? "no writes" : writes, "\n");
  absl::StrAppend(&text, "\n", Styled("Value", Style::kDim, terminal), "\n",
                  replica.has_value() ? FullValue(replica.value(), "  ")
                  : replica.deleted() ? "  deleted, on all nodes, for good\n"
                                      : "  none\n");
  return absl::StrCat(text, TransfersText(detail, node, terminal), DifferencesText(detail, node, terminal));
}

std::string FormatCrdtEvent(const dev::v1::CrdtEvent& event, EntityName name, const Terminal& terminal) {
  const std::string instant = FormatInstant(admin::FromTimestamp(event.time()));
  const std::string entity =
      name == EntityName::kShown && event.node() != 0 ? absl::StrCat(Printable(EntityNameOf(event)), "  ") : "";
  const std::string who = absl::StrFormat("%-7s", event.node() == 0 ? "" : absl::StrCat("node ", event.node()));
  const std::string kind = absl::StrFormat("%-12s", Printable(event.kind()));
  std::string what = Printable(event.text());
  const std::size_t used = instant.size() + Width(entity) + who.size() + Width(kind) + 6;
  if (terminal.width > 0) what = Truncated(what, terminal.width - std::min(used, terminal.width));
  return absl::StrCat(Styled(instant, Style::kDim, terminal), "  ", entity, who, "  ",
                      Styled(kind, KindStyle(event.kind()), terminal), "  ", what, "\n");
}

}  // namespace cloudstate::cli
