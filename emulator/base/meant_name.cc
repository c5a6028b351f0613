#include "emulator/base/meant_name.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/names.h"

namespace cloudstate::base {

absl::StatusOr<std::string> MeantName(std::string_view none, const std::string& written,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> meant;
  for (const std::string& name : names) {
    if (name == written) return name;
    if (MeansName(written, name)) meant.push_back(name);
  }
  if (meant.size() == 1) return meant.front();
  if (meant.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("several are called '", written, "': write one of ", absl::StrJoin(meant, ", ")));
  }
  std::vector<std::string> near = names;
  for (const std::string& name : names) near.push_back(LastPart(name));
  std::string hint = DidYouMean(written, near);
  if (hint.empty() && !names.empty()) {
    constexpr std::size_t kMostListed = 20;
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostListed));
    hint = absl::StrCat("; there is ", absl::StrJoin(names.begin(), end, ", "), end == names.end() ? "" : ", …");
  }
  return absl::NotFoundError(absl::StrCat(std::string(none), " '", written, "'", hint));
}

}  // namespace cloudstate::base
