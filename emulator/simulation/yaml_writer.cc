#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "emulator/base/proto_time.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/simulation/yaml_text.h"
#include "emulator/simulation/yaml_value.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::simulation {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsPart(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsDuration(field) && !IsAnyValue(field);
}

std::string DurationText(const Message& message) {
  const absl::Duration time = base::FromDuration(static_cast<const google::protobuf::Duration&>(message));
  return time == absl::ZeroDuration() ? "0s" : absl::FormatDuration(time);
}

// A name with the value that is written for it.
struct Entry {
  const FieldDescriptor* field;
  const Message* owner;
};

// `index` is -1 for a field that is no list.
const google::protobuf::Value& AnyValue(const Entry& entry, int index) {
  const auto* reflection = entry.owner->GetReflection();
  const Message& value = index < 0 ? reflection->GetMessage(*entry.owner, entry.field)
                                   : reflection->GetRepeatedMessage(*entry.owner, entry.field, index);
  return static_cast<const google::protobuf::Value&>(value);
}

std::string ValueLines(const Entry& entry, const std::string& start, const std::string& indent) {
  if (!entry.field->is_repeated()) {
    return start + WriteYamlValue(AnyValue(entry, -1), indent + "  ", start.size());
  }
  google::protobuf::Value list;
  for (int i = 0; i < entry.owner->GetReflection()->FieldSize(*entry.owner, entry.field); ++i) {
    *list.mutable_list_value()->add_values() = AnyValue(entry, i);
  }
  return start + WriteYamlValue(list, indent + "  ", start.size());
}

class Writer {
 public:
  explicit Writer(const YamlShape& shape) : shape_(shape) {}

  // Lines of a mapping, each with its end.
  std::string Lines(const Message& message, const std::string& indent) const;
  // The parts of a mapping.
  std::string Parts(const Message& message) const;

 private:
  std::vector<Entry> Entries(const Message& message) const;
  std::string LinesOf(const Entry& entry, const std::string& indent) const;
  std::string ListLines(const Entry& entry, const std::string& indent) const;
  std::vector<std::string> Pairs(const Entry& entry) const;
  std::string InOneLine(const Entry& entry) const;
  std::string InOneLine(const Message& message) const;
  std::string Scalar(const Entry& entry, int index) const;
  // The field as whose value the message is written, if it is.
  std::optional<Entry> Only(const Message& message) const {
    const auto* type = message.GetDescriptor();
    const FieldDescriptor* only = shape_.ShortFor(type);
    if (only == nullptr) return std::nullopt;
    if (type->field_count() > 1) {
      const std::vector<Entry> entries = Entries(message);
      if (entries.size() != 1 || entries.front().field != only) return std::nullopt;
    }
    return Entry{only, &message};
  }

  const YamlShape& shape_;
};

std::vector<Entry> Writer::Entries(const Message& message) const {
  const auto* type = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  std::vector<Entry> entries;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const bool given =
        field->is_repeated() ? reflection->FieldSize(message, field) > 0 : reflection->HasField(message, field);
    if (!given && !shape_.IsWrittenEmpty(field)) continue;
    if (!shape_.IsInlined(field)) {
      entries.push_back({field, &message});
      continue;
    }
    for (const Entry& each : Entries(reflection->GetMessage(message, field))) entries.push_back(each);
  }
  return entries;
}

