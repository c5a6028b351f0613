#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/entity.pb.h"
#include "emulator/tck/case.h"
#include "emulator/tck/report.h"
#include "emulator/tck/waiting.h"

namespace cloudstate::tck {

struct RunOptions {
  std::string user_function;  // HOST:PORT
  std::vector<Section> sections;
  absl::Duration timeout = absl::Seconds(5);    // of one case
  absl::Duration start_up = absl::Seconds(30);  // until the user function has answered discovery
  bool fail_fast = false;
};

// What happens, for whoever watches. On the thread that calls Run.
class RunListener {
 public:
  virtual ~RunListener() = default;
  // The user function has answered discovery; `cases` is how many there are to run or to skip.
  virtual void OnStart(const Report&, std::size_t /*cases*/) {}
  virtual void OnSection(const std::string& /*section*/, std::size_t /*cases*/) {}
  virtual void OnResult(const CaseResult&) {}
};

// The sections with those of their cases that the filters take (see Filter).
std::vector<Section> Chosen(const std::vector<Section>& sections, const std::vector<std::string>& filters);

// Runs the cases one after the other. UNAVAILABLE or DEADLINE_EXCEEDED when the user function is not there, or does not
// answer discovery; what goes wrong later is in the report. `waiting` can be interrupted from another thread: the case
// that runs is then dropped, and the report ends there.
absl::StatusOr<Report> Run(const RunOptions& options, Waiting& waiting, RunListener& listener);

}  // namespace cloudstate::tck
