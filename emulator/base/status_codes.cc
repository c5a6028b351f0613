#include "emulator/base/status_codes.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "emulator/base/did_you_mean.h"

namespace cloudstate::base {

const std::vector<std::string>& CodeNames() {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>();
    for (int code = 0; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
      all->push_back(absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
    }
    return all;
  }();
  return *names;
}

std::string CodeName(int code) {
  const bool has_name = code >= 0 && static_cast<std::size_t>(code) < CodeNames().size();
  return has_name ? CodeNames()[static_cast<std::size_t>(code)] : absl::StrCat(code);
}

std::optional<int> CodeOf(const std::string& text) {
  const std::vector<std::string>& names = CodeNames();
  std::size_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number < names.size()) return static_cast<int>(number);
  const std::string name = absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{" ", "_"}, {"-", "_"}});
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::make_optional(static_cast<int>(found - names.begin()));
}

std::string NoSuchCode(const std::string& text) {
  std::string hint = DidYouMean(absl::AsciiStrToUpper(text), CodeNames());
  if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(CodeNames(), ", "));
  return absl::StrCat("there is no status code '", text, "'", hint);
}

}  // namespace cloudstate::base
