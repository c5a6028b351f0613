// Discovery as a user sees it who runs the real program beside a user function that is wrong, late, old or changing.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "cloudstate/entity.grpc.pb.h"
#include "tests/conformance/model_client.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/scripted_user_function.h"
#include "tests/support/test_services.h"

namespace cloudstate {
namespace {

using eventsourced::EventSourcedStreamIn;
using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using grpc::StatusCode;
using support::EmulatorEvent;
using support::EmulatorProcess;
using support::Script;
using support::ScriptedStream;
using support::ScriptedUserFunction;
using testing::Ask;
using testing::ChangeFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ModelClient;
using testing::Outcome;
using testing::TwoServices;

// A user function with this specification, that answers every command with "good".
Script Reporting(EntitySpec spec) {
  Script script;
  script.spec = std::move(spec);
  script.on_message =
      support::Handling<EventSourcedStreamIn>([](ScriptedStream& stream, const EventSourcedStreamIn& in) {
        if (!in.has_command()) return;
        tck::model::Response response;
        response.set_message("good");
        stream.Write(support::ReplyTo(in.command().id(), response));
      });
  return script;
}

EmulatorProcess::Options Using(const std::string& user_function, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--user-function", user_function});
  return {std::move(more), {}};
}

// ---- what cannot be served

struct Fault {
  std::string name;
  std::function<void(EntitySpec&)> make;
  std::string text;
};

std::ostream& operator<<(std::ostream& out, const Fault& each) { return out << each.name; }

// test.One becomes an entity of another kind.
void Become(EntitySpec& spec, const std::string& type) { spec.mutable_entities(0)->set_entity_type(type); }

void Stream(EntitySpec& spec, int method, bool in, bool out) {
  ChangeFile(spec, [&](FileDescriptorProto& file) {
    file.mutable_service(0)->mutable_method(method)->set_client_streaming(in);
    file.mutable_service(0)->mutable_method(method)->set_server_streaming(out);
  });
}

void DropKeys(EntitySpec& spec) {
  ChangeFile(spec, [](FileDescriptorProto& file) {
    for (FieldDescriptorProto& field : *file.mutable_message_type(0)->mutable_field()) field.clear_options();
  });
}

void Change(EntitySpec& spec, FieldDescriptorProto::Type type) {
  ChangeFile(spec, [&](FileDescriptorProto& file) { file.mutable_message_type(0)->mutable_field(0)->set_type(type); });
}

std::string Keyless(const std::string& kind) {
  return kind +
         " do not support methods whose parameters do not have at least one field marked as entity_key, but test.One "
         "has the following methods without keys: Call,Other";
}

class DiscoveryFault : public ::testing::TestWithParam<Fault> {};

TEST_P(DiscoveryFault, IsReportedShownAndGoneWithTheNextUserFunction) {
  EntitySpec spec = TwoServices();
  GetParam().make(spec);
  auto user_function = ScriptedUserFunction::Start(Reporting(spec));
  const std::string address = user_function->address();
  EmulatorProcess emulator(Using(address));
  const std::string& text = GetParam().text;
  ASSERT_TRUE(emulator.WaitForEvent("rejected", [&](const EmulatorEvent& event) {
    return ::testing::Value(event.at("problem"), HasSubstr(text));
  })) << emulator.process().output();
  ASSERT_TRUE(user_function->WaitUntil([](const auto& record) { return !record.errors.empty(); }));
  EXPECT_THAT(user_function->record().errors, ElementsAre(emulator.events("rejected").front().at("problem")));

  const Outcome refused = ModelClient(emulator.client_address()).Process(Ask("id"));
  EXPECT_EQ(refused.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.status.error_message(), HasSubstr(text));
  const support::HttpAnswer http = support::Http(emulator.client_address(), "POST", "/test.One/Call", "{}");
  EXPECT_EQ(http.status, 503);
  EXPECT_THAT(http.body, HasSubstr(text));
  EXPECT_EQ(user_function->record().discoveries.size(), 1u);

  user_function = nullptr;
  user_function = ScriptedUserFunction::Start(Reporting(testing::ModelSpecification()), address);
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().output();
  EXPECT_EQ(ModelClient(emulator.client_address()).Process(Ask("id")).message, "good");
}

constexpr char kValue[] = "cloudstate.valueentity.ValueEntity";
constexpr char kCrdt[] = "cloudstate.crdt.Crdt";
constexpr char kIncompatible[] = ", only 0.2 is supported";

INSTANTIATE_TEST_SUITE_P(
    Table, DiscoveryFault,
    ::testing::Values(
        Fault{"MajorVersion",
              [](auto& spec) {
                spec.mutable_service_info()->set_protocol_major_version(1);
                spec.mutable_service_info()->set_protocol_minor_version(0);
              },
              absl::StrCat("Incompatible protocol version 1.0", kIncompatible)},
        Fault{"MinorVersion", [](auto& spec) { spec.mutable_service_info()->set_protocol_minor_version(3); },
              absl::StrCat("Incompatible protocol version 0.3", kIncompatible)},
        Fault{"NoEntities", [](auto& spec) { spec.clear_entities(); },
              "No entities were reported by the discover call!"},
        Fault{"ServiceNotDescribed", [](auto& spec) { spec.mutable_entities(0)->set_service_name("test.Three"); },
              "Service [test.Three] not found in descriptors!"},
        Fault{"UnknownType", [](auto& spec) { Become(spec, "cloudstate.Unknown"); },
              "Service [test.One] has declared an unsupported entity type [cloudstate.Unknown]. Supported types are "
              "cloudstate.crdt.Crdt,cloudstate.action.ActionProtocol,cloudstate.eventsourced.EventSourced,"
              "cloudstate.valueentity.ValueEntity"},
        Fault{"EventSourcedWithStreamedMethods",
              [](auto& spec) {
                Stream(spec, 0, true, false);
                Stream(spec, 1, false, true);
              },
              "Event sourced entities do not support streamed methods, but test.One has the following streamed "
              "methods: Call,Other"},
        Fault{"ValueWithAStreamedMethod",
              [](auto& spec) {
                Become(spec, kValue);
                Stream(spec, 1, false, true);
              },
              "Value entities do not support streamed methods, but test.One has the following streamed methods: "
              "Other"},
        Fault{"CrdtWithAClientStreamedMethod",
              [](auto& spec) {
                Become(spec, kCrdt);
                Stream(spec, 0, true, false);
                Stream(spec, 1, false, true);
              },
              "CRDT entities do not support client streamed methods, but test.One has the following client streamed "
              "methods: Call"},
        Fault{"EventSourcedWithoutKeys", [](auto& spec) { DropKeys(spec); }, Keyless("Event sourced entities")},
        Fault{"ValueWithoutKeys",
              [](auto& spec) {
                Become(spec, kValue);
                DropKeys(spec);
              },
              Keyless("Value entities")},
        Fault{"CrdtWithoutKeys",
              [](auto& spec) {
                Become(spec, kCrdt);
                DropKeys(spec);
              },
              Keyless("CRDT entities")},
        Fault{"KeyOfBytes", [](auto& spec) { Change(spec, FieldDescriptorProto::TYPE_BYTES); },
              "Service [test.One] method [Call]: "},
        Fault{"ServiceDeclaredTwice", [](auto& spec) { spec.mutable_entities(1)->set_service_name("test.One"); },
              "Service [test.One] was declared twice"},
        // An import that is missing matters only where something of it is used.
        Fault{"ImportMissing",
              [](auto& spec) {
                ChangeFile(spec, [](auto& file) {
                  file.add_dependency("missing/one.proto");
                  file.mutable_service(0)->mutable_method(0)->set_output_type(".missing.One");
                });
              },
              "missing/one.proto"},
        Fault{"TypeMissing",
              [](auto& spec) {
                ChangeFile(spec, [](auto& file) {
                  file.mutable_service(0)->mutable_method(0)->set_output_type(".test.Missing");
                });
              },
              "test.Missing"},
        Fault{"DescriptorsThatAreNone", [](auto& spec) { spec.set_proto("\xff\xff"); }, "FileDescriptorSet"}),
    [](const auto& each) { return each.param.name; });

// ---- what is unusual and must be served

TEST(Discovery, TheOlderDialectIsServedWithItsKeyOption) {
  EntitySpec spec = testing::ModelSpecification();
  spec.mutable_service_info()->clear_protocol_minor_version();
  FileDescriptorSet files;
  ASSERT_TRUE(files.ParseFromString(spec.proto()));
  for (DescriptorProto& message : *files.mutable_file(0)->mutable_message_type()) {
    for (FieldDescriptorProto& field : *message.mutable_field()) {
      if (message.name() != "Request" || field.name() != "id") continue;
      field.clear_options();
      auto& options = *field.mutable_options();
      options.GetReflection()->MutableUnknownFields(&options)->AddVarint(50002, 1);
    }
  }
  spec.set_proto(files.SerializeAsString());
  auto user_function = ScriptedUserFunction::Start(Reporting(spec));
  EmulatorProcess emulator(Using(user_function->address()));
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().output();
  EXPECT_EQ(emulator.events("ready").front().at("dialect"), "0.1");
  EXPECT_EQ(ModelClient(emulator.client_address()).Process(Ask("old")).message, "good");
  const auto first = support::Parse<EventSourcedStreamIn>(user_function->record().streams.at(0).received.at(0));
  EXPECT_EQ(first.init().entity_id(), "old");
}

TEST(Discovery, DescriptorsMayComeInAnyOrderTwiceAndWithoutWhatEveryoneKnows) {
  EntitySpec spec = TwoServices();
  FileDescriptorSet files;
  ASSERT_TRUE(files.ParseFromString(spec.proto()));
  FileDescriptorProto types = files.file(0);
  types.set_name("types.proto");
  types.clear_service();
  FileDescriptorProto services = files.file(0);
  services.clear_message_type();
  services.add_dependency("types.proto");
  services.add_dependency("google/protobuf/empty.proto");
  services.add_dependency("google/api/annotations.proto");
  services.add_dependency("cloudstate/eventing.proto");
  services.mutable_service(0)->mutable_method(1)->set_output_type(".google.protobuf.Empty");
  files.Clear();
  for (const FileDescriptorProto& each : {services, types, services, types}) *files.add_file() = each;
  spec.set_proto(files.SerializeAsString());
  auto user_function = ScriptedUserFunction::Start(Reporting(spec));
  EmulatorProcess emulator(Using(user_function->address()));
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().output();
  EXPECT_EQ(support::Http(emulator.client_address(), "POST", "/test.Two/Call", R"({"id":"1"})").status, 200);
}

// ---- user functions that are late, fail, hang and change

TEST(Discovery, AMissingUserFunctionIsWaitedForAndNamedToClients) {
  auto user_function = ScriptedUserFunction::Start(Reporting(testing::ModelSpecification()));
  const std::string address = user_function->address();
  user_function = nullptr;
  EmulatorProcess emulator(Using(address));
  ASSERT_TRUE(emulator.WaitUntilStarted());
  const Outcome refused = ModelClient(emulator.client_address()).Process(Ask("id"));
  EXPECT_EQ(refused.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.status.error_message(),
              HasSubstr(absl::StrCat("the user function at ", address, " has not been reached yet (since ")));
  const support::HttpAnswer http = support::Http(emulator.client_address(), "POST", "/anything", "{}");
  EXPECT_EQ(http.status, 503);
  EXPECT_THAT(http.body, HasSubstr(address));
  user_function = ScriptedUserFunction::Start(Reporting(testing::ModelSpecification()), address);
  ASSERT_TRUE(emulator.WaitUntilReady());
  EXPECT_EQ(ModelClient(emulator.client_address()).Process(Ask("id")).message, "good");
}

TEST(Discovery, AUserFunctionMayComeBackChanged) {
  auto user_function = ScriptedUserFunction::Start(Reporting(TwoServices()));
  const std::string address = user_function->address();
  EmulatorProcess emulator(Using(address));
  ASSERT_TRUE(emulator.WaitUntilReady());
  const ModelClient client(emulator.client_address());
  EXPECT_EQ(client.Process(Ask("id")).status.error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(support::Http(emulator.client_address(), "POST", "/test.One/Call", R"({"id":"1"})").status, 200);
  user_function = nullptr;
  user_function = ScriptedUserFunction::Start(Reporting(testing::ModelSpecification()), address);
  ASSERT_TRUE(emulator.WaitUntilReady(2));
  EXPECT_EQ(client.Process(Ask("id")).message, "good");
  EXPECT_EQ(support::Http(emulator.client_address(), "POST", "/test.One/Call", R"({"id":"1"})").status, 404);
}

// A user function that is nothing but discovery, and answers it as it likes.
class Discoverable final : public EntityDiscovery::Service {
 public:
  using Answer = std::function<grpc::Status(int attempt, grpc::ServerContext& context, EntitySpec& spec)>;

  explicit Discoverable(Answer answer) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Discoverable() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status discover(grpc::ServerContext* context, const ProxyInfo*, EntitySpec* spec) override {
    int attempt = 0;
    {
      absl::MutexLock lock(&mutex_);
      times_.push_back(absl::Now());
      attempt = static_cast<int>(times_.size());
    }
    return answer_(attempt, *context, *spec);
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  std::vector<absl::Time> times() const {
    absl::MutexLock lock(&mutex_);
    return times_;
  }

 private:
  Answer answer_;
  mutable absl::Mutex mutex_;
  std::vector<absl::Time> times_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST(Discovery, AFailedCallIsRepeatedWithGrowingPauses) {
  const Discoverable user_function([](int attempt, auto&, EntitySpec& spec) {
    if (attempt < 3) return grpc::Status(StatusCode::INTERNAL, "not today");
    spec = testing::ModelSpecification();
    return grpc::Status::OK;
  });
  EmulatorProcess emulator(Using(user_function.address()));
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().output();
  const std::vector<absl::Time> times = user_function.times();
  ASSERT_EQ(times.size(), 3u);
  EXPECT_GE(times[1] - times[0], absl::Milliseconds(790));
  EXPECT_GE(times[2] - times[1], absl::Milliseconds(1590));
  const auto troubles = emulator.events("trouble");
  ASSERT_EQ(troubles.size(), 2u);
  EXPECT_THAT(troubles[0].at("text"), HasSubstr("not today"));
}

TEST(Discovery, AHangingAnswerIsShownWithItsLikelyCause) {
  const Discoverable user_function([](int, grpc::ServerContext& context, EntitySpec&) {
    while (!context.IsCancelled()) absl::SleepFor(absl::Milliseconds(10));
    return grpc::Status::CANCELLED;
  });
  EmulatorProcess emulator(Using(user_function.address()));
  EXPECT_TRUE(emulator.WaitForEvent("trouble", [](const EmulatorEvent& event) {
    return ::testing::Value(event.at("text"), HasSubstr("--max-active-entities"));
  })) << emulator.process().output();
  const Outcome refused = ModelClient(emulator.client_address()).Process(Ask("id"));
  EXPECT_EQ(refused.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.status.error_message(), HasSubstr(user_function.address()));
}

}  // namespace
}  // namespace cloudstate
