#include "emulator/userfunction/message_json.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/names.h"
#include "emulator/userfunction/json_text.h"
#include "emulator/userfunction/utf8.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::TimeUtil;

constexpr int kMaxDepth = 100;
constexpr int kNotRepeated = -1;

// One conversion.
class Writer {
 public:
  Writer(google::protobuf::DynamicMessageFactory& factory, const MessageJson::UnknownAny& unknown_any)
      : factory_(factory), unknown_any_(unknown_any) {}

  absl::Status WriteMessage(const Message& message) {
    if (++depth_ > kMaxDepth)
      return absl::InvalidArgumentError(absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
    absl::Status status = WriteByType(message);
    --depth_;
    return status;
  }

  absl::Status WriteFieldValue(const Message& message, const FieldDescriptor& field) {
    if (field.is_map()) return WriteMap(message, field);
    if (field.is_repeated()) return WriteList(message, field);
    if (field.message_type() != nullptr && !message.GetReflection()->HasField(message, &field)) {
      out_.append("null");
      return absl::OkStatus();
    }
    return WriteValue(message, field, kNotRepeated);
  }

  std::string Take() { return std::move(out_); }

 private:
  absl::Status WriteByType(const Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    switch (type.well_known_type()) {
      case Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
        return WriteObject(message);
      case Descriptor::WELLKNOWNTYPE_ANY:
        return WriteAny(message);
      case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      case Descriptor::WELLKNOWNTYPE_DURATION:
        return WriteTime(message);
      case Descriptor::WELLKNOWNTYPE_FIELDMASK:
        return WriteFieldMask(message);
      case Descriptor::WELLKNOWNTYPE_VALUE:
        return WriteDynamicValue(message);
      case Descriptor::WELLKNOWNTYPE_STRUCT:
      case Descriptor::WELLKNOWNTYPE_LISTVALUE:
        return WriteFieldValue(message, *type.FindFieldByNumber(1));
      default:  // a wrapper
        return WriteValue(message, *type.FindFieldByNumber(1), kNotRepeated);
    }
  }

  absl::Status WriteObject(const Message& message) {
    out_.push_back('{');
    if (absl::Status status = WriteMembers(message); !status.ok()) return status;
    out_.push_back('}');
    return absl::OkStatus();
  }

  absl::Status WriteMembers(const Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const bool may_be_absent =
          !field.is_repeated() && (field.message_type() != nullptr || field.containing_oneof() != nullptr);
      if (may_be_absent && !message.GetReflection()->HasField(message, &field)) continue;
      if (out_.back() != '{') out_.push_back(',');
      AppendJsonString(field.json_name(), out_);
      out_.push_back(':');
      if (absl::Status status = WriteFieldValue(message, field); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status WriteList(const Message& message, const FieldDescriptor& field) {
    out_.push_back('[');
    const int size = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < size; ++i) {
      if (i > 0) out_.push_back(',');
      if (absl::Status status = WriteValue(message, field, i); !status.ok()) return status;
    }
    out_.push_back(']');
    return absl::OkStatus();
  }

  absl::Status WriteMap(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    std::map<std::string, const Message*> entries;  // by the key's text; of equal keys on the wire the last one counts
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      auto key = KeyText(entry);
      if (!key.ok()) return key.status();
      entries[*std::move(key)] = &entry;
    }
    out_.push_back('{');
    for (const auto& [key, entry] : entries) {
      if (out_.back() != '{') out_.push_back(',');
      out_.append(key);
      out_.push_back(':');
      const FieldDescriptor& value = *field.message_type()->map_value();
      if (absl::Status status = WriteValue(*entry, value, kNotRepeated); !status.ok()) return status;
    }
    out_.push_back('}');
    return absl::OkStatus();
  }

  // A map key as a JSON string.
  absl::StatusOr<std::string> KeyText(const Message& entry) {
    const FieldDescriptor& key = *entry.GetDescriptor()->map_key();
    Writer writer(factory_, unknown_any_);
    if (absl::Status status = writer.WriteValue(entry, key, kNotRepeated); !status.ok()) return status;
    std::string text = writer.Take();
    return text.front() == '"' ? text : absl::StrCat("\"", text, "\"");
  }

  absl::Status WriteValue(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& get = *message.GetReflection();
    const bool one = index == kNotRepeated;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        absl::StrAppend(&out_, one ? get.GetInt32(message, &field) : get.GetRepeatedInt32(message, &field, index));
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_UINT32:
        absl::StrAppend(&out_, one ? get.GetUInt32(message, &field) : get.GetRepeatedUInt32(message, &field, index));
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_INT64:
        absl::StrAppend(&out_, "\"", one ? get.GetInt64(message, &field) : get.GetRepeatedInt64(message, &field, index),
                        "\"");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_UINT64:
        absl::StrAppend(&out_, "\"",
                        one ? get.GetUInt64(message, &field) : get.GetRepeatedUInt64(message, &field, index), "\"");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_DOUBLE:
        AppendJsonNumber(one ? get.GetDouble(message, &field) : get.GetRepeatedDouble(message, &field, index), out_);
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_FLOAT:
        AppendJsonNumber(one ? get.GetFloat(message, &field) : get.GetRepeatedFloat(message, &field, index), out_);
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_BOOL:
        out_.append((one ? get.GetBool(message, &field) : get.GetRepeatedBool(message, &field, index)) ? "true"
                                                                                                       : "false");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_ENUM:
        WriteEnum(field, one ? get.GetEnumValue(message, &field) : get.GetRepeatedEnumValue(message, &field, index));
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_STRING:
        return WriteString(message, field, index);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return WriteMessage(one ? get.GetMessage(message, &field) : get.GetRepeatedMessage(message, &field, index));
    }
    return absl::InternalError(absl::StrCat(field.full_name(), " has a type that protobuf does not have"));
  }

