#include "emulator/serving/transcoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "emulator/serving/bindings.h"
#include "emulator/serving/nearest_routes.h"
#include "emulator/serving/query_parameters.h"
#include "emulator/serving/route_table.h"
#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/json_reader.h"
#include "emulator/userfunction/json_text.h"
#include "emulator/userfunction/message_json.h"
#include "google/protobuf/dynamic_message.h"

namespace cloudstate::serving {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr char kJson[] = "application/json";

// The descriptor is the user function's own, so that its fields are looked at before they are relied on.
bool IsHttpBody(const Descriptor* type) {
  if (type == nullptr || type->full_name() != "google.api.HttpBody") return false;
  const auto* content_type = type->FindFieldByName("content_type");
  const auto* data = type->FindFieldByName("data");
  return content_type != nullptr && content_type->type() == FieldDescriptor::TYPE_STRING &&
         !content_type->is_repeated() && data != nullptr && data->type() == FieldDescriptor::TYPE_BYTES &&
         !data->is_repeated();
}

bool IsJson(const std::string& content_type) {
  const std::string media_type = content_type.substr(0, content_type.find(';'));
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(media_type)) == kJson;
}

absl::Status Parse(std::string_view bytes, Message& message) {
  if (userfunction::ParsePartial(bytes, message)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("not a valid ", message.GetDescriptor()->full_name()));
}

void SetHttpBody(const HttpRequest& request, Message& body) {
  const Descriptor& type = *body.GetDescriptor();
  body.GetReflection()->SetString(&body, type.FindFieldByName("content_type"), request.content_type);
  body.GetReflection()->SetString(&body, type.FindFieldByName("data"), request.body);
}

Transcoder::Body FromHttpBody(const Message& body) {
  const Descriptor& type = *body.GetDescriptor();
  std::string content_type = body.GetReflection()->GetString(body, type.FindFieldByName("content_type"));
  if (content_type.empty()) content_type = "application/octet-stream";
  return {.content_type = std::move(content_type),
          .bytes = body.GetReflection()->GetString(body, type.FindFieldByName("data"))};
}

HttpError BadRequest(const absl::Status& status) {
  return {.status = 400, .text = std::string(status.message()), .allow = ""};
}

class TranscoderImpl final : public Transcoder {
 public:
  explicit TranscoderImpl(std::shared_ptr<const Services> services)
      : services_(std::move(services)), factory_(services_->pool), json_(factory_), reader_(services_->pool) {}

  absl::Status AddMethods() {
    for (const auto* service : services_->services) {
      for (int i = 0; i < service->method_count(); ++i) {
        auto bindings = BindingsOf(*service->method(i));
        if (!bindings.ok()) return bindings.status();
        for (Binding& binding : *bindings) Add(std::move(binding));
      }
    }
    // Generated routes come last, so that none takes the place of one that somebody wrote.
    for (const bool generated : {false, true}) {
      for (std::size_t i = 0; i < bound_.size(); ++i) {
        const Route& route = routes_[i];
        if (route.generated != generated) continue;
        table_.Add(bound_[i].binding.path, route.http_method, i);
        if (route.method->client_streaming() || route.method->server_streaming()) {
          stream_table_.Add(bound_[i].binding.path, "*", i);
        }
      }
    }
    return absl::OkStatus();
  }

  const std::vector<Route>& routes() const override { return routes_; }

  std::variant<Transcoded, HttpError> Decode(const HttpRequest& request) const override {
    auto path = RequestPath::Parse(request.path);
    if (!path.ok()) return BadRequest(path.status());
    const auto found = table_.Find(request.method, *std::move(path));
    if (found.route == RouteTable::Found::kNone) {
      const std::string text = absl::StrCat("no route for ", request.method, " ", request.path, "\n");
      return found.allowed.empty() ? NotFound(request, text) : NotAllowed(request, found.allowed);
    }
    const Bound& bound = bound_[found.route];
    if (auto refusal = Refuse(bound, request); refusal.has_value()) return *std::move(refusal);
    const std::unique_ptr<Message> input(bound.input->New());
    // Body first, then the query, then the path over both.
    absl::Status status =
        bound.binding.route.body.empty() ? absl::OkStatus() : FillFromBody(bound.binding, request, *input);
    if (status.ok()) status = LayOver(bound.binding, request.query, VariableTexts(bound.binding, found.path), *input);
    if (!status.ok()) return BadRequest(status);
    return Transcoded{.route = &routes_[found.route], .payload = input->SerializeAsString()};
  }

