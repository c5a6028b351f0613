#include "emulator/userfunction/payload_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/names.h"
#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/json_text.h"
#include "emulator/userfunction/message_json.h"
#include "emulator/userfunction/utf8.h"
#include "emulator/userfunction/wire_reader.h"
#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;

constexpr int kMaxDepth = 32;
constexpr std::uint64_t kLargestExact = std::uint64_t{1} << 53;  // that a double, and so JavaScript, holds exactly

bool HasControlCharacters(std::string_view text) {
  for (const char character : text) {
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f) return true;
  }
  return false;
}

bool IsPrintable(std::string_view text) {
  for (const char character : text) {
    const bool layout = character == '\n' || character == '\r' || character == '\t';
    if ((static_cast<unsigned char>(character) < 0x20 && !layout) || character == 0x7f) return false;
  }
  return IsValidUtf8(text);
}

template <typename Integer>
std::string IntegerText(Integer value) {
  const bool negative = value < 0;
  const auto size = negative ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  return size > kLargestExact ? absl::StrCat("\"", value, "\"") : absl::StrCat(value);
}

// Of the two things that a fixed-size field can be, floating point is by far the likelier where it makes a sane number.
template <typename Float, typename Integer>
std::string FixedText(Integer raw) {
  const auto value = std::bit_cast<Float>(raw);
  const Float size = std::abs(value);
  if (raw != 0 && !(std::isfinite(value) && size > Float(1e-9) && size < Float(1e15))) return IntegerText(raw);
  std::string text;
  AppendJsonNumber(value, text);
  return text;
}

std::string Base64(std::string_view bytes) {
  std::string text;
  AppendJsonBytes(bytes, text);
  return text;
}

std::string Quote(std::string_view text) {
  std::string quoted;
  AppendJsonString(text, quoted);
  return quoted;
}

std::optional<std::string> GuessMessage(std::string_view bytes, int depth);

std::string GuessBytes(std::string_view bytes, int depth) {
  const bool printable = IsPrintable(bytes);
  if (printable && !HasControlCharacters(bytes)) return Quote(bytes);
  // A message often starts with a line feed: the tag of a string in field 1.
  if (auto message = GuessMessage(bytes, depth); message.has_value()) return *std::move(message);
  return printable ? Quote(bytes) : Base64(bytes);
}

std::string GuessValue(const WireField& field, int depth) {
  switch (field.type) {
    case WireField::Type::kVarint:
      return IntegerText(static_cast<std::int64_t>(field.value));
    case WireField::Type::kFixed64:
      return FixedText<double>(field.value);
    case WireField::Type::kFixed32:
      return FixedText<float>(static_cast<std::uint32_t>(field.value));
    case WireField::Type::kGroup:
      return GuessMessage(field.bytes, depth).value_or(Base64(field.bytes));
    case WireField::Type::kBytes:
      break;
  }
  return GuessBytes(field.bytes, depth);
}

std::optional<std::string> GuessMessage(std::string_view bytes, int depth) {
  if (depth >= kMaxDepth) return std::nullopt;
  // The whole level first: bytes that fail late would otherwise have had all their parts guessed for nothing.
  std::map<int, std::vector<WireField>> fields;
  WireReader reader(bytes);
  for (WireField field; reader.Next(field);) fields[field.number].push_back(field);
  if (!reader.ok()) return std::nullopt;
  std::string json = "{";
  for (const auto& [number, values] : fields) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", "\"", number, "\":", values.size() > 1 ? "[" : "");
    for (std::size_t i = 0; i < values.size(); ++i) {
      absl::StrAppend(&json, i > 0 ? "," : "", GuessValue(values[i], depth + 1));
    }
    if (values.size() > 1) json.push_back(']');
  }
  json.push_back('}');
  return json;
}

std::string Guess(std::string_view bytes) { return GuessMessage(bytes, 0).value_or(Base64(bytes)); }

