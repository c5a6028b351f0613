// What the admin contract shows of CRDT entities, from the nodes' replicas to the lines that people read.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/crdt_text.h"
#include "emulator/admin/crdt_text.h"
#include "emulator/crdt/update.h"
#include "emulator/runtime/cluster_metrics.h"
#include "emulator/runtime/crdt_changes.h"
#include "emulator/runtime/crdt_values.h"
#include "emulator/runtime/crdt_views.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate {
namespace {

using cluster::NodeId;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kEntity[] = "visits";

google::protobuf::Any Text(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  google::protobuf::Any any;
  any.PackFrom(value);
  return any;
}

crdt::CrdtDelta Plus(std::uint64_t by) {
  crdt::CrdtDelta update;
  update.mutable_gcounter()->set_increment(by);
  return update;
}

// Three nodes that have found each other, and a user function that answers each command with a change.
class CrdtViews : public ::testing::Test {
 protected:
  CrdtViews() {
    EntitySpec spec = testing::TwoServices();
    spec.mutable_entities(0)->set_entity_type("cloudstate.crdt.Crdt");
    specification_ = *userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
    cluster_.Start(3);
    cluster_.Connect(connection_, specification_, entities::ReplayFrom::kNewestSnapshot);
    strand_.Advance(absl::Seconds(5));
  }
  ~CrdtViews() override {
    cluster_.Stop();
    strand_.Run();
  }

