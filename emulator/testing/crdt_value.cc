#include "emulator/testing/crdt_value.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cloudstate::testing {
namespace {

Actual ElementsOf(const dev::v1::CrdtValue& value, const KnownTypes& types) {
  std::vector<std::pair<std::string, Actual>> elements;
  for (const dev::v1::Payload& each : value.elements()) {
    Actual element = types.Decode(each);
    std::string text = JsonText(element.full);
    elements.emplace_back(std::move(text), std::move(element));
  }
  std::ranges::sort(elements, {}, [](const auto& each) -> const std::string& { return each.first; });
  std::vector<Actual> in_order;
  for (auto& [text, element] : elements) in_order.push_back(std::move(element));
  return ActualList(in_order);
}

Actual EntriesOf(const dev::v1::CrdtValue& value, const KnownTypes& types) {
  Actual map;
  for (Json* each : {&map.full, &map.brief}) each->mutable_struct_value();
  map.keys.mapping = Keys::Mapping::kKeys;
  for (const dev::v1::CrdtEntry& entry : value.entries()) {
    const Json key = types.Decode(entry.key()).full;
    const std::string name = key.has_string_value() ? key.string_value() : JsonText(key);
    AddMember(map, name, CrdtActual(entry.value(), types));
  }
  return map;
}

}  // namespace

Actual CrdtActual(const dev::v1::CrdtValue& value, const KnownTypes& types) {
  if (value.type() == "GCounter") return ActualOf(NumberValue(static_cast<double>(value.count())));
  if (value.type() == "PNCounter") return ActualOf(NumberValue(static_cast<double>(value.number())));
  if (value.type() == "GSet" || value.type() == "ORSet") return ElementsOf(value, types);
  if (value.type() == "ORMap") return EntriesOf(value, types);
  Json json;
  if (value.type() == "Flag") {
    json.set_bool_value(value.enabled());
  } else if (value.type() == "Vote") {
    auto& members = *json.mutable_struct_value()->mutable_fields();
    members["for"] = NumberValue(value.votes().votes_for());
    members["total"] = NumberValue(value.votes().total());
  } else if (value.has_registered()) {
    return types.Decode(value.registered());
  }
  return ActualOf(std::move(json));
}

}  // namespace cloudstate::testing
