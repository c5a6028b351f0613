#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "emulator/testing/comparison.h"
#include "emulator/testing/crdt_value.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/known_types.h"
#include "emulator/testing/outcome_check.h"
#include "emulator/testing/test_file.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"

namespace cloudstate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct ReadFile {
  dev::v1::TestFile file;
  simulation::YamlPlaces places{"t.yaml"};
  absl::Status status;
};

std::unique_ptr<ReadFile> Read(const std::string& yaml) {
  auto read = std::make_unique<ReadFile>();
  read->status = ReadTestFile(yaml, read->file, read->places);
  return read;
}

// A shop with one service of carts.
std::unique_ptr<KnownTypes> Shop() {
  google::protobuf::FileDescriptorSet files;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    file { name: "shop.proto" package: "shop" syntax: "proto3"
      message_type { name: "Add"
        field { name: "user_id" json_name: "userId" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
        field { name: "count" json_name: "count" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL }
        field { name: "parts" json_name: "parts" number: 3 type: TYPE_MESSAGE type_name: ".shop.Add"
                label: LABEL_REPEATED } }
      message_type { name: "Added"
        field { name: "count" json_name: "count" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL } }
      message_type { name: "Shelf"
        field { name: "stock" json_name: "stock" number: 1 type: TYPE_MESSAGE type_name: ".shop.Shelf.StockEntry"
                label: LABEL_REPEATED }
        field { name: "places" json_name: "places" number: 2 type: TYPE_MESSAGE type_name: ".shop.Shelf.PlacesEntry"
                label: LABEL_REPEATED }
        field { name: "more" json_name: "more" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Any"
                label: LABEL_OPTIONAL }
        field { name: "kind" json_name: "kind" number: 4 type: TYPE_ENUM type_name: ".shop.Kind"
                label: LABEL_OPTIONAL }
        field { name: "label" json_name: "label" number: 5 type: TYPE_STRING label: LABEL_OPTIONAL }
        nested_type { name: "StockEntry" options { map_entry: true }
          field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
          field { name: "value" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL } }
        nested_type { name: "PlacesEntry" options { map_entry: true }
          field { name: "key" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
          field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".shop.Added" label: LABEL_OPTIONAL } } }
      enum_type { name: "Kind" value { name: "UNSPECIFIED" number: 0 } value { name: "OPEN" number: 1 } }
      dependency: "google/protobuf/any.proto" }
  )",
                                                            &files));
  dev::v1::ListServicesResponse services;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    services { name: "shop.Carts" entity_type: "cloudstate.eventsourced.EventSourced" persistence_id: "carts"
      methods { name: "Add" input_type: "shop.Add" output_type: "shop.Add" }
      methods { name: "Look" input_type: "shop.Add" output_type: "shop.Shelf" }
      methods { name: "Watch" input_type: "shop.Add" output_type: "shop.Add" server_streaming: true } }
    services { name: "shop.Report" entity_type: "cloudstate.action.ActionProtocol"
      methods { name: "Send" input_type: "shop.Add" output_type: "shop.Add" client_streaming: true } }
    services { name: "shop.Prices" entity_type: "cloudstate.valueentity.ValueEntity" persistence_id: "prices" }
  )",
                                                            &services));
  auto types = KnownTypes::Build(services, files.SerializeAsString());
  EXPECT_TRUE(types.ok()) << types.status();
  return *std::move(types);
}

std::string Problem(const std::string& yaml) {
  const auto read = Read(yaml);
  if (!read->status.ok()) return std::string(read->status.message());
  if (absl::Status status = CheckForm(read->file, read->places); !status.ok()) return std::string(status.message());
  return std::string(CheckNames(read->file, read->places, *Shop()).message());
}

std::string WithStep(const std::string& step) { return absl::StrCat("cases:\n- name: a\n  when:\n  - ", step, "\n"); }

