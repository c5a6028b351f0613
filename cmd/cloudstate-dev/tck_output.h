#pragma once

#include <string>
#include <vector>

#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/tck/runner.h"

namespace cloudstate::cli {

// Shows a run of the conformance kit while it goes on: on a terminal a line for each section, which counts up;
// elsewhere one when it is done. Failures are told when they happen.
class TckProgress final : public tck::RunListener {
 public:
  explicit TckProgress(const Terminal& terminal) : terminal_(terminal) {}

  void OnStart(const tck::Report& report, std::size_t cases) override;
  void OnSection(const std::string& section, std::size_t cases) override;
  void OnResult(const tck::CaseResult& result) override;

 private:
  std::string Line() const;

  const Terminal terminal_;
  std::string section_;
  std::size_t cases_ = 0;
  std::vector<tck::CaseResult> results_;  // of this section, so far
};

// What it comes to: counts, what failed, what was skipped or not run, and why.
std::string TckSummary(const tck::Report& report, const Terminal& terminal);

// The whole report as one JSON document, with its end of line.
std::string TckJson(const tck::Report& report);

// The cases, for --list: a line for each, or one JSON document.
std::string TckList(const std::vector<tck::Section>& sections, const Terminal& terminal);
std::string TckListJson(const std::vector<tck::Section>& sections);

}  // namespace cloudstate::cli
