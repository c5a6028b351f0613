#include "emulator/admin/crdt_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "emulator/base/printable.h"

namespace cloudstate::admin {
namespace {

constexpr std::size_t kLongestPayload = 60;  // bytes of JSON in a text
constexpr int kMostElements = 5;             // of one set or map in a text

void DecodeIn(const PayloadDecoder& decoder, dev::v1::Payload& payload) {
  payload = decoder.Decode({payload.type_url(), payload.value()});
}

// Never within a character.
std::string Shortened(const std::string& text) {
  if (text.size() <= kLongestPayload) return text;
  return std::string(base::Beginning(text, kLongestPayload)) + "…";
}

std::string PayloadText(const dev::v1::Payload& payload) { return Shortened(payload.json()); }

std::string Braced(const std::vector<std::string>& parts, std::int64_t size) {
  const auto more = size - static_cast<std::int64_t>(parts.size());
  return absl::StrCat("{", absl::StrJoin(parts, ", "), parts.empty() || more <= 0 ? "" : ", ",
                      more > 0 ? absl::StrCat("… ", more, " more") : "", "}");
}

std::string ValueText(const dev::v1::CrdtValue& value) {
  const std::string& type = value.type();
  if (type == "GCounter") return absl::StrCat(value.count());
  if (type == "PNCounter") return absl::StrCat(value.number());
  if (type == "Flag") return value.enabled() ? "on" : "off";
  if (type == "Vote") return absl::StrCat(value.votes().votes_for(), " of ", value.votes().total());
  if (type == "LWWRegister") return value.has_registered() ? PayloadText(value.registered()) : "nothing yet";
  std::vector<std::string> parts;
  for (const dev::v1::Payload& element : value.elements()) {
    if (parts.size() < kMostElements) parts.push_back(PayloadText(element));
  }
  for (const dev::v1::CrdtEntry& entry : value.entries()) {
    if (parts.size() == kMostElements) break;
    parts.push_back(absl::StrCat(PayloadText(entry.key()), ": ", entry.value().text()));
  }
  return Braced(parts, value.size());
}

// Innermost first: the text of a map has those of its entries in it.
void DescribeValue(const PayloadDecoder& decoder, dev::v1::CrdtValue& value) {
  for (dev::v1::Payload& element : *value.mutable_elements()) DecodeIn(decoder, element);
  if (value.has_registered()) DecodeIn(decoder, *value.mutable_registered());
  for (dev::v1::CrdtEntry& entry : *value.mutable_entries()) {
    DecodeIn(decoder, *entry.mutable_key());
    DescribeValue(decoder, *entry.mutable_value());
  }
  value.set_text(ValueText(value));
}

std::string ChangeText(const dev::v1::CrdtChange& change) {
  std::string text;
  for (const dev::v1::Payload& key : change.path()) absl::StrAppend(&text, PayloadText(key), ": ");
  if (change.voter() != 0) absl::StrAppend(&text, "node ", change.voter(), " ");
  absl::StrAppend(&text, change.what());
  if (change.has_payload()) absl::StrAppend(&text, " ", PayloadText(change.payload()));
  return text;
}

// What changes, of which writes, in how many bytes.
std::string ContentText(const dev::v1::CrdtEvent& event) {
  std::vector<std::string> changes;
  for (const dev::v1::CrdtChange& change : event.changes()) changes.push_back(ChangeText(change));
  if (event.more_changes() > 0) changes.push_back(absl::StrCat("… ", event.more_changes(), " more"));
  std::vector<std::string> notes;
  if (event.number() > 0) notes.push_back(absl::StrCat("change ", event.number()));
  if (event.writes_size() > 0) notes.push_back(WritesText(event.writes()));
  if (event.whole()) notes.push_back("whole state");
  if (event.bytes() > 0) notes.push_back(absl::StrCat(event.bytes(), " bytes"));
  if (!event.consistency().empty()) notes.push_back(event.consistency());
  const std::string what = changes.empty() ? event.writes_size() > 0 ? "" : "no news" : absl::StrJoin(changes, ", ");
  const std::string more = absl::StrJoin(notes, ", ");
  return what.empty() || more.empty() ? what + more : absl::StrCat(what, " (", more, ")");
}

std::string EventText(const dev::v1::CrdtEvent& event) {
  const std::string& kind = event.kind();
  const std::string peer = absl::StrCat("node ", event.peer());
  if (kind == "written") return ContentText(event);
  if (kind == "deleted") return absl::StrCat("for good, on all nodes (", event.consistency(), ")");
  if (kind == "sent") return absl::StrCat("to ", peer, ": ", ContentText(event));
  if (kind == "joined") return absl::StrCat("from ", peer, ": ", ContentText(event));
  if (kind == "watching") return "from here on each write is told, and what becomes of it";
  if (kind == "acknowledged") return absl::StrCat("by ", peer, ": change ", event.number());
  if (kind == "differs") return absl::StrCat(peer, " has another digest: both send what they have");
  if (kind == "wanted") return absl::StrCat("by ", peer, ": the whole state");
  if (kind == "pruned") return absl::StrCat(peer, "'s former life: its writes are this node's now");
  if (kind == "forgotten") return absl::StrCat(peer, "'s former life: nothing of it is left");
  if (event.consistency().empty()) return "a read: too few nodes have said what they know";
  const std::string write = absl::StrCat("a write with ", event.consistency());
  if (kind == "confirmed") return write;
  return absl::StrCat(write, ": too few nodes have acknowledged it; it stays, and spreads all the same");
}

}  // namespace

void Describe(const PayloadDecoder& decoder, dev::v1::Crdt& crdt) {
  for (dev::v1::CrdtValueOnNode& each : *crdt.mutable_values()) {
    if (each.has_value()) DescribeValue(decoder, *each.mutable_value());
  }
}

void Describe(const PayloadDecoder& decoder, dev::v1::CrdtDetail& detail) {
  for (dev::v1::CrdtReplica& replica : *detail.mutable_replicas()) {
    if (replica.has_value()) DescribeValue(decoder, *replica.mutable_value());
  }
}

void Describe(const PayloadDecoder& decoder, dev::v1::CrdtEvent& event) {
  for (dev::v1::CrdtChange& change : *event.mutable_changes()) {
    for (dev::v1::Payload& key : *change.mutable_path()) DecodeIn(decoder, key);
    if (change.has_payload()) DecodeIn(decoder, *change.mutable_payload());
  }
  event.set_text(EventText(event));
}

std::string RangesText(const dev::v1::CrdtWrites& writes) {
  return absl::StrJoin(writes.ranges(), ",", [](std::string* out, const dev::v1::CrdtWriteRange& range) {
    absl::StrAppend(out, range.first());
    if (range.last() != range.first()) absl::StrAppend(out, "-", range.last());
  });
}

std::string WritesText(const google::protobuf::RepeatedPtrField<dev::v1::CrdtWrites>& writes) {
  return absl::StrJoin(writes, ", ", [](std::string* out, const dev::v1::CrdtWrites& of) {
    const bool one = of.ranges_size() == 1 && of.ranges(0).first() == of.ranges(0).last();
    absl::StrAppend(out, one ? "write " : "writes ", RangesText(of), " of node ", of.node(),
                    of.incarnation() > 1 ? absl::StrCat(" (life ", of.incarnation(), ")") : "");
  });
}

}  // namespace cloudstate::admin
