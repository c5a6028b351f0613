#include "emulator/serving/reflection.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace cloudstate::serving {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

enum class Unknown { kEmptyAnswer, kNotFound };

struct V1Alpha {
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
  static constexpr Unknown kUnknown = Unknown::kEmptyAnswer;
};

struct V1 {
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
  static constexpr Unknown kUnknown = Unknown::kNotFound;
};

template <class Version>
const google::protobuf::ServiceDescriptor& ServiceOf() {
  return *Version::Request::descriptor()->file()->service(0);
}

// What the backend does not describe: the services that the door itself adds.
bool IsOurOwn(absl::string_view name) {
  return absl::StartsWith(name, "grpc.reflection.") || absl::StartsWith(name, "grpc.health.") ||
         absl::StartsWith(name, "grpc/reflection/") || absl::StartsWith(name, "grpc/health/");
}

// Looks in the backend's types, then in our own for our own names. `find` takes a pool.
template <class Find>
auto FindIn(const Services& services, const std::string& name, Find find) -> decltype(find(*services.pool)) {
  if (services.pool != nullptr) {
    if (auto* found = find(*services.pool)) return found;
  }
  return IsOurOwn(name) ? find(*DescriptorPool::generated_pool()) : nullptr;
}

// `file` and then everything that it needs, each once.
void AppendWithDependencies(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
                            std::vector<std::string>& files) {
  if (!seen.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  files.push_back(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AppendWithDependencies(*file.dependency(i), seen, files);
}

template <class Version>
class Answerer {
 public:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  explicit Answerer(const Services& services) : services_(services) {}

  void Answer(const Request& request, Response& response) {
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kListServices:
        return ListServices(response);
      case Request::kFileByFilename: {
        const std::string& name = request.file_by_filename();
        return File(FindIn(services_, name, [&](auto& pool) { return pool.FindFileByName(name); }), name, response);
      }
      case Request::kFileContainingSymbol: {
        const std::string& name = request.file_containing_symbol();
        return File(FindIn(services_, name, [&](auto& pool) { return pool.FindFileContainingSymbol(name); }), name,
                    response);
      }
      case Request::kFileContainingExtension:
        return Extension(request, response);
      case Request::kAllExtensionNumbersOfType:
        return ExtensionNumbers(request.all_extension_numbers_of_type(), response);
      case Request::MESSAGE_REQUEST_NOT_SET:
        break;
    }
    Error(absl::StatusCode::kInvalidArgument, "the reflection request asks for nothing", response);
  }

 private:
  static void Error(absl::StatusCode code, std::string text, Response& response) {
    response.mutable_error_response()->set_error_code(static_cast<int>(code));
    response.mutable_error_response()->set_error_message(std::move(text));
  }

  static void File(const FileDescriptor* file, const std::string& asked_for, Response& response) {
    if (file == nullptr && Version::kUnknown == Unknown::kNotFound) {
      return Error(absl::StatusCode::kNotFound, absl::StrCat("no file, symbol or extension: ", asked_for), response);
    }
    auto& list = *response.mutable_file_descriptor_response();
    if (file == nullptr) return;
    std::set<const FileDescriptor*> seen;
    std::vector<std::string> files;
    AppendWithDependencies(*file, seen, files);
    for (std::string& each : files) list.add_file_descriptor_proto(std::move(each));
  }

  void ListServices(Response& response) {
    std::vector<std::string> names;
    for (const auto* service : services_.services) names.push_back(service->full_name());
    std::sort(names.begin(), names.end());
    names.insert(names.begin(), ServiceOf<Version>().full_name());
    for (std::string& name : names) response.mutable_list_services_response()->add_service()->set_name(std::move(name));
  }

  const google::protobuf::Descriptor* FindType(const std::string& name) {
    return FindIn(services_, name, [&](auto& pool) { return pool.FindMessageTypeByName(name); });
  }

  void Extension(const Request& request, Response& response) {
    const auto& asked = request.file_containing_extension();
    const auto* type = FindType(asked.containing_type());
    const auto* extension =
        type == nullptr ? nullptr : type->file()->pool()->FindExtensionByNumber(type, asked.extension_number());
    File(extension == nullptr ? nullptr : extension->file(),
         absl::StrCat(asked.containing_type(), " extension ", asked.extension_number()), response);
  }

  void ExtensionNumbers(const std::string& name, Response& response) {
    const auto* type = FindType(name);
    if (type == nullptr && Version::kUnknown == Unknown::kNotFound) {
      return Error(absl::StatusCode::kNotFound, absl::StrCat("no message type: ", name), response);
    }
    auto& numbers = *response.mutable_all_extension_numbers_response();
    numbers.set_base_type_name(name);
    if (type == nullptr) return;
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    type->file()->pool()->FindAllExtensions(type, &extensions);
    for (const auto* extension : extensions) numbers.add_extension_number(extension->number());
  }

  const Services& services_;
};

// Answers one question at a time, so that a client that does not read is not read from.
template <class Version>
class ReflectionStream final : public std::enable_shared_from_this<ReflectionStream<Version>> {
 public:
  ReflectionStream(const Backend& described, std::shared_ptr<RequestStream> requests,
                   std::shared_ptr<Responder> responder)
      : described_(described), requests_(std::move(requests)), responder_(std::move(responder)) {}

  void Read() {
    requests_->Read(
        [self = this->shared_from_this()](std::optional<std::string> message) { self->Answer(std::move(message)); });
  }

 private:
  void Answer(std::optional<std::string> message) {
    if (!message.has_value()) return responder_->Finish(absl::OkStatus());
    typename Version::Request request;
    if (!request.ParseFromString(*message)) {
      return responder_->Finish(absl::InvalidArgumentError(absl::StrCat("the request is no ", request.GetTypeName())));
    }
    typename Version::Response response;
    const auto services = described_.CurrentServices();
    Answerer<Version>(*services).Answer(request, response);
    responder_->Message(response.SerializeAsString());
    responder_->WhenWritable([self = this->shared_from_this()] { self->Read(); });
  }

  const Backend& described_;
  const std::shared_ptr<RequestStream> requests_;
  const std::shared_ptr<Responder> responder_;
};

class Reflection final : public Backend {
 public:
  explicit Reflection(const Backend& described) : described_(described) {}

  std::shared_ptr<const Services> CurrentServices() const override { return services_; }
  absl::Status Availability() const override { return absl::OkStatus(); }

  void Start(Call call, std::shared_ptr<Responder> responder) override {
    if (call.service == ServiceOf<V1>().full_name()) {
      Begin<V1>(std::move(call), std::move(responder));
    } else {
      Begin<V1Alpha>(std::move(call), std::move(responder));
    }
  }

 private:
  template <class Version>
  void Begin(Call call, std::shared_ptr<Responder> responder) {
    std::make_shared<ReflectionStream<Version>>(described_, std::move(call.requests), std::move(responder))->Read();
  }

  const Backend& described_;
  const std::shared_ptr<const Services> services_ = std::make_shared<const Services>(
      Services{DescriptorPool::generated_pool(), {&ServiceOf<V1Alpha>(), &ServiceOf<V1>()}});
};

}  // namespace

std::unique_ptr<Backend> ReflectionBackend(const Backend& described) { return std::make_unique<Reflection>(described); }

}  // namespace cloudstate::serving
