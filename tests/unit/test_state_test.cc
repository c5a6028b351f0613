// Beginning anew, from something, and waiting, with real nodes in virtual time and a journal in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/proto_time.h"
#include "emulator/runtime/named_types.h"
#include "emulator/runtime/quiet.h"
#include "emulator/runtime/test_control.h"
#include "google/protobuf/descriptor.pb.h"
#include "tests/unit/cluster_fixture.h"
#include "tests/unit/fake_browser.h"

namespace cloudstate::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Beside a MemoryJournal and a MemoryReplicaStore.
class MemoryCopies final : public journal::Copies {
 public:
  MemoryCopies(testing::MemoryJournal& journal, testing::MemoryReplicaStore& replicas)
      : journal_(journal), replicas_(replicas) {}

  void ClearAll(absl::AnyInvocable<void(absl::Status)> done) override { Put({}, std::move(done)); }
  void KeepCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::StatusOr<journal::StoredAmount>)> done) override {
    kept[copy] = journal_.entities;
    journal::StoredAmount amount{.entities = static_cast<std::int64_t>(journal_.entities.size()), .events = 0};
    for (const auto& [key, stored] : journal_.entities)
      amount.events += static_cast<std::int64_t>(stored.events.size());
    done(amount);
  }
  void RestoreCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::Status)> done) override {
    Put(kept.at(copy), std::move(done));
  }
  void DropCopies(std::vector<std::uint64_t> copies, absl::AnyInvocable<void(absl::Status)> done) override {
    for (const std::uint64_t copy : copies) kept.erase(copy);
    done(absl::OkStatus());
  }

  using Entities = std::map<journal::EntityKey, testing::MemoryJournal::Stored>;
  std::map<std::uint64_t, Entities> kept;
  absl::Status failure;
  bool hold_back = false;
  absl::AnyInvocable<void()> held;

 private:
  void Put(Entities entities, absl::AnyInvocable<void(absl::Status)> done) {
    if (hold_back) {
      held = [this, entities = std::move(entities), done = std::move(done)]() mutable {
        Put(std::move(entities), std::move(done));
      };
      hold_back = false;
      return;
    }
    if (!failure.ok()) return done(failure);
    journal_.Replace(std::move(entities));
    replicas_.pieces.clear();
    done(absl::OkStatus());
  }

  testing::MemoryJournal& journal_;
  testing::MemoryReplicaStore& replicas_;
};

class KnownUserFunction final : public UserFunctions {
 public:
  void MakeNodes() override {}
  absl::Status Start() override { return absl::OkStatus(); }
  void EndScaling() override {}
  void Stop() override {}
  void ReportError(const std::string&) override {}
  dev::v1::UserFunction Describe() const override { return {}; }
  std::shared_ptr<const userfunction::Specification> specification() const override { return known; }
  scaling::Scaler* scaler() override { return nullptr; }

  std::shared_ptr<const userfunction::Specification> known;
};

// Of which a part has been jumped.
class AheadStrand final : public base::Strand {
 public:
  explicit AheadStrand(base::Strand& strand) : strand_(strand) {}
  void Post(base::Task task) override { strand_.Post(std::move(task)); }
  absl::Time Now() const override { return strand_.Now() + ahead; }
  absl::Time WallTime() const override { return strand_.WallTime() + ahead; }
  absl::Duration Ahead() const override { return ahead; }
  base::TimerId After(absl::Duration delay, base::Task task) override { return strand_.After(delay, std::move(task)); }
  void Cancel(base::TimerId timer) override { strand_.Cancel(timer); }

  absl::Duration ahead;

 private:
  base::Strand& strand_;
};

class StateOfACluster : public cluster::ClusterFixture {
 protected:
  StateOfACluster() : ClusterFixture(3) { user_functions_.known = Specification(); }

