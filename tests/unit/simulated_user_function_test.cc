#include "emulator/simulation/simulated_user_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cloudstate/action.pb.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "simulation/ledger.pb.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Message>
void Pack(const Message& message, google::protobuf::Any& any) {
  any.set_type_url(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  any.set_value(message.SerializeAsString());
}

template <typename Message>
Message In(const google::protobuf::Any& any) {
  EXPECT_EQ(any.type_url(), absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  Message message;
  EXPECT_TRUE(message.ParseFromString(any.value()));
  return message;
}

::simulation::State Of(std::initializer_list<std::uint64_t> ids) {
  ::simulation::State state;
  for (const std::uint64_t id : ids) {
    state.set_count(state.count() + 1);
    state.set_digest(NextDigest(state.digest(), id));
  }
  return state;
}

std::string Text(const ::simulation::State& state) { return state.ShortDebugString(); }

::simulation::Write Writing(std::uint64_t id) {
  ::simulation::Write write;
  write.set_entity("e1");
  write.set_id(id);
  return write;
}

Command CommandOf(std::int64_t id, const std::string& name) {
  Command command;
  command.set_entity_id("e1");
  command.set_id(id);
  command.set_name(name);
  return command;
}
Command WriteCommand(std::int64_t id, const std::string& name, const ::simulation::Write& write) {
  Command command = CommandOf(id, name);
  Pack(write, *command.mutable_payload());
  return command;
}
Command ReadCommand(std::int64_t id) {
  Command command = CommandOf(id, "Read");
  ::simulation::Which which;
  which.set_entity("e1");
  Pack(which, *command.mutable_payload());
  return command;
}

// A stream as its owner in the proxy sees it.
struct Opened {
  std::unique_ptr<userfunction::Stream> stream;
  std::vector<std::string> messages;
  std::optional<absl::Status> closed;
};

class SimulatedUserFunctionTest : public ::testing::Test {
 protected:
  // The handlers of a stream keep what holds it.
  ~SimulatedUserFunctionTest() override {
    for (const auto& each : opened_) {
      if (auto opened = each.lock()) opened->stream = nullptr;
    }
  }

  void Behave(const UserFunctionBehaviour& behaviour) {
    user_function_ = std::make_unique<SimulatedUserFunction>(strand_, random_, behaviour);
  }

  std::shared_ptr<Opened> Open(std::string_view method, absl::Duration timeout = absl::InfiniteDuration()) {
    auto opened = std::make_shared<Opened>();
    opened_.push_back(opened);
    opened->stream = user_function_->connection()->Open(
        method, timeout,
        {.on_message = [opened](std::string message) { opened->messages.push_back(std::move(message)); },
         .on_closed =
             [opened](absl::Status status) {
               opened->closed = std::move(status);
               opened->stream = nullptr;  // as owners do
             },
         .on_writable = nullptr});
    return opened;
  }

  std::shared_ptr<Opened> OpenLog() {
    auto opened = Open("/cloudstate.eventsourced.EventSourced/handle");
    eventsourced::EventSourcedStreamIn in;
    in.mutable_init()->set_service_name("simulation.Log");
    in.mutable_init()->set_entity_id("e1");
    opened->stream->Write(in.SerializeAsString());
    return opened;
  }
  void Replay(Opened& log, std::int64_t sequence, std::uint64_t id) {
    eventsourced::EventSourcedStreamIn in;
    in.mutable_event()->set_sequence(sequence);
    ::simulation::Appended event;
    event.set_id(id);
    Pack(event, *in.mutable_event()->mutable_payload());
    log.stream->Write(in.SerializeAsString());
  }
  void Send(Opened& log, Command command) {
    eventsourced::EventSourcedStreamIn in;
    *in.mutable_command() = std::move(command);
    log.stream->Write(in.SerializeAsString());
  }
  // The answer to a command, with no time passing.
  eventsourced::EventSourcedReply Ask(Opened& log, Command command) {
    Send(log, std::move(command));
    strand_.Advance(absl::ZeroDuration());
    return LastReply(log);
  }
  static eventsourced::EventSourcedReply LastReply(const Opened& log) {
    eventsourced::EventSourcedStreamOut out;
    EXPECT_FALSE(log.messages.empty());
    EXPECT_TRUE(log.messages.empty() || out.ParseFromString(log.messages.back()));
    return out.reply();
  }
  static ::simulation::State StateIn(const ClientAction& action) {
    return In<::simulation::State>(action.reply().payload());
  }

  std::shared_ptr<Opened> Relay(bool to_register, absl::Duration timeout = absl::InfiniteDuration()) {
    auto opened = Open("/cloudstate.action.ActionProtocol/handleUnary", timeout);
    action::ActionCommand command;
    command.set_service_name("simulation.Relay");
    command.set_name("Forward");
    ::simulation::Relayed relayed;
    *relayed.mutable_write() = Writing(7);
    relayed.set_to_register(to_register);
    Pack(relayed, *command.mutable_payload());
    opened->stream->Write(command.SerializeAsString());
    opened->stream->HalfClose();
    strand_.Advance(absl::ZeroDuration());
    return opened;
  }

  std::string Violations() const {
    return absl::StrJoin(user_function_->violations(), "\n",
                         [](std::string* out, const Violation& each) { absl::StrAppend(out, each.text); });
  }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  std::vector<std::weak_ptr<Opened>> opened_;
  std::unique_ptr<SimulatedUserFunction> user_function_ =
      std::make_unique<SimulatedUserFunction>(strand_, random_, UserFunctionBehaviour{});
};

TEST_F(SimulatedUserFunctionTest, ALogAnswersWithItsStateAfterTheWrite) {
  auto log = OpenLog();
  auto reply = Ask(*log, WriteCommand(1, "Append", Writing(5)));
  EXPECT_EQ(reply.command_id(), 1);
  EXPECT_EQ(Text(StateIn(reply.client_action())), Text(Of({5})));
  ASSERT_EQ(reply.events_size(), 1);
  EXPECT_EQ(IdOf({reply.events(0).type_url(), reply.events(0).value()}), 5u);
  EXPECT_FALSE(reply.has_snapshot());
  reply = Ask(*log, WriteCommand(2, "Append", Writing(6)));
  EXPECT_EQ(Text(StateIn(reply.client_action())), Text(Of({5, 6})));
  reply = Ask(*log, ReadCommand(3));
  EXPECT_EQ(Text(StateIn(reply.client_action())), Text(Of({5, 6})));
  EXPECT_EQ(reply.events_size(), 0);
  EXPECT_EQ(Violations(), "");
  EXPECT_EQ(random_, base::Random{1}) << "there was nothing to draw";
}

TEST_F(SimulatedUserFunctionTest, ALogIsRebuiltFromSnapshotAndEvents) {
  auto log = Open("/cloudstate.eventsourced.EventSourced/handle");
  eventsourced::EventSourcedStreamIn in;
  in.mutable_init()->set_service_name("simulation.Log");
  in.mutable_init()->set_entity_id("e1");
  in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(2);
  Pack(Of({5, 6}), *in.mutable_init()->mutable_snapshot()->mutable_snapshot());
  log->stream->Write(in.SerializeAsString());
  Replay(*log, 3, 7);
  EXPECT_EQ(Text(StateIn(Ask(*log, ReadCommand(1)).client_action())), Text(Of({5, 6, 7})));
  EXPECT_EQ(Violations(), "");
}

TEST_F(SimulatedUserFunctionTest, ALogMakesASnapshotEverySoManyEvents) {
  UserFunctionBehaviour behaviour;
  behaviour.snapshot_every = 2;
  Behave(behaviour);
  auto log = OpenLog();
  EXPECT_FALSE(Ask(*log, WriteCommand(1, "Append", Writing(5))).has_snapshot());
  const auto reply = Ask(*log, WriteCommand(2, "Append", Writing(6)));
  EXPECT_EQ(Text(In<::simulation::State>(reply.snapshot())), Text(Of({5, 6})));
  EXPECT_FALSE(Ask(*log, ReadCommand(3)).has_snapshot());
}

TEST_F(SimulatedUserFunctionTest, AWriteWithAnEffectCarriesIt) {
  auto log = OpenLog();
  ::simulation::Write write = Writing(5);
  write.mutable_effect()->set_entity("e2");
  write.mutable_effect()->set_id(6);
  const auto reply = Ask(*log, WriteCommand(1, "Append", write));
  ASSERT_EQ(reply.side_effects_size(), 1);
  const SideEffect& effect = reply.side_effects(0);
  EXPECT_EQ(effect.service_name(), "simulation.Log");
  EXPECT_EQ(effect.command_name(), "Append");
  EXPECT_TRUE(effect.synchronous());
  EXPECT_EQ(In<::simulation::Write>(effect.payload()).ShortDebugString(), write.effect().ShortDebugString());
}

TEST_F(SimulatedUserFunctionTest, ARegisterKeepsItsStateInItsValue) {
  auto entity = Open("/cloudstate.valueentity.ValueEntity/handle");
  valueentity::ValueEntityStreamIn in;
  in.mutable_init()->set_service_name("simulation.Register");
  in.mutable_init()->set_entity_id("e1");
  ::simulation::Value value;
  *value.mutable_state() = Of({5});
  value.set_last_id(5);
  Pack(value, *in.mutable_init()->mutable_state()->mutable_value());
  entity->stream->Write(in.SerializeAsString());
  *in.mutable_command() = WriteCommand(1, "Add", Writing(6));
  entity->stream->Write(in.SerializeAsString());
  strand_.Advance(absl::ZeroDuration());
  *in.mutable_command() = ReadCommand(2);
  entity->stream->Write(in.SerializeAsString());
  strand_.Advance(absl::ZeroDuration());

  ASSERT_EQ(entity->messages.size(), 2u);
  valueentity::ValueEntityStreamOut written;
  ASSERT_TRUE(written.ParseFromString(entity->messages[0]));
  EXPECT_EQ(written.reply().command_id(), 1);
  EXPECT_EQ(Text(StateIn(written.reply().client_action())), Text(Of({5, 6})));
  const auto& update = written.reply().state_action().update().value();
  EXPECT_EQ(Text(In<::simulation::Value>(update).state()), Text(Of({5, 6})));
  EXPECT_EQ(IdOf({update.type_url(), update.value()}), 6u);
  valueentity::ValueEntityStreamOut read;
  ASSERT_TRUE(read.ParseFromString(entity->messages[1]));
  EXPECT_EQ(Text(StateIn(read.reply().client_action())), Text(Of({5, 6})));
  EXPECT_FALSE(read.reply().has_state_action());
  EXPECT_EQ(Violations(), "");
}

TEST_F(SimulatedUserFunctionTest, ARelayForwardsToEitherService) {
  for (const auto& [to_register, service, method] :
       {std::tuple(false, "simulation.Log", "Append"), std::tuple(true, "simulation.Register", "Add")}) {
    auto relay = Relay(to_register);
    ASSERT_EQ(relay->messages.size(), 1u);
    action::ActionResponse response;
    ASSERT_TRUE(response.ParseFromString(relay->messages[0]));
    EXPECT_EQ(response.forward().service_name(), service);
    EXPECT_EQ(response.forward().command_name(), method);
    EXPECT_EQ(In<::simulation::Write>(response.forward().payload()).id(), 7u);
    EXPECT_EQ(relay->closed, absl::OkStatus());
  }
  EXPECT_EQ(Violations(), "");
}

TEST_F(SimulatedUserFunctionTest, AFailedCommandHasNoEventsNoEffectAndNoTraces) {
  UserFunctionBehaviour behaviour;
  behaviour.failures = 1;
  Behave(behaviour);
  auto log = OpenLog();
  ::simulation::Write write = Writing(5);
  write.mutable_effect()->set_entity("e2");
  const auto reply = Ask(*log, WriteCommand(1, "Append", write));
  EXPECT_EQ(reply.client_action().failure().description(), kSimulatedFailure);
  EXPECT_EQ(reply.events_size(), 0);
  EXPECT_EQ(reply.side_effects_size(), 0);
  auto relay = Relay(false);
  action::ActionResponse response;
  ASSERT_TRUE(response.ParseFromString(relay->messages.at(0)));
  EXPECT_EQ(response.failure().description(), kSimulatedFailure);
}

TEST_F(SimulatedUserFunctionTest, ABrokenStreamEndsInPlaceOfTheAnswer) {
  UserFunctionBehaviour behaviour;
  behaviour.broken_streams = 1;
  behaviour.latency.low = absl::Milliseconds(2);
  Behave(behaviour);
  auto log = OpenLog();
  Send(*log, ReadCommand(1));
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_FALSE(log->closed.has_value());
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(log->messages, IsEmpty());
  ASSERT_TRUE(log->closed.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*log->closed));
}

TEST_F(SimulatedUserFunctionTest, AHangingCommandIsNeverAnsweredButTheCallEndsAtItsTime) {
  UserFunctionBehaviour behaviour;
  behaviour.hangs = 1;
  Behave(behaviour);
  auto log = OpenLog();
  Send(*log, ReadCommand(1));
  auto relay = Relay(false, absl::Seconds(3));
  strand_.Advance(absl::Seconds(2));
  EXPECT_FALSE(relay->closed.has_value());
  strand_.Advance(absl::Hours(1));
  EXPECT_THAT(log->messages, IsEmpty());
  EXPECT_FALSE(log->closed.has_value());
  ASSERT_TRUE(relay->closed.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(*relay->closed));
}

TEST_F(SimulatedUserFunctionTest, AnswersKeepTheirOrderAndTheEndComesLast) {
  UserFunctionBehaviour behaviour;
  behaviour.latency = {cluster::Latency::Kind::kUniform, absl::Milliseconds(1), absl::Milliseconds(50)};
  Behave(behaviour);
  auto log = OpenLog();
  for (int id = 1; id <= 20; ++id) Send(*log, ReadCommand(id));
  log->stream->HalfClose();
  EXPECT_THAT(log->messages, IsEmpty());
  strand_.Advance(absl::Milliseconds(50));
  ASSERT_EQ(log->messages.size(), 20u);
  for (int i = 0; i < 20; ++i) {
    eventsourced::EventSourcedStreamOut out;
    ASSERT_TRUE(out.ParseFromString(log->messages[static_cast<std::size_t>(i)]));
    EXPECT_EQ(out.reply().command_id(), i + 1);
  }
  EXPECT_EQ(log->closed, absl::OkStatus());
}

TEST_F(SimulatedUserFunctionTest, NothingArrivesOnAStreamThatWasDropped) {
  auto log = OpenLog();
  Send(*log, ReadCommand(1));
  log->stream = nullptr;
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(log->messages, IsEmpty());
  EXPECT_FALSE(log->closed.has_value());
  EXPECT_EQ(log.use_count(), 1) << "its handlers are kept";
}

TEST_F(SimulatedUserFunctionTest, WhatAPausedStreamSaysWaits) {
  auto log = OpenLog();
  log->stream->Pause();
  Send(*log, ReadCommand(1));
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(log->messages, IsEmpty());
  log->stream->Resume();
  EXPECT_THAT(log->messages, IsEmpty());
  strand_.Run();
  EXPECT_EQ(log->messages.size(), 1u);
}

TEST_F(SimulatedUserFunctionTest, OtherMethodsAreUnknown) {
  auto opened = Open("/cloudstate.crdt.Crdt/other");
  opened->stream->Write("anything");
  strand_.Advance(absl::ZeroDuration());
  ASSERT_TRUE(opened->closed.has_value());
  EXPECT_TRUE(absl::IsUnimplemented(*opened->closed));
  absl::StatusOr<std::string> answer = "";
  user_function_->connection()->Call("/x", "", absl::InfiniteDuration(),
                                     [&](absl::StatusOr<std::string> said) { answer = std::move(said); });
  strand_.Run();
  EXPECT_TRUE(absl::IsUnimplemented(answer.status()));
}

TEST_F(SimulatedUserFunctionTest, NotesWhatBreaksTheProtocol) {
  using Breach = std::function<void(Opened&)>;
  const std::vector<std::pair<std::string, Breach>> cases = {
      {"event 2 was replayed behind event 0", [this](Opened& log) { Replay(log, 2, 5); }},
      {"event 1 was replayed behind event 1",
       [this](Opened& log) {
         Replay(log, 1, 5);
         Replay(log, 1, 5);
       }},
      {"event 1 came after a command",
       [this](Opened& log) {
         Ask(log, ReadCommand(1));
         Replay(log, 1, 5);
       }},
      {"command 1 came after command 1",
       [this](Opened& log) {
         Ask(log, ReadCommand(1));
         Ask(log, ReadCommand(1));
       }},
      {"command 2 came before the answer to command 1",
       [this](Opened& log) {
         Send(log, ReadCommand(1));
         Send(log, ReadCommand(2));
       }},
      {"command 1 is for entity 'e2'",
       [this](Opened& log) {
         Command command = ReadCommand(1);
         command.set_entity_id("e2");
         Ask(log, command);
       }},
      {"command 1 (Add) is not for this entity", [this](Opened& log) { Ask(log, WriteCommand(1, "Add", Writing(5))); }},
      {"command 1 (Append) is not for this entity",
       [this](Opened& log) {
         ::simulation::Write write = Writing(5);
         write.set_entity("e2");
         Ask(log, WriteCommand(1, "Append", write));
       }},
      {"none of the protocol's", [](Opened& log) { log.stream->Write("\xff"); }},
      {"a stream began twice",
       [](Opened& log) {
         eventsourced::EventSourcedStreamIn in;
         in.mutable_init()->set_service_name("simulation.Log");
         log.stream->Write(in.SerializeAsString());
       }},
  };
  for (const auto& [text, breach] : cases) {
    SCOPED_TRACE(text);
    Behave({});
    auto log = OpenLog();
    EXPECT_EQ(Violations(), "");
    breach(*log);
    EXPECT_THAT(Violations(), HasSubstr(text));
  }
}

class SharedEntityTest : public SimulatedUserFunctionTest {
 protected:
  void Begin() {
    entity_ = Open("/cloudstate.crdt.Crdt/handle");
    crdt::CrdtStreamIn in;
    in.mutable_init()->set_service_name("simulation.Shared");
    in.mutable_init()->set_entity_id("e1");
    entity_->stream->Write(in.SerializeAsString());
  }
  void Change(std::int64_t id, crdt::CrdtDelta update, const std::string& method = "Change") {
    crdt::CrdtStreamIn in;
    *in.mutable_command() = CommandOf(id, method);
    in.mutable_command()->set_streamed(method == "Stay");
    ::simulation::SharedChange change;
    change.set_entity("e1");
    *change.mutable_update() = std::move(update);
    Pack(change, *in.mutable_command()->mutable_payload());
    entity_->stream->Write(in.SerializeAsString());
  }
  void Tell(const crdt::CrdtDelta& change) {
    crdt::CrdtStreamIn in;
    *in.mutable_delta() = change;
    entity_->stream->Write(in.SerializeAsString());
  }
  void CancelStream(std::int64_t id) {
    crdt::CrdtStreamIn in;
    in.mutable_stream_cancelled()->set_entity_id("e1");
    in.mutable_stream_cancelled()->set_id(id);
    entity_->stream->Write(in.SerializeAsString());
  }
  std::vector<std::string> Said() {
    strand_.Advance(absl::ZeroDuration());
    std::vector<std::string> texts;
    for (const std::string& message : std::exchange(entity_->messages, {})) {
      crdt::CrdtStreamOut out;
      EXPECT_TRUE(out.ParseFromString(message));
      ClientAction action;
      if (out.has_reply()) action.Swap(out.mutable_reply()->mutable_client_action());
      if (out.has_streamed_message()) action.Swap(out.mutable_streamed_message()->mutable_client_action());
      const std::string seen =
          action.has_reply() ? In<::simulation::Seen>(action.reply().payload()).ShortDebugString() : "";
      texts.push_back(absl::StrCat(out.ShortDebugString(), " / ", seen));
    }
    return texts;
  }
  static crdt::CrdtDelta Count(std::uint64_t increment) {
    crdt::CrdtDelta delta;
    delta.mutable_gcounter()->set_increment(increment);
    return delta;
  }
  static crdt::CrdtDelta Vote(bool vote) {
    crdt::CrdtDelta delta;
    delta.mutable_vote()->set_self_vote(vote);
    return delta;
  }

  std::shared_ptr<Opened> entity_;
};

TEST_F(SharedEntityTest, ItsValueIsWhatItAndOthersHaveAdded) {
  Begin();
  Change(1, Count(1));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("update { gcounter { increment: 1 } }")));
  Tell(Count(4));
  Change(2, Count(2));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("/ changed: true value { gcounter { increment: 7 } }")));
  EXPECT_EQ(Violations(), "");
}

