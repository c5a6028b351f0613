#include "emulator/simulation/clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulator/simulation/load_phases.h"
#include "emulator/simulation/simulated_user_function.h"
#include "simulation/ledger.pb.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Outcome = Operation::Outcome;

// Keeps the calls until the test answers them.
class FakeBackend final : public serving::Backend {
 public:
  struct Started {
    serving::Call call;
    std::shared_ptr<serving::Responder> responder;
    bool cancelled = false;
  };

  std::shared_ptr<const serving::Services> CurrentServices() const override {
    return std::make_shared<serving::Services>();
  }
  absl::Status Availability() const override { return absl::OkStatus(); }
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override {
    auto started = std::make_shared<Started>(Started{std::move(call), std::move(responder)});
    started->responder->OnCancel([weak = std::weak_ptr(started)] {
      if (auto self = weak.lock()) self->cancelled = true;
    });
    calls.push_back(std::move(started));
  }

  std::vector<std::shared_ptr<Started>> calls;
};

void Answer(FakeBackend::Started& started, std::int64_t count) {
  ::simulation::State state;
  state.set_count(count);
  state.set_digest(77);
  started.responder->Headers({});
  started.responder->Message(state.SerializeAsString());
  started.responder->Finish(absl::OkStatus());
}

dev::v1::Load LoadOf(int clients, double rate) {
  dev::v1::Load load;
  load.set_clients(clients);
  load.set_calls_per_second(rate);
  return load;
}

class ClientsTest : public ::testing::Test {
 protected:
  // One client, with its first call open.
  FakeBackend::Started& FirstCall(dev::v1::Load load) {
    clients_.SetLoad(load);
    while (backend_.calls.empty()) strand_.Advance(absl::Milliseconds(1));
    return *backend_.calls.front();
  }
  dev::v1::Load OnlyWrites() {
    dev::v1::Load load = LoadOf(1, 100);
    load.set_event_sourced_writes(1);
    load.set_value_writes(0);
    load.set_forwards(0);
    load.set_effects(0);
    return load;
  }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  FakeBackend backend_;
  std::vector<std::string> lines_;
  Clients clients_{strand_, random_, backend_, [this](const std::string& line) { lines_.push_back(line); }};
};

TEST_F(ClientsTest, CallAtTheRateOfTheLoad) {
  clients_.SetLoad(LoadOf(10, 20));
  std::size_t answered = 0;
  for (int i = 0; i < 100'000; ++i) {
    strand_.Advance(absl::Milliseconds(1));
    for (; answered < backend_.calls.size(); ++answered) Answer(*backend_.calls[answered], 1);
  }
  EXPECT_NEAR(static_cast<double>(answered), 2000, 200);
  EXPECT_EQ(clients_.open_calls(), 0u);
}

TEST_F(ClientsTest, EachHasOneCallOpenAtMost) {
  dev::v1::Load load = LoadOf(3, 1000);
  load.mutable_deadline()->set_seconds(100);
  clients_.SetLoad(load);
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(backend_.calls, SizeIs(3));
  EXPECT_EQ(clients_.open_calls(), 3u);
  std::set<std::uint32_t> callers;
  for (const Operation& operation : clients_.operations()) callers.insert(operation.client);
  EXPECT_THAT(callers, ElementsAre(1, 2, 3));
}

TEST_F(ClientsTest, ARateOfZeroStopsThem) {
  auto& first = FirstCall(LoadOf(5, 100));
  clients_.SetLoad(LoadOf(5, 0));
  const std::size_t before = backend_.calls.size();
  Answer(first, 1);
  strand_.Advance(absl::Seconds(10));
  EXPECT_EQ(backend_.calls.size(), before);
  clients_.SetLoad(LoadOf(5, 100));
  strand_.Advance(absl::Seconds(10));
  EXPECT_GT(backend_.calls.size(), before);
}