  // Makes the control, which may take away what is stored, or not.
  void MakeControl(bool may_reset) {
    control_ = std::make_unique<TestControl>(
        TestControl::Parts{.strand = ahead_strand_,
                           .cluster = cluster_,
                           .journal = journal_,
                           .copies = copies_,
                           .recorder = recorder_,
                           .user_functions = user_functions_,
                           .faults = faults_,
                           .advance = [](absl::Duration, base::Task done) { done(); }},
        TestControl::Options{.nodes = 3, .may_reset = may_reset, .open_journal = [this] {
                               auto browser = std::make_unique<journal::FakeBrowser>();
                               browser->events = rows_;
                               return absl::StatusOr<std::unique_ptr<journal::Browser>>(std::move(browser));
                             }});
  }
  void SetUp() override { MakeControl(true); }

  template <class Response>
  using Answer = std::shared_ptr<std::optional<absl::StatusOr<Response>>>;
  template <class Request, class Response>
  Answer<Response> Ask(void (TestControl::*method)(const Request&, admin::Control::Done<Response>),
                       const Request& request) {
    auto answer = std::make_shared<std::optional<absl::StatusOr<Response>>>();
    ((*control_).*method)(request, [answer](absl::StatusOr<Response> response) { *answer = std::move(response); });
    strand_.Run();
    return answer;
  }
  absl::Status Reset() { return StatusOf(Ask(&TestControl::Reset, dev::v1::ResetRequest())); }
  absl::StatusOr<dev::v1::SavedState> Save(const std::string& name) {
    dev::v1::SaveStateRequest request;
    request.set_name(name);
    return **Ask(&TestControl::SaveState, request);
  }
  absl::StatusOr<dev::v1::SavedState> Restore(const std::string& name) {
    dev::v1::RestoreStateRequest request;
    request.set_name(name);
    return **Ask(&TestControl::RestoreState, request);
  }
  Answer<dev::v1::WaitResponse> Wait(absl::Duration timeout, bool converged = false) {
    dev::v1::WaitRequest request;
    request.set_converged(converged);
    *request.mutable_timeout() = base::ToDuration(timeout);
    return Ask(&TestControl::Wait, request);
  }
  template <class Response>
  static absl::Status StatusOf(const Answer<Response>& answer) {
    return answer->has_value() ? (*answer)->status() : absl::InternalError("it was not answered");
  }
  // What a command of the entity answers.
  std::string Call(std::uint32_t at, const std::string& id) {
    const Outcome outcome = Send(at, id);
    Pass(absl::Milliseconds(20));
    return *outcome;
  }

  AheadStrand ahead_strand_{strand_};
  MemoryCopies copies_{journal_, replica_store_};
  trace::Recorder recorder_{10};
  KnownUserFunction user_functions_;
  FaultBook faults_;
  std::vector<journal::EventRow> rows_;
  std::unique_ptr<TestControl> control_;
};

// ---- reset

TEST_F(StateOfACluster, AfterAResetNothingIsStoredAndAllNodesServeAtOnce) {
  ASSERT_EQ(Call(1, "a"), "1");
  ASSERT_EQ(Call(2, "a"), "2");
  ASSERT_EQ(Reset(), absl::OkStatus());
  EXPECT_TRUE(journal_.entities.empty());
  EXPECT_TRUE(cluster_.Converged()) << "without waiting for any timer";
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(node(at).state(), "up");
  EXPECT_EQ(Call(3, "a"), "1");
  EXPECT_EQ(Call(1, "a"), "2");
}

TEST_F(StateOfACluster, AResetEndsWhatIsUnderWayAndStreamsToTheUserFunction) {
  answers_ = false;
  Send(1, "a");
  Pass(absl::Milliseconds(20));
  const std::size_t opened = connection_->streams.size();
  ASSERT_EQ(Reset(), absl::OkStatus());
  EXPECT_EQ(node(1).incarnation(), 2u);
  for (std::size_t i = 0; i < opened; ++i) EXPECT_TRUE(connection_->streams[i]->destroyed);
}

