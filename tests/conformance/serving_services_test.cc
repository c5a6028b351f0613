// Reflection and health, which the front door serves by itself, by gRPC's own client.

#include <google/protobuf/text_format.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

namespace health = grpc::health::v1;

class ServingServicesTest : public FrontDoorTest {};

template <class Service, class Request, class Response>
Response Ask(const std::shared_ptr<grpc::Channel>& channel, const Request& request) {
  auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  Response response;
  EXPECT_TRUE(stream->Write(request));
  EXPECT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  return response;
}

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;

v1::ServerReflectionResponse AskV1(const std::shared_ptr<grpc::Channel>& channel,
                                   const v1::ServerReflectionRequest& request) {
  return Ask<v1::ServerReflection, v1::ServerReflectionRequest, v1::ServerReflectionResponse>(channel, request);
}
v1alpha::ServerReflectionResponse AskV1Alpha(const std::shared_ptr<grpc::Channel>& channel,
                                             const v1alpha::ServerReflectionRequest& request) {
  return Ask<v1alpha::ServerReflection, v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>(channel,
                                                                                                             request);
}

TEST_F(ServingServicesTest, ReflectionListsItselfAndThenTheServicesByName) {
  v1alpha::ServerReflectionRequest old_request;
  old_request.set_host("h");
  old_request.set_list_services("anything");
  const auto old_answer = AskV1Alpha(Channel(), old_request);
  EXPECT_EQ(old_answer.original_request().SerializeAsString(), old_request.SerializeAsString());
  ASSERT_EQ(old_answer.list_services_response().service_size(), 3);
  EXPECT_EQ(old_answer.list_services_response().service(0).name(), "grpc.reflection.v1alpha.ServerReflection");
  EXPECT_EQ(old_answer.list_services_response().service(1).name(), "test.Another");
  EXPECT_EQ(old_answer.list_services_response().service(2).name(), "test.Echo");
  v1::ServerReflectionRequest request;
  request.set_list_services("*");
  EXPECT_EQ(AskV1(Channel(), request).list_services_response().service(0).name(),
            "grpc.reflection.v1.ServerReflection");
}

TEST_F(ServingServicesTest, ReflectionAnswersAFileWithItsDependencies) {
  v1::ServerReflectionRequest by_symbol;
  by_symbol.set_file_containing_symbol("test.Echo.Say");
  v1::ServerReflectionRequest by_name;
  by_name.set_file_by_filename("echo.proto");
  for (const auto& request : {by_symbol, by_name}) {
    const auto files = AskV1(Channel(), request).file_descriptor_response();
    ASSERT_EQ(files.file_descriptor_proto_size(), 2);
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(files.file_descriptor_proto(0)));
    EXPECT_EQ(file.name(), "echo.proto");
    ASSERT_TRUE(file.ParseFromString(files.file_descriptor_proto(1)));
    EXPECT_EQ(file.name(), "text.proto");
  }
  v1::ServerReflectionRequest itself;
  itself.set_file_containing_symbol("grpc.reflection.v1.ServerReflection");
  EXPECT_EQ(AskV1(Channel(), itself).file_descriptor_response().file_descriptor_proto_size(), 1);
}

TEST_F(ServingServicesTest, ReflectionAnswersUnknownSymbolsAsEachVersionDoes) {
  v1alpha::ServerReflectionRequest old_request;
  old_request.set_file_containing_symbol("test.Nothing");
  const auto old_answer = AskV1Alpha(Channel(), old_request);
  EXPECT_TRUE(old_answer.has_file_descriptor_response());
  EXPECT_EQ(old_answer.file_descriptor_response().file_descriptor_proto_size(), 0);
  v1::ServerReflectionRequest request;
  request.set_file_containing_symbol("test.Nothing");
  const auto answer = AskV1(Channel(), request);
  EXPECT_EQ(answer.error_response().error_code(), grpc::NOT_FOUND);
  EXPECT_TRUE(absl::StrContains(answer.error_response().error_message(), "test.Nothing"));
}

TEST_F(ServingServicesTest, HealthIsServingWhileServicesAreKnown) {
  auto stub = health::Health::NewStub(Channel());
  const auto check = [&](const std::string& service, health::HealthCheckResponse& response) {
    grpc::ClientContext context;
    health::HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(&context, request, &response).error_code();
  };
  health::HealthCheckResponse response;
  EXPECT_EQ(check("", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  EXPECT_EQ(check("test.Echo", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  EXPECT_EQ(check("test.Nothing", response), grpc::NOT_FOUND);
  backend_.Set(std::make_shared<const Services>());
  EXPECT_EQ(check("", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::NOT_SERVING);
}

TEST_F(ServingServicesTest, HealthWatchTellsChangesAndEndsWithTheServer) {
  auto stub = health::Health::NewStub(Channel());
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  request.set_service("test.Echo");
  auto stream = stub->Watch(&context, request);
  health::HealthCheckResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  backend_.Set(std::make_shared<const Services>());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVICE_UNKNOWN);
  const auto before = std::chrono::steady_clock::now();
  door_->Shutdown(absl::Seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(15)) << "not for the whole grace";
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::UNAVAILABLE);
}

}  // namespace
}  // namespace cloudstate::serving