dev::v1::LoadPhase PhaseOf(int seconds, std::optional<double> first, std::optional<double> last) {
  dev::v1::LoadPhase phase;
  phase.mutable_for_()->set_seconds(seconds);
  if (first.has_value()) phase.set_calls_per_second(*first);
  if (last.has_value()) phase.set_until(*last);
  return phase;
}

TEST(LoadPhases, FollowEachOther) {
  dev::v1::Load load;
  *load.add_phases() = PhaseOf(10, 4, std::nullopt);
  *load.add_phases() = PhaseOf(10, std::nullopt, 8);
  *load.add_phases() = PhaseOf(10, 1, 0);
  *load.add_phases() = PhaseOf(10, std::nullopt, 2);
  const std::pair<double, double> rates[] = {{0, 4},    {9.9, 4}, {10, 4}, {15, 6},   {20, 1},
                                             {25, 0.5}, {30, 0},  {35, 1}, {40, 2.0}, {400, 2}};
  for (const auto& [second, rate] : rates) EXPECT_NEAR(RateAt(load, absl::Seconds(second)), rate, 1e-9) << second;
  EXPECT_EQ(HighestRate(load), 8);
}

TEST(LoadPhases, BeginWithoutCallsWhereNothingIsSaid) {
  dev::v1::Load load;
  *load.add_phases() = PhaseOf(10, std::nullopt, 10);
  EXPECT_EQ(RateAt(load, absl::ZeroDuration()), 0);
  EXPECT_NEAR(RateAt(load, absl::Seconds(5)), 5, 1e-9);
}

TEST_F(ClientsTest, CallAtTheRateOfThePhase) {
  dev::v1::Load load;
  load.set_clients(20);
  *load.add_phases() = PhaseOf(100, 20, std::nullopt);
  *load.add_phases() = PhaseOf(100, 0, std::nullopt);
  *load.add_phases() = PhaseOf(100, 0, 20);
  clients_.SetLoad(load);
  std::size_t answered = 0;
  const auto calls_in = [&](int seconds) {
    const std::size_t before = answered;
    for (int i = 0; i < seconds * 1000; ++i) {
      strand_.Advance(absl::Milliseconds(1));
      for (; answered < backend_.calls.size(); ++answered) Answer(*backend_.calls[answered], 1);
    }
    return static_cast<double>(answered - before);
  };
  EXPECT_NEAR(calls_in(100), 2000, 200);
  EXPECT_EQ(calls_in(100), 0);
  EXPECT_NEAR(calls_in(50), 250, 60);
  EXPECT_NEAR(calls_in(50), 750, 110);
  EXPECT_NEAR(calls_in(100), 2000, 200);  // its end rate stays
}

TEST_F(ClientsTest, FewerClientsGoOnWithASmallerLoad) {
  dev::v1::Load load = LoadOf(4, 1000);
  clients_.SetLoad(load);
  strand_.Advance(absl::Seconds(1));
  ASSERT_THAT(backend_.calls, SizeIs(4));
  clients_.SetLoad(LoadOf(1, 1000));
  for (const auto& call : std::vector(backend_.calls)) Answer(*call, 1);
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(clients_.open_calls(), 1u);
}

TEST_F(ClientsTest, CallAllServicesInTheSharesOfTheLoad) {
  dev::v1::Load load = LoadOf(10, 1000);
  load.set_event_sourced_writes(0.3);
  load.set_value_writes(0.2);
  load.set_forwards(0.1);
  load.set_effects(0.2);
  clients_.SetLoad(load);
  std::map<std::string, int> methods;
  int effects = 0;
  for (std::size_t answered = 0; answered < 5000;) {
    strand_.Advance(absl::Milliseconds(1));
    for (; answered < backend_.calls.size(); ++answered) {
      const serving::Call& call = backend_.calls[answered]->call;
      ++methods[call.service + "." + call.method];
      ::simulation::Write write;
      if (call.method == "Append" && write.ParseFromString(call.payload) && write.has_effect()) {
        ++effects;
        EXPECT_NE(write.effect().entity(), write.entity());
      }
      Answer(*backend_.calls[answered], 1);
    }
  }
  const double calls = static_cast<double>(backend_.calls.size());
  EXPECT_NEAR(methods["simulation.Log.Append"] / calls, 0.5, 0.05);
  EXPECT_NEAR(effects / calls, 0.2, 0.03);
  EXPECT_NEAR(methods["simulation.Register.Add"] / calls, 0.2, 0.03);
  EXPECT_NEAR(methods["simulation.Relay.Forward"] / calls, 0.1, 0.03);
  EXPECT_NEAR(methods["simulation.Log.Read"] / calls, 0.1, 0.03);
  EXPECT_NEAR(methods["simulation.Register.Read"] / calls, 0.1, 0.03);
  std::set<std::uint64_t> ids;
  for (const Operation& operation : clients_.operations()) {
    if (operation.kind != Operation::Kind::kWrite) continue;
    EXPECT_TRUE(ids.insert(operation.id).second);
  }
}

