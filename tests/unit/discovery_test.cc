#include "emulator/userfunction/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_connection.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::userfunction {
namespace {

using cloudstate::testing::ChangeFile;
using cloudstate::testing::FakeConnection;
using cloudstate::testing::TwoServices;
using cloudstate::testing::VirtualStrand;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DiscoveryTest : public ::testing::Test, public Discovery::Listener {
 protected:
  void OnReady(std::shared_ptr<Connection>, std::shared_ptr<const Specification> specification) override {
    log_.push_back("ready " + specification->info.service_name());
  }
  void OnLost(const absl::Status& reason) override { log_.push_back("lost " + std::string(reason.message())); }
  void OnRejected(const std::string& problem) override { log_.push_back("rejected " + problem); }
  void OnTrouble(const std::string& trouble) override { log_.push_back("trouble " + trouble); }

  void Connect() {
    connection_ = std::make_shared<FakeConnection>();
    discovery_.Connected(connection_);
    strand_.Run();
  }

  void Answer(absl::StatusOr<std::string> answer) {
    auto call = std::move(connection_->calls.front());
    connection_->calls.pop_front();
    call.done(std::move(answer));
    strand_.Run();
  }

  void Answer(const EntitySpec& spec) { Answer(spec.SerializeAsString()); }

  // What reportError was told, where the last thing that was called is that.
  std::string Reported() {
    EXPECT_EQ(connection_->calls.back().method, "/cloudstate.EntityDiscovery/reportError");
    UserFunctionError error;
    EXPECT_TRUE(error.ParseFromString(connection_->calls.back().request));
    return error.message();
  }

  VirtualStrand strand_;
  base::Random random_{1};
  std::vector<std::string> log_;
  std::shared_ptr<FakeConnection> connection_;
  Discovery discovery_{{.proxy_version = "1.2.3"}, strand_, random_, *this};
};

TEST_F(DiscoveryTest, TellsWhoAsksAndWhatIsSupported) {
  Connect();
  ASSERT_THAT(connection_->calls, SizeIs(1));
  EXPECT_EQ(connection_->calls[0].method, "/cloudstate.EntityDiscovery/discover");
  ProxyInfo info;
  ASSERT_TRUE(info.ParseFromString(connection_->calls[0].request));
  EXPECT_EQ(info.protocol_major_version(), 0);
  EXPECT_EQ(info.protocol_minor_version(), 2);
  EXPECT_EQ(info.proxy_name(), "cloudstate-dev");
  EXPECT_EQ(info.proxy_version(), "1.2.3");
  EXPECT_THAT(info.supported_entity_types(),
              ElementsAre("cloudstate.crdt.Crdt", "cloudstate.action.ActionProtocol",
                          "cloudstate.eventsourced.EventSourced", "cloudstate.valueentity.ValueEntity"));
}

TEST_F(DiscoveryTest, IsReadyAfterAGoodAnswer) {
  Connect();
  Answer(TwoServices());
  EXPECT_THAT(log_, ElementsAre("ready test"));
  EXPECT_EQ(discovery_.state(), Discovery::State::kReady);
  EXPECT_EQ(discovery_.specification()->dialect, Dialect::k0_2);
}

TEST_F(DiscoveryTest, AnUnsetVersionIsTheOlderDialect) {
  Connect();
  EntitySpec spec = TwoServices();
  spec.mutable_service_info()->clear_protocol_minor_version();
  Answer(spec);
  EXPECT_EQ(discovery_.specification()->dialect, Dialect::k0_1);
}

TEST_F(DiscoveryTest, AsksAgainWithABackoffThatDoublesUpToTenSeconds) {
  Connect();
  for (const double base : {1.0, 2.0, 4.0, 8.0, 10.0, 10.0}) {
    Answer(absl::UnavailableError("not yet"));
    strand_.Advance(absl::Seconds(base * 0.79));
    EXPECT_THAT(connection_->calls, IsEmpty()) << base;
    strand_.Advance(absl::Seconds(base * 0.42));
    ASSERT_THAT(connection_->calls, SizeIs(1)) << base;
  }
  Answer(TwoServices());
  EXPECT_EQ(log_.back(), "ready test");
}

TEST_F(DiscoveryTest, SaysSoWhenTheAnswerIsSlow) {
  Connect();
  strand_.Advance(absl::Seconds(5));
  ASSERT_THAT(log_, SizeIs(1));
  EXPECT_THAT(log_[0], HasSubstr("--max-active-entities"));
}

TEST_F(DiscoveryTest, BytesThatAreNoAnswerAreAskedForAgain) {
  Connect();
  Answer(std::string("\xff\xff"));
  EXPECT_EQ(discovery_.state(), Discovery::State::kWaiting);
  strand_.Advance(absl::Seconds(2));
  EXPECT_THAT(connection_->calls, SizeIs(1));
}

TEST_F(DiscoveryTest, AFaultIsReportedAndNotAskedForAgainUntilItComesBack) {
  Connect();
  Answer(EntitySpec());
  EXPECT_EQ(discovery_.state(), Discovery::State::kRejected);
  EXPECT_EQ(Reported(), "No entities were reported by the discover call!");
  EXPECT_THAT(log_, ElementsAre("rejected No entities were reported by the discover call!"));
  strand_.Advance(absl::Hours(1));
  EXPECT_THAT(connection_->calls, SizeIs(1));
  discovery_.Disconnected(absl::UnavailableError("gone"));
  Connect();
  Answer(TwoServices());
  EXPECT_EQ(discovery_.state(), Discovery::State::kReady);
}

TEST_F(DiscoveryTest, AUserFunctionThatComesBackChangedReplacesTheOldOne) {
  Connect();
  Answer(TwoServices());
  discovery_.Disconnected(absl::UnavailableError("gone"));
  EXPECT_EQ(discovery_.state(), Discovery::State::kWaiting);
  Connect();
  EntitySpec changed = TwoServices();
  changed.mutable_entities()->RemoveLast();
  changed.mutable_service_info()->set_service_name("changed");
  Answer(changed);
  EXPECT_THAT(log_, ElementsAre("ready test", "lost gone", "ready changed"));
  EXPECT_THAT(discovery_.specification()->services, SizeIs(1));
}

TEST_F(DiscoveryTest, AnAnswerOfALostConnectionIsDropped) {
  Connect();
  auto late = std::move(connection_->calls.front());
  discovery_.Disconnected(absl::UnavailableError("gone"));
  late.done(TwoServices().SerializeAsString());
  EXPECT_EQ(discovery_.state(), Discovery::State::kWaiting);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(DiscoveryTest, AReportErrorThatFailsIsNoTrouble) {
  Connect();
  Answer(EntitySpec());
  log_.clear();
  Answer(absl::UnimplementedError("no such method"));
  EXPECT_THAT(log_, IsEmpty());
}

// The published texts.
struct Fault {
  std::string name;
  void (*plant)(EntitySpec& spec);
  std::string text;
};

class DiscoveryFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(DiscoveryFaultTest, HasItsText) {
  EntitySpec spec = TwoServices();
  GetParam().plant(spec);
  auto parsed = ParseSpecification(spec, std::nullopt, VersionCheck::kOn);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(std::string(parsed.status().message()), GetParam().text);
}

void StreamOut(EntitySpec& spec) {
  ChangeFile(spec, [](auto& file) {
    file.mutable_service(0)->mutable_method(0)->set_server_streaming(true);
    file.mutable_service(0)->mutable_method(1)->set_client_streaming(true);
  });
}

void SetType(EntitySpec& spec, const char* type) { spec.mutable_entities(0)->set_entity_type(type); }

INSTANTIATE_TEST_SUITE_P(
    Faults, DiscoveryFaultTest,
    ::testing::Values(
        Fault{"Version", [](EntitySpec& spec) { spec.mutable_service_info()->set_protocol_minor_version(3); },
              "Incompatible protocol version 0.3, only 0.2 is supported"},
        Fault{"NoEntities", [](EntitySpec& spec) { spec.clear_entities(); },
              "No entities were reported by the discover call!"},
        Fault{"NoDescriptor", [](EntitySpec& spec) { spec.mutable_entities(0)->set_service_name("test.Three"); },
              "Service [test.Three] not found in descriptors!"},
        Fault{"UnknownType", [](EntitySpec& spec) { SetType(spec, "cloudstate.Nothing"); },
              "Service [test.One] has declared an unsupported entity type [cloudstate.Nothing]. Supported types are "
              "cloudstate.crdt.Crdt,cloudstate.action.ActionProtocol,cloudstate.eventsourced.EventSourced,"
              "cloudstate.valueentity.ValueEntity"},
        Fault{
            "Streamed", StreamOut,
            "Event sourced entities do not support streamed methods, but test.One has the following streamed methods: "
            "Call,Other"},
        Fault{"StreamedValue",
              [](EntitySpec& spec) {
                StreamOut(spec);
                SetType(spec, "cloudstate.valueentity.ValueEntity");
              },
              "Value entities do not support streamed methods, but test.One has the following streamed methods: "
              "Call,Other"},
        Fault{"ClientStreamedCrdt",
              [](EntitySpec& spec) {
                StreamOut(spec);
                SetType(spec, "cloudstate.crdt.Crdt");
              },
              "CRDT entities do not support client streamed methods, but test.One has the following client streamed "
              "methods: Other"},
        Fault{"NoKeys",
              [](EntitySpec& spec) {
                ChangeFile(spec, [](auto& file) { file.mutable_message_type(0)->mutable_field(0)->clear_options(); });
              },
              "Event sourced entities do not support methods whose parameters do not have at least one field marked as "
              "entity_key, but test.One has the following methods without keys: Call,Other"},
        Fault{
            "SharedPersistenceId",
            [](EntitySpec& spec) {
              for (Entity& entity : *spec.mutable_entities()) entity.set_persistence_id("same");
              spec.mutable_entities(1)->set_entity_type("cloudstate.valueentity.ValueEntity");
            },
            "Services [test.One] and [test.Two] are of different entity types and have the same persistence id [same]"},
        Fault{"DeclaredTwice", [](EntitySpec& spec) { *spec.add_entities() = spec.entities(0); },
              "Service [test.One] was declared twice"}),
    [](const auto& instance) { return instance.param.name; });

TEST(SpecificationTest, TheVersionCheckCanBeTurnedOff) {
  EntitySpec spec = TwoServices();
  spec.mutable_service_info()->set_protocol_major_version(1);
  EXPECT_TRUE(ParseSpecification(spec, std::nullopt, VersionCheck::kOff).ok());
}

TEST(SpecificationTest, ActionsNeedNoKeysAndMayStream) {
  EntitySpec spec = TwoServices();
  StreamOut(spec);
  SetType(spec, "cloudstate.action.ActionProtocol");
  ChangeFile(spec, [](auto& file) {
    file.mutable_service(1)->mutable_method(0)->set_input_type(".test.Response");
    file.mutable_message_type(0)->mutable_field(0)->clear_options();
  });
  spec.mutable_entities()->RemoveLast();
  EXPECT_TRUE(ParseSpecification(spec, std::nullopt, VersionCheck::kOn).ok());
}

TEST(SpecificationTest, APassivationTimeoutIsInMilliseconds) {
  EntitySpec spec = TwoServices();
  spec.mutable_entities(0)->mutable_passivation_strategy()->mutable_timeout()->set_timeout(100);
  auto parsed = ParseSpecification(spec, std::nullopt, VersionCheck::kOn);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)->services.at("test.One").passivation_timeout, absl::Milliseconds(100));
  EXPECT_EQ((*parsed)->services.at("test.Two").passivation_timeout, std::nullopt);
}

}  // namespace
}  // namespace cloudstate::userfunction
