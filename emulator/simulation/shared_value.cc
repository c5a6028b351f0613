#include "emulator/simulation/shared_value.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/crdt/cell.h"
#include "emulator/crdt/element.h"
#include "emulator/simulation/simulated_entity.h"

namespace cloudstate::simulation {
namespace {

// 0 for what is none of ours.
std::uint64_t ElementIn(const std::string& key) {
  const auto element = Unpack<ledger::Element>(crdt::AnyOf(key));
  return element.has_value() ? element->id() : 0;
}

}  // namespace

google::protobuf::Any ElementOf(std::uint64_t id) {
  ledger::Element element;
  element.set_id(id);
  google::protobuf::Any any;
  Pack(element, any);
  return any;
}

std::string ElementKey(std::uint64_t id) { return crdt::KeyOf(ElementOf(id)); }

void Hear(const crdt::CrdtDelta& told, std::optional<crdt::Value>& value) {
  if (!value.has_value()) value.emplace();
  crdt::ApplyOwn(told, *value);
  if (told.has_vote()) value->votes = {told.vote().self_vote(), told.vote().votes_for(), told.vote().total_voters()};
}

std::string ValueText(const std::optional<crdt::Value>& value) {
  if (!value.has_value()) return "nothing";
  const std::string type(crdt::TypeName(value->type));
  switch (static_cast<crdt::CrdtDelta::DeltaCase>(value->type)) {
    case crdt::CrdtDelta::kGcounter:
      return absl::StrCat(type, " ", value->count);
    case crdt::CrdtDelta::kPncounter:
      return absl::StrCat(type, " ", value->number);
    case crdt::CrdtDelta::kGset:
    case crdt::CrdtDelta::kOrset: {
      std::set<std::uint64_t> elements;
      for (const std::string& key : value->elements) elements.insert(ElementIn(key));
      return absl::StrCat(type, " {", absl::StrJoin(elements, ", "), "}");
    }
    case crdt::CrdtDelta::kLwwregister:
      return absl::StrCat(type, " ",
                          value->registered.empty() ? "nothing" : absl::StrCat(ElementIn(value->registered)));
    case crdt::CrdtDelta::kFlag:
      return absl::StrCat(type, value->enabled ? " on" : " off");
    case crdt::CrdtDelta::kOrmap:
      return absl::StrCat(
          type, " {",
          absl::StrJoin(value->entries, ", ",
                        [](std::string* out, const auto& entry) { absl::StrAppend(out, ValueText(entry.second)); }),
          "}");
    case crdt::CrdtDelta::kVote:
      return absl::StrCat(type, " ", value->votes.votes_for, " of ", value->votes.total,
                          value->votes.self ? ", its own too" : "");
    case crdt::CrdtDelta::DELTA_NOT_SET:
      break;
  }
  return "no type";
}

}  // namespace cloudstate::simulation