TEST_F(ClientsTest, AnAnswerIsNotedDown) {
  auto& call = FirstCall(OnlyWrites());
  const absl::Time noticed = strand_.Now();  // within a millisecond
  ::simulation::Write write;
  ASSERT_TRUE(write.ParseFromString(call.call.payload));
  strand_.Advance(absl::Milliseconds(3));
  Answer(call, 5);
  ASSERT_THAT(clients_.operations(), SizeIs(1));
  const Operation& operation = clients_.operations().front();
  EXPECT_EQ(operation.kind, Operation::Kind::kWrite);
  EXPECT_EQ(operation.entity, (base::EntityKey{"simulation.Log", write.entity()}));
  EXPECT_EQ(operation.id, write.id());
  EXPECT_EQ(operation.client, 1u);
  EXPECT_GT(operation.invoked, noticed - absl::Milliseconds(1));
  EXPECT_LE(operation.invoked, noticed);
  EXPECT_EQ(operation.returned, noticed + absl::Milliseconds(3));
  EXPECT_EQ(operation.outcome, Outcome::kOk);
  EXPECT_EQ(operation.version, (Version{5, 77}));
  EXPECT_THAT(lines_, ElementsAre("client 1: simulation.Log.Append, write 1 of simulation.Log|" + write.entity(),
                                  "client 1: write 1 of simulation.Log|" + write.entity() + ": OK, 5 writes"));
}

TEST_F(ClientsTest, AnOkWithoutAStateIsAVersionThatCannotBe) {
  FirstCall(OnlyWrites()).responder->Finish(absl::OkStatus());
  EXPECT_EQ(clients_.operations().front().version.count, -1);
}

TEST_F(ClientsTest, TellFromTheStatusWhetherAnythingCanHaveHappened) {
  const std::vector<std::pair<absl::Status, Outcome>> cases = {
      {absl::UnknownError(kSimulatedFailure), Outcome::kFailed},
      {absl::UnknownError("Unexpected entity termination"), Outcome::kUnknown},
      {absl::ResourceExhaustedError("many"), Outcome::kFailed},
      {absl::AbortedError("fenced"), Outcome::kFailed},
      {absl::InvalidArgumentError("what?"), Outcome::kFailed},
      {absl::UnimplementedError("what?"), Outcome::kFailed},
      {absl::UnavailableError("gone"), Outcome::kUnknown},
      {absl::DeadlineExceededError("late"), Outcome::kUnknown},
      {absl::InternalError("broken"), Outcome::kUnknown},
      {absl::CancelledError("gone"), Outcome::kUnknown},
  };
  clients_.SetLoad(OnlyWrites());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    while (backend_.calls.size() <= i) strand_.Advance(absl::Milliseconds(1));
    backend_.calls[i]->responder->Finish(cases[i].first);
    EXPECT_EQ(clients_.operations()[i].outcome, cases[i].second) << cases[i].first;
    EXPECT_EQ(clients_.operations()[i].status, cases[i].first.ToString());
  }
}

