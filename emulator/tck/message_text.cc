#include "emulator/tck/message_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/base/printable.h"
#include "emulator/base/view.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::tck {
namespace {

using google::protobuf::Message;

constexpr std::size_t kLongestLine = 400;

// Shows the strings that the published libraries put into CRDTs, which are wrappers but for their type's name.
class StringFinder final : public google::protobuf::TextFormat::Finder {
 public:
  const google::protobuf::Descriptor* FindAnyType(const Message& message, const std::string& prefix,
                                                  const std::string& name) const override {
    if (prefix == "p.cloudstate.io/" && name == "string") return google::protobuf::StringValue::descriptor();
    return Finder::FindAnyType(message, prefix, name);
  }
};

enum class Form { kLines, kOneLine };

std::string Print(const Message& message, Form form) {
  const google::protobuf::LogSilencer silencer;  // of types that nobody knows, which are shown as bytes
  const StringFinder finder;
  google::protobuf::TextFormat::Printer printer;
  printer.SetFinder(&finder);
  printer.SetExpandAny(true);
  printer.SetUseUtf8StringEscaping(true);
  printer.SetSingleLineMode(form == Form::kOneLine);
  std::string text;
  if (!printer.PrintToString(message, &text)) return message.DebugString();
  return text;
}

std::string Cut(std::string line) {
  if (line.size() <= kLongestLine) return line;
  return absl::StrCat(std::string(base::Beginning(line, kLongestLine)), "… (", line.size(), " bytes)");
}

std::vector<std::string> Lines(std::string_view text) {
  return absl::StrSplit(absl::StripSuffix(base::ToAbsl(text), "\n"), '\n');
}

const std::vector<const google::protobuf::FieldDescriptor*>& SetFields() {
  static const auto& fields = *new std::vector<const google::protobuf::FieldDescriptor*>([] {
    std::vector<const google::protobuf::FieldDescriptor*> all;
    for (const auto* type :
         {crdt::GSetDelta::descriptor(), crdt::ORSetDelta::descriptor(), crdt::ORMapDelta::descriptor()}) {
      for (int i = 0; i < type->field_count(); ++i) {
        if (type->field(i)->is_repeated()) all.push_back(type->field(i));
      }
    }
    return all;
  }());
  return fields;
}

// How long the longest common subsequence of the rests from (i, j) is.
std::vector<std::vector<std::size_t>> CommonLengths(const std::vector<std::string>& one,
                                                    const std::vector<std::string>& other) {
  std::vector<std::vector<std::size_t>> lengths(one.size() + 1, std::vector<std::size_t>(other.size() + 1));
  for (std::size_t i = one.size(); i-- > 0;) {
    for (std::size_t j = other.size(); j-- > 0;) {
      lengths[i][j] = one[i] == other[j] ? lengths[i + 1][j + 1] + 1 : std::max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

}  // namespace

std::string MessageText(const Message& message) {
  return absl::StrCat(message.GetTypeName(), "\n", Print(message, Form::kLines));
}

std::string MessageLine(const Message& message) {
  const std::string fields = Print(message, Form::kOneLine);
  return Cut(absl::StrCat(message.GetDescriptor()->name(), " { ", fields, "}"));
}

bool SameMessage(const Message& one, const Message& other) {
  const google::protobuf::LogSilencer silencer;  // as above; such are compared by their bytes
  google::protobuf::util::MessageDifferencer differencer;
  for (const google::protobuf::FieldDescriptor* field : SetFields()) differencer.TreatAsSet(field);
  return differencer.Compare(one, other);
}

Diff CompareLines(std::string_view expected, std::string_view received) {
  const std::vector<std::string> one = Lines(expected);
  const std::vector<std::string> other = Lines(received);
  const auto lengths = CommonLengths(one, other);
  Diff diff;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < one.size() || j < other.size()) {
    if (i < one.size() && j < other.size() && one[i] == other[j]) {
      diff.push_back({Mark::kSame, Cut(one[i++])});
      ++j;
    } else if (j == other.size() || (i < one.size() && lengths[i + 1][j] >= lengths[i][j + 1])) {
      diff.push_back({Mark::kExpected, Cut(one[i++])});
    } else {
      diff.push_back({Mark::kReceived, Cut(other[j++])});
    }
  }
  return diff;
}

std::string DiffText(const Diff& diff) {
  std::string text;
  for (const DiffLine& line : diff) {
    const char* mark = line.mark == Mark::kSame ? "  " : line.mark == Mark::kExpected ? "- " : "+ ";
    absl::StrAppend(&text, mark, line.text, "\n");
  }
  return text;
}

}  // namespace cloudstate::tck
