// CRDT entities of the C++ samples over real streams, without the emulator: what a proxy sees of them.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "chat/chat.pb.h"
#include "cloudstate/crdt.grpc.pb.h"
#include "cloudstate/tck/model/crdt.pb.h"
#include "counters/counters.pb.h"
#include "google/protobuf/text_format.h"
#include "presence/presence.pb.h"
#include "samples/cpp/chat.h"
#include "samples/cpp/counters.h"
#include "samples/cpp/crdt_values.h"
#include "samples/cpp/presence.h"
#include "samples/cpp/tck_model.h"

namespace cloudstate {
namespace {

using crdt::CrdtDelta;
using crdt::CrdtStreamIn;
using crdt::CrdtStreamOut;
using google::protobuf::Any;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
namespace model = tck::model::crdt;
namespace chat = com::example::chat;
namespace counters = com::example::counters;
namespace presence = com::example::presence;

constexpr char kModel[] = "cloudstate.tck.model.crdt.CrdtTckModel";
constexpr char kTwo[] = "cloudstate.tck.model.crdt.CrdtTwo";

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A string as an element, key or value, in the text form of messages.
std::string S(const std::string& text) {
  const Any any = samples::ToAny(text);
  return absl::StrCat("{ type_url: '", any.type_url(), "' value: '", absl::CEscape(any.value()), "' } ");
}

// ---- messages in short

std::string Short(const Any& any) {
  if (const auto text = samples::ToString(any)) return *text;
  Any message = any;
  return message.ShortDebugString();
}

template <typename List>
std::string ShortList(const char* sign, const List& list) {
  std::string text;
  for (const Any& any : list) absl::StrAppend(&text, " ", sign, Short(any));
  return text;
}

std::string Short(const CrdtDelta& delta) {
  if (delta.has_gcounter()) return absl::StrCat("GCounter +", delta.gcounter().increment());
  if (delta.has_pncounter()) return absl::StrCat("PNCounter ", delta.pncounter().change());
  if (delta.has_gset()) return absl::StrCat("GSet", ShortList("+", delta.gset().added()));
  if (delta.has_orset()) {
    return absl::StrCat("ORSet", delta.orset().cleared() ? " cleared" : "", ShortList("-", delta.orset().removed()),
                        ShortList("+", delta.orset().added()));
  }
  if (delta.has_lwwregister()) {
    return absl::StrCat("LWWRegister '", Short(delta.lwwregister().value()), "' ",
                        crdt::CrdtClock_Name(delta.lwwregister().clock()), " ",
                        delta.lwwregister().custom_clock_value());
  }
  if (delta.has_flag()) return absl::StrCat("Flag ", delta.flag().value());
  if (delta.has_vote()) return absl::StrCat("Vote ", delta.ShortDebugString());
  std::string text =
      absl::StrCat("ORMap", delta.ormap().cleared() ? " cleared" : "", ShortList("-", delta.ormap().removed()));
  for (const auto& entry : delta.ormap().updated()) {
    absl::StrAppend(&text, " ", Short(entry.key()), "(", Short(entry.delta()), ")");
  }
  for (const auto& entry : delta.ormap().added()) {
    absl::StrAppend(&text, " +", Short(entry.key()), "(", Short(entry.delta()), ")");
  }
  return text;
}

std::string Short(const ClientAction& action) {
  if (action.has_failure()) {
    return absl::StrCat(" failed ", action.failure().command_id(), ": ", action.failure().description());
  }
  if (action.has_forward()) return absl::StrCat(" forward ", action.forward().command_name());
  model::Response response;
  if (!action.reply().payload().UnpackTo(&response)) return " " + Short(action.reply().payload());
  return absl::StrCat(" ", response.state().ShortDebugString());
}

template <typename Message>
std::string ShortEffects(const Message& message) {
  std::string text;
  for (const SideEffect& effect : message.side_effects()) {
    model::Request request;
    EXPECT_TRUE(effect.payload().UnpackTo(&request));
    absl::StrAppend(&text, effect.synchronous() ? " effect! " : " effect ", request.id());
  }
  return text;
}

std::string Short(const crdt::CrdtStateAction& action) {
  if (action.has_delete_()) return " / deleted";
  return absl::StrCat(
      " / ", Short(action.update()),
      action.write_consistency() == crdt::LOCAL ? "" : " " + CrdtWriteConsistency_Name(action.write_consistency()));
}

template <typename Message>
std::string ShortAction(const Message& message) {
  return message.has_client_action() ? Short(message.client_action()) : "";
}

std::string Short(const CrdtStreamOut& out) {
  if (out.has_reply()) {
    const auto& reply = out.reply();
    return absl::StrCat(reply.command_id(), reply.streamed() ? " streamed:" : ":", ShortAction(reply),
                        ShortEffects(reply), reply.has_state_action() ? Short(reply.state_action()) : "");
  }
  if (out.has_streamed_message()) {
    const auto& message = out.streamed_message();
    return absl::StrCat("more ", message.command_id(), ":", ShortAction(message), ShortEffects(message),
                        message.end_stream() ? " end" : "");
  }
  if (out.has_stream_cancelled_response()) {
    const auto& response = out.stream_cancelled_response();
    return absl::StrCat("cancelled ", response.command_id(), ":", ShortEffects(response),
                        response.has_state_action() ? Short(response.state_action()) : "");
  }
  return out.ShortDebugString();
}

// ---- a proxy's part

// An entity's stream, driven from this side. What comes back is told in short.
class Stream {
 public:
  Stream(const samples::UserFunctionServer& server, const std::string& service, const std::string& id,
         const std::string& init_delta = "")
      : stub_(crdt::Crdt::NewStub(
            grpc::CreateChannel(absl::StrCat("127.0.0.1:", server.port()), grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream_ = stub_->handle(&context_);
    CrdtStreamIn in;
    in.mutable_init()->set_service_name(service);
    in.mutable_init()->set_entity_id(id);
    if (!init_delta.empty()) *in.mutable_init()->mutable_delta() = Parse<CrdtDelta>(init_delta);
    stream_->Write(in);
  }

  // Any message in text form; waits for nothing.
  void Send(const std::string& text) { stream_->Write(Parse<CrdtStreamIn>(text)); }

  // The first answer to a command.
  std::string Call(const std::string& name, const google::protobuf::Message& payload, bool streamed = false) {
    CrdtStreamIn in;
    Command& command = *in.mutable_command();
    command.set_id(++commands_);
    command.set_name(name);
    command.mutable_payload()->PackFrom(payload);
    command.set_streamed(streamed);
    stream_->Write(in);
    return Next();
  }
  std::string Open(const std::string& name, const google::protobuf::Message& payload) {
    return Call(name, payload, true);
  }

  // The model's commands.
  std::string Process(const std::string& request) { return Call("Process", Parse<model::Request>(request)); }
  std::string Update(const std::string& update) { return Process("actions { update { " + update + " } }"); }
  std::string ProcessStreamed(const std::string& request) {
    return Open("ProcessStreamed", Parse<model::StreamedRequest>(request));
  }

  std::string Next() {
    CrdtStreamOut out;
    return stream_->Read(&out) ? Short(out) : "nothing";
  }

  std::string Cancel(int command_id) {
    Send(absl::StrCat("stream_cancelled { id: ", command_id, " }"));
    return Next();
  }

  // Half-closes: what comes after all.
  std::vector<std::string> End() {
    stream_->WritesDone();
    std::vector<std::string> seen;
    for (CrdtStreamOut out; stream_->Read(&out);) seen.push_back(Short(out));
    seen.push_back(absl::StrCat("status ", static_cast<int>(stream_->Finish().error_code())));
    return seen;
  }

 private:
  std::unique_ptr<crdt::Crdt::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<CrdtStreamIn, CrdtStreamOut>> stream_;
  int commands_ = 0;
};

std::unique_ptr<samples::UserFunctionServer> Start(samples::UserFunction user_function) {
  auto server = samples::UserFunctionServer::Start("127.0.0.1:0", std::move(user_function));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

const auto kEndsQuietly = ElementsAre("status 0");

// ---- the types, by the conformance model

class CrdtModel : public ::testing::Test {
 protected:
  Stream Open(const std::string& id, const std::string& init_delta = "") const {
    return Stream(*server_, kModel, id, init_delta);
  }

  const std::unique_ptr<samples::UserFunctionServer> server_ = Start(samples::TckModel());
};

// One step on an entity's stream: an update and its answer, or, where no answer is given, a delta from the proxy.
struct Step {
  std::string text;
  std::string answer = "";
};
struct Life {
  std::string id;
  std::string init_delta;
  std::vector<Step> steps;
};

TEST_F(CrdtModel, EachTypeHasItsValueAndTellsItsDelta) {
  const std::vector<Life> lives = {
      {"GCounter-1",
       "gcounter { increment: 40 }",
       {{"gcounter { increment: 2 }", "1: gcounter { value: 42 } / GCounter +2"},
        {"gcounter { increment: 5 }"},
        {"gcounter { }", "2: gcounter { value: 47 }"},
        {"gcounter { increment: 1 }", "3: gcounter { value: 48 } / GCounter +1"}}},
      {"PNCounter-1",
       "",
       {{"pncounter { change: -3 }", "1: pncounter { value: -3 } / PNCounter -3"},
        {"pncounter { change: 10 }"},
        {"pncounter { change: -7 }", "2: pncounter { } / PNCounter -7"}}},
      {"GSet-1",
       "gset { added " + S("b") + "}",
       {{"gset { add: 'aa' }", "1: gset { elements: \"aa\" elements: \"b\" } / GSet +aa"},
        {"gset { added " + S("c") + "}"},
        {"gset { add: 'c' }", "2: gset { elements: \"aa\" elements: \"b\" elements: \"c\" }"}}},
      {"ORSet-1",
       "orset { added " + S("a") + "added " + S("b") + "}",
       {{"orset { remove: 'a' }", "1: orset { elements: \"b\" } / ORSet -a"},
        {"orset { add: 'b' }", "2: orset { elements: \"b\" }"},
        {"orset { cleared: true added " + S("x") + "added " + S("y") + "}"},
        {"orset { removed " + S("x") + "}"},
        {"orset { add: 'z' }", "3: orset { elements: \"y\" elements: \"z\" } / ORSet +z"},
        {"orset { clear: true }", "4: orset { } / ORSet cleared"}}},
      {"LWWRegister-1",
       "",
       {{"lwwregister { value: 'a' }", "1: lwwregister { value: \"a\" } / LWWRegister 'a' DEFAULT 0"},
        {"lwwregister { value " + S("b") + "}"},
        {"lwwregister { value: 'c' clock { clockType: REVERSE customClockValue: 9 } }",
         "2: lwwregister { value: \"c\" } / LWWRegister 'c' REVERSE 0"},
        {"lwwregister { value: 'd' clock { clockType: CUSTOM customClockValue: 7 } }",
         "3: lwwregister { value: \"d\" } / LWWRegister 'd' CUSTOM 7"},
        {"lwwregister { value: 'd' clock { clockType: CUSTOM_AUTO_INCREMENT customClockValue: 8 } }",
         "4: lwwregister { value: \"d\" } / LWWRegister 'd' CUSTOM_AUTO_INCREMENT 8"}}},
      {"Flag-1",
       "",
       {{"flag { value: false }"},
        {"flag { }", "1: flag { value: true } / Flag 1"},
        {"flag { value: false }"},
        {"flag { }", "2: flag { value: true }"}}},
      {"Vote-1",
       "",
       {{"vote { self_vote: false }", "1: vote { total_voters: 1 }"},
        {"vote { self_vote: true }",
         "2: vote { self_vote: true votes_for: 1 total_voters: 1 } / Vote vote { self_vote: "
         "true }"},
        {"vote { self_vote: true votes_for: 3 total_voters: 5 }"},
        {"vote { self_vote: false }", "3: vote { votes_for: 2 total_voters: 5 } / Vote vote { }"}}},
  };
  for (const Life& life : lives) {
    SCOPED_TRACE(life.id);
    Stream stream = Open(life.id, life.init_delta);
    for (const Step& step : life.steps) {
      if (step.answer.empty()) {
        stream.Send("delta { " + step.text + " }");
      } else {
        EXPECT_EQ(stream.Update(step.text), step.answer);
      }
    }
    EXPECT_THAT(stream.End(), kEndsQuietly);
  }
}

TEST_F(CrdtModel, ARegistersFirstValueIsToldOnlyWhereThereIsNone) {
  EXPECT_EQ(Open("LWWRegister-1").Process(""), "1: lwwregister { } / LWWRegister '' DEFAULT 0");
  EXPECT_EQ(Open("LWWRegister-1", "lwwregister { value " + S("a") + "}").Process(""),
            "1: lwwregister { value: \"a\" }");
}

TEST_F(CrdtModel, WhatOneCommandDoesAndUndoesIsNotTold) {
  Stream set = Open("ORSet-1", "orset { added " + S("a") + "added " + S("b") + "}");
  EXPECT_EQ(set.Process("actions { update { orset { remove: 'a' } } } actions { update { orset { add: 'a' } } } "
                        "actions { update { orset { add: 'c' } } } actions { update { orset { remove: 'c' } } }"),
            "1: orset { elements: \"a\" elements: \"b\" }");
  EXPECT_EQ(set.Process("actions { update { orset { add: 'c' } } } actions { update { orset { clear: true } } } "
                        "actions { update { orset { add: 'd' } } }"),
            "2: orset { elements: \"d\" } / ORSet cleared +d");
}

TEST_F(CrdtModel, MapsAreNested) {
  Stream map = Open("ORMap-1");
  EXPECT_EQ(
      map.Process("actions { update { ormap { add: 'GCounter-1' } } } "
                  "actions { update { ormap { update { key: 'ORMap-2' update { ormap { update { "
                  "key: 'ORSet-1' update { orset { add: 'a' } } } } } } } } }"),
      "1: ormap { entries { key: \"GCounter-1\" value { gcounter { } } } entries { key: \"ORMap-2\" value { ormap "
      "{ entries { key: \"ORSet-1\" value { orset { elements: \"a\" } } } } } } } / "
      "ORMap +ORMap-2(ORMap +ORSet-1(ORSet +a)) +GCounter-1(GCounter +0)");
  EXPECT_THAT(map.Update("ormap { update { key: 'ORMap-2' update { ormap { update { "
                         "key: 'ORSet-1' update { orset { add: 'b' } } } } } } }"),
              HasSubstr(" / ORMap ORMap-2(ORMap ORSet-1(ORSet +b))"));
  // Others change what is inside, add and remove; an entry that is not there cannot be changed.
  map.Send("delta { ormap { removed " + S("GCounter-1") + "updated { key " + S("ORMap-2") +
           "delta { ormap { updated { key " + S("ORSet-1") + "delta { orset { removed " + S("a") +
           "} } } } } } updated { key " + S("Flag-9") + "delta { flag { value: true } } } added { key " + S("Vote-1") +
           "delta { vote { votes_for: 2 total_voters: 3 } } } } }");
  EXPECT_EQ(
      map.Update("ormap { update { key: 'Vote-1' update { vote { self_vote: true } } } }"),
      "3: ormap { entries { key: \"ORMap-2\" value { ormap { entries { key: \"ORSet-1\" value { orset { elements: "
      "\"b\" } } } } } } entries { key: \"Vote-1\" value { vote { self_vote: true votes_for: 3 total_voters: 3 } } "
      "} } / ORMap Vote-1(Vote vote { self_vote: true })");
  EXPECT_THAT(map.Process("actions { update { ormap { remove: 'ORMap-2' } } } "
                          "actions { update { ormap { add: 'ORMap-2' } } }"),
              HasSubstr(" / ORMap -ORMap-2 +ORMap-2(ORMap)"));
  EXPECT_EQ(map.Process("actions { update { ormap { clear: true } } } actions { update { ormap { add: 'GSet-1' } } }"),
            "5: ormap { entries { key: \"GSet-1\" value { gset { } } } } / ORMap cleared +GSet-1(GSet)");
  EXPECT_THAT(map.End(), kEndsQuietly);
}

TEST_F(CrdtModel, ACounterDoesNotWrap) {
  const std::string most = absl::StrCat(std::numeric_limits<std::uint64_t>::max());
  Stream grow = Open("GCounter-1", "gcounter { increment: " + most + " }");
  EXPECT_THAT(grow.Update("gcounter { increment: 1 }"), HasSubstr("1: failed 1: The counter cannot count that far"));
  EXPECT_EQ(grow.Process(""), "2: gcounter { value: " + most + " }");
  const std::string least = absl::StrCat(std::numeric_limits<std::int64_t>::min());
  Stream shrink = Open("PNCounter-1", "pncounter { change: " + least + " }");
  EXPECT_THAT(shrink.Update("pncounter { change: -1 }"), HasSubstr("1: failed 1: The counter cannot count that far"));
  EXPECT_EQ(shrink.Update("pncounter { change: 1 }"), "2: pncounter { value: -9223372036854775807 } / PNCounter 1");
}

// ---- commands

TEST_F(CrdtModel, AFailedCommandLeavesTheValueAsItWas) {
  Stream stream = Open("ORSet-1");
  EXPECT_EQ(stream.Update("orset { add: 'a' }"), "1: orset { elements: \"a\" } / ORSet +a");
  EXPECT_EQ(stream.Process("actions { update { orset { clear: true } } } actions { effect { id: 'e' } } "
                           "actions { fail { message: 'no' } } actions { delete { } }"),
            "2: failed 2: no");
  EXPECT_EQ(stream.Update("orset { add: 'b' }"), "3: orset { elements: \"a\" elements: \"b\" } / ORSet +b");
  EXPECT_THAT(stream.Update("flag { }"), HasSubstr("4: failed 4: The CRDT is of another type than this update"));
  EXPECT_THAT(Open("Other-1").Process(""), HasSubstr("1: failed 1: The id 'Other-1' does not begin with a type"));
}

TEST_F(CrdtModel, CommandsForwardHaveEffectsAndAskForConsistency) {
  Stream stream = Open("GCounter-1");
  EXPECT_EQ(stream.Process("actions { update { gcounter { increment: 1 } write_consistency: MAJORITY } } "
                           "actions { effect { id: 'a' synchronous: true } } actions { effect { id: 'b' } } "
                           "actions { forward { id: 'f' } }"),
            "1: forward Call effect! a effect b / GCounter +1 MAJORITY");
  EXPECT_EQ(stream.Update("gcounter { increment: 1 } write_consistency: ALL"),
            "2: gcounter { value: 2 } / GCounter +1 ALL");
}

TEST_F(CrdtModel, DeletionIsForGood) {
  Stream by_command = Open("GCounter-1");
  EXPECT_THAT(by_command.ProcessStreamed(""), HasSubstr("1 streamed:"));
  EXPECT_EQ(by_command.Process("actions { update { gcounter { increment: 1 } } } actions { delete { } }"),
            "2: gcounter { value: 1 } / deleted");
  EXPECT_EQ(by_command.Process(""), "3: failed 3: Entity deleted");
  EXPECT_EQ(by_command.Cancel(1), "cancelled 1:");
  EXPECT_THAT(by_command.End(), kEndsQuietly);

  Stream elsewhere = Open("GCounter-2", "gcounter { increment: 1 }");
  elsewhere.Send("delete { }");
  EXPECT_EQ(elsewhere.Process(""), "1: failed 1: Entity deleted");
  EXPECT_THAT(elsewhere.End(), kEndsQuietly);

  Stream two(*server_, kTwo, "any");
  EXPECT_EQ(two.Call("Call", model::Request()), "1: ");
  EXPECT_EQ(two.Call("Call", Parse<model::Request>("actions { delete { } }")), "2:  / deleted");
}

TEST_F(CrdtModel, WhatCannotBeUnderstoodEndsTheStream) {
  const auto end = [&](const std::string& id, const std::string& message) {
    Stream stream = Open(id);
    stream.Send(message);
    const std::string answer = stream.Next();
    EXPECT_THAT(stream.End(), kEndsQuietly);
    return answer;
  };
  EXPECT_THAT(end("GCounter-1", "delta { vote { } }"), HasSubstr("A GCounter got a delta that is none of its type"));
  EXPECT_THAT(end("GCounter-1", "delta { }"), HasSubstr("A GCounter got a delta that is none of its type"));
  EXPECT_THAT(end("Other-1", "delta { }"), HasSubstr("A delta came that has nothing in it"));
  EXPECT_THAT(end("GCounter-1", ""), HasSubstr("A message with nothing in it came"));
  EXPECT_THAT(end("GCounter-1", "init { }"), HasSubstr("init came twice"));
  EXPECT_THAT(end("GCounter-1", "command { id: 7 name: 'Nothing' }"), HasSubstr("failure { command_id: 7 descr"));
  EXPECT_THAT(Stream(*server_, "other.Service", "id").Next(), HasSubstr("No CRDT entity here serves"));
}

// ---- streamed calls

TEST_F(CrdtModel, StreamedCallsAreToldOfChangesFromHereAndElsewhere) {
  Stream stream = Open("GCounter-1");
  EXPECT_EQ(stream.ProcessStreamed("effects { id: 'e' }"), "1 streamed: gcounter { }");
  EXPECT_EQ(stream.ProcessStreamed("end_state { gcounter { value: 3 } } initial_update { gcounter { increment: 1 } }"),
            "2 streamed: gcounter { value: 1 } / GCounter +1");
  EXPECT_EQ(stream.Next(), "more 1: gcounter { value: 1 } effect e");
  stream.Send("delta { gcounter { increment: 1 } }");
  EXPECT_EQ(stream.Next(), "more 1: gcounter { value: 2 } effect e");
  EXPECT_EQ(stream.Next(), "more 2: gcounter { value: 2 }");
  EXPECT_EQ(stream.Update("gcounter { increment: 1 }"), "3: gcounter { value: 3 } / GCounter +1");
  EXPECT_EQ(stream.Next(), "more 1: gcounter { value: 3 } effect e");
  EXPECT_EQ(stream.Next(), "more 2: gcounter { value: 3 } end");
  EXPECT_EQ(stream.Update("gcounter { increment: 1 }"), "4: gcounter { value: 4 } / GCounter +1");
  EXPECT_EQ(stream.Next(), "more 1: gcounter { value: 4 } effect e");
  EXPECT_EQ(stream.Process(""), "5: gcounter { value: 4 }");
  EXPECT_EQ(stream.Process("actions { update { gcounter { increment: 1 } } } actions { fail { message: 'no' } }"),
            "6: failed 6: no");
  EXPECT_THAT(stream.End(), kEndsQuietly);
}

TEST_F(CrdtModel, ACancelledCallMayChangeTheValue) {
  Stream stream = Open("Vote-1");
  const std::string offline = "vote { total_voters: 1 }";
  const std::string online = "vote { self_vote: true votes_for: 1 total_voters: 1 }";
  EXPECT_EQ(stream.ProcessStreamed(""), "1 streamed: " + offline);
  EXPECT_EQ(stream.ProcessStreamed("empty: true initial_update { vote { self_vote: true } } "
                                   "cancel_update { vote { self_vote: false } }"),
            "2 streamed: / Vote vote { self_vote: true }");
  EXPECT_EQ(stream.Next(), "more 1: " + online);
  EXPECT_EQ(stream.Cancel(2), "cancelled 2: / Vote vote { }");
  EXPECT_EQ(stream.Next(), "more 1: " + offline);
  EXPECT_EQ(stream.Cancel(1), "cancelled 1:");
  EXPECT_EQ(stream.Cancel(1), "cancelled 1:");
  EXPECT_EQ(stream.Update("vote { self_vote: true }"), "3: " + online + " / Vote vote { self_vote: true }");
  EXPECT_THAT(stream.End(), kEndsQuietly);
}

// ---- the samples

TEST(CrdtSamples, AUserIsOnlineWhileConnectedAnywhere) {
  const auto server = Start(samples::Presence());
  const presence::User user;
  const auto is = [](const std::string& prefix, bool online) {
    return MatchesRegex(prefix + " .*OnlineStatus[^{]*\\{" + (online ? " online: true " : " ") + "\\}.*");
  };
  Stream node(*server, "com.example.presence.Presence", "me");
  EXPECT_THAT(node.Open("Monitor", user), is("1 streamed:", false));
  EXPECT_THAT(node.Open("Connect", user), HasSubstr(" / Vote vote { self_vote: true }"));
  EXPECT_THAT(node.Next(), is("more 1:", true));
  EXPECT_THAT(node.Open("Connect", user), ::testing::Not(HasSubstr("Vote")));
  EXPECT_EQ(node.Cancel(2), "cancelled 2:");
  node.Send("delta { vote { self_vote: true votes_for: 2 total_voters: 2 } }");
  EXPECT_EQ(node.Cancel(3), "cancelled 3: / Vote vote { }");  // still connected to the other node
  node.Send("delta { vote { votes_for: 0 total_voters: 2 } }");
  EXPECT_THAT(node.Next(), is("more 1:", false));
  EXPECT_THAT(node.End(), kEndsQuietly);
}

TEST(CrdtSamples, AVoteThatAnEarlierStreamLeftBehindIsTakenBack) {
  const auto server = Start(samples::Presence());
  Stream node(*server, "com.example.presence.Presence", "me", "vote { self_vote: true votes_for: 1 total_voters: 1 }");
  EXPECT_THAT(node.Open("Monitor", presence::User()), HasSubstr(" / Vote vote { }"));
}

TEST(CrdtSamples, ARoomTellsItsVisitorsWhoIsThereAndWhatIsSaid) {
  const auto server = Start(samples::Chat());
  Stream room(*server, "com.example.chat.Chat", "room");
  const auto visitor = [](const std::string& name) { return Parse<chat::Visitor>("name: '" + name + "'"); };
  const auto post = Parse<chat::PostMessage>("author: 'ann' text: 'hello'");
  EXPECT_THAT(room.Open("Join", visitor("ann")), HasSubstr("News] { joined: \"ann\" }"));
  EXPECT_THAT(room.Open("Join", visitor("bob")), HasSubstr("News] { joined: \"ann\" joined: \"bob\" }"));
  EXPECT_THAT(room.Next(), HasSubstr("more 1: [type.googleapis.com/com.example.chat.News] { joined: \"bob\" }"));
  EXPECT_THAT(room.Call("Post", post), HasSubstr("Message] { author: \"ann\" text: \"hello\" sent_ms: "));
  EXPECT_THAT(room.Next(), MatchesRegex("more 1: .*News[^{]*\\{ messages \\{ author: \"ann\" text: \"hello\" .*"));
  EXPECT_THAT(room.Next(), MatchesRegex("more 2: .*News[^{]*\\{ messages \\{ author: \"ann\" text: \"hello\" .*"));
  EXPECT_THAT(room.Open("Join", visitor("ann")), HasSubstr("joined: \"bob\" messages {"));
  EXPECT_EQ(room.Cancel(1), "cancelled 1:");  // she has another call open
  EXPECT_THAT(room.Cancel(4), MatchesRegex("cancelled 4: / ORMap people.ORMap ann.Vote vote . ..."));
  EXPECT_THAT(room.Next(), HasSubstr("more 2: [type.googleapis.com/com.example.chat.News] { left: \"ann\" }"));
  EXPECT_THAT(room.Call("ListPeople", chat::Room()), HasSubstr("People] { names: \"bob\" }"));
  EXPECT_THAT(room.Call("ListMessages", chat::Room()), HasSubstr("Messages] { messages { author: \"ann\""));
  EXPECT_EQ(room.Call("Post", chat::PostMessage()), "7: failed 7: A message needs an author and a text.");
  EXPECT_EQ(room.Open("Join", visitor("")), "8: failed 8: Nobody can join without a name.");
  EXPECT_THAT(room.End(), kEndsQuietly);
}

TEST(CrdtSamples, ARoomKeepsItsLastHundredMessages) {
  const auto server = Start(samples::Chat());
  Stream room(*server, "com.example.chat.Chat", "room");
  const auto post = Parse<chat::PostMessage>("author: 'ann' text: 'hello'");
  for (int i = 0; i < 100; ++i) EXPECT_THAT(room.Call("Post", post), ::testing::Not(HasSubstr(" -")));
  EXPECT_THAT(room.Call("Post", post), HasSubstr(" / ORMap messages(ORSet -"));
}

TEST(CrdtSamples, CountersCount) {
  const auto server = Start(samples::Counters());
  Stream up(*server, "com.example.counters.Counters", "c");
  EXPECT_THAT(up.Call("Increment", counters::IncrementBy()), HasSubstr("Count] { value: 1 } / GCounter +1"));
  EXPECT_THAT(up.Call("Increment", Parse<counters::IncrementBy>("by: 4 consistency: ALL")),
              HasSubstr("Count] { value: 5 } / GCounter +4 ALL"));
  EXPECT_THAT(up.Call("Get", counters::Counter()), ::testing::EndsWith("Count] { value: 5 }"));
  Stream both(*server, "com.example.counters.UpDownCounters", "c");
  EXPECT_THAT(both.Call("Change", Parse<counters::ChangeBy>("by: -2 consistency: MAJORITY")),
              HasSubstr("Balance] { value: -2 } / PNCounter -2 MAJORITY"));
  EXPECT_THAT(both.Call("Get", counters::Counter()), ::testing::EndsWith("Balance] { value: -2 }"));
  Stream hits(*server, "com.example.counters.Hits", "c");
  EXPECT_THAT(hits.Call("Hit", counters::Counter()), HasSubstr("Empty] { } / GCounter +1"));
  EXPECT_THAT(hits.Call("Get", counters::Counter()), ::testing::EndsWith("Count] { value: 1 }"));
}

}  // namespace
}  // namespace cloudstate