TEST_F(StateOfACluster, AResetMendsWhatWasDoneToNodesAndNetwork) {
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{2}).ok());
  ASSERT_TRUE(cluster_.Pause(cluster::NodeId{3}, absl::Seconds(60)).ok());
  ASSERT_TRUE(cluster_.Skew(cluster::NodeId{1}, absl::Seconds(60)).ok());
  ASSERT_TRUE(cluster_.Partition({{cluster::NodeId{1}}}).ok());
  ASSERT_TRUE(cluster_.AddNode().ok());
  dev::v1::Fault fault;
  fault.set_kind(dev::v1::Fault::FAILED_WRITE);
  ASSERT_TRUE(faults_.Add(fault).ok());
  recorder_.End(recorder_.Begin(strand_.Now(), strand_.WallTime()));

  ASSERT_EQ(Reset(), absl::OkStatus());

  EXPECT_TRUE(cluster_.Converged());
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(node(at).state(), "up");
  EXPECT_EQ(node(4).state(), "removed") << "it was not there at the start";
  EXPECT_FALSE(node(3).strand().paused());
  EXPECT_EQ(node(1).strand().skew(), absl::ZeroDuration());
  EXPECT_FALSE(cluster_.network().IsCut(cluster::NodeId{1}, cluster::NodeId{2}));
  EXPECT_TRUE(faults_.empty());
  EXPECT_TRUE(recorder_.traces().empty());
  ASSERT_TRUE(cluster_.StartAgain(cluster::NodeId{4}).ok());
  Pass(absl::Seconds(30));
  EXPECT_EQ(node(4).state(), "up");
}

TEST_F(StateOfACluster, NothingBringsBackCrdtEntitiesAfterAReset) {
  for (const std::uint32_t at : {1U, 2U, 3U}) SendCrdt(at, "a");
  Pass(absl::Milliseconds(20));  // their changes are on their way still
  ASSERT_EQ(Reset(), absl::OkStatus());
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(node(at).replicas()->Find({"persisted-Two", "a"}), nullptr);
  Pass(absl::Minutes(10));
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(node(at).replicas()->Find({"persisted-Two", "a"}), nullptr);
  EXPECT_TRUE(replica_store_.pieces.empty());
  SendCrdt(1, "a");
  Pass(absl::Seconds(5));
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(CrdtCount(at, "a"), 1U);
}

TEST_F(StateOfACluster, WhereSomebodyMayMissWhatIsStoredNothingIsReset) {
  MakeControl(false);
  ASSERT_EQ(Call(1, "a"), "1");
  ASSERT_TRUE(Save("s").ok());
  for (const absl::Status& status : {Reset(), Restore("s").status()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--allow-reset"));
  }
  EXPECT_EQ(Call(1, "a"), "2");
}

TEST_F(StateOfACluster, NodesServeAgainWhereTheJournalCannotBeCleared) {
  ASSERT_EQ(Call(1, "a"), "1");
  copies_.failure = absl::ResourceExhaustedError("the disk is full");
  const absl::Status failed = Reset();
  EXPECT_TRUE(absl::IsResourceExhausted(failed)) << failed;
  EXPECT_THAT(std::string(failed.message()), HasSubstr("try again: the disk is full"));
  Pass(absl::Seconds(5));
  EXPECT_EQ(Call(1, "a"), "2");
}

TEST_F(StateOfACluster, AllIsThereStillWhereTheJournalCannotBeChanged) {
  ASSERT_TRUE(Save("empty").ok());
  SendCrdt(1, "c");
  Pass(absl::Seconds(2));
  dev::v1::Fault fault;
  fault.set_kind(dev::v1::Fault::FAILED_WRITE);
  ASSERT_TRUE(faults_.Add(fault).ok());
  recorder_.End(recorder_.Begin(strand_.Now(), strand_.WallTime()));
  copies_.failure = absl::ResourceExhaustedError("the disk is full");
  for (const bool reset : {true, false}) {
    EXPECT_FALSE(reset ? Reset().ok() : Restore("empty").ok());
    Pass(absl::Seconds(2));
    for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(CrdtCount(at, "c"), 1U);
    EXPECT_FALSE(faults_.empty());
    EXPECT_EQ(recorder_.traces().size(), 1u);
  }
  copies_.failure = absl::OkStatus();
  ASSERT_TRUE(Restore("empty").ok()) << "it was not forgotten";
  EXPECT_TRUE(faults_.empty());
  EXPECT_EQ(CrdtCount(1, "c"), 0U);
}

TEST_F(StateOfACluster, ANodeThatAResetLeftOutIsTheNextOneToBeAdded) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(*cluster_.AddNode(), cluster::NodeId{4});
    ASSERT_EQ(*cluster_.AddNode(), cluster::NodeId{5});
    Pass(absl::Seconds(30));
    EXPECT_EQ(node(5).state(), "up");
    ASSERT_EQ(Reset(), absl::OkStatus());
  }
  ASSERT_TRUE(cluster_.StartAgain(cluster::NodeId{4}).ok());
  EXPECT_EQ(*cluster_.AddNode(), cluster::NodeId{5});
  EXPECT_EQ(*cluster_.AddNode(), cluster::NodeId{6});
}