std::string Given(const std::string& of_a) {
  return absl::StrCat("service: Carts\ncases: [{name: a, given: [{entity: a, ", of_a, "}], then: [{complaints: []}]}]");
}

TEST(TestFiles, KeepTheKindsOfValues) {
  const auto read =
      Read(WithStep("{call: Add, input: {a: 5, b: '5', c: true, d: null, e: [x, 1.5], f: 012, g: 9007199254740993}}"));
  ASSERT_TRUE(read->status.ok()) << read->status;
  EXPECT_EQ(JsonText(read->file.cases(0).when(0).input()),
            R"({"a":5,"b":"5","c":true,"d":null,"e":["x",1.5],"f":"012","g":"9007199254740993"})");
}

TEST(TestFiles, AreReadBackAsTheyAreWritten) {
  const auto read = Read(R"(
service: shop.Carts
nodes: 3
before: [{partition: [[1], [2, 3]]}]
cases:
- name: "one: two"
  given: [{entity: a, events: [{Added: {count: 1}}]}, {entity: "", events: [Added]}]
  when:
  - call: Add
    input: {user_id: me, parts: [{count: 1, userId: "a rather long text that does not fit into a line of a hundred"}, {count: "2"}]}
    error: NOT_FOUND
    effects: [Add]
    response_headers: {x-a: $any}
  - fault: {kind: slow, delay: 1s}
  - clear_faults:
  then: [{entity: a, state: 3}]
)");
  ASSERT_TRUE(read->status.ok()) << read->status;
  const std::string text = TestFileText(read->file);
  const auto again = Read(text);
  ASSERT_TRUE(again->status.ok()) << again->status << "\n" << text;
  EXPECT_EQ(again->file.DebugString(), read->file.DebugString()) << text;
  EXPECT_TRUE(CheckForm(again->file, again->places).ok()) << text;
}