TEST_F(ClientsTest, AtItsDeadlineACallIsOwedAnAnswer) {
  dev::v1::Load load = OnlyWrites();
  load.mutable_deadline()->set_nanos(500'000'000);
  auto& call = FirstCall(load);
  const absl::Time begin = clients_.operations().front().invoked;
  EXPECT_EQ(call.call.deadline, begin + absl::Milliseconds(500));
  strand_.Advance(absl::Milliseconds(1499));
  EXPECT_EQ(clients_.operations().front().outcome, Outcome::kOpen);
  EXPECT_FALSE(call.cancelled);
  EXPECT_THAT(clients_.violations(), SizeIs(0));
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(clients_.operations().front().outcome, Outcome::kUnknown);
  EXPECT_EQ(clients_.operations().front().returned, begin + absl::Milliseconds(1500));
  EXPECT_TRUE(call.cancelled);
  ASSERT_THAT(clients_.violations(), SizeIs(1));
  EXPECT_EQ(clients_.violations()[0].invariant, "open-call");
  Answer(call, 5);
  EXPECT_EQ(clients_.operations().front().outcome, Outcome::kUnknown) << "it came too late";
  EXPECT_THAT(clients_.violations(), SizeIs(1));
}

TEST_F(ClientsTest, AnAnswerThatTheDeadlineMadeIsNoViolation) {
  auto& call = FirstCall(OnlyWrites());
  strand_.Advance(absl::Seconds(5));
  call.responder->Finish(absl::DeadlineExceededError("late"));
  strand_.Advance(absl::Seconds(5));
  EXPECT_EQ(clients_.operations().front().status, "DEADLINE_EXCEEDED: late");
  EXPECT_EQ(clients_.operations().front().outcome, Outcome::kUnknown);
  EXPECT_FALSE(call.cancelled);
}

TEST_F(ClientsTest, WhoeverIsExcusedOwesNoAnswer) {
  std::vector<absl::Time> asked;
  Clients clients(strand_, random_, backend_, nullptr, [&](absl::Time begun) {
    asked.push_back(begun);
    return true;
  });
  const absl::Time begun = strand_.Now();
  clients.Probe(0, absl::Seconds(1), [](const absl::Status&) {});
  strand_.Advance(absl::Seconds(2));
  EXPECT_THAT(asked, ElementsAre(begun));
  EXPECT_EQ(clients.open_calls(), 0u);
  EXPECT_THAT(clients.violations(), SizeIs(0));
}

TEST_F(ClientsTest, WhatIsAnsweredTwiceIsAViolation) {
  auto& call = FirstCall(OnlyWrites());
  Answer(call, 5);
  EXPECT_THAT(clients_.violations(), SizeIs(0));
  call.responder->Finish(absl::UnavailableError("no"));
  ASSERT_THAT(clients_.violations(), SizeIs(1));
  EXPECT_EQ(clients_.violations()[0].invariant, "answered-twice");
  EXPECT_THAT(clients_.violations()[0].text, HasSubstr("client 1, write 1 of simulation.Log|"));
  call.responder->Message("");
  EXPECT_THAT(clients_.violations(), SizeIs(2));
  EXPECT_EQ(clients_.operations().front().version.count, 5) << "the first answer counts";
}

TEST_F(ClientsTest, ALoadWithoutARateHasTheDefault) {
  clients_.SetLoad({});
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(backend_.calls, SizeIs(::testing::Gt(10u)));
}

