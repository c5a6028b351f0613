#include "emulator/base/did_you_mean.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace cloudstate::base {
namespace {

// How many letters have to be put in, taken out, replaced, or exchanged with the next one.
std::size_t EditDistance(absl::string_view from, absl::string_view to) {
  std::vector<std::vector<std::size_t>> least(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) least[i][0] = i;
  for (std::size_t k = 0; k <= to.size(); ++k) least[0][k] = k;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    for (std::size_t k = 1; k <= to.size(); ++k) {
      const std::size_t replaced = least[i - 1][k - 1] + (from[i - 1] == to[k - 1] ? 0 : 1);
      least[i][k] = std::min({replaced, least[i - 1][k] + 1, least[i][k - 1] + 1});
      const bool exchanged = i > 1 && k > 1 && from[i - 1] == to[k - 2] && from[i - 2] == to[k - 1];
      if (exchanged) least[i][k] = std::min(least[i][k], least[i - 2][k - 2] + 1);
    }
  }
  return least[from.size()][to.size()];
}

}  // namespace

std::string DidYouMean(absl::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t kLongestWord = 40;
  if (word.size() > kLongestWord) return "";
  const std::string* nearest = nullptr;
  std::size_t distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t each = EditDistance(word, name);
    if (each >= distance) continue;
    distance = each;
    nearest = &name;
  }
  return nearest == nullptr ? "" : absl::StrCat("; did you mean '", *nearest, "'?");
}

}  // namespace cloudstate::base