struct Mistake {
  std::string yaml;
  std::string problem;
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};
TEST_P(Mistakes, AreToldWithTheirPlace) {
  EXPECT_THAT(Problem(GetParam().yaml), StartsWith(GetParam().problem)) << GetParam().yaml;
}
INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    ::testing::Values(
        Mistake{WithStep("{call: Ad}"), "t.yaml:4:6: there is no method 'Ad'; did you mean 'Add'?"},
        Mistake{WithStep("{call: Carts.Ad}"), "t.yaml:4:6: Carts has no method 'Ad'"},
        Mistake{WithStep("{call: Add, input: {user: x}}"), "t.yaml:4:25: there is no field 'user' in Add"},
        Mistake{WithStep("{call: Add, reply: {parts: [{cont: 1}]}}"),
                "t.yaml:4:34: there is no field 'cont' in Add; did"},
        Mistake{WithStep("{call: Add, reply: {count: $anny}}"),
                "t.yaml:4:25: there is no matcher '$anny' (a text that begins with $ is written with $$); did you mean "
                "'$any'?"},
        Mistake{WithStep("{call: Add, reply: {count: {$regex: '('}}}"), "t.yaml:4:33: '(' is no regular expression"},
        Mistake{WithStep("{call: Add, events: [{Aded: {}}]}"),
                "t.yaml:4:26: there is no message type 'Aded'; did you mean"},
        Mistake{WithStep("{call: Add, events: [{A: {}, B: {}}]}"), "t.yaml:4:26: a message is written with its type"},
        Mistake{WithStep("{call: Add, error: NOT_FUND}"),
                "t.yaml:4:24: there is no status code 'NOT_FUND'; did you mean"},
        Mistake{WithStep("{call: Add, status: 404}"), "t.yaml:4:17: 'status' goes with 'http' only"},
        Mistake{WithStep("{evict: a, reply: {}}"), "t.yaml:4:16: 'reply' goes with 'call' and 'http' only"},
        Mistake{WithStep("{call: Watch, reply: {}}"), "t.yaml:4:19: Watch answers with a stream: write 'replies'"},
        Mistake{WithStep("{call: Send, input: {}}"), "t.yaml:4:18: Send takes a stream of messages: write 'inputs'"},
        Mistake{WithStep("{http: /a}"), "t.yaml:4:6: '/a' is no method and path"},
        Mistake{WithStep("{fault: {kind: slo}}"), "t.yaml:4:20: there is no kind 'slo'; did you mean 'slow'?"},
        Mistake{"cases: [{name: a, skip: x}, {name: a}]", "t.yaml:1:30: there is a case with this name in line 1"},
        Mistake{"service: Cart\ncases: [{name: a, skip: x}]",
                "t.yaml:1:1: there is no service 'Cart'; did you mean 'Carts'?"},
        Mistake{"service: Carts\ncases: [{name: a, then: [{entity: a, state: {}}]}]",
                "t.yaml:2:38: only the user function knows"},
        Mistake{WithStep("{call: Add, response_headers: [a]}"), "t.yaml:4:35: 'response_headers' takes names"},
        Mistake{WithStep("{call: Add, response_headers: etag}"), "t.yaml:4:35: 'response_headers' takes names"},
        Mistake{WithStep("{call: Add, reply: {}, replies: []}"), "t.yaml:4:28: 'reply' and 'replies' exclude"},
        Mistake{WithStep("{call: Add, events: [{$one-of: [Aded]}]}"), "t.yaml:4:37: there is no message type 'Aded'"},
        Mistake{WithStep("{call: Add, events: [$absent]}"), "t.yaml:4:26: there is no message type '$absent'"},
        Mistake{WithStep("{call: Add, input: {userId: me, count: many}}"), "t.yaml:4:24: this is no Add: (count): "},
        Mistake{WithStep("{call: Add, input: {userId: me, count: {$above: 3}}}"),
                "t.yaml:4:24: this is no Add: invalid value"},
        Mistake{"cases: [{name: a, given: [{events: [Added]}], when: [{wait: }]}]",
                "t.yaml:1:27: 'entity' must say which entity is given"},
        Mistake{"cases: [{name: a}]", "t.yaml:1:9: this case looks at nothing"},
        Mistake{"cases: [{name: caf\xe9}]", "t.yaml:1:19: this is not UTF-8"},
        Mistake{"# Käse\n\xc3", "t.yaml:2:1: this is not UTF-8"},
        Mistake{Given("events: [{Added: {count: many}}]"), "t.yaml:2:49: this is no Added: (count): "},
        Mistake{Given("value: {Added: {}}"), "t.yaml:2:39: an entity of shop.Carts has 'events', and no 'value'"},
        Mistake{Given("service: Prices, events: [Added]"), "t.yaml:2:56: an entity of shop.Prices has a 'value' only"},
        Mistake{"cases: [{name: a, then: [{entity: a}]}]", "t.yaml:1:26: nothing is looked at of 'a'"}));

TEST(TestFiles, LookAtComplaintsWithoutAnEntity) {
  EXPECT_EQ(Problem("cases: [{name: a, then: [{complaints: []}]}]"), "");
  EXPECT_EQ(Problem("service: Carts\ncases: [{name: a, then: [{entity: a, complaints: [$any]}]}]"), "");
  EXPECT_THAT(Problem("cases: [{name: a, then: [{complaints: [], events: []}]}]"),
              StartsWith("t.yaml:1:26: 'entity' must say which entity is looked at"));
  EXPECT_THAT(Problem("cases: [{name: a, then: [{complaints: [$anny]}]}]"), HasSubstr("there is no matcher '$anny'"));
}

TEST(TestFiles, ThatWereFoundExpectNoComplaints) {
  const auto read = Read("cases: [{name: a, then: [{complaints: []}]}]");
  const std::string text = FoundTestFileText(read->file);
  EXPECT_THAT(text, HasSubstr("complaints: []"));
  EXPECT_EQ(Problem(text), "");
}

