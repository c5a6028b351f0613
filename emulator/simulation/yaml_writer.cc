#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "emulator/simulation/yaml_message.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace cloudstate::simulation {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A value that is longer goes over several lines.
constexpr std::size_t kWidth = 100;

bool IsPart(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsDuration(field);
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

// Anything that YAML might take for something else gets quotation marks: better too many than too few.
bool IsPlain(const std::string& text) {
  if (text.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(text.front()))) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (absl::EqualsIgnoreCase(text, word)) return false;
  }
  for (const char c : text) {
    if (IsControl(c) || absl::StrContains("[]{},#&*!|>'\"%@`", std::string(1, c))) return false;
  }
  return !absl::StrContains(text, ": ");
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (IsControl(c)) {
      absl::StrAppendFormat(&quoted, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// Lines as they are, after "|" or "|-"; nothing if the text is one line, or such lines would not be read as they are.
std::optional<std::string> Literal(const std::string& text, const std::string& indent) {
  const bool ends = absl::EndsWith(text, "\n");
  const std::string body = ends ? text.substr(0, text.size() - 1) : text;
  if (!absl::StrContains(text, '\n') || body.empty() || body.front() == ' ' || body.front() == '\n')
    return std::nullopt;
  if (body.back() == '\n') return std::nullopt;
  std::string lines = ends ? "|" : "|-";
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(body, '\n'))) {
    for (const char c : line) {
      if (IsControl(c)) return std::nullopt;
    }
    if (!line.empty() && line.find_first_not_of(' ') == std::string::npos) return std::nullopt;
    absl::StrAppend(&lines, "\n", line.empty() ? "" : indent, line);
  }
  return lines;
}

std::string DurationText(const Message& message) {
  const auto& duration = static_cast<const google::protobuf::Duration&>(message);
  const absl::Duration time = absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
  return time == absl::ZeroDuration() ? "0s" : absl::FormatDuration(time);
}

// The shortest text that is read as the same number.
std::string NumberText(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

// A name with the value that is written for it.
struct Entry {
  const FieldDescriptor* field;
  const Message* owner;
};

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
  // The message's only field, if it has but one.
  static std::optional<Entry> Only(const Message& message) {
    const auto* type = message.GetDescriptor();
    if (type->field_count() != 1) return std::nullopt;
    return Entry{type->field(0), &message};
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
    if (!given) continue;
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
      return IsPlain(text) ? text : Quoted(text);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(*owner, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberText(reflection->GetDouble(*owner, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection->GetInt64(*owner, field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
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
  if (!IsPart(field)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
      const auto literal = Literal(reflection->GetString(*owner, field), indent + "  ");
      if (literal.has_value()) return absl::StrCat(start, " ", *literal, "\n");
    }
    return absl::StrCat(start, " ", InOneLine(entry), "\n");
  }
  if (!field->is_repeated() && field->message_type()->field_count() == 0) return start + "\n";
  const std::string line = absl::StrCat(start, " ", InOneLine(entry), "\n");
  // The sections of the whole and its list of steps are easier to read, and to change, with a line for each part.
  const bool outermost = indent.empty();
  if (!outermost && line.size() <= kWidth) return line;
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