TEST_F(StateOfACluster, NobodyWaitsForNodesThatAResetLeftOut) {
  cluster_.EndAll();
  cluster_.StartOver(1, {});
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{1}).ok());
  ASSERT_TRUE(cluster_.StartAgain(cluster::NodeId{1}).ok());
  Pass(absl::Minutes(1));
  EXPECT_EQ(node(1).state(), "up");
}

TEST_F(StateOfACluster, NodesThatAreStartedWhileItIsResetEnd) {
  copies_.hold_back = true;
  const auto reset = Ask(&TestControl::Reset, dev::v1::ResetRequest());
  ASSERT_TRUE(cluster_.StartAlone(cluster::NodeId{1}).ok());
  ASSERT_TRUE(cluster_.StartAgain(cluster::NodeId{2}).ok());
  ASSERT_TRUE(cluster_.AddNode().ok());
  Pass(absl::Seconds(1));
  copies_.held();
  strand_.Run();
  EXPECT_EQ(StatusOf(reset), absl::OkStatus());
  EXPECT_EQ(node(4).membership(), nullptr);
  EXPECT_TRUE(cluster_.Converged());
  EXPECT_EQ(Call(2, "a"), "1");
  Pass(absl::Minutes(1));
  EXPECT_TRUE(cluster_.Converged()) << "they hear each other";
}

TEST_F(StateOfACluster, AResetForgetsWhatIsOnItsWayOverSlowLinks) {
  std::vector<std::string> received;
  cluster::Network network(strand_, random_);
  network.Attach(cluster::NodeId{2}, [&](std::string bytes) { received.push_back(std::move(bytes)); });
  network.SetDefault({.latency = *cluster::Latency::Parse("1s")});
  network.Send(cluster::NodeId{1}, cluster::NodeId{2}, "before");
  network.Forget();
  network.SetDefault({});
  network.Send(cluster::NodeId{1}, cluster::NodeId{2}, "after");
  Pass(absl::Seconds(2));
  EXPECT_THAT(received, ElementsAre("after"));
  EXPECT_EQ(network.CountersOf(cluster::NodeId{1}, cluster::NodeId{2}).in_flight, 0u);

  ASSERT_TRUE(cluster_
                  .SetLink(cluster::NodeId::kNone, cluster::NodeId::kNone, cluster::Cluster::Ways::kBoth,
                           {.latency = *cluster::Latency::Parse("1s")})
                  .ok());
  Pass(absl::Milliseconds(1500));
  const auto on_way = [this] {
    return cluster_.network().CountersOf(cluster::NodeId{1}, cluster::NodeId{2}).in_flight;
  };
  ASSERT_GT(on_way(), 0u);
  cluster_.EndAll();
  EXPECT_EQ(on_way(), 0u);
  cluster_.StartOver(3, {});
}