  runtime::CrdtSight Sight() const { return {cluster_, strand_, specification_}; }
  dev::v1::CrdtDetail Get() const {
    dev::v1::GetCrdtRequest request;
    request.set_persistence_id("persisted-One");
    request.set_entity_id(kEntity);
    auto detail = runtime::GetCrdt(Sight(), request);
    EXPECT_TRUE(detail.ok()) << detail.status();
    if (!detail.ok()) return {};
    admin::Describe(decoder_, *detail);
    return *std::move(detail);
  }
  dev::v1::ListCrdtsResponse List(const dev::v1::ListCrdtsRequest& request = {}) const {
    auto listed = runtime::ListCrdts(Sight(), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (dev::v1::Crdt& crdt : *listed->mutable_crdts()) admin::Describe(decoder_, crdt);
    return *std::move(listed);
  }
  // All reasons that `node` lacks something, by their kinds.
  std::vector<std::string> WhyLacks(std::int32_t node) const {
    std::vector<std::string> kinds;
    const dev::v1::CrdtDetail detail = Get();
    for (const dev::v1::CrdtDifference& difference : detail.differences()) {
      if (difference.node() != node) continue;
      for (const dev::v1::CrdtReason& reason : difference.reasons()) kinds.push_back(reason.kind());
    }
    return kinds;
  }

  // Changes the entity at that node, and lets `time` pass after the command came.
  void Write(std::uint32_t at, crdt::CrdtDelta update, absl::Duration time = absl::Milliseconds(50),
             crdt::CrdtWriteConsistency consistency = crdt::LOCAL, const std::string& id = kEntity) {
    update_ = std::move(update);
    consistency_ = consistency;
    auto command = std::make_shared<entities::CrdtCommand>();
    command->service = "test.One";
    command->method = "Call";
    command->trace = std::make_shared<trace::Trace>();
    command->answered = [](entities::Reply) {};
    command->ended = [](const absl::Status&) {};
    cluster_.Find(NodeId{at})->DeliverCrdt(id, std::move(command));
    Pass(time);
  }
  void Pass(absl::Duration time) {
    const absl::Time end = strand_.Now() + time;
    while (strand_.Now() < end) {
      strand_.Advance(absl::Milliseconds(5));
      for (std::size_t i = 0; i < connection_->streams.size(); ++i) Answer(*connection_->streams[i]);
    }
  }
  void Partition() { ASSERT_TRUE(cluster_.Partition({{NodeId{1}, NodeId{2}}, {NodeId{3}}}).ok()); }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  base::Random random_{1};
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  std::shared_ptr<const userfunction::Specification> specification_;
  cluster::Cluster cluster_{{}, strand_, random_, journal_, [](const std::string& text) { ADD_FAILURE() << text; }};
  admin::PayloadDecoder decoder_;

 private:
  void Answer(testing::FakeConnection::OpenedStream& stream) {
    if (stream.destroyed || stream.paused) return;
    for (const std::string& written : std::exchange(stream.written, {})) {
      crdt::CrdtStreamIn in;
      ASSERT_TRUE(in.ParseFromString(written));
      if (!in.has_command()) continue;
      crdt::CrdtStreamOut out;
      out.mutable_reply()->set_command_id(in.command().id());
      out.mutable_reply()->mutable_client_action()->mutable_reply();
      *out.mutable_reply()->mutable_state_action()->mutable_update() = update_;
      out.mutable_reply()->mutable_state_action()->set_write_consistency(consistency_);
      stream.handler.on_message(out.SerializeAsString());
    }
  }

  crdt::CrdtDelta update_;
  crdt::CrdtWriteConsistency consistency_ = crdt::LOCAL;
};

TEST_F(CrdtViews, ShowThatReplicasAgree) {
  Write(1, Plus(2), absl::Seconds(1));
  const dev::v1::CrdtDetail detail = Get();
  EXPECT_TRUE(detail.crdt().agreed());
  EXPECT_THAT(detail.crdt().services(), ElementsAre("test.One"));
  EXPECT_THAT(detail.differences(), IsEmpty());
  EXPECT_THAT(detail.transfers(), IsEmpty());
  ASSERT_EQ(detail.replicas_size(), 3);
  for (const dev::v1::CrdtReplica& replica : detail.replicas()) {
    EXPECT_EQ(replica.value().text(), "2");
    EXPECT_EQ(replica.digest(), detail.replicas(0).digest());
    EXPECT_EQ(replica.active(), replica.node() == 1);
    EXPECT_EQ(admin::WritesText(replica.writes()), "writes 1-2 of node 1") << "it was made, and then changed";
  }
}

TEST_F(CrdtViews, TellWhatWaitsForTheNextBatchAndWhatIsOnItsWay) {
  ASSERT_TRUE(cluster_
                  .SetLink(NodeId::kNone, NodeId::kNone, cluster::Cluster::Ways::kBoth,
                           {.latency = *cluster::Latency::Parse("40ms")})
                  .ok());
  Pass(absl::Seconds(1));
  Write(1, Plus(1), absl::Milliseconds(200));  // that the reading took, too
  EXPECT_THAT(WhyLacks(2), ElementsAre("slow", "batch"));
  Pass(absl::Milliseconds(110));
  EXPECT_THAT(WhyLacks(2), ElementsAre("slow", "on_way"));
  const dev::v1::CrdtDetail detail = Get();
  ASSERT_EQ(detail.transfers_size(), 2);
  EXPECT_GT(detail.transfers(0).bytes(), 0);
  EXPECT_EQ(detail.crdt().pending(), 2);
}

TEST_F(CrdtViews, TellThatThePartitionKeepsBothSidesFromEachOther) {
  for (const std::uint32_t node : {1U, 3U}) Write(node, Plus(1), absl::Seconds(1));
  Partition();
  Write(1, Plus(1));
  Write(3, Plus(5), absl::Milliseconds(600));
  EXPECT_THAT(WhyLacks(3), Contains("partition"));
  EXPECT_THAT(WhyLacks(1), Contains("partition"));
  const std::string text = cli::FormatCrdt(Get(), {});
  EXPECT_THAT(text,
              AllOf(HasSubstr("The nodes do not know the same."), HasSubstr("WRITES OF 1  OF 3  VALUE"),
                    HasSubstr("Node 3 lacks write 3 of node 1, which nodes 1, 2 have\n"
                              "    nothing gets from node 1 to node 3: the network is parted\n"),
                    HasSubstr("Node 1 lacks write 2 of node 3, which node 3 has\n"), HasSubstr("3 → 1  change ")));
  EXPECT_THAT(cli::FormatCrdts(List(), {}), HasSubstr("3 on nodes 1, 2; 7 on node 3"));
  ASSERT_TRUE(cluster_.Heal().ok());
  Pass(absl::Seconds(10));
  EXPECT_TRUE(Get().crdt().agreed());
  EXPECT_THAT(cli::FormatCrdt(Get(), {}), Not(HasSubstr("differs")));
}

TEST_F(CrdtViews, TellOfANodeThatIsPausedOrDown) {
  ASSERT_TRUE(cluster_.Pause(NodeId{2}, std::nullopt).ok());
  Write(1, Plus(1), absl::Milliseconds(600));
  EXPECT_THAT(WhyLacks(2), Contains("paused"));
  ASSERT_TRUE(cluster_.Kill(NodeId{3}).ok());
  EXPECT_THAT(WhyLacks(3), ElementsAre("node_down"));
  EXPECT_THAT(cli::FormatCrdt(Get(), {}), HasSubstr("Node 3 has no replica\n    node 3 is stopped\n"));
  EXPECT_THAT(cli::FormatReplica(Get(), 3, {}), HasSubstr("until it is started"));
}

TEST_F(CrdtViews, ListPagesOfEntitiesThatFit) {
  for (const char* id : {"a", "ab", "b", "bb"}) Write(1, Plus(1), absl::Milliseconds(20), crdt::LOCAL, id);
  Pass(absl::Seconds(4));
  dev::v1::ListCrdtsRequest request;
  request.mutable_filter()->set_id_contains("b");
  request.set_page_size(2);
  dev::v1::ListCrdtsResponse page = List(request);
  ASSERT_EQ(page.crdts_size(), 2);
  EXPECT_EQ(page.crdts(0).entity_id(), "ab");
  EXPECT_EQ(page.crdts(1).entity_id(), "b");
  request.set_page_token(page.next_page_token());
  page = List(request);
  ASSERT_EQ(page.crdts_size(), 1);
  EXPECT_EQ(page.crdts(0).entity_id(), "bb");
  EXPECT_EQ(page.next_page_token(), "");
  request.mutable_filter()->set_service("test.Two");
  request.set_page_token("");
  EXPECT_THAT(List(request).crdts(), IsEmpty());
  request.set_page_token("nonsense");
  EXPECT_TRUE(absl::IsInvalidArgument(runtime::ListCrdts(Sight(), request).status()));
}

TEST_F(CrdtViews, WatchAWriteOnItsWayToTheOtherNodes) {
  Write(2, Plus(1), absl::Seconds(4));
  dev::v1::WatchCrdtsRequest request;
  request.set_entity_id(kEntity);
  std::vector<std::string> told;
  const std::uint64_t watch = cluster_.replica_events().Watch([&](const cluster::ReplicaEvent& event) {
    if (!runtime::Fits(request, event)) return;
    dev::v1::CrdtEvent view = runtime::EventView(Sight(), event);
    admin::Describe(decoder_, view);
    told.push_back(absl::StrCat(view.node(), " ", view.kind(), " ", view.text()));
  });
  Write(2, Plus(3), absl::Milliseconds(100), crdt::MAJORITY);
  Write(2, Plus(3), absl::Milliseconds(20), crdt::LOCAL, "another");
  cluster_.replica_events().Unwatch(watch);
  EXPECT_THAT(told, Contains("2 written +3 (write 3 of node 2, MAJORITY)"));
  EXPECT_THAT(
      told, Contains(::testing::MatchesRegex("2 sent to node 1: .3 .change [0-9]+, write 3 of node 2, [0-9]+ bytes.")));
  EXPECT_THAT(
      told,
      Contains(::testing::MatchesRegex("1 joined from node 2: .3 .change [0-9]+, write 3 of node 2, [0-9]+ bytes.")));
  EXPECT_THAT(told, Contains(HasSubstr("2 acknowledged by node 1: change ")));
  EXPECT_THAT(told, Contains("2 confirmed a write with MAJORITY"));
  EXPECT_THAT(told, Not(Contains(HasSubstr("another"))));
}

TEST_F(CrdtViews, CountWhatIsReplicated) {
  Write(1, Plus(1), absl::Seconds(1));
  const std::string text = runtime::ClusterMetricsText(cluster_);
  EXPECT_THAT(text, AllOf(HasSubstr("cloudstate_replication_entities{node=\"3\"} 1\n"),
                          HasSubstr("cloudstate_replication_sent_changes_total{node=\"1\"} 2\n"),
                          HasSubstr("cloudstate_replication_acknowledged_changes_total{node=\"1\"} 2\n"),
                          HasSubstr("cloudstate_replication_received_changes_total{node=\"2\"} 1\n")));
  const std::string crdts = trace::PrometheusText({{"1", cluster_.Find(NodeId{1})->metrics()}});
  EXPECT_THAT(crdts,
              HasSubstr("cloudstate_crdt_received_commands_total{entity_name=\"persisted-One\",node=\"1\"} 1\n"));
}

TEST(CrdtWrites, AreThoseThatTheOtherDoesNotKnow) {
  crdt::CausalContext known;
  known.AddUpTo({{1, 1}, 6});
  known.Add({{2, 1}, 4});
  crdt::CausalContext but;
  but.AddUpTo({{1, 1}, 1});
  but.Add({{1, 1}, 4});
  dev::v1::CrdtReplica replica;
  for (const auto& each : runtime::WritesIn(known, but)) *replica.add_writes() = runtime::WritesView(each);
  EXPECT_EQ(admin::WritesText(replica.writes()), "writes 2-3,5-6 of node 1, write 4 of node 2");
  EXPECT_THAT(runtime::WritesIn(but, known), IsEmpty());
}

// What a change makes of a state, in words.
std::string NewsIn(const crdt::State& before, const crdt::State& change) {
  dev::v1::CrdtEvent event;
  runtime::PutChanges(before, change, event);
  event.set_kind("written");
  admin::Describe(admin::PayloadDecoder(), event);
  return event.text();
}

TEST(CrdtChanges, TellWhatIsNewsToTheReceiverOnly) {
  const crdt::ReplicaId one{1, 1};
  crdt::State state;
  crdt::CrdtDelta update;
  const auto change = [&] { return *crdt::Update(state, update, one, 0); };
  *update.mutable_orset()->add_added() = Text("a");
  *update.mutable_orset()->add_added() = Text("b");
  const crdt::State added = change();
  EXPECT_EQ(NewsIn(crdt::State(), added), "added \"a\", added \"b\"");
  EXPECT_EQ(NewsIn(state, added), "no news");
  const crdt::State before = state;
  update.mutable_orset()->clear_added();
  *update.mutable_orset()->add_removed() = Text("a");
  EXPECT_EQ(NewsIn(before, change()), "removed \"a\"");
  EXPECT_EQ(NewsIn(before, state), "removed \"a\"") << "the whole state";
  EXPECT_EQ(NewsIn(before, crdt::State(state).Delete()), "deleted");
}

TEST(CrdtChanges, NameTheKeysThatLeadThere) {
  const crdt::ReplicaId two{2, 1};
  crdt::State state;
  crdt::CrdtDelta update;
  crdt::ORMapEntryDelta& entry = *update.mutable_ormap()->add_added();
  *entry.mutable_key() = Text("likes");
  *entry.mutable_delta() = Plus(2);
  dev::v1::CrdtEvent written;
  runtime::PutChanges(update, written);
  admin::PayloadDecoder decoder;
  written.set_kind("written");
  admin::Describe(decoder, written);
  EXPECT_EQ(written.text(), "\"likes\": +2");
  EXPECT_EQ(NewsIn(crdt::State(), *crdt::Update(state, update, two, 0)), "\"likes\": +2");
  crdt::CrdtDelta removal;
  *removal.mutable_ormap()->add_removed() = Text("likes");
  const crdt::State before = state;
  EXPECT_EQ(NewsIn(before, *crdt::Update(state, removal, two, 0)), "removed \"likes\"");
}

TEST(CrdtValues, ShowTheFirstElementsOfManyAndHowManyThereAre) {
  crdt::CrdtDelta update;
  for (int i = 10; i < 30; ++i) *update.mutable_orset()->add_added() = Text(absl::StrCat("e", i));
  crdt::State state;
  ASSERT_TRUE(crdt::Update(state, update, {1, 1}, 0).ok());
  dev::v1::CrdtDetail detail;
  *detail.add_replicas()->mutable_value() = *runtime::ValueView(state, {1, 1}, {}, 3);
  detail.mutable_replicas(0)->set_known(true);
  detail.mutable_replicas(0)->set_node(1);
  admin::Describe(admin::PayloadDecoder(), detail);
  EXPECT_EQ(detail.replicas(0).value().text(), "{\"e10\", \"e11\", \"e12\", … 17 more}");
  EXPECT_THAT(cli::FormatReplica(detail, 1, {}), HasSubstr("  \"e10\"\n  \"e11\"\n  \"e12\"\n  … 17 more\n"));
}

}  // namespace
}  // namespace cloudstate
