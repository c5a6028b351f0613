#include "emulator/testing/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "emulator/base/junit_xml.h"
#include "emulator/base/printable.h"
#include "emulator/testing/json_value.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::testing {
namespace {

// In one line, in which # would begin something else.
std::string TapText(const std::string& text) {
  return absl::StrReplaceAll(base::Printable(absl::StrReplaceAll(text, {{"\n", " "}})), {{"\\", "\\\\"}, {"#", "\\#"}});
}

// What is no UTF-8, of a user function's errors, would be no JSON.
Json ReportedText(const std::string& text) { return TextValue(userfunction::ToUtf8(text)); }

Json ListOf(const std::vector<std::string>& texts) {
  Json list;
  list.mutable_list_value();
  for (const std::string& text : texts) *list.mutable_list_value()->add_values() = ReportedText(text);
  return list;
}

Json TruthValue(bool truth) {
  Json value;
  value.set_bool_value(truth);
  return value;
}

class JsonObject {
 public:
  JsonObject() { value_.mutable_struct_value(); }
  JsonObject& Set(const std::string& name, Json value) {
    (*value_.mutable_struct_value()->mutable_fields())[name] = std::move(value);
    return *this;
  }
  JsonObject& Set(const std::string& name, const std::string& text) { return Set(name, ReportedText(text)); }
  JsonObject& Set(const std::string& name, std::size_t number) {
    return Set(name, NumberValue(static_cast<double>(number)));
  }
  const Json& value() const { return value_; }

 private:
  Json value_;
};

Json ResultJson(const CaseResult& result) {
  JsonObject json;
  json.Set("file", result.file).Set("name", result.name).Set("outcome", std::string(base::OutcomeName(result.outcome)));
  json.Set("line", static_cast<std::size_t>(result.line));
  json.Set("seconds", NumberValue(absl::ToDoubleSeconds(result.took)));
  if (!result.reason.empty()) json.Set("reason", result.reason);
  if (result.outcome == Outcome::kFailed) {
    json.Set("place", result.failure.place).Set("problem", result.failure.problem);
    json.Set("difference", ListOf(result.failure.difference)).Set("steps", ListOf(result.failure.steps));
  }
  return json.value();
}

Json CoverageJson(const Coverage& coverage) {
  Json methods;
  Json events;
  for (Json* list : {&methods, &events}) list->mutable_list_value();
  for (const Coverage::Method& each : coverage.methods) {
    *methods.mutable_list_value()->add_values() = JsonObject()
                                                      .Set("service", each.service)
                                                      .Set("method", each.method)
                                                      .Set("called", TruthValue(each.called))
                                                      .value();
  }
  for (const Coverage::EventType& each : coverage.events) {
    *events.mutable_list_value()->add_values() = JsonObject()
                                                     .Set("type", each.name)
                                                     .Set("stored", TruthValue(each.stored))
                                                     .Set("given", TruthValue(each.given))
                                                     .value();
  }
  return JsonObject()
      .Set("methods", methods)
      .Set("events", events)
      .Set("percentOfMethods", NumberValue(coverage.PercentOfMethods()))
      .value();
}

base::JUnitCase ToJUnit(const CaseResult& result) {
  base::JUnitCase junit;
  junit.classname = result.file;
  junit.name = result.name;
  junit.took = result.took;
  junit.outcome = result.outcome;
  junit.message = result.reason;
  if (result.outcome == Outcome::kFailed) {
    junit.message = absl::StrCat(result.failure.place, ": ", result.failure.problem);
    junit.text = FailureText(result.failure);
  }
  return junit;
}

}  // namespace

std::size_t Report::Count(Outcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [&](const CaseResult& each) { return each.outcome == outcome; }));
}

std::string CaseId(const CaseResult& result) { return absl::StrCat(result.file, ": ", result.name); }

std::string TapPlan(std::size_t cases) { return absl::StrCat("1..", cases, "\n"); }

std::string TapBail(const std::string& error) { return absl::StrCat("Bail out! ", TapText(error), "\n"); }

std::string TapResult(const CaseResult& result, std::size_t number) {
  const std::string name = TapText(CaseId(result));
  switch (result.outcome) {
    case Outcome::kPassed:
      return absl::StrCat("ok ", number, " - ", name, "\n");
    case Outcome::kSkipped:
      return absl::StrCat("ok ", number, " - ", name, " # SKIP ", TapText(result.reason), "\n");
    default:
      break;
  }
  const bool failed = result.outcome == Outcome::kFailed;
  std::string yaml = absl::StrCat("not ok ", number, " - ", name, "\n  ---\n  message: |\n");
  const std::string text = failed ? FailureText(result.failure) : absl::StrCat("not run: ", result.reason);
  for (const auto line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&yaml, line.empty() ? "" : "    ", base::Printable({line.data(), line.size()}), "\n");
  }
  return absl::StrCat(yaml, "  severity: fail\n  ...\n");
}

std::string JUnitXml(const std::string& name, const Report& report) {
  std::vector<base::JUnitSuite> suites;
  for (const CaseResult& each : report.results) {
    if (suites.empty() || suites.back().name != each.file) suites.push_back({each.file, {}});
    suites.back().cases.push_back(ToJUnit(each));
  }
  if (!report.error.empty()) {
    const std::string sentence = report.error.substr(0, report.error.find('\n'));
    suites.push_back({name,
                      {{.classname = name,
                        .name = "start",
                        .took = report.took,
                        .outcome = Outcome::kNotRun,
                        .message = sentence,
                        .text = report.error}}});
  }
  return base::JUnitXml(name, suites);
}

std::string ReportJson(const Report& report, WithCoverage coverage) {
  Json cases;
  cases.mutable_list_value();
  for (const CaseResult& each : report.results) *cases.mutable_list_value()->add_values() = ResultJson(each);
  JsonObject json;
  json.Set("cases", cases).Set("seconds", NumberValue(absl::ToDoubleSeconds(report.took)));
  for (const Outcome each : {Outcome::kPassed, Outcome::kFailed, Outcome::kSkipped, Outcome::kNotRun}) {
    json.Set(base::OutcomeName(each), report.Count(each));
  }
  json.Set("interrupted", TruthValue(report.interrupted));
  if (!report.error.empty()) json.Set("error", report.error);
  if (coverage == WithCoverage::kYes) json.Set("coverage", CoverageJson(report.coverage));
  return JsonText(json.value()) + "\n";
}

}  // namespace cloudstate::testing