TEST_F(StateOfACluster, TwoResetsAtOnceAreDoneOneAfterTheOther) {
  copies_.hold_back = true;
  const auto first = Ask(&TestControl::Reset, dev::v1::ResetRequest());
  const auto second = Ask(&TestControl::Reset, dev::v1::ResetRequest());
  EXPECT_FALSE(first->has_value());
  EXPECT_FALSE(second->has_value());
  EXPECT_EQ(node(1).membership(), nullptr);
  const auto waiting = Wait(absl::Minutes(1));
  EXPECT_FALSE(waiting->has_value()) << "a reset is something that is under way";
  copies_.held();
  strand_.Run();
  EXPECT_EQ(StatusOf(first), absl::OkStatus());
  EXPECT_EQ(StatusOf(second), absl::OkStatus());
  EXPECT_TRUE(cluster_.Converged());
}

// ---- saved states

TEST_F(StateOfACluster, ASavedStateIsRestoredAsOftenAsOneLikes) {
  ASSERT_EQ(Call(1, "a"), "1");
  SendCrdt(1, "c");
  Pass(absl::Seconds(2));
  const auto saved = Save("begun");
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->events(), 1);
  EXPECT_EQ(saved->crdts(), 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Call(2, "a"), "2");
    SendCrdt(2, "c");
    SendCrdt(3, "d");
    Pass(absl::Seconds(2));
    ASSERT_EQ(CrdtCount(1, "c"), 2U);
    ASSERT_TRUE(Restore("begun").ok());
    for (const std::uint32_t at : {1U, 2U, 3U}) {
      EXPECT_EQ(CrdtCount(at, "c"), 1U);
      EXPECT_EQ(CrdtCount(at, "d"), 0U);
    }
    EXPECT_TRUE(cluster_.Converged());
  }
  Pass(absl::Minutes(10));
  EXPECT_EQ(CrdtCount(3, "c"), 1U);
  EXPECT_EQ(CrdtCount(3, "d"), 0U);
}

TEST_F(StateOfACluster, ARestoredCrdtIsKeptOnTheDisk) {
  SendCrdt(1, "c");
  Pass(absl::Seconds(2));
  ASSERT_TRUE(Save("s").ok());
  ASSERT_TRUE(Restore("s").ok());
  Pass(absl::Seconds(2));
  ASSERT_TRUE(cluster_.CrashAll().ok());
  Pass(absl::Seconds(30));
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(CrdtCount(at, "c"), 1U);
}

TEST_F(StateOfACluster, ANameIsReplacedAndForgottenByAReset) {
  ASSERT_EQ(Call(1, "a"), "1");
  ASSERT_TRUE(Save("s").ok());
  ASSERT_EQ(Call(1, "a"), "2");
  ASSERT_TRUE(Save("s").ok());
  EXPECT_EQ(copies_.kept.size(), 1u);
  const auto listed = **Ask(&TestControl::ListStates, dev::v1::ListStatesRequest());
  ASSERT_EQ(listed->states_size(), 1);
  EXPECT_EQ(listed->states(0).events(), 2);
  EXPECT_TRUE(absl::IsNotFound(Restore("t").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Save("").status()));
  ASSERT_TRUE(Restore("s").ok()) << "which keeps it";
  ASSERT_EQ(Reset(), absl::OkStatus());
  EXPECT_TRUE(copies_.kept.empty());
  EXPECT_TRUE(absl::IsNotFound(Restore("s").status()));
}

TEST_F(StateOfACluster, NothingIsSavedBeforeAllIsReadThatNodesHaveKept) {
  SendCrdt(2, "c");
  Pass(absl::Seconds(2));
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{2}).ok());
  const absl::Status refused = Save("s").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("Node 2 is stopped"));

  replica_store_.hold_back = true;
  ASSERT_TRUE(cluster_.CrashAll().ok());
  ASSERT_TRUE(cluster_.StartAgain(cluster::NodeId{2}).ok());
  dev::v1::SaveStateRequest request;
  request.set_name("s");
  const auto saved = Ask(&TestControl::SaveState, request);
  Pass(absl::Seconds(5));
  EXPECT_FALSE(saved->has_value());
  replica_store_.Release();
  Pass(absl::Seconds(4));
  ASSERT_EQ(StatusOf(saved), absl::OkStatus());
  EXPECT_EQ((**saved)->crdts(), 1);
}