// `index` is -1 for a field that is no list.
std::string Writer::Scalar(const Entry& entry, int index) const {
  const auto& [field, owner] = entry;
  const auto* reflection = owner->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          index < 0 ? reflection->GetString(*owner, field) : reflection->GetRepeatedString(*owner, field, index);
      return YamlScalar(text);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(*owner, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return YamlNumber(reflection->GetDouble(*owner, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection->GetInt64(*owner, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower(reflection->GetEnum(*owner, field)->name());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (IsAnyValue(field)) return WriteYamlValueInOneLine(AnyValue(entry, index));
      return DurationText(reflection->GetMessage(*owner, field));
    default:
      return absl::StrCat(index < 0 ? reflection->GetInt32(*owner, field)
                                    : reflection->GetRepeatedInt32(*owner, field, index));
  }
}

std::string Writer::InOneLine(const Message& message) const {
  if (const auto only = Only(message); only.has_value()) return InOneLine(*only);
  return absl::StrCat("{", Parts(message), "}");
}

std::string Writer::Parts(const Message& message) const {
  std::vector<std::string> parts;
  for (const Entry& entry : Entries(message)) {
    parts.push_back(absl::StrCat(entry.field->name(), ": ", InOneLine(entry)));
  }
  return absl::StrJoin(parts, ", ");
}

// Names with their values, in the order of the names.
std::vector<std::string> Writer::Pairs(const Entry& entry) const {
  const auto* reflection = entry.owner->GetReflection();
  const auto* type = entry.field->message_type();
  std::vector<std::string> pairs;
  for (int i = 0; i < reflection->FieldSize(*entry.owner, entry.field); ++i) {
    const Message& pair = reflection->GetRepeatedMessage(*entry.owner, entry.field, i);
    pairs.push_back(absl::StrCat(Scalar({type->map_key(), &pair}, -1), ": ", Scalar({type->map_value(), &pair}, -1)));
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::string Writer::InOneLine(const Entry& entry) const {
  const auto& [field, owner] = entry;
  const auto* reflection = owner->GetReflection();
  if (field->is_map()) return absl::StrCat("{", absl::StrJoin(Pairs(entry), ", "), "}");
  if (!field->is_repeated()) {
    return IsPart(field) ? InOneLine(reflection->GetMessage(*owner, field)) : Scalar(entry, -1);
  }
  std::vector<std::string> elements;
  for (int i = 0; i < reflection->FieldSize(*owner, field); ++i) {
    elements.push_back(IsPart(field) ? InOneLine(reflection->GetRepeatedMessage(*owner, field, i)) : Scalar(entry, i));
  }
  return absl::StrCat("[", absl::StrJoin(elements, ", "), "]");
}

// Each element after "- ", and its further lines below it.
std::string Writer::ListLines(const Entry& entry, const std::string& indent) const {
  const auto* reflection = entry.owner->GetReflection();
  std::string text;
  for (int i = 0; i < reflection->FieldSize(*entry.owner, entry.field); ++i) {
    const Message& element = reflection->GetRepeatedMessage(*entry.owner, entry.field, i);
    if (Entries(element).empty() || Only(element).has_value()) {
      absl::StrAppend(&text, indent, "- ", InOneLine(element), "\n");
    } else {
      std::string lines = Lines(element, indent + "  ");
      lines.replace(indent.size(), 2, "- ");
      text += lines;
    }
  }
  return text;
}

std::string Writer::LinesOf(const Entry& entry, const std::string& indent) const {
  const auto& [field, owner] = entry;
  const std::string start = absl::StrCat(indent, field->name(), ":");
  const auto* reflection = owner->GetReflection();
  if (field->is_repeated() && reflection->FieldSize(*owner, field) == 0) return start + " []\n";
  if (IsAnyValue(field)) return ValueLines(entry, start, indent);
  if (!IsPart(field)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
      const auto literal = YamlLiteral(reflection->GetString(*owner, field), indent + "  ");
      if (literal.has_value()) return absl::StrCat(start, " ", *literal, "\n");
    }
    return absl::StrCat(start, " ", InOneLine(entry), "\n");
  }
  if (!field->is_repeated() && field->message_type()->field_count() == 0) return start + "\n";
  const std::string line = absl::StrCat(start, " ", InOneLine(entry), "\n");
  // The sections of the whole and its list of steps are easier to read, and to change, with a line for each part.
  const bool outermost = indent.empty();
  if (!outermost && line.size() <= kYamlWidth) return line;
  if (field->is_map())
    return absl::StrCat(start, "\n", indent, "  ", absl::StrJoin(Pairs(entry), "\n" + indent + "  "), "\n");
  if (field->is_repeated()) return absl::StrCat(start, "\n", ListLines(entry, indent + "  "));
  const Message& part = reflection->GetMessage(*owner, field);
  if (const auto only = Only(part); only.has_value()) {
    if (!IsPart(only->field)) return line;
    return absl::StrCat(start, "\n", ListLines(*only, indent + "  "));
  }
  return Entries(part).empty() ? line : absl::StrCat(start, "\n", Lines(part, indent + "  "));
}

std::string Writer::Lines(const Message& message, const std::string& indent) const {
  std::string text;
  for (const Entry& entry : Entries(message)) text += LinesOf(entry, indent);
  return text;
}

}  // namespace

std::string WriteYaml(const Message& message, const YamlShape& shape) {
  const std::string lines = Writer(shape).Lines(message, "");
  return lines.empty() ? "{}\n" : lines;
}

std::string WriteYamlInOneLine(const Message& message, const YamlShape& shape) { return Writer(shape).Parts(message); }

}  // namespace cloudstate::simulation