  std::variant<MessageTarget, HttpError> FindStream(const HttpRequest& request) const override {
    auto path = RequestPath::Parse(request.path);
    if (!path.ok()) return BadRequest(path.status());
    const auto found = stream_table_.Find(request.method, *std::move(path));
    if (found.route == RouteTable::Found::kNone) {
      return NotFound(request, absl::StrCat("no streamed method for a WebSocket at ", request.path, "\n"));
    }
    return MessageTarget{.route = &routes_[found.route],
                         .query = request.query,
                         .variables = VariableTexts(bound_[found.route].binding, found.path)};
  }

  absl::StatusOr<std::string> DecodeMessage(const MessageTarget& target, const std::string& json) const override {
    const Bound& bound = BoundOf(*target.route);
    const std::unique_ptr<Message> input(bound.input->New());
    absl::Status status = FillFromJson(bound.binding.body_field, json, *input);
    if (status.ok()) status = LayOver(bound.binding, target.query, target.variables, *input);
    if (!status.ok()) return status;
    return input->SerializeAsString();
  }

  absl::StatusOr<Body> Encode(const Route& route, std::string_view payload) const override {
    const Bound& bound = BoundOf(route);
    const std::unique_ptr<Message> output(bound.output->New());
    auto body = EncodeMessage(bound, payload, *output);
    if (body.ok()) return body;
    return absl::InternalError(
        absl::StrCat("the reply of ", route.method->full_name(), " has no JSON form: ", body.status().message()));
  }

 private:
  struct Bound {
    Binding binding;
    const Message* input = nullptr;  // prototypes; the factory owns them
    const Message* output = nullptr;
  };

  const Bound& BoundOf(const Route& route) const { return bound_[static_cast<std::size_t>(&route - routes_.data())]; }

  void Add(Binding binding) {
    const MethodDescriptor& method = *binding.route.method;
    binding.route.raw_response = IsHttpBody(ResponseType(binding));
    routes_.push_back(binding.route);
    bound_.push_back({.binding = std::move(binding),
                      .input = factory_.GetPrototype(method.input_type()),
                      .output = factory_.GetPrototype(method.output_type())});
  }

  HttpError NotFound(const HttpRequest& request, std::string text) const {
    const auto nearest = NearestRoutes(request.path, routes_);
    if (!nearest.empty()) text.append("nearest routes:\n");
    for (const Route* route : nearest) absl::StrAppend(&text, "  ", route->http_method, " ", route->path, "\n");
    return {.status = 404, .text = std::move(text), .allow = ""};
  }

  static HttpError NotAllowed(const HttpRequest& request, std::vector<std::string> allowed) {
    const bool has_head = std::ranges::find(allowed, "HEAD") != allowed.end();
    const auto get = std::ranges::find(allowed, "GET");
    if (get != allowed.end() && !has_head) allowed.insert(get + 1, "HEAD");
    const std::string allow = absl::StrJoin(allowed, ", ");
    return {.status = 405,
            .text = absl::StrCat(request.method, " is not allowed for ", request.path, "; allowed: ", allow, "\n"),
            .allow = allow};
  }

  // What a route refuses before anything is parsed.
  static std::optional<HttpError> Refuse(const Bound& bound, const HttpRequest& request) {
    const Route& route = bound.binding.route;
    if (route.method->client_streaming()) {
      return HttpError{
          .status = 501,
          .text = absl::StrCat(route.method->full_name(),
                               " takes a stream of messages, which plain HTTP cannot send; call it over a WebSocket or "
                               "with gRPC\n"),
          .allow = ""};
    }
    const Descriptor* body_type = BodyType(bound.binding);
    if (route.body.empty() || request.body.empty() || IsHttpBody(body_type) || IsJson(request.content_type)) {
      return std::nullopt;
    }
    const std::string got = request.content_type.empty() ? "none" : absl::StrCat("'", request.content_type, "'");
    return HttpError{.status = 415,
                     .text = absl::StrCat("a body needs the content type ", kJson, "; this request has ", got, "\n"),
                     .allow = ""};
  }

  // The type of the message that the body is; null if it is none.
  static const Descriptor* BodyType(const Binding& binding) {
    const FieldDescriptor* field = binding.body_field;
    if (field == nullptr) return binding.route.method->input_type();
    return field->is_repeated() ? nullptr : field->message_type();
  }

