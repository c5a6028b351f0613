#include "emulator/admin/type_description.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "emulator/userfunction/payload_json.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::admin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

constexpr int kMaxMessages = 500;  // a description longer than that helps nobody

// The lines before a declaration, or those behind it, as one line.
template <class Declaration>
std::string Comment(const Declaration& declaration) {
  google::protobuf::SourceLocation location;
  if (!declaration.GetSourceLocation(&location)) return "";
  const std::string& text = location.leading_comments.empty() ? location.trailing_comments : location.leading_comments;
  std::string comment;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) absl::StrAppend(&comment, comment.empty() ? "" : " ", line);
  }
  return comment;
}

std::string TypeName(const FieldDescriptor& field) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return absl::StrCat("map<", TypeName(*entry.map_key()), ", ", TypeName(*entry.map_value()), ">");
  }
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

class Description {
 public:
  explicit Description(const Descriptor& type) {
    Add(&type);
    // Grows while it is walked.
    for (std::size_t i = 0; i < waiting_.size() && result_.messages_size() < kMaxMessages; ++i) Describe(*waiting_[i]);
    result_.set_example(userfunction::ExampleJson(type));
  }

  dev::v1::TypeDescription Take() { return std::move(result_); }

 private:
  void Describe(const Descriptor& type) {
    dev::v1::MessageType& message = *result_.add_messages();
    message.set_name(type.full_name());
    message.set_comment(Comment(type));
    for (int i = 0; i < type.field_count(); ++i) Describe(*type.field(i), *message.add_fields());
  }

  void Describe(const FieldDescriptor& from, dev::v1::Field& field) {
    field.set_name(from.name());
    field.set_json_name(from.json_name());
    field.set_type(TypeName(from));
    field.set_repeated(from.is_repeated() && !from.is_map());
    if (from.real_containing_oneof() != nullptr) field.set_oneof(from.real_containing_oneof()->name());
    field.set_comment(Comment(from));
    const FieldDescriptor& value = from.is_map() ? *from.message_type()->map_value() : from;
    if (value.message_type() != nullptr) {
      field.set_nested_type(value.message_type()->full_name());
      if (value.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED) Add(value.message_type());
    } else if (value.enum_type() != nullptr) {
      field.set_nested_type(value.enum_type()->full_name());
      Add(*value.enum_type());
    }
  }

  void Add(const Descriptor* type) {
    if (known_.insert(type->full_name()).second) waiting_.push_back(type);
  }

  void Add(const EnumDescriptor& type) {
    if (!known_.insert(type.full_name()).second) return;
    dev::v1::EnumType& added = *result_.add_enums();
    added.set_name(type.full_name());
    for (int i = 0; i < type.value_count(); ++i) added.add_values(type.value(i)->name());
  }

  dev::v1::TypeDescription result_;
  std::vector<const Descriptor*> waiting_;  // to be described, those that have been first
  std::set<std::string> known_;
};

}  // namespace

absl::StatusOr<dev::v1::TypeDescription> DescribeType(const serving::Services& services, const std::string& type) {
  const Descriptor* found = services.pool == nullptr ? nullptr : services.pool->FindMessageTypeByName(type);
  if (found != nullptr) return Description(*found).Take();
  return absl::NotFoundError(absl::StrCat("The user function has no message type '", type, "'."));
}

}  // namespace cloudstate::admin
