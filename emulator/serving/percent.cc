#include "emulator/serving/percent.h"

#include "absl/strings/str_cat.h"
#include "emulator/base/hex_digit.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::serving {
absl::StatusOr<std::string> PercentDecode(std::string_view text, PercentDecoding decoding) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && decoding == PercentDecoding::kForm) {
      decoded.push_back(' ');
    } else if (text[i] != '%') {
      decoded.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? base::HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? base::HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return absl::InvalidArgumentError(absl::StrCat("'", std::string(text.substr(i, 3)),
                                                       "' is not a percent-encoded byte; write a percent sign as %25"));
      }
      const char byte = static_cast<char>(high * 16 + low);
      if (byte == '/' && decoding == PercentDecoding::kAllButSlashes) {
        decoded.append(text.substr(i, 3));
      } else {
        decoded.push_back(byte);
      }
      i += 2;
    }
  }
  if (!userfunction::IsValidUtf8(decoded)) {
    return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "' does not decode to valid UTF-8"));
  }
  return decoded;
}

}  // namespace cloudstate::serving
