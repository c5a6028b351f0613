#include "emulator/entities/crdt_protocol.h"

#include <map>
#include <set>

#include "cloudstate/v0_1/crdt.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/empty.pb.h"
#include "protocol/descriptors/descriptor_sets.h"
#include "tests/unit/crdt_entity_fixture.h"

namespace cloudstate::entities {
namespace {

namespace old = v0_1::crdt;

// Each type's value as the change from nothing, and as the state that protocol 0.1 makes of it.
const std::map<std::string, std::string> kStates = {
    {"gcounter { increment: 3 }", "gcounter { value: 3 }"},
    {"pncounter { change: -3 }", "pncounter { value: -3 }"},
    {"gset { added { value: \"x\" } }", "gset { items { value: \"x\" } }"},
    {"orset { added { value: \"x\" } }", "orset { items { value: \"x\" } }"},
    {"lwwregister { value { value: \"x\" } }", "lwwregister { value { value: \"x\" } }"},
    {"flag { value: true }", "flag { value: true }"},
    {"ormap { added { key { value: \"k\" } delta { gset { added { value: \"x\" } } } } }",
     "ormap { entries { key { value: \"k\" } value { gset { items { value: \"x\" } } } } }"},
    {"vote { self_vote: true votes_for: 1 total_voters: 1 }", "vote { votes_for: 1 total_voters: 1 self_vote: true }"}};

std::string ToUserFunction(const std::string& bytes) {
  old::CrdtStreamIn in;
  EXPECT_TRUE(in.ParseFromString(bytes));
  return in.ShortDebugString();
}

std::string FromUserFunction(const std::string& text) {
  const auto out = CrdtProtocolV01().Parse(FromText<old::CrdtStreamOut>(text).SerializeAsString(), std::nullopt);
  EXPECT_TRUE(out.ok()) << out.status();
  return out->ShortDebugString();
}

TEST(CrdtProtocolV01Test, ValuesAreStates) {
  for (const auto& [whole, state] : kStates) {
    const auto delta = FromText<crdt::CrdtDelta>(whole);
    EXPECT_EQ(ToUserFunction(CrdtProtocolV01().Init("S", "a", delta)),
              absl::StrCat("init { service_name: \"S\" entity_id: \"a\" state { ", state, " } }"));
    EXPECT_EQ(ToUserFunction(CrdtProtocolV01().FirstValue(delta)), absl::StrCat("state { ", state, " }"));
    EXPECT_EQ(FromUserFunction(absl::StrCat("reply { state_action { create { ", state, " } } }")),
              absl::StrCat("reply { state_action { update { ", whole, " } } }"));
  }
}

// The Java library makes its value anew with its first own change, even if it was told of that of others.
TEST(CrdtProtocolV01Test, OfAValueThatWasKnownACreationIsTheChange) {
  const auto parse = [](const std::string& known, const std::string& state) {
    crdt::Value value;
    crdt::ApplyOwn(FromText<crdt::CrdtDelta>(known), value);
    const auto text = absl::StrCat("reply { state_action { create { ", state, " } } }");
    return CrdtProtocolV01().Parse(FromText<old::CrdtStreamOut>(text).SerializeAsString(), value);
  };
  const auto change = [&](const std::string& known, const std::string& state) {
    return parse(known, state)->reply().state_action().ShortDebugString();
  };
  EXPECT_EQ(change("gcounter { increment: 5 }", "gcounter { value: 6 }"), "update { gcounter { increment: 1 } }");
  EXPECT_EQ(change("gcounter { increment: 5 }", "gcounter { value: 5 }"), "");
  EXPECT_FALSE(parse("gcounter { increment: 5 }", "gcounter { value: 4 }").ok());
  EXPECT_EQ(change("pncounter { change: 5 }", "pncounter { value: 4 }"), "update { pncounter { change: -1 } }");
  EXPECT_EQ(change("orset { added { value: \"x\" } }", "orset { items { value: \"x\" } items { value: \"y\" } }"),
            "update { orset { added { value: \"y\" } } }");
  EXPECT_EQ(change("ormap { added { key { value: \"k\" } delta { pncounter { change: 5 } } } }",
                   "ormap { entries { key { value: \"k\" } value { pncounter { value: 7 } } } }"),
            "update { ormap { updated { key { value: \"k\" } delta { pncounter { change: 2 } } } } }");
  EXPECT_EQ(change("lwwregister { value { value: \"x\" } }", "lwwregister { value { value: \"y\" } clock: REVERSE }"),
            "update { lwwregister { value { value: \"y\" } clock: REVERSE } }");
  EXPECT_EQ(change("gcounter { increment: 5 }", "pncounter { value: 6 }"), "update { pncounter { change: 6 } }");
}

TEST(CrdtProtocolV01Test, ChangesAreThoseOf02ButForWhatIsNewInAMap) {
  for (const auto& [whole, state] : kStates) {
    if (whole.starts_with("ormap")) continue;
    EXPECT_EQ(ToUserFunction(CrdtProtocolV01().Change(FromText<crdt::CrdtDelta>(whole))),
              absl::StrCat("changed { ", whole, " }"));
    EXPECT_EQ(FromUserFunction(absl::StrCat("reply { state_action { update { ", whole, " } } }")),
              absl::StrCat("reply { state_action { update { ", whole, " } } }"));
  }
  const std::string same =
      "ormap { cleared: true removed { value: \"r\" } updated { key { value: \"u\" } delta { pncounter { change: 2 } } "
      "} ";
  const std::string change = same + "added { key { value: \"k\" } delta { pncounter { change: 3 } } } }";
  const std::string in_old = same + "added { key { value: \"k\" } value { pncounter { value: 3 } } } }";
  EXPECT_EQ(ToUserFunction(CrdtProtocolV01().Change(FromText<crdt::CrdtDelta>(change))),
            absl::StrCat("changed { ", in_old, " }"));
  EXPECT_EQ(FromUserFunction(absl::StrCat("reply { state_action { update { ", in_old, " } } }")),
            absl::StrCat("reply { state_action { update { ", change, " } } }"));
}

TEST(CrdtProtocolV01Test, AnswersKeepTheirOtherFields) {
  for (const std::string text : {
           "reply { command_id: 1 client_action { reply { payload { value: \"x\" } } } side_effects { command_name: "
           "\"E\" "
           "} state_action { delete { } write_consistency: ALL } streamed: true }",
           "streamed_message { command_id: 1 end_stream: true }",
           "stream_cancelled_response { command_id: 1 side_effects { command_name: \"E\" } state_action { delete { } "
           "write_consistency: MAJORITY } }",
           "failure { command_id: 1 description: \"no\" }",
       }) {
    EXPECT_EQ(FromUserFunction(text), text);
  }
  EXPECT_FALSE(CrdtProtocolV01().Parse("", std::nullopt).ok());
  EXPECT_FALSE(CrdtProtocolV01().Parse("\xff", std::nullopt).ok());
}

// What is compiled has the bytes of what was published.
class PublishedV01 {
 public:
  PublishedV01() {
    google::protobuf::FileDescriptorSet set;
    const std::string_view bytes = protocol::DescriptorSetV01();
    EXPECT_TRUE(set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    for (const char* name : {"any", "empty", "descriptor"}) {
      google::protobuf::FileDescriptorProto file;
      google::protobuf::DescriptorPool::generated_pool()
          ->FindFileByName(absl::StrCat("google/protobuf/", name, ".proto"))
          ->CopyTo(&file);
      EXPECT_NE(pool_.BuildFile(file), nullptr);
    }
    Build(set, "cloudstate/entity.proto");
    Build(set, "cloudstate/crdt.proto");
  }

  void Compare(const google::protobuf::Descriptor& ours, const google::protobuf::Descriptor& published) {
    if (!compared_.insert(published.full_name()).second) return;
    for (int i = 0; i < published.field_count(); ++i) {
      const auto& theirs = *published.field(i);
      SCOPED_TRACE(theirs.full_name());
      const auto* field = ours.FindFieldByNumber(theirs.number());
      ASSERT_NE(field, nullptr);
      EXPECT_EQ(field->name(), theirs.name());
      EXPECT_EQ(field->type(), theirs.type());
      EXPECT_EQ(field->is_repeated(), theirs.is_repeated());
      if (field->message_type() != nullptr) Compare(*field->message_type(), *theirs.message_type());
    }
  }

  const google::protobuf::Descriptor& Find(const std::string& name) { return *pool_.FindMessageTypeByName(name); }
  const std::set<std::string>& compared() const { return compared_; }

 private:
  void Build(const google::protobuf::FileDescriptorSet& set, const std::string& name) {
    for (const auto& file : set.file()) {
      if (file.name() != name) continue;
      EXPECT_NE(pool_.BuildFile(file), nullptr) << name;
    }
  }

  google::protobuf::DescriptorPool pool_;
  std::set<std::string> compared_;
};

TEST(CrdtProtocolV01Test, ItsClassesHaveTheFieldsOfThePublishedFile) {
  google::protobuf::Empty();  // its file is one of those that are asked for
  PublishedV01 published;
  published.Compare(*old::CrdtStreamIn::descriptor(), published.Find("cloudstate.crdt.CrdtStreamIn"));
  published.Compare(*old::CrdtStreamOut::descriptor(), published.Find("cloudstate.crdt.CrdtStreamOut"));
  EXPECT_GT(published.compared().size(), 30U);
}

class CrdtEntityV01Test : public CrdtEntityFixture {
 protected:
  CrdtEntityV01Test() : CrdtEntityFixture(userfunction::Dialect::k0_1) {}
  Lines Written() {
    Lines lines;
    for (const std::string& bytes : Stream(0).written) lines.push_back(ToUserFunction(bytes));
    return lines;
  }
  void SayOld(const std::string& text) { SayBytes(FromText<old::CrdtStreamOut>(text).SerializeAsString()); }
};

TEST_F(CrdtEntityV01Test, SpeaksItsDialectFromBeginningToEnd) {
  const auto command = DeliverStreamed("Watch");
  SayOld("reply { command_id: 1 streamed: true state_action { create { gcounter { value: 1 } } } }");
  Remote("gcounter { increment: 2 }");
  entity_->Cancel(command);
  SayOld("stream_cancelled_response { command_id: 1 state_action { update { gcounter { increment: 4 } } } }");
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 7 }");
  RemoteDelete();
  EXPECT_THAT(Written(), ElementsAre("init { service_name: \"test.Things\" entity_id: \"a\" }",
                                     "command { entity_id: \"a\" id: 1 name: \"Watch\" payload { } streamed: true }",
                                     "changed { gcounter { increment: 2 } }",
                                     "stream_cancelled { entity_id: \"a\" id: 1 }", "deleted { }"));
}

TEST_F(CrdtEntityV01Test, AValueThatOthersMakeIsAState) {
  Deliver("Get");
  SayOld("reply { command_id: 1 }");
  Remote("vote { self_vote: true }");
  EXPECT_EQ(Written().back(), "state { vote { total_voters: 1 } }");
}

}  // namespace
}  // namespace cloudstate::entities