TEST_F(StateOfACluster, WhoeverSavesDoesNotWaitForEverUntilANodeHasRead) {
  replica_store_.hold_back = true;
  ASSERT_TRUE(cluster_.CrashAll().ok());
  dev::v1::SaveStateRequest request;
  request.set_name("s");
  const auto saved = Ask(&TestControl::SaveState, request);
  Pass(absl::Seconds(11));
  EXPECT_TRUE(absl::IsUnavailable(StatusOf(saved))) << StatusOf(saved);
  EXPECT_EQ(Reset(), absl::OkStatus()) << "its turn is over";
}

// ---- evict

TEST_F(StateOfACluster, AnEntityToEvictHasAServiceAndAnId) {
  for (const auto& [service, id] : {std::pair("One", ""), std::pair("", "a")}) {
    dev::v1::EvictRequest request;
    request.set_service(service);
    request.set_entity_id(id);
    EXPECT_TRUE(absl::IsInvalidArgument(StatusOf(Ask(&TestControl::Evict, request))));
  }
}

TEST_F(StateOfACluster, AnEvictedEntityIsLoadedAnewByTheNextCommand) {
  ASSERT_EQ(Call(1, "a"), "1");
  ASSERT_EQ(Call(1, "b"), "1");
  dev::v1::EvictRequest request;
  request.set_service("One");
  request.set_entity_id("a");
  EXPECT_EQ((**Ask(&TestControl::Evict, request))->evicted(), 1);
  Pass(absl::Milliseconds(20));
  EXPECT_EQ((**Ask(&TestControl::Evict, request))->evicted(), 0);
  const int loads = journal_.loads;
  EXPECT_EQ(Call(1, "b"), "2");
  EXPECT_EQ(journal_.loads, loads);
  EXPECT_EQ(Call(1, "a"), "2");
  EXPECT_EQ(journal_.loads, loads + 1);
}

TEST_F(StateOfACluster, AnEntityIsEvictedWhenItsCommandIsAnsweredAndWhatWaitsIsForTheNextStream) {
  answers_ = false;
  const Outcome first = Send(1, "a");
  const Outcome crdt = SendCrdt(1, "c");
  Pass(absl::Milliseconds(20));
  const Outcome second = Send(1, "a");
  EXPECT_EQ((**Ask(&TestControl::Evict, dev::v1::EvictRequest()))->evicted(), 2);
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(*first, "open");
  answers_ = true;
  Pass(absl::Milliseconds(50));
  EXPECT_THAT((std::vector{*first, *second, *crdt}), ElementsAre("1", "2", "done"));
  EXPECT_EQ(connection_->streams.size(), 3u) << "the second command had a stream of its own";
  EXPECT_EQ(cluster_.Evict(std::nullopt), 1u) << "the CRDT entity has stopped";
}

TEST_F(StateOfACluster, AnEntityIsEvictedWhenWhatItAnsweredIsStored) {
  ASSERT_EQ(Call(1, "a"), "1");
  journal_.hold_writes = true;
  const Outcome outcome = Send(1, "a");
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(cluster_.Evict(std::nullopt), 1u);
  journal_.hold_writes = false;
  journal_.Release();
  Pass(absl::Milliseconds(50));
  EXPECT_EQ(*outcome, "2");
  const int loads = journal_.loads;
  EXPECT_EQ(Call(1, "a"), "3");
  EXPECT_EQ(journal_.loads, loads + 1);
}

// ---- seed

