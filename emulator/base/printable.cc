#include "emulator/base/printable.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace cloudstate::base {
namespace {

unsigned char Byte(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

// C0, DEL, C1, which some terminals obey as well, and U+FFFE and U+FFFF, which are none by their definition.
bool IsControl(std::string_view character) {
  const unsigned char first = Byte(character, 0);
  return first < 0x20 || first == 0x7F || (first == 0xC2 && Byte(character, 1) < 0xA0) ||
         (first == 0xEF && Byte(character, 1) == 0xBF && Byte(character, 2) >= 0xBE);
}

}  // namespace

std::size_t CharacterBytes(std::string_view text) {
  const unsigned char first = Byte(text, 0);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xC2 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((Byte(text, i) & 0xC0) != 0x80) return 0;
  }
  if (size < 3) return size;
  const unsigned char second = Byte(text, 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || no_character ? 0 : size;
}

std::string_view Beginning(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  std::size_t end = most_bytes;
  while (end > 0 && (Byte(text, end) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string Printable(std::string_view text, std::string_view kept) {
  std::string printable;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = CharacterBytes(rest);
    const std::string_view character = rest.substr(0, std::max<std::size_t>(size, 1));
    if (size > 0 && (!IsControl(character) || kept.find(character) != std::string_view::npos)) {
      printable.append(character);
    } else {
      for (const char each : character) absl::StrAppendFormat(&printable, "\\x%02x", static_cast<unsigned char>(each));
    }
    rest.remove_prefix(character.size());
  }
  return printable;
}

}  // namespace cloudstate::base
