#include "cmd/cloudstate-dev/type_table.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/payload_text.h"

namespace cloudstate::cli {
namespace {

constexpr char kJoint[] = "; ";

class Fields {
 public:
  explicit Fields(const dev::v1::TypeDescription& type) {
    for (const dev::v1::MessageType& message : type.messages()) messages_[message.name()] = &message;
    for (const dev::v1::EnumType& each : type.enums()) enums_[each.name()] = &each;
    if (!type.messages().empty()) Add(type.messages(0), "");
  }

  std::string Format(const Terminal& terminal) const {
    return table_.empty() ? "no fields\n" : table_.Format(terminal);
  }

 private:
  void Add(const dev::v1::MessageType& message, const std::string& indent) {
    shown_.insert(message.name());
    for (const dev::v1::Field& field : message.fields()) {
      const auto nested = messages_.find(field.nested_type());
      const bool again = nested != messages_.end() && shown_.contains(field.nested_type());
      std::string what = What(field);
      if (again) absl::StrAppend(&what, what.empty() ? "" : kJoint, "fields as above");
      table_.AddRow({{indent + field.json_name(), Style::kBold}, {Type(field)}, {std::move(what)}});
      if (nested != messages_.end() && !again) Add(*nested->second, indent + "  ");
    }
  }

  static std::string Type(const dev::v1::Field& field) {
    std::string type = field.type();
    if (!field.nested_type().empty()) {
      type = absl::StrReplaceAll(type, {{field.nested_type(), ShortType(field.nested_type())}});
    }
    return absl::StrCat(field.repeated() ? "repeated " : "", type);
  }

  std::string What(const dev::v1::Field& field) const {
    std::vector<std::string> parts;
    if (!field.comment().empty()) parts.push_back(field.comment());
    if (!field.oneof().empty()) parts.push_back(absl::StrCat("one of ", field.oneof()));
    const auto values = enums_.find(field.nested_type());
    if (values != enums_.end()) parts.push_back(absl::StrJoin(values->second->values(), " | "));
    return absl::StrJoin(parts, kJoint);
  }

  std::map<std::string, const dev::v1::MessageType*> messages_;
  std::map<std::string, const dev::v1::EnumType*> enums_;
  std::set<std::string> shown_;
  Table table_{{{"FIELD"}, {"TYPE"}, {"WHAT"}}};
};

}  // namespace

std::string FormatFields(const dev::v1::TypeDescription& type, const Terminal& terminal) {
  return Fields(type).Format(terminal);
}

}  // namespace cloudstate::cli