  // The type of the message that the answer is; null if it is none.
  static const Descriptor* ResponseType(const Binding& binding) {
    const FieldDescriptor* field = binding.response_field;
    if (field == nullptr) return binding.route.method->output_type();
    return field->is_repeated() ? nullptr : field->message_type();
  }

  static std::vector<std::string> VariableTexts(const Binding& binding, const RequestPath& path) {
    std::vector<std::string> texts;
    for (const auto& variable : binding.path.variables) texts.push_back(VariableText(variable, path));
    return texts;
  }

  // What the query says beside the body, then the path's variables over both.
  static absl::Status LayOver(const Binding& binding, const std::string& query,
                              const std::vector<std::string>& variables, Message& input) {
    absl::Status status;
    // With the whole input in the body, there is nothing that a query could say.
    if (binding.route.body != "*") status = SetFromQuery(query, binding.body_field, input);
    for (std::size_t i = 0; status.ok() && i < binding.variables.size(); ++i) {
      status = SetFromText(input, binding.variables[i], variables[i]);
      if (!status.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("path variable '", binding.path.variables[i].field, "': ", status.message()));
      }
    }
    if (status.ok() && !input.IsInitialized()) {
      return absl::InvalidArgumentError("missing fields: " + input.InitializationErrorString());
    }
    return status;
  }

  absl::Status FillFromBody(const Binding& binding, const HttpRequest& request, Message& input) const {
    const FieldDescriptor* field = binding.body_field;
    if (IsHttpBody(BodyType(binding))) {
      SetHttpBody(request, field == nullptr ? input : *input.GetReflection()->MutableMessage(&input, field));
      return absl::OkStatus();
    }
    return request.body.empty() ? absl::OkStatus() : FillFromJson(field, request.body, input);
  }

  absl::Status FillFromJson(const FieldDescriptor* field, const std::string& json, Message& input) const {
    if (absl::Status status = userfunction::CheckJson(json); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("malformed JSON body: ", status.message()));
    }
    if (field == nullptr) return ParseJson(json, input);
    // A checked value stays one value within an object.
    std::string object = "{";
    userfunction::AppendJsonString(field->json_name(), object);
    absl::StrAppend(&object, ":", json, "}");
    return ParseJson(object, input);
  }

  absl::Status ParseJson(const std::string& json, Message& input) const {
    const absl::StatusOr<std::string> serialized = reader_.Read(json, *input.GetDescriptor());
    if (serialized.ok()) return Parse(*serialized, input);
    return absl::InvalidArgumentError(
        absl::StrCat("the JSON body is no ", input.GetDescriptor()->full_name(), ": ", serialized.status().message()));
  }

  absl::StatusOr<Body> EncodeMessage(const Bound& bound, std::string_view payload, Message& output) const {
    if (absl::Status status = Parse(payload, output); !status.ok()) return status;
    const FieldDescriptor* field = bound.binding.response_field;
    const bool is_message = field != nullptr && ResponseType(bound.binding) != nullptr;
    if (field != nullptr && !is_message) return JsonBody(json_.WriteField(output, *field));
    const Message& shown = is_message ? output.GetReflection()->GetMessage(output, field) : output;
    if (bound.binding.route.raw_response) return FromHttpBody(shown);
    return JsonBody(json_.Write(shown));
  }

  static absl::StatusOr<Body> JsonBody(absl::StatusOr<std::string> json) {
    if (!json.ok()) return json.status();
    return Body{.content_type = kJson, .bytes = *std::move(json)};
  }

  const std::shared_ptr<const Services> services_;
  mutable google::protobuf::DynamicMessageFactory factory_;  // locks by itself
  const userfunction::MessageJson json_;
  const userfunction::JsonReader reader_;
  std::vector<Route> routes_;  // and bound_: one for each, in the same order
  std::vector<Bound> bound_;
  RouteTable table_;
  RouteTable stream_table_;  // of streamed methods, for any HTTP method
};

}  // namespace

absl::StatusOr<std::unique_ptr<Transcoder>> Transcoder::Create(std::shared_ptr<const Services> services) {
  auto transcoder = std::make_unique<TranscoderImpl>(std::move(services));
  if (absl::Status status = transcoder->AddMethods(); !status.ok()) return status;
  return transcoder;
}

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

}  // namespace cloudstate::serving