TEST(ClientsOfCrdtsTest, CallNodesThatRunAndLeaveThoseWhereTheyStay) {
  testing::VirtualStrand strand;
  base::Random random{1};
  FakeBackend backend;
  Clients clients(strand, random, backend, nullptr, nullptr, [](std::uint32_t node) {
    return node > 3 ? std::nullopt : std::optional(SharedCalls::Sight{.life = node - 1, .up = {{2, 1}, {3, 2}}});
  });
  dev::v1::Load load = LoadOf(10, 1000);
  load.set_crdts(1);
  load.mutable_deadline()->set_seconds(60);
  clients.SetLoad(load);
  std::map<std::string, int> nodes;
  int stays = 0;
  for (std::size_t answered = 0; answered < 1000; strand.Advance(absl::Milliseconds(1))) {
    for (; answered < backend.calls.size(); ++answered) {
      FakeBackend::Started& started = *backend.calls[answered];
      ++nodes[started.call.metadata.entries(0).string_value()];
      started.responder->Message(::simulation::Seen().SerializeAsString());
      if (started.call.method == "Stay") {
        ++stays;
      } else {
        started.responder->Finish(absl::OkStatus());
      }
    }
  }
  EXPECT_THAT(nodes, ElementsAre(::testing::Key("2"), ::testing::Key("3")));
  EXPECT_GT(stays, 50);
  clients.SetLoad(LoadOf(10, 0));
  strand.Advance(absl::Seconds(30));
  for (const auto& each : backend.calls) EXPECT_EQ(each->cancelled, each->call.method == "Stay");
  EXPECT_THAT(clients.violations(), ::testing::IsEmpty());
  EXPECT_GE(clients.shared_calls().sightings().size(), 1000U);
}

TEST_F(ClientsTest, AShareOfZeroIsZero) {
  dev::v1::Load load = LoadOf(10, 1000);
  load.set_event_sourced_writes(0);
  load.set_value_writes(0);
  load.set_forwards(0);
  load.set_effects(0);
  load.mutable_deadline()->set_seconds(100);
  clients_.SetLoad(load);
  for (std::size_t answered = 0; answered < 100;) {
    strand_.Advance(absl::Milliseconds(1));
    for (; answered < backend_.calls.size(); ++answered) Answer(*backend_.calls[answered], 1);
  }
  for (const Operation& each : clients_.operations()) EXPECT_EQ(each.kind, Operation::Kind::kRead);
}

TEST_F(ClientsTest, OfAnEffectOnlyItsAbsenceIsEverKnown) {
  dev::v1::Load load = LoadOf(1, 100);
  load.set_effects(1);
  load.set_event_sourced_writes(0);
  load.set_value_writes(0);
  clients_.SetLoad(load);
  const std::vector<std::pair<absl::Status, Outcome>> cases = {
      {absl::UnavailableError("gone"), Outcome::kUnknown},
      {absl::AbortedError("fenced"), Outcome::kFailed},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    while (backend_.calls.size() <= i) strand_.Advance(absl::Milliseconds(1));
    backend_.calls[i]->responder->Finish(cases[i].first);
    EXPECT_EQ(clients_.operations()[2 * i + 1].outcome, cases[i].second);
  }
  while (backend_.calls.size() <= 2) strand_.Advance(absl::Milliseconds(1));
  Answer(*backend_.calls[2], 1);
  const Operation& effect = clients_.operations()[5];
  EXPECT_EQ(clients_.operations()[4].outcome, Outcome::kOk);
  EXPECT_EQ(effect.outcome, Outcome::kUnknown);
  EXPECT_FALSE(effect.has_version);
  EXPECT_EQ(effect.returned, strand_.Now());
  ::simulation::Write write;
  ASSERT_TRUE(write.ParseFromString(backend_.calls[2]->call.payload));
  EXPECT_EQ(write.effect().id(), effect.id);
  EXPECT_EQ(write.effect().entity(), effect.entity.entity_id);
}

TEST_F(ClientsTest, AForwardedWriteIsOneOfItsTarget) {
  dev::v1::Load load = LoadOf(1, 100);
  load.set_forwards(1);
  load.set_event_sourced_writes(0);
  load.set_value_writes(0);
  load.set_effects(0);
  auto& call = FirstCall(load);
  ::simulation::Relayed relayed;
  ASSERT_TRUE(relayed.ParseFromString(call.call.payload));
  Answer(call, 3);
  ASSERT_THAT(clients_.operations(), SizeIs(1));
  const Operation& operation = clients_.operations().front();
  EXPECT_EQ(operation.entity.persistence_id, relayed.to_register() ? kRegister : kLog);
  EXPECT_EQ(operation.entity.entity_id, relayed.write().entity());
  EXPECT_EQ(operation.id, relayed.write().id());
  EXPECT_EQ(operation.version.count, 3);
}

