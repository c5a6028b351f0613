#include "cmd/cloudstate-dev/crdt_json.h"

#include <algorithm>
#include <vector>

namespace cloudstate::cli {
namespace {

using testing::Json;

Json PayloadJson(const dev::v1::Payload& payload) {
  absl::StatusOr<Json> json = testing::ParseJson(payload.json());
  return json.ok() ? *json : testing::TextValue(payload.json());
}

Json ElementsJson(const dev::v1::CrdtValue& value) {
  std::vector<Json> elements;
  for (const dev::v1::Payload& element : value.elements()) elements.push_back(PayloadJson(element));
  std::sort(elements.begin(), elements.end(),
            [](const Json& one, const Json& other) { return testing::JsonText(one) < testing::JsonText(other); });
  Json list;
  list.mutable_list_value();
  for (const Json& element : elements) *list.mutable_list_value()->add_values() = element;
  return list;
}

Json EntriesJson(const dev::v1::CrdtValue& value) {
  Json map;
  map.mutable_struct_value();
  for (const dev::v1::CrdtEntry& entry : value.entries()) {
    const Json key = PayloadJson(entry.key());
    const std::string name = key.has_string_value() ? key.string_value() : testing::JsonText(key);
    (*map.mutable_struct_value()->mutable_fields())[name] = CrdtJson(entry.value());
  }
  return map;
}

}  // namespace

Json CrdtJson(const dev::v1::CrdtValue& value) {
  Json json;
  if (value.type() == "GCounter") return testing::NumberValue(static_cast<double>(value.count()));
  if (value.type() == "PNCounter") return testing::NumberValue(static_cast<double>(value.number()));
  if (value.type() == "GSet" || value.type() == "ORSet") return ElementsJson(value);
  if (value.type() == "ORMap") return EntriesJson(value);
  if (value.type() == "Flag") {
    json.set_bool_value(value.enabled());
  } else if (value.type() == "Vote") {
    auto& members = *json.mutable_struct_value()->mutable_fields();
    members["for"] = testing::NumberValue(value.votes().votes_for());
    members["total"] = testing::NumberValue(value.votes().total());
  } else if (value.has_registered()) {
    return PayloadJson(value.registered());
  }
  return json;
}

}  // namespace cloudstate::cli
