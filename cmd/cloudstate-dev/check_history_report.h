#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "cmd/cloudstate-dev/check_history_entity.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/testing/report.h"

namespace cloudstate::cli {

// "does not load", "stores other events", …
std::string FindingName(FindingKind kind);
// For scripts: "doesNotLoad", …
std::string FindingCode(FindingKind kind);

// What came of checking entities, one after the other. For one thread at a time.
class HistoryReport {
 public:
  void Add(const EntityHistory& history);

  // What was found about an entity, for people; empty for one that is as it was.
  static std::string FormatEntity(const EntityHistory& history, const Terminal& terminal);
  // One line that tells what came of all, and fields to ignore if there are any that vary by nature.
  std::string FormatSummary(absl::Duration took, const Terminal& terminal) const;
  std::string Json(absl::Duration took) const;
  // A case for each entity.
  std::string JUnit(absl::Duration took) const;

  bool failed() const { return findings_ > 0 || failures_ > 0; }
  std::int64_t entities() const { return entities_; }

 private:
  std::int64_t entities_ = 0;
  std::int64_t commands_ = 0;
  std::int64_t findings_ = 0;
  std::int64_t failures_ = 0;
  std::map<FindingKind, std::int64_t> by_kind_;
  std::map<std::string, std::int64_t> varying_;  // how often each field was
  std::string entities_json_;                    // with findings
  testing::Report cases_;
};

}  // namespace cloudstate::cli