  void WriteEnum(const FieldDescriptor& field, int number) {
    const auto* value = field.enum_type()->FindValueByNumber(number);
    if (field.enum_type()->full_name() == "google.protobuf.NullValue") {
      out_.append("null");
    } else if (value != nullptr) {
      AppendJsonString(value->name(), out_);
    } else {
      absl::StrAppend(&out_, number);
    }
  }

  absl::Status WriteString(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& get = *message.GetReflection();
    std::string scratch;
    const std::string& text = index == kNotRepeated ? get.GetStringReference(message, &field, &scratch)
                                                    : get.GetRepeatedStringReference(message, &field, index, &scratch);
    if (field.type() == FieldDescriptor::TYPE_BYTES) {
      AppendJsonBytes(text, out_);
    } else if (IsValidUtf8(text)) {
      AppendJsonString(text, out_);
    } else {
      return absl::InvalidArgumentError(absl::StrCat(field.full_name(), " is not valid UTF-8"));
    }
    return absl::OkStatus();
  }

  absl::Status WriteTime(const Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    const Reflection& get = *message.GetReflection();
    const std::int64_t seconds = get.GetInt64(message, type.FindFieldByNumber(1));
    const std::int32_t nanos = get.GetInt32(message, type.FindFieldByNumber(2));
    const bool is_timestamp = type.well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP;
    const std::int64_t first = is_timestamp ? TimeUtil::kTimestampMinSeconds : TimeUtil::kDurationMinSeconds;
    const std::int64_t last = is_timestamp ? TimeUtil::kTimestampMaxSeconds : TimeUtil::kDurationMaxSeconds;
    const bool signs_agree = is_timestamp ? nanos >= 0 : seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0);
    if (seconds < first || seconds > last || !signs_agree || nanos > 999999999 || nanos < -999999999) {
      return absl::InvalidArgumentError(
          absl::StrCat(type.full_name(), " with ", seconds, " seconds and ", nanos, " nanos is out of range"));
    }
    if (is_timestamp) {
      google::protobuf::Timestamp timestamp;
      timestamp.set_seconds(seconds);
      timestamp.set_nanos(nanos);
      AppendJsonString(TimeUtil::ToString(timestamp), out_);
    } else {
      google::protobuf::Duration duration;
      duration.set_seconds(seconds);
      duration.set_nanos(nanos);
      AppendJsonString(TimeUtil::ToString(duration), out_);
    }
    return absl::OkStatus();
  }

  absl::Status WriteFieldMask(const Message& message) {
    const FieldDescriptor& paths = *message.GetDescriptor()->FindFieldByNumber(1);
    google::protobuf::FieldMask mask;
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &paths); ++i) {
      mask.add_paths(message.GetReflection()->GetRepeatedString(message, &paths, i));
    }
    std::string text;
    if (!FieldMaskUtil::ToJsonString(mask, &text)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a path of google.protobuf.FieldMask has no JSON form: ", FieldMaskUtil::ToString(mask)));
    }
    AppendJsonString(text, out_);
    return absl::OkStatus();
  }

  absl::Status WriteDynamicValue(const Message& message) {
    const auto* kind = message.GetDescriptor()->oneof_decl(0);
    const FieldDescriptor* field = message.GetReflection()->GetOneofFieldDescriptor(message, kind);
    if (field != nullptr) return WriteValue(message, *field, kNotRepeated);
    out_.append("null");
    return absl::OkStatus();
  }

  absl::Status WriteAny(const Message& message) {
    const Descriptor& any = *message.GetDescriptor();
    const std::string url = message.GetReflection()->GetString(message, any.FindFieldByNumber(1));
    const std::string value = message.GetReflection()->GetString(message, any.FindFieldByNumber(2));
    if (url.empty()) {
      out_.append("{}");
      return absl::OkStatus();
    }
    const Descriptor* type = any.file()->pool()->FindMessageTypeByName(base::TypeName(url));
    if (type == nullptr && !unknown_any_) {
      return absl::InvalidArgumentError(
          absl::StrCat("the type ", url, " of a google.protobuf.Any is not among the known descriptors"));
    }
    out_.append("{\"@type\":");
    AppendJsonString(url, out_);
    absl::Status status = type == nullptr ? WriteUnknownAny(url, value) : WriteAnyContent(*type, url, value);
    out_.push_back('}');
    return status;
  }

  absl::Status WriteUnknownAny(const std::string& url, const std::string& value) {
    absl::StrAppend(&out_, ",\"value\":", unknown_any_(url, value));
    return absl::OkStatus();
  }

  absl::Status WriteAnyContent(const Descriptor& type, const std::string& url, const std::string& value) {
    const std::unique_ptr<Message> content(factory_.GetPrototype(&type)->New());
    if (!content->ParseFromString(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a google.protobuf.Any of type ", url, " does not parse as that type"));
    }
    if (type.well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
      return WriteAnyMembers(*content);
    }
    out_.append(",\"value\":");
    return WriteMessage(*content);
  }

  // The members of the content, after the "@type" that is there already.
  absl::Status WriteAnyMembers(const Message& content) {
    Writer writer(factory_, unknown_any_);
    writer.depth_ = depth_;
    if (absl::Status status = writer.WriteMessage(content); !status.ok()) return status;
    const std::string object = writer.Take();
    if (object != "{}") absl::StrAppend(&out_, ",", object.substr(1, object.size() - 2));
    return absl::OkStatus();
  }

  google::protobuf::DynamicMessageFactory& factory_;
  const MessageJson::UnknownAny& unknown_any_;
  std::string out_;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<std::string> MessageJson::Write(const Message& message) const {
  Writer writer(factory_, unknown_any_);
  if (absl::Status status = writer.WriteMessage(message); !status.ok()) return status;
  return writer.Take();
}

absl::StatusOr<std::string> MessageJson::WriteField(const Message& message, const FieldDescriptor& field) const {
  Writer writer(factory_, unknown_any_);
  if (absl::Status status = writer.WriteFieldValue(message, field); !status.ok()) return status;
  return writer.Take();
}

}  // namespace cloudstate::userfunction
