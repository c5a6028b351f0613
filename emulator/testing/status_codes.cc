#include "emulator/testing/status_codes.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "emulator/base/did_you_mean.h"

namespace cloudstate::testing {
namespace {

constexpr int kCodes = 17;

std::vector<std::string> CodeNames() {
  std::vector<std::string> names;
  for (int code = 0; code < kCodes; ++code) names.push_back(CodeText(code));
  return names;
}

}  // namespace

std::string CodeText(int code) {
  const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  return name.empty() ? absl::StrCat(code) : name;
}

std::optional<int> CodeOf(const std::string& text) {
  int number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= 0 && number < kCodes) return number;
  const std::string name = absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{" ", "_"}, {"-", "_"}});
  const std::vector<std::string> names = CodeNames();
  for (int code = 0; code < kCodes; ++code) {
    if (names[static_cast<std::size_t>(code)] == name) return code;
  }
  return std::nullopt;
}

std::string NoSuchCode(const std::string& text) {
  const std::vector<std::string> names = CodeNames();
  std::string hint = base::DidYouMean(absl::AsciiStrToUpper(text), names);
  if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
  return absl::StrCat("there is no status code '", text, "'", hint);
}

}  // namespace cloudstate::testing