TEST(TestFiles, MayExpectNoSnapshot) {
  EXPECT_EQ(Problem("service: Carts\ncases: [{name: a, then: [{entity: a, snapshot: $absent}]}]"), "");
}

TEST(TestFiles, ThatAreRecordedExpectNothingWhereNothingCame) {
  const auto read = Read(WithStep("{call: Add, input: {}}"));
  const std::string text = RecordedTestFileText(read->file);
  EXPECT_THAT(text, HasSubstr("events: []"));
  EXPECT_THAT(text, HasSubstr("effects: []"));
  EXPECT_EQ(Read(text)->file.DebugString(), read->file.DebugString()) << text;
  EXPECT_THAT(TestFileText(read->file), ::testing::Not(HasSubstr("[]")));
}

// ---- what came, against a step

CallOutcome Reply(const KnownTypes& types, const std::string& json) {
  CallOutcome outcome{.call = "shop.Carts.Add"};
  const auto bytes = types.Encode(*ParseJson(json), *types.TypeOf("shop.Add"));
  outcome.replies.push_back(types.Decode("shop.Add", *bytes, ""));
  return outcome;
}

std::optional<CaseFailure> CheckOne(const std::string& step, CallOutcome (*make)(const KnownTypes&)) {
  const auto types = Shop();
  const auto read = Read(WithStep(step));
  EXPECT_TRUE(read->status.ok()) << read->status;
  return OutcomeCheck(read->file, read->places, *types).Step(read->file.cases(0).when(0), make(*types));
}

TEST(Outcomes, FitWhereNumbersOf64BitsAreWrittenAsNumbers) {
  EXPECT_FALSE(CheckOne("{call: Add, reply: {user_id: me, count: 5}}",
                        [](const KnownTypes& types) { return Reply(types, R"({"userId":"me","count":"5"})"); }));
}

bool FitsShelf(const std::string& expected, const std::string& came) {
  const auto types = Shop();
  const auto bytes = types->Encode(*ParseJson(came), *types->TypeOf("shop.Shelf"));
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return Compare(*ParseJson(expected), types->Decode("shop.Shelf", *bytes, ""), "reply").equal();
}

TEST(Outcomes, HaveNoDefaultsBehindKeys) {
  EXPECT_TRUE(FitsShelf(R"({"stock":{"apple":0}})", R"({"stock":{"apple":0}})"));
  EXPECT_FALSE(FitsShelf(R"({"stock":{"apple":0}})", "{}"));
  EXPECT_FALSE(FitsShelf(R"({"stock":{"a_pple":1}})", R"({"stock":{"aPple":1}})"));
  EXPECT_TRUE(FitsShelf(R"({"stock":{"apple":"$absent"}})", "{}"));
  EXPECT_FALSE(FitsShelf(R"({"stock":{"apple":{"$below":3}}})", "{}"));
}

TEST(Outcomes, NeedNotNameDefaultsWithinMapsAndAny) {
  EXPECT_TRUE(FitsShelf(R"({"places":{"7":{}}})", R"({"places":{"7":{"count":"0"}}})"));
  EXPECT_TRUE(FitsShelf(R"({"more":{"@type":"type.googleapis.com/shop.Added"}})",
                        R"({"more":{"@type":"type.googleapis.com/shop.Added","count":"0"}})"));
}

TEST(Outcomes, OfHttpHaveTheDefaultsOfTheirMethodsType) {
  const auto look = [](const KnownTypes& types) {
    CallOutcome outcome{.call = "GET /shelf", .status = 200};
    const std::string bytes = *types.Encode(*ParseJson(R"({"label":"0"})"), *types.TypeOf("shop.Shelf"));
    outcome.replies = {ActualOf(types.Decode("shop.Shelf", bytes, "").full)};
    outcome.trace.emplace();
    outcome.trace->set_service("shop.Carts");
    outcome.trace->set_method("Look");
    return outcome;
  };
  EXPECT_FALSE(CheckOne("{http: GET /shelf, reply: {label: '0'}}", look));
  EXPECT_TRUE(CheckOne("{http: GET /shelf, reply: {}}", look));
}

