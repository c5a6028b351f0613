#include "emulator/fuzzing/values.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"

namespace cloudstate::fuzzing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr int kDeepest = 4;
constexpr std::size_t kUnsetPercent = 15;
constexpr std::size_t kSeenPercent = 40;
constexpr std::size_t kPlainPercent = 60;
constexpr std::size_t kMostSeen = 20;

// How many elements a repeated field and a map have; some more often than others.
constexpr std::array<std::size_t, 8> kLengths = {0, 1, 1, 2, 2, 3, 5, 12};

constexpr std::array<std::string_view, 6> kPlainTexts = {"a", "b", "apple", "bread", "Coffee", "user-1"};
constexpr std::array<std::string_view, 10> kOddTexts = {"",
                                                        " ",
                                                        "0",
                                                        "null",
                                                        "a/b?c=d&e",
                                                        "\"'\\ \t\n",
                                                        "Gr\u00fc\u00dfe aus K\u00f6ln",
                                                        "e\u0301 \u00e9",
                                                        "\u05e9\u05dc\u05d5\u05dd",
                                                        "\U0001F6D2\U0001F44D\U0001F3FD"};
constexpr std::size_t kLongText = 5000;

// In JSON; what a double can't hold exactly is a text there.
template <class Integer>
constexpr std::array<Integer, 4> kEdges = {0, static_cast<Integer>(-1), std::numeric_limits<Integer>::min(),
                                           std::numeric_limits<Integer>::max()};

Value OfText(std::string text) {
  Value value;
  value.set_string_value(std::move(text));
  return value;
}

Value OfNumber(double number) {
  Value value;
  value.set_number_value(number);
  return value;
}

Value OfBool(bool is) {
  Value value;
  value.set_bool_value(is);
  return value;
}

template <class Integer>
Value OfInteger(Integer number) {
  if constexpr (sizeof(Integer) == 8) return OfText(absl::StrCat(number));
  return OfNumber(static_cast<double>(number));
}

}  // namespace

std::size_t ValueMaker::Below(std::size_t count) { return base::Below(random_, count); }

Value ValueMaker::Message(const Descriptor& type) { return MessageAt(type, 0); }

Value ValueMaker::MessageAt(const Descriptor& type, int depth) {
  Value value;
  if (WellKnown(type, value)) return value;
  Struct& fields = *value.mutable_struct_value();
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const auto& oneof = *type.oneof_decl(i);
    const int chosen = static_cast<int>(Below(static_cast<std::size_t>(oneof.field_count()) + 1));  // the last: none
    if (chosen < oneof.field_count()) AddField(*oneof.field(chosen), depth, fields);
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.real_containing_oneof() != nullptr) continue;
    if (field.is_required() || !Chance(kUnsetPercent)) AddField(field, depth, fields);
  }
  return value;
}

bool ValueMaker::WellKnown(const Descriptor& type, Value& value) {
  switch (type.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP: {
      constexpr std::array<const char*, 4> kTimes = {"1970-01-01T00:00:00Z", "2024-02-29T12:00:00.5Z",
                                                     "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"};
      value = OfText(kTimes[Below(kTimes.size())]);
      return true;
    }
    case Descriptor::WELLKNOWNTYPE_DURATION: {
      constexpr std::array<const char*, 4> kDurations = {"0s", "1.5s", "-1s", "315576000000s"};
      value = OfText(kDurations[Below(kDurations.size())]);
      return true;
    }
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      value = OfText("");
      return true;
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      *(*value.mutable_struct_value()->mutable_fields())["a"].mutable_struct_value() = Struct();
      return true;
    case Descriptor::WELLKNOWNTYPE_VALUE:
      value = OfText(Text());
      return true;
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      *value.mutable_list_value()->add_values() = OfNumber(1);
      return true;
    case Descriptor::WELLKNOWNTYPE_ANY:
      value.mutable_struct_value();  // of any type: of none
      return true;
    case Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
      return false;
    default:  // wrappers are written as what they hold
      value = Scalar(*type.field(0));
      return true;
  }
}