TEST_F(ClientsTest, TheNodeIsNamedWhereTheLoadPicksOne) {
  dev::v1::Load load = OnlyWrites();
  EXPECT_EQ(FirstCall(load).call.metadata.entries_size(), 0);
  load.set_node(2);
  clients_.SetLoad(load);
  Answer(*backend_.calls.front(), 1);
  while (backend_.calls.size() < 2) strand_.Advance(absl::Milliseconds(1));
  const Metadata& metadata = backend_.calls[1]->call.metadata;
  ASSERT_EQ(metadata.entries_size(), 1);
  EXPECT_EQ(metadata.entries(0).key(), "x-cloudstate-node");
  EXPECT_EQ(metadata.entries(0).string_value(), "2");
  EXPECT_EQ(clients_.operations()[1].node, 2u);
  EXPECT_THAT(lines_.back(), HasSubstr(" at node 2"));
}

TEST_F(ClientsTest, AProbeIsAReadOutsideOfTheLoad) {
  std::optional<absl::Status> told;
  clients_.Probe(3, absl::Seconds(1), [&](absl::Status status) { told = std::move(status); });
  ASSERT_THAT(backend_.calls, SizeIs(1));
  EXPECT_EQ(clients_.open_calls(), 1u);
  EXPECT_EQ(backend_.calls[0]->call.method, "Read");
  EXPECT_EQ(backend_.calls[0]->call.metadata.entries(0).string_value(), "3");
  Answer(*backend_.calls[0], 4);
  EXPECT_FALSE(told.has_value());
  strand_.Run();
  EXPECT_EQ(told, absl::OkStatus());
  EXPECT_EQ(clients_.operations().front().version.count, 4);

  clients_.Probe(0, absl::Seconds(1), [&](absl::Status status) { told = std::move(status); });
  EXPECT_EQ(backend_.calls[1]->call.metadata.entries_size(), 0);
  strand_.Advance(absl::Seconds(2));
  EXPECT_TRUE(absl::IsDeadlineExceeded(*told));
  EXPECT_EQ(clients_.open_calls(), 0u);
  EXPECT_EQ(random_, base::Random{1}) << "a probe must not change what else happens";

  clients_.Probe({kRegister, "e7"}, 2, absl::Seconds(1), [](const absl::Status&) {});
  EXPECT_EQ(backend_.calls[2]->call.service, kRegister);
  EXPECT_EQ(clients_.operations().back().entity, (base::EntityKey{kRegister, "e7"}));
}

TEST(ClientsEndTest, AnswersThatComeAfterTheirEndAreDropped) {
  testing::VirtualStrand strand;
  base::Random random(1);
  FakeBackend backend;
  {
    Clients clients(strand, random, backend, nullptr);
    clients.SetLoad(LoadOf(2, 1000));
    clients.Probe(0, absl::Seconds(1), [](const absl::Status&) { FAIL(); });
    strand.Advance(absl::Milliseconds(100));
  }
  ASSERT_THAT(backend.calls, SizeIs(3));
  for (const auto& call : backend.calls) Answer(*call, 1);
  strand.Advance(absl::Seconds(10));
  EXPECT_THAT(backend.calls, SizeIs(3));
}

TEST(ClientsSeedTest, TheSameSeedMakesTheSameCalls) {
  auto play = [](std::uint64_t seed) {
    testing::VirtualStrand strand;
    base::Random random(seed);
    FakeBackend backend;
    std::vector<std::string> lines;
    Clients clients(strand, random, backend, [&](const std::string& line) { lines.push_back(line); });
    clients.SetLoad(LoadOf(5, 50));
    strand.Advance(absl::Seconds(20));
    return lines;
  };
  EXPECT_EQ(play(1), play(1));
  EXPECT_NE(play(1), play(2));
}

}  // namespace
}  // namespace cloudstate::simulation