TEST(Outcomes, OfHttpAreHeldAgainstFieldsThatThereAre) {
  const auto look = [](const KnownTypes& types) {
    CallOutcome outcome{.call = "GET /shelf", .status = 200};
    outcome.replies = {ActualOf(types.Decode("shop.Shelf", "", "").full)};
    outcome.trace.emplace();
    outcome.trace->set_service("shop.Carts");
    outcome.trace->set_method("Look");
    return outcome;
  };
  EXPECT_FALSE(CheckOne("{http: GET /shelf, reply: {label: ''}}", look));
  const auto failure = CheckOne("{http: GET /shelf, reply: {labl: ''}}", look);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->problem, "there is no field 'labl' in Shelf; did you mean 'label'?");
  EXPECT_EQ(failure->place, "t.yaml:4:32");
}

TEST(Outcomes, OfHttpThatFailShowWhatWasAnswered) {
  const auto refused = [](const KnownTypes&) {
    CallOutcome outcome{.call = "POST /add", .status = 400};
    outcome.replies = {ActualOf(TextValue(std::string(200, 'x') + "\nno field 'cont'"))};
    return outcome;
  };
  EXPECT_THAT(CheckOne("{http: POST /add}", refused)->problem, HasSubstr("x\nno field 'cont'"));
}

TEST(Outcomes, OfHttpMayBeAbsent) {
  const auto nothing = [](const KnownTypes&) { return CallOutcome{.call = "GET /shelf", .status = 200}; };
  EXPECT_FALSE(CheckOne("{http: GET /shelf, reply: $absent}", nothing));
}

TEST(Crdts, HoldMessagesWithTheirDefaultsAndMapsByKeys) {
  const auto types = Shop();
  dev::v1::CrdtValue value;
  value.set_type("ORMap");
  dev::v1::CrdtEntry& entry = *value.add_entries();
  entry.mutable_key()->set_json("\"apple\"");
  entry.mutable_value()->set_type("LWWRegister");
  entry.mutable_value()->mutable_registered()->set_type_url("type.googleapis.com/shop.Added");
  const auto fits = [&](const char* expected) {
    return Compare(*ParseJson(expected), CrdtActual(value, *types), "state").equal();
  };
  EXPECT_TRUE(fits(R"({"apple":{}})"));
  EXPECT_FALSE(fits(R"({"apple":{"count":1}})"));
  EXPECT_FALSE(fits(R"({"apple":{},"pear":0})"));
}

TEST(Outcomes, AreToldWithThePlaceOfTheExpectedValue) {
  const auto failure = CheckOne("{call: Add, reply: {userId: me, count: 5}}",
                                [](const KnownTypes& types) { return Reply(types, R"({"userId":"me","count":"6"})"); });
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->place, "t.yaml:4:37");
  EXPECT_EQ(failure->problem, "reply.count is \"6\", not 5");
  EXPECT_THAT(failure->difference, ::testing::Contains("+   \"count\": \"6\","));
}

TEST(Outcomes, OfFailedCallsNameTheCode) {
  const auto failed = [](const KnownTypes&) {
    return CallOutcome{.call = "shop.Carts.Add", .code = 5, .message = "no cart"};
  };
  EXPECT_EQ(CheckOne("{call: Add}", failed)->problem, "shop.Carts.Add failed with NOT_FOUND: no cart");
  EXPECT_FALSE(CheckOne("{call: Add, error: {code: not found, message: {$contains: cart}}}", failed));
  EXPECT_EQ(CheckOne("{call: Add, error: INTERNAL}", failed)->problem,
            "shop.Carts.Add failed with NOT_FOUND: no cart, not with INTERNAL");
}