void ValueMaker::AddField(const FieldDescriptor& field, int depth, Struct& fields) {
  const bool holds_messages = field.message_type() != nullptr;
  if (holds_messages && depth >= kDeepest && !field.is_required()) return;
  Value value;
  if (field.is_map()) {
    value = Map(field, depth);
  } else if (field.is_repeated()) {
    auto& list = *value.mutable_list_value();
    const std::size_t length = depth > 1 ? Below(3) : kLengths[Below(kLengths.size())];
    for (std::size_t i = 0; i < length; ++i) *list.add_values() = One(field, depth);
  } else {
    value = One(field, depth);
  }
  (*fields.mutable_fields())[field.json_name()] = std::move(value);
}

Value ValueMaker::Map(const FieldDescriptor& field, int depth) {
  Value value;
  Struct& entries = *value.mutable_struct_value();
  for (std::size_t i = Below(4); i > 0; --i) {
    std::string key = MapKey(*field.message_type()->map_key());
    (*entries.mutable_fields())[std::move(key)] = One(*field.message_type()->map_value(), depth);
  }
  return value;
}

std::string ValueMaker::MapKey(const FieldDescriptor& key) {
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return Text();
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return Chance(50) ? "true" : "false";
  return absl::StrCat(Below(4));
}

Value ValueMaker::One(const FieldDescriptor& field, int depth) {
  if (field.message_type() != nullptr) return MessageAt(*field.message_type(), depth + 1);
  std::vector<Value>& seen = seen_[absl::StrCat(field.name(), " ", field.type_name())];
  if (!seen.empty() && Chance(kSeenPercent)) return seen[Below(seen.size())];
  Value value = Scalar(field);
  if (seen.size() < kMostSeen) seen.push_back(value);
  return value;
}

Value ValueMaker::Scalar(const FieldDescriptor& field) {
  const auto integer = [this]<class Integer>(Integer) {
    if (Chance(kPlainPercent)) return OfInteger(static_cast<Integer>(1 + Below(9)));
    if (Chance(20)) return OfInteger(static_cast<Integer>(random_()));
    return OfInteger(kEdges<Integer>[Below(4)]);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return integer(std::int32_t{});
    case FieldDescriptor::CPPTYPE_INT64:
      return integer(std::int64_t{});
    case FieldDescriptor::CPPTYPE_UINT32:
      return integer(std::uint32_t{});
    case FieldDescriptor::CPPTYPE_UINT64:
      return integer(std::uint64_t{});
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      if (Chance(kPlainPercent)) return OfNumber(static_cast<double>(1 + Below(40)) * 0.25);
      constexpr std::array<const char*, 3> kNoNumbers = {"NaN", "Infinity", "-Infinity"};
      constexpr std::array<double, 5> kNumbers = {0, -0.0, -1, 1e30, 1e-30};  // that a float holds as well
      if (Chance(40)) return OfText(kNoNumbers[Below(kNoNumbers.size())]);
      return OfNumber(kNumbers[Below(kNumbers.size())]);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return OfBool(Chance(50));
    case FieldDescriptor::CPPTYPE_ENUM:
      return Enum(field);
    case FieldDescriptor::CPPTYPE_STRING: {
      constexpr std::array<const char*, 4> kBytes = {"", "AA==", "//79", "aGVsbG8="};  // in base64
      if (field.type() != FieldDescriptor::TYPE_BYTES) return OfText(Text());
      return OfText(kBytes[Below(kBytes.size())]);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;  // is no scalar
  }
  return {};
}

Value ValueMaker::Enum(const FieldDescriptor& field) {
  const auto& type = *field.enum_type();
  const bool may_be_unknown = field.file()->syntax() == google::protobuf::FileDescriptor::SYNTAX_PROTO3;
  constexpr int kNoName = 4711;
  if (may_be_unknown && Chance(10) && type.FindValueByNumber(kNoName) == nullptr) return OfNumber(kNoName);
  return OfText(type.value(static_cast<int>(Below(static_cast<std::size_t>(type.value_count()))))->name());
}

std::string ValueMaker::Text() {
  if (Chance(kPlainPercent)) return std::string(kPlainTexts[Below(kPlainTexts.size())]);
  if (Chance(5)) return std::string(kLongText, 'x');
  return std::string(kOddTexts[Below(kOddTexts.size())]);
}

}  // namespace cloudstate::fuzzing