class Seeds : public StateOfACluster {
 protected:
  static dev::v1::SeedRequest RequestOf(const std::string& service, const std::string& type, const std::string& json) {
    dev::v1::SeedRequest request;
    dev::v1::SeededEntity& entity = *request.add_entities();
    entity.set_service(service);
    entity.set_entity_id("a");
    dev::v1::SeededMessage& event = *entity.add_events();
    event.set_type(type);
    event.set_json(json);
    return request;
  }
  std::string WhyNot(const dev::v1::SeedRequest& request) {
    const auto answer = **Ask(&TestControl::Seed, request);
    EXPECT_TRUE(absl::IsInvalidArgument(answer.status())) << answer.status();
    return std::string(answer.status().message());
  }
  absl::StatusOr<journal::Payload> Payload(const std::string& type, const std::string& json) const {
    dev::v1::SeededMessage message;
    message.set_type(type);
    message.set_json(json);
    return NamedTypes(user_functions_.known).ToPayload(message);
  }
};

TEST_F(Seeds, AreStoredBehindWhatIsThereAndTheEntityIsLoadedAnew) {
  ASSERT_EQ(Call(1, "a"), "1");
  rows_ = {{.position = 1,
            .key = {"persisted-One", "a"},
            .service = "",
            .sequence = 2,
            .payload = {},
            .time = absl::UnixEpoch(),
            .cause = {}}};
  const auto seeded = **Ask(&TestControl::Seed, RequestOf("One", "Response", R"({"text": "x"})"));
  ASSERT_TRUE(seeded.ok()) << seeded.status();
  EXPECT_EQ(seeded->entities(0).last_sequence(), 2);
  const auto& events = journal_.entities.at({"persisted-One", "a"}).events;
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].payload, (journal::Payload{"type.googleapis.com/test.Response", "\n\1x"}));
  EXPECT_EQ(journal_.causes.back().method, "Seed");
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(Call(2, "a"), "3");
}

TEST_F(Seeds, ThatAreWrongAreRefusedWithWhereAndWhatThereIs) {
  EXPECT_THAT(WhyNot(RequestOf("test.Onee", "Response", "")), HasSubstr("did you mean 'test.One'?"));
  EXPECT_THAT(WhyNot(RequestOf("One", "Respons", "")), HasSubstr("event 1: the user function has no message type"));
  EXPECT_THAT(WhyNot(RequestOf("One", "Response", R"({"txt": 1})")), HasSubstr("txt"));
  EXPECT_THAT(WhyNot(RequestOf("One", "Response", "{")), HasSubstr("line 1"));
  EXPECT_THAT(WhyNot(RequestOf("Two", "Response", "")), HasSubstr("send commands"));
  dev::v1::SeedRequest empty = RequestOf("One", "Response", "");
  empty.mutable_entities(0)->clear_events();
  EXPECT_THAT(WhyNot(empty), HasSubstr("no events"));
  EXPECT_TRUE(journal_.entities.empty());
  user_functions_.known = nullptr;
  EXPECT_TRUE(absl::IsUnavailable((**Ask(&TestControl::Seed, empty)).status()));
}

TEST_F(Seeds, MayBeJsonObjectsPrimitivesAndTypesByTheirUrl) {
  EXPECT_EQ(*Payload("json.cloudstate.io/Added", R"({"a":1})"),
            (journal::Payload{"json.cloudstate.io/Added", "\n\7{\"a\":1}"}));
  EXPECT_EQ(*Payload("p.cloudstate.io/string", R"("x")"), (journal::Payload{"p.cloudstate.io/string", "\n\1x"}));
  EXPECT_EQ(*Payload("p.cloudstate.io/int64", "5"), (journal::Payload{"p.cloudstate.io/int64", "\b\5"}));
  EXPECT_EQ(*Payload("p.cloudstate.io/bool", "true"), (journal::Payload{"p.cloudstate.io/bool", "\b\1"}));
  EXPECT_EQ(*Payload("p.cloudstate.io/string", ""), (journal::Payload{"p.cloudstate.io/string", ""}));
  EXPECT_EQ(*Payload("my.host/test.Response", ""), (journal::Payload{"my.host/test.Response", ""}));
  for (const char* wrong : {"p.cloudstate.io/text", "my.host/test.Other", ""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Payload(wrong, "").status())) << wrong;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Payload("json.cloudstate.io/Added", "{").status()));
}

