#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// One table of the settings tells all that there is to know of each, but for what they mean together.

// Where a setting is kept.
template <typename Value>
using SettingPlace = Value& (*)(Settings&);
using SettingField = std::variant<SettingPlace<double>, SettingPlace<int>, SettingPlace<bool>,
                                  SettingPlace<absl::Duration>, SettingPlace<KnativeSettings::Metric>>;

// Of numbers, and of times in seconds.
struct SettingRange {
  double least = 0;
  double most = 0;
  std::string_view words;                        // what is expected, for people
  bool above_least = false;                      // the least itself is too little
  std::optional<double> besides = std::nullopt;  // this one as well, though it is out of the range
  bool percent = false;                          // may end with "%"
};

struct SettingRow {
  SettingInfo info;
  SettingField field;
  SettingRange range;
};

// In the order that people read them.
const std::vector<SettingRow>& SettingRows();

}  // namespace cloudstate::scaling
