#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "emulator/testing/coverage.h"
#include "emulator/testing/json_value.h"
#include "emulator/testing/report.h"

namespace cloudstate::testing {
namespace {

using ::testing::HasSubstr;

Report Sample() {
  CaseResult failed{
      .file = "a.yaml", .line = 9, .name = "adds #1", .outcome = Outcome::kFailed, .took = absl::Milliseconds(12)};
  failed.failure = {.place = "a.yaml:12:7", .problem = "reply.a is 1, not <2>", .difference = {"- 2", "+ 1"}};
  Report report;
  report.results = {{.file = "a.yaml", .line = 2, .name = "passes", .took = absl::Milliseconds(3)},
                    failed,
                    {.file = "b.yaml",
                     .line = 2,
                     .name = "later",
                     .outcome = Outcome::kSkipped,
                     .took = {},
                     .failure = {},
                     .reason = "not yet"}};
  return report;
}

TEST(Reports, AreTapOfVersion14) {
  const Report report = Sample();
  EXPECT_EQ(TapPlan(3), "1..3\n");
  EXPECT_EQ(TapResult(report.results[0], 1), "ok 1 - a.yaml: passes\n");
  EXPECT_EQ(TapResult(report.results[1], 2),
            "not ok 2 - a.yaml: adds \\#1\n  ---\n  message: |\n    a.yaml:12:7: reply.a is 1, not <2>\n\n"
            "    - expected, + came\n    - 2\n    + 1\n\n  severity: fail\n  ...\n");
  EXPECT_EQ(TapResult(report.results[2], 3), "ok 3 - b.yaml: later # SKIP not yet\n");
}

TEST(Reports, AreJUnitWithASuiteForEachFile) {
  const std::string xml = JUnitXml("cloudstate-dev test", Sample());
  EXPECT_THAT(
      xml, HasSubstr("<testsuites name=\"cloudstate-dev test\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"b.yaml\" tests=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"a.yaml:12:7: reply.a is 1, not &lt;2&gt;\">"));
}

TEST(Reports, TellWhatKeptAllCasesFromRunning) {
  Report report;
  report.error = "It does not start.\n  | no such database";
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(TapBail(report.error), "Bail out! It does not start.   | no such database\n");
  EXPECT_THAT(JUnitXml("cloudstate-dev test", report),
              HasSubstr("<error message=\"It does not start.\">It does not start.\n  | no such database</error>"));
  EXPECT_THAT(ReportJson(report, WithCoverage::kNo), HasSubstr("\"error\":\"It does not start."));
}

// A terminal escape, a character that XML has not, and a byte that is no UTF-8.
TEST(Reports, WriteWhatIsNoTextByItsBytes) {
  Report report;
  report.results = {{.file = "a.yaml", .line = 2, .name = "\x1b[2J \xef\xbf\xbf \xe9 \xed\xa0\x80 ä", .took = {}}};
  const std::string bytes = "\\x1b[2J \\xef\\xbf\\xbf \\xe9 \\xed\\xa0\\x80 ä";
  EXPECT_THAT(JUnitXml("x", report), HasSubstr("name=\"" + bytes + "\""));
  EXPECT_THAT(ReportJson(report, WithCoverage::kNo), HasSubstr("\\u001b[2J \xef\xbf\xbf \xef\xbf\xbd "));
  const std::string tap = TapResult(report.results[0], 1);
  EXPECT_EQ(tap.find('\x1b'), std::string::npos) << tap;
}

TEST(Reports, AreJsonForScripts) {
  Report report = Sample();
  report.coverage.methods = {{"shop.Carts", "Add", true}, {"shop.Carts", "Watch", false}};
  const auto json = ParseJson(ReportJson(report, WithCoverage::kYes));
  ASSERT_TRUE(json.ok()) << json.status();
  const auto& fields = json->struct_value().fields();
  EXPECT_EQ(fields.at("failed").number_value(), 1);
  EXPECT_EQ(fields.at("cases").list_value().values_size(), 3);
  EXPECT_EQ(fields.at("coverage").struct_value().fields().at("percentOfMethods").number_value(), 50);
}

TEST(Coverages, TellWhatWasGivenButNeverStored) {
  dev::v1::ListServicesResponse services;
  dev::v1::Service& service = *services.add_services();
  service.set_name("shop.Carts");
  service.add_methods()->set_name("Add");
  service.add_methods()->set_name("Watch");
  Covered covered{.methods = {"shop.Carts.Add"}, .stored_events = {"shop.Added"}, .given_events = {"shop.Gone"}};
  const Coverage coverage = CoverageOf(services, covered);
  EXPECT_EQ(coverage.PercentOfMethods(), 50);
  ASSERT_EQ(coverage.events.size(), 2u);
  EXPECT_TRUE(coverage.events[0].stored);
  EXPECT_FALSE(coverage.events[1].stored);
  EXPECT_TRUE(coverage.events[1].given);
}

}  // namespace
}  // namespace cloudstate::testing