TEST_F(Seeds, TypesAreListedEachFileBeforeThoseThatImportIt) {
  const auto types = **Ask(&TestControl::GetTypes, dev::v1::GetTypesRequest());
  ASSERT_TRUE(types.ok()) << types.status();
  google::protobuf::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromString(types->file_descriptor_set()));
  google::protobuf::DescriptorPool pool;
  for (const auto& file : set.file()) ASSERT_NE(pool.BuildFile(file), nullptr) << file.name();
  EXPECT_NE(pool.FindServiceByName("test.One"), nullptr);
}

// ---- wait

TEST_F(StateOfACluster, WhatIsIdleIsNotWaitedFor) {
  EXPECT_EQ(StatusOf(Wait(absl::ZeroDuration())), absl::OkStatus());
  EXPECT_EQ(StatusOf(Wait(absl::ZeroDuration(), true)), absl::OkStatus());
}

TEST_F(StateOfACluster, CommandsAreWaitedForUntilTheyAreAnswered) {
  answers_ = false;
  Send(1, "a");
  Pass(absl::Milliseconds(20));
  Send(1, "a");
  const auto answer = Wait(absl::Seconds(10));
  Pass(absl::Seconds(1));
  EXPECT_FALSE(answer->has_value());
  const auto late = Wait(absl::Seconds(1));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(absl::IsDeadlineExceeded(StatusOf(late)));
  EXPECT_THAT(
      std::string(StatusOf(late).message()),
      HasSubstr("After 1s still: 2 calls are open, 1 command waits, 1 command is in the user function's hands"));
  answers_ = true;
  Pass(absl::Milliseconds(100));
  EXPECT_EQ(StatusOf(answer), absl::OkStatus());
}

TEST_F(StateOfACluster, NodesAreWaitedForUntilTheyKnowTheSame) {
  ASSERT_TRUE(cluster_.Cut(cluster::NodeId{1}, cluster::NodeId{2}).ok());
  SendCrdt(1, "a");
  Pass(absl::Milliseconds(500));
  EXPECT_EQ(StatusOf(Wait(absl::ZeroDuration())), absl::OkStatus());
  const auto answer = Wait(absl::Seconds(60), true);
  Pass(absl::Milliseconds(500));
  EXPECT_FALSE(answer->has_value());
  EXPECT_THAT(WhatIsNotQuiet(cluster_, QuietKind::kConverged), HasSubstr("not acknowledged, not all nodes know"));
  ASSERT_TRUE(cluster_.Heal().ok());
  Pass(absl::Seconds(10));
  EXPECT_EQ(StatusOf(answer), absl::OkStatus());
  EXPECT_EQ(CrdtCount(2, "a"), 1U);
}

TEST_F(StateOfACluster, WhoeverWaitsDoesSoInTimeThatIsNotJumped) {
  answers_ = false;
  Send(1, "a");
  Pass(absl::Milliseconds(20));
  const auto answer = Wait(absl::Seconds(10));
  ahead_strand_.ahead = absl::Hours(1);
  Pass(absl::Seconds(9));
  EXPECT_FALSE(answer->has_value());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(absl::IsDeadlineExceeded(StatusOf(answer)));
}

TEST_F(StateOfACluster, WhatNodesKnowOfCrdtEntitiesIsWaitedForUntilItIsStored) {
  replica_store_.failure = absl::ResourceExhaustedError("the disk is full");
  SendCrdt(1, "a");
  Pass(absl::Seconds(5));
  EXPECT_THAT(std::string(StatusOf(Wait(absl::ZeroDuration())).message()),
              HasSubstr("3 nodes have not stored yet what they know"));
  replica_store_.failure = absl::OkStatus();
  const auto answer = Wait(absl::Seconds(10));
  Pass(absl::Seconds(5));
  EXPECT_EQ(StatusOf(answer), absl::OkStatus());
}

TEST_F(StateOfACluster, NobodyWaitsForLongerThanFiveMinutes) {
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOf(Wait(absl::Minutes(6)))));
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOf(Wait(absl::Seconds(-1)))));
}

}  // namespace
}  // namespace cloudstate::runtime