// The last field 1 of a message; absent means its default. Nothing if the bytes are no message.
std::optional<WireField> FieldOne(std::string_view payload, WireField::Type type) {
  WireField found;
  found.type = type;
  WireReader reader(payload);
  for (WireField field; reader.Next(field);) {
    if (field.number == 1 && field.type == type) found = field;
  }
  if (!reader.ok()) return std::nullopt;
  return found;
}

std::optional<std::string> DecodePrimitive(std::string_view type, std::string_view payload) {
  using Type = WireField::Type;
  const bool is_text = type == "string" || type == "bytes";
  const Type wire_type = is_text            ? Type::kBytes
                         : type == "double" ? Type::kFixed64
                         : type == "float"  ? Type::kFixed32
                                            : Type::kVarint;
  const auto field = FieldOne(payload, wire_type);
  if (!field.has_value()) return std::nullopt;
  std::string json;
  if (type == "string") return IsValidUtf8(field->bytes) ? std::optional(Quote(field->bytes)) : std::nullopt;
  if (type == "bytes") return Base64(field->bytes);
  if (type == "bool") return field->value != 0 ? "true" : "false";
  if (type == "int32") return absl::StrCat(static_cast<std::int32_t>(field->value));
  if (type == "int64") return IntegerText(static_cast<std::int64_t>(field->value));
  if (type == "double") {
    AppendJsonNumber(std::bit_cast<double>(field->value), json);
    return json;
  }
  if (type == "float") {
    AppendJsonNumber(std::bit_cast<float>(static_cast<std::uint32_t>(field->value)), json);
    return json;
  }
  return std::nullopt;
}

std::optional<std::string> DecodeJson(std::string_view payload) {
  const auto field = FieldOne(payload, WireField::Type::kBytes);
  if (!field.has_value() || !CheckJson(field->bytes).ok()) return std::nullopt;
  return std::string(field->bytes);
}

std::optional<std::string> DecodeDescribed(std::string_view type_url, std::string_view payload,
                                           const DescriptorPool* pool, DynamicMessageFactory& factory) {
  if (pool == nullptr || payload.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const Descriptor* type = pool->FindMessageTypeByName(base::TypeName(type_url));
  if (type == nullptr) return std::nullopt;
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(type)->New());
  if (!message->ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  const MessageJson writer(factory, [&](std::string_view inner_url, std::string_view value) {
    return DecodePayload(inner_url, value, nullptr, factory).json;
  });
  auto json = writer.Write(*message);
  return json.ok() ? std::optional(*std::move(json)) : std::nullopt;
}

}  // namespace

const Descriptor* PrimitiveType(std::string_view name) {
  using google::protobuf::BoolValue;
  using google::protobuf::BytesValue;
  using google::protobuf::DoubleValue;
  using google::protobuf::FloatValue;
  using google::protobuf::Int32Value;
  using google::protobuf::Int64Value;
  using google::protobuf::StringValue;
  const std::array<std::pair<std::string_view, const Descriptor*>, 7> wrappers = {{
      {"string", StringValue::descriptor()},
      {"int32", Int32Value::descriptor()},
      {"int64", Int64Value::descriptor()},
      {"bool", BoolValue::descriptor()},
      {"bytes", BytesValue::descriptor()},
      {"float", FloatValue::descriptor()},
      {"double", DoubleValue::descriptor()},
  }};
  const auto* const found = std::ranges::find(wrappers, name, [](const auto& each) { return each.first; });
  return found == wrappers.end() ? nullptr : found->second;
}

PayloadJson DecodePayload(std::string_view type_url, std::string_view payload, const DescriptorPool* pool,
                          DynamicMessageFactory& factory) {
  std::optional<std::string> json;
  if (type_url.starts_with(kJsonPrefix)) {
    json = DecodeJson(payload);
  } else if (type_url.starts_with(kPrimitivePrefix)) {
    json = DecodePrimitive(type_url.substr(kPrimitivePrefix.size()), payload);
  } else {
    json = DecodeDescribed(type_url, payload, pool, factory);
  }
  if (json.has_value()) return {.json = *std::move(json), .described = true};
  return {.json = Guess(payload), .described = false};
}

}  // namespace cloudstate::userfunction
