#include "scaling_cases.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace cloudstate::scaling {
namespace {

// Reads one file. What holds "from now on" is kept between lines.
class CaseReader {
 public:
  CaseReader(std::string file, Mode mode) : file_(std::move(file)) { defaults_.mode = mode; }

  std::vector<ScalingCase> Read();

 private:
  [[noreturn]] void Fail(absl::string_view what) const;
  void ReadLine(absl::string_view line);
  void Begin(absl::string_view name);
  void ReadSettings(absl::string_view text);
  void ReadSteps(absl::string_view text);
  void ReadStep(absl::Time at, absl::string_view what, absl::string_view expected);
  void ReadPart(absl::string_view part, ScalingStep& step);
  void ReadExpected(absl::string_view text, ScalingStep& step) const;
  NodeReport ReadReport(std::uint32_t node, const std::vector<absl::string_view>& words) const;

  int Whole(absl::string_view text) const;
  double Number(absl::string_view text) const;
  absl::Duration Time(absl::string_view text) const;
  // KEY=VALUE
  std::pair<std::string, absl::string_view> Pair(absl::string_view text) const;

  const std::string file_;
  int line_ = 0;
  Settings defaults_;
  std::vector<ScalingCase> cases_;

  // Of the case that is being read.
  Settings settings_;
  int ready_ = 0;
  int wanted_ = 0;
  bool upgrading_ = false;
  absl::Time now_;
  absl::Duration since_last_;
};

std::vector<ScalingCase> CaseReader::Read() {
  std::ifstream in(file_);
  if (!in) Fail("cannot be opened");
  for (std::string line; std::getline(in, line);) {
    ++line_;
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (!text.empty() && text.front() != '#') ReadLine(text);
  }
  return std::move(cases_);
}

void CaseReader::Fail(absl::string_view what) const {
  std::fprintf(stderr, "%s:%d: %s\n", file_.c_str(), line_, std::string(what).c_str());
  std::exit(2);
}

void CaseReader::ReadLine(absl::string_view line) {
  if (absl::ConsumePrefix(&line, "case ")) return Begin(line);
  if (cases_.empty()) Fail("expected a case");
  if (absl::ConsumePrefix(&line, "why ")) return;
  if (absl::ConsumePrefix(&line, "set ")) return ReadSettings(line);
  if (absl::ConsumePrefix(&line, "ready ")) {
    wanted_ = ready_ = Whole(line);
    return;
  }
  if (absl::ConsumePrefix(&line, "wanted ")) {
    wanted_ = Whole(line);
    return;
  }
  if (absl::ConsumePrefix(&line, "at ")) return ReadSteps(line);
  Fail("expected case, why, set, ready, wanted or at");
}

void CaseReader::Begin(absl::string_view name) {
  for (const ScalingCase& each : cases_) {
    if (each.name == name) Fail("there is a case of this name already");
  }
  cases_.push_back({.name = std::string(name), .steps = {}});
  settings_ = defaults_;
  ready_ = wanted_ = 1;
  upgrading_ = false;
  now_ = absl::UnixEpoch();
}

void CaseReader::ReadSettings(absl::string_view text) {
  for (absl::string_view each : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const auto [name, value] = Pair(each);
    const absl::Status set = Set(settings_, name, std::string(value));
    if (!set.ok()) Fail(set.message());
  }
}

void CaseReader::ReadSteps(absl::string_view text) {
  const std::vector<absl::string_view> halves = absl::StrSplit(text, "=>");
  const std::pair<absl::string_view, absl::string_view> begun = absl::StrSplit(halves[0], absl::MaxSplits(':', 1));
  if (halves.size() != 2) Fail("expected one =>");
  const std::vector<absl::string_view> times = absl::StrSplit(begun.first, "..");
  const absl::Time last = absl::UnixEpoch() + Time(times.back());
  for (absl::Time at = absl::UnixEpoch() + Time(times.front()); at <= last; at += settings_.tick) {
    ReadStep(at, begun.second, halves[1]);
  }
}

void CaseReader::ReadStep(absl::Time at, absl::string_view what, absl::string_view expected) {
  if (at <= now_) Fail("times have to rise");
  since_last_ = now_ == absl::UnixEpoch() ? settings_.tick : at - now_;
  now_ = at;
  const bool first = cases_.back().steps.empty();
  ScalingStep step{.line = line_,
                   .settings = settings_,
                   .measurement = {},
                   .wanted_told = first,
                   .phase = "",
                   .figures = {},
                   .path = ""};
  for (absl::string_view part : absl::StrSplit(what, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (!part.empty()) ReadPart(part, step);
  }
  step.measurement.now = at;
  step.measurement.ready = ready_;
  step.measurement.wanted = wanted_;
  step.measurement.upgrading = upgrading_;
  ReadExpected(expected, step);
  cases_.back().steps.push_back(std::move(step));
}

void CaseReader::ReadPart(absl::string_view part, ScalingStep& step) {
  std::vector<absl::string_view> words = absl::StrSplit(part, ' ', absl::SkipEmpty());
  const absl::string_view kind = words.front();
  if (kind == "upgrading" || kind == "upgraded") {
    upgrading_ = kind == "upgrading";
  } else if (kind == "all") {
    words.erase(words.begin());
    for (int node = 1; node <= ready_; ++node) {
      step.measurement.reports.push_back(ReadReport(static_cast<std::uint32_t>(node), words));
    }
  } else if (kind == "node" && words.size() > 1) {
    const int node = Whole(words[1]);
    words.erase(words.begin(), words.begin() + 2);
    step.measurement.reports.push_back(ReadReport(static_cast<std::uint32_t>(node), words));
  } else if (kind == "activator") {
    words.erase(words.begin());
    step.measurement.reports.push_back(ReadReport(0, words));
  } else if (absl::StartsWith(kind, "ready=")) {
    ready_ = Whole(Pair(kind).second);
  } else if (absl::StartsWith(kind, "wanted=")) {
    wanted_ = Whole(Pair(kind).second);
    step.wanted_told = true;
  } else {
    Fail(absl::StrCat("'", part, "' is nothing that happens"));
  }
}

NodeReport CaseReader::ReadReport(std::uint32_t node, const std::vector<absl::string_view>& words) const {
  NodeReport report{
      .node = node, .end = now_, .length = since_last_, .requests = {}, .user_function = {}, .journal = {}};
  for (absl::string_view word : words) {
    const auto [key, value] = Pair(word);
    if (key == "for") {
      report.length = Time(value);
    } else if (key == "requests") {
      report.requests.concurrency = Number(value);
    } else if (key == "count") {
      report.requests.count = Whole(value);
    } else if (key == "uf") {
      report.user_function.concurrency = Number(value);
    } else if (key == "journal") {
      report.journal.concurrency = Number(value);
    } else {
      Fail(absl::StrCat("nothing is called ", key));
    }
  }
  return report;
}

void CaseReader::ReadExpected(absl::string_view text, ScalingStep& step) const {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  const std::pair<absl::string_view, absl::string_view> first =
      absl::StrSplit(absl::StripAsciiWhitespace(parts[0]), absl::MaxSplits(' ', 1));
  step.wanted = Whole(first.first);
  step.phase = std::string(first.second);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const absl::string_view part = absl::StripAsciiWhitespace(parts[i]);
    if (part == "activator" || part == "direct") {
      step.path = std::string(part);
      continue;
    }
    const auto [name, value] = Pair(part);
    step.figures.push_back({.name = name, .value = Number(value)});
  }
}

int CaseReader::Whole(absl::string_view text) const {
  int value = 0;
  if (!absl::SimpleAtoi(text, &value)) Fail(absl::StrCat("'", text, "' is no whole number"));
  return value;
}

double CaseReader::Number(absl::string_view text) const {
  double value = 0;
  if (!absl::SimpleAtod(text, &value)) Fail(absl::StrCat("'", text, "' is no number"));
  return value;
}

absl::Duration CaseReader::Time(absl::string_view text) const {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value)) Fail(absl::StrCat("'", text, "' is no time"));
  return value;
}

std::pair<std::string, absl::string_view> CaseReader::Pair(absl::string_view text) const {
  const std::size_t equals = text.find('=');
  if (equals == absl::string_view::npos) Fail(absl::StrCat("'", text, "' has no ="));
  return {std::string(text.substr(0, equals)), text.substr(equals + 1)};
}

}  // namespace

std::vector<ScalingCase> ReadScalingCases(const std::string& file, Mode mode) { return CaseReader(file, mode).Read(); }

}  // namespace cloudstate::scaling
