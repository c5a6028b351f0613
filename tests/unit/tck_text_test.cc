// What the conformance kit says and how it chooses, without a user function.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/tck/model/eventsourced.pb.h"
#include "emulator/tck/case.h"
#include "emulator/tck/crdt_model.h"
#include "emulator/tck/event_sourced_model.h"
#include "emulator/tck/filter.h"
#include "emulator/tck/message_text.h"
#include "emulator/tck/report.h"

namespace cloudstate::tck {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TckGlob, StarsTakeAnyTextAndQuestionMarksOneCharacter) {
  EXPECT_TRUE(MatchesGlob("value/*", "value/delete"));
  EXPECT_TRUE(MatchesGlob("*/delete", "emulator/value/delete"));
  EXPECT_TRUE(MatchesGlob("*a*b*", "xaxbx"));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("ab*ab", "abxabab"));
  EXPECT_TRUE(MatchesGlob("d?lete", "delete"));
  EXPECT_FALSE(MatchesGlob("value/*", "emulator/value/delete"));
  EXPECT_FALSE(MatchesGlob("delete", "delete-update"));
  EXPECT_FALSE(MatchesGlob("d?lete", "dlete"));
  EXPECT_FALSE(MatchesGlob("", "a"));
}

TEST(TckFilter, TakesWhatAPatternWantsAndNoneLeavesOut) {
  EXPECT_TRUE(Filter({}).Takes("any"));
  const Filter filter({"a/*", "b/*", "!*/x"});
  EXPECT_TRUE(filter.Takes("a/y"));
  EXPECT_TRUE(filter.Takes("b/y"));
  EXPECT_FALSE(filter.Takes("c/y"));
  EXPECT_FALSE(filter.Takes("a/x"));
  EXPECT_TRUE(Filter({"!a/*"}).Takes("b/y"));
  EXPECT_FALSE(Filter({"!a/*"}).Takes("a/y"));
}

TEST(TckCases, HaveIdsOfTheirOwn) {
  std::set<std::string> ids;
  for (const Section& section : AllSections()) {
    for (const Case& each : section.cases) {
      EXPECT_TRUE(ids.insert(absl::StrCat(section.name, "/", each.id)).second) << section.name << "/" << each.id;
      EXPECT_TRUE(each.title.ends_with('.')) << each.title;
    }
  }
  EXPECT_GE(ids.size(), 430u);
}

TEST(TckMessages, ReadAsTextWithTheTypesOfWhatIsPacked) {
  const auto message = event_sourced::Answer().Events({"a"}).Reply("a").To(1);
  EXPECT_THAT(MessageText(message),
              HasSubstr("cloudstate.eventsourced.EventSourcedStreamOut\nreply {\n  command_id: 1\n"));
  EXPECT_THAT(MessageText(message), HasSubstr("[type.googleapis.com/cloudstate.tck.model.Persisted] {"));
  EXPECT_THAT(MessageLine(message), HasSubstr("EventSourcedStreamOut { reply { command_id: 1 "));
  EXPECT_LT(MessageLine(event_sourced::Event(1, std::string(10'000, 'x'))).size(), 500u);
}

TEST(TckMessages, AreTheSameWhenTheySayTheSame) {
  const auto one = event_sourced::Answer().Reply("a").To(1);
  EXPECT_TRUE(SameMessage(one, event_sourced::Answer().Reply("a").To(1)));
  EXPECT_FALSE(SameMessage(one, event_sourced::Answer().Reply("b").To(1)));
  EXPECT_FALSE(SameMessage(one, event_sourced::Answer().Reply("a").To(2)));
  auto with_metadata = one;
  with_metadata.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_metadata();
  EXPECT_FALSE(SameMessage(one, with_metadata));
}

TEST(TckMessages, DefaultsWrittenOutMakeNoDifference) {
  eventsourced::EventSourcedStreamOut one;
  google::protobuf::Any& event = *one.mutable_reply()->add_events();
  event.set_type_url("type.googleapis.com/cloudstate.tck.model.Persisted");
  auto other = one;
  other.mutable_reply()->mutable_events(0)->set_value(std::string("\x0a\x00", 2));  // value: ""
  EXPECT_TRUE(SameMessage(one, other));
}

TEST(TckMessages, UnknownFieldsAreADifference) {
  const auto one = event_sourced::Answer().Reply("a").To(1);
  auto other = one;
  other.mutable_reply()->GetReflection()->MutableUnknownFields(other.mutable_reply())->AddVarint(99, 1);
  EXPECT_FALSE(SameMessage(one, other));
  EXPECT_THAT(MessageText(other), HasSubstr("99: 1"));
}

TEST(TckMessages, ElementsOfACrdtsDeltaHaveNoOrder) {
  const auto adding = [](const crdts::Strings& added) {
    return crdts::Answer().Updates(crdts::gset::Changed(added)).To(1);
  };
  EXPECT_TRUE(SameMessage(adding({"a", "b"}), adding({"b", "a"})));
  EXPECT_FALSE(SameMessage(adding({"a", "b"}), adding({"a", "c"})));
  EXPECT_FALSE(SameMessage(adding({"a", "a"}), adding({"a"})));
  EXPECT_FALSE(SameMessage(adding({"a"}), crdts::Answer().Updates(crdts::orset::Changed({.added = {"a"}})).To(1)));
}

TEST(TckMessages, ShowTheStringsOfPublishedLibraries) {
  EXPECT_THAT(MessageLine(crdts::DeltaFromElsewhere(crdts::gset::Changed({"a"}))),
              HasSubstr("[p.cloudstate.io/string] { value: \"a\" }"));
}

TEST(TckDifference, MarksWhatIsMissingAndWhatIsNew) {
  EXPECT_EQ(DiffText(CompareLines("a\nb\nc\n", "a\nx\nc\nd\n")), "  a\n- b\n+ x\n  c\n+ d\n");
  EXPECT_EQ(DiffText(CompareLines("a\n", "a\n")), "  a\n");
  EXPECT_EQ(DiffText(CompareLines("same\n", "other\n")), "- same\n+ other\n");
}

TEST(TckReport, JUnitKeepsOutWhatXmlHasNoWayToWrite) {
  Report report;
  CaseResult result{.id = "a/b", .title = "T.", .section = "a", .outcome = Outcome::kFailed, .took = {}};
  result.failure.problem = "<&>\"\x01";
  report.results = {result};
  const std::string xml = JUnitXml(report);
  EXPECT_THAT(xml, HasSubstr("<failure message=\"&lt;&amp;&gt;&quot;\\x01\">"));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"a\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""));
  EXPECT_THAT(xml, Not(HasSubstr("\x01")));
}

TEST(TckReport, WhatWasNotRunIsNoSuccess) {
  Report report;
  report.results = {{.id = "a/b", .title = "", .section = "a", .outcome = Outcome::kSkipped, .took = {}}};
  EXPECT_TRUE(report.passed());
  report.results.front().outcome = Outcome::kNotRun;
  EXPECT_FALSE(report.passed());
  report.results.front().outcome = Outcome::kFailed;
  EXPECT_FALSE(report.passed());
}

}  // namespace
}  // namespace cloudstate::tck
