#include "cmd/cloudstate-dev/json_output.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::cli {
namespace {

// Stands for a text while its message is converted. In the result it can't be anything else: a quotation mark that is
// part of a text has a backslash before it.
std::string Placeholder(std::size_t number) { return absl::StrCat("\x01", number, "\x01"); }
std::string ConvertedPlaceholder(std::size_t number) { return absl::StrCat("\"\\u0001", number, "\\u0001\""); }

std::string TakeOut(std::string& text, std::vector<std::string>& taken) {
  taken.push_back(text.empty() ? "null" : std::move(text));
  return Placeholder(taken.size() - 1);
}

void TakeOutReplies(google::protobuf::Message& message, std::vector<std::string>& taken) {
  if (message.GetDescriptor() == dev::v1::CallResponse::descriptor()) {
    for (std::string& reply : *static_cast<dev::v1::CallResponse&>(message).mutable_replies())
      reply = TakeOut(reply, taken);
  } else if (message.GetDescriptor() == dev::v1::CallStreamResponse::descriptor()) {
    auto& response = static_cast<dev::v1::CallStreamResponse&>(message);
    if (response.has_json()) response.set_json(TakeOut(*response.mutable_json(), taken));
  }
}

}  // namespace

void ForEachPayload(google::protobuf::Message& message, const std::function<void(dev::v1::Payload&)>& change) {
  if (message.GetDescriptor() == dev::v1::Payload::descriptor()) {
    change(static_cast<dev::v1::Payload&>(message));
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      ForEachPayload(*reflection.MutableMessage(&message, field), change);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      ForEachPayload(*reflection.MutableRepeatedMessage(&message, field, i), change);
    }
  }
}

std::string JsonString(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(value, &json);
  return status.ok() ? json : "null";
}

std::string JsonStrings(const std::vector<std::string>& texts) {
  const auto each = [](std::string* out, const std::string& text) { out->append(JsonString(text)); };
  return absl::StrCat("[", absl::StrJoin(texts, ",", each), "]");
}

std::string ToJson(const google::protobuf::Message& message) {
  std::unique_ptr<google::protobuf::Message> copy(message.New());
  copy->CopyFrom(message);
  std::vector<std::string> taken;
  ForEachPayload(*copy, [&](dev::v1::Payload& payload) { payload.set_json(TakeOut(*payload.mutable_json(), taken)); });
  TakeOutReplies(*copy, taken);

  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(*copy, &json, options);
  if (!status.ok()) return absl::StrCat("{\"error\":\"", message.GetTypeName(), " can't be shown as JSON\"}");

  std::string result;
  std::string_view rest = json;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const std::string placeholder = ConvertedPlaceholder(i);
    const std::size_t place = rest.find(placeholder);
    if (place == std::string_view::npos) continue;
    result.append(rest.substr(0, place)).append(taken[i]);
    rest.remove_prefix(place + placeholder.size());
  }
  return result.append(rest);
}

}  // namespace cloudstate::cli