CallOutcome WithEvents(const KnownTypes& types) {
  CallOutcome outcome = Reply(types, "{}");
  dev::v1::Payload& payload = *outcome.events.emplace_back().mutable_payload();
  payload.set_type_url("type.googleapis.com/shop.Added");
  payload.set_value(*types.Encode(*ParseJson(R"({"count":2})"), *types.TypeOf("shop.Added")));
  return outcome;
}

TEST(Outcomes, AreHeldAgainstTheEventsThatWereStored) {
  EXPECT_FALSE(CheckOne("{call: Add, events: [{Added: {count: 2}}]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [{shop.Added: {count: $any}}]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [$any]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [{$one-of: [Add, {shop.Added: {count: 2}}]}]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [{$partial: {Added: {}}}]}", WithEvents));
  EXPECT_TRUE(CheckOne("{call: Add, events: [{$one-of: [Add, Added]}]}", WithEvents));
  EXPECT_EQ(CheckOne("{call: Add, events: []}", WithEvents)->problem, "events has 1 element, not 0");
  EXPECT_EQ(CheckOne("{call: Add, events: [{Added: {count: 3}}]}", WithEvents)->problem,
            "events[0].Added.count is \"2\", not 3");
}

TEST(Outcomes, AreOfTheirTypeEvenWhereOnlySomeFieldsAreLookedAt) {
  EXPECT_TRUE(CheckOne("{call: Add, events: [{$partial: {Add: {}}}]}", WithEvents));
  EXPECT_TRUE(CheckOne("{call: Add, events: [{$partial: {Add: $any}}]}", WithEvents));
  EXPECT_TRUE(CheckOne("{call: Add, events: [{$partial: {$one-of: [Add, {Added: {count: 3}}]}}]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [{$one-of: [Add, {$partial: {Added: {}}}]}]}", WithEvents));
  EXPECT_FALSE(CheckOne("{call: Add, events: [{$partial: {Added: $any}}]}", WithEvents));
}

TEST(Outcomes, OfAnotherTypeNameBoth) {
  const auto failure = CheckOne("{call: Add, events: [Add]}", WithEvents);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->problem, "events[0] is of type Added, not Add");
  EXPECT_EQ(failure->place, "t.yaml:4:26");
  EXPECT_THAT(failure->difference, ::testing::Contains("-     \"Add\": {}"));
  EXPECT_EQ(CheckOne("{call: Add, events: [{$one-of: [Add, other.Added]}]}", WithEvents)->problem,
            "events[0] is of type shop.Added, not Add or other.Added");
  EXPECT_EQ(CheckOne("{call: Add, events: [Add, Added]}", WithEvents)->problem,
            "events has 1 element, not 2\nevents[0] is of type Added, not Add");
}

TEST(Outcomes, AreHeldAgainstEffects) {
  const auto effect = [](const KnownTypes& types) {
    CallOutcome outcome = WithEvents(types);
    outcome.trace.emplace();
    dev::v1::CausedCommand& caused = *outcome.trace->add_caused();
    caused.set_origin(dev::v1::CausedCommand::SIDE_EFFECT);
    caused.set_service("shop.Report");
    caused.set_method("Send");
    return outcome;
  };
  EXPECT_FALSE(CheckOne("{call: Add, effects: [Send]}", effect));
  EXPECT_EQ(CheckOne("{call: Add, effects: []}", effect)->problem, "there are 1 effects, not 0: shop.Report.Send");
  EXPECT_EQ(CheckOne("{call: Add, effects: [Add]}", effect)->problem, "effects[0].call is shop.Report.Send, not Add");
  EXPECT_THAT(CheckOne("{call: Add, forward: Send}", effect)->problem, HasSubstr("was not forwarded"));
}

}  // namespace
}  // namespace cloudstate::testing
