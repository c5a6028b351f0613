#include "emulator/userfunction/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "emulator/base/printable.h"

namespace cloudstate::userfunction {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

// How the first byte of a sequence limits the rest: its length, and the range of its second byte.
struct Lead {
  int length = 0;  // 0: no sequence starts so
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xbf;
};

Lead LeadOf(std::uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {.length = 2};
  if (byte == 0xe0) return {.length = 3, .second_min = 0xa0};
  if (byte == 0xed) return {.length = 3, .second_max = 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {.length = 3};
  if (byte == 0xf0) return {.length = 4, .second_min = 0x90};
  if (byte == 0xf4) return {.length = 4, .second_max = 0x8f};
  if (byte >= 0xf1 && byte <= 0xf3) return {.length = 4};
  return {};
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const Lead lead = LeadOf(*at);
    if (lead.length == 0 || end - at < lead.length) return false;
    if (at[1] < lead.second_min || at[1] > lead.second_max) return false;
    for (int i = 2; i < lead.length; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
    }
    at += lead.length;
  }
  return true;
}

std::string ToUtf8(std::string_view text) {
  if (IsValidUtf8(text)) return std::string(text);
  std::string result;
  while (!text.empty()) {
    const std::size_t size = base::CharacterBytes(text);
    if (size == 0) {
      result += kReplacement;
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result;
}

}  // namespace cloudstate::userfunction