TEST_F(SharedEntityTest, WhoeverStaysIsToldOfChangesAndVotesForAsLong) {
  Begin();
  Change(1, Vote(true), "Stay");
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("streamed: true")));
  EXPECT_EQ(user_function_->visits(), 1);
  crdt::CrdtDelta more = Vote(true);
  more.mutable_vote()->set_votes_for(2);
  more.mutable_vote()->set_total_voters(3);
  Tell(more);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("votes_for: 2")));
  CancelStream(1);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("update { vote { } }")));
  EXPECT_EQ(user_function_->visits(), 0);
  EXPECT_EQ(Violations(), "");
}

TEST_F(SharedEntityTest, NotesWhatBreaksTheProtocol) {
  const std::vector<std::pair<std::string, std::function<void()>>> cases = {
      {"told of others' changes while 1 commands were outstanding",
       [this] {
         Change(1, Count(1));
         Tell(Count(1));
       }},
      {"command 3 came as number 1", [this] { Change(3, Count(1)); }},
      {"command 1 was cancelled, which has no stream",
       [this] {
         Change(1, Count(1));
         CancelStream(1);
       }},
      {"its stream was ended while clients stayed",
       [this] {
         Change(1, Count(1), "Stay");
         Said();
         entity_->stream->HalfClose();
       }},
      {"none of the protocol's", [this] { entity_->stream->Write("\xff"); }},
  };
  for (const auto& [text, breach] : cases) {
    SCOPED_TRACE(text);
    Behave({});
    Begin();
    EXPECT_EQ(Violations(), "");
    breach();
    EXPECT_THAT(Violations(), HasSubstr(text));
  }
}

TEST(SimulatedSpecificationTest, HasItsServicesWithTheirKeys) {
  const auto specification = SimulatedUserFunction::Specification();
  EXPECT_EQ(specification, SimulatedUserFunction::Specification());
  std::vector<std::string> names;
  for (const auto* service : specification->SortedServices()) names.push_back(service->full_name());
  EXPECT_THAT(names, ElementsAre(kLog, kRegister, kRelay, kShared));
  const auto& log = specification->services.at(kLog);
  EXPECT_EQ(log.persistence_id, kLog);
  EXPECT_THAT(*log.methods.at("Append").entity_id->Extract(Writing(5).SerializeAsString()), "e1");
  EXPECT_FALSE(specification->services.at(kRelay).methods.at("Forward").entity_id.has_value());
}

TEST(IdOfTest, KnowsOnlyTheEventsOfTheServices) {
  EXPECT_EQ(IdOf({"type.googleapis.com/simulation.Write", Writing(5).SerializeAsString()}), 0u);
}

}  // namespace
}  // namespace cloudstate::simulation
