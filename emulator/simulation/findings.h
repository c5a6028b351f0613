#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "emulator/simulation/history.h"

namespace cloudstate::simulation {

// Violations as they are found, only so many of each kind, and how they speak of operations. Of the implementation of
// checks.
class Findings {
 public:
  explicit Findings(absl::Time origin) : origin_(origin) {}

  void Add(const std::string& invariant, std::string text) {
    if (++found_[invariant] <= kMostPerInvariant) violations_.push_back({invariant, std::move(text)});
  }

  std::vector<Violation> Take() {
    for (const auto& [invariant, count] : found_) {
      if (count > kMostPerInvariant) {
        violations_.push_back({invariant, absl::StrCat("and ", count - kMostPerInvariant, " more")});
      }
    }
    return std::move(violations_);
  }

  std::string Describe(const Operation& operation) const {
    std::string text =
        operation.kind == Operation::Kind::kWrite ? absl::StrCat("write ", operation.id) : std::string("a read");
    absl::StrAppend(&text, " of ", operation.entity.ToString(), " by client ", operation.client);
    if (operation.node != 0) absl::StrAppend(&text, " at node ", operation.node);
    if (operation.returned == absl::InfiniteFuture()) {
      return absl::StrCat(text, " (since ", Seconds(operation.invoked), ")");
    }
    return absl::StrCat(text, " (", Seconds(operation.invoked), " to ", Seconds(operation.returned), ")");
  }

  std::string Seconds(absl::Time time) const { return absl::StrFormat("%.6fs", absl::ToDoubleSeconds(time - origin_)); }

 private:
  static constexpr std::size_t kMostPerInvariant = 20;

  const absl::Time origin_;
  std::vector<Violation> violations_;
  std::map<std::string, std::size_t> found_;
};

}  // namespace cloudstate::simulation
