#include "emulator/userfunction/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/escaping.h"
#include "emulator/base/view.h"

namespace cloudstate::userfunction {
namespace {

void AppendEscape(char character, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (character) {
    case '"':
    case '\\':
      out.append({'\\', character});
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\u00");
      out.push_back(kHex[static_cast<unsigned char>(character) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(character) & 0xf]);
  }
}

template <typename Float>
void AppendFloat(Float value, std::string& out) {
  if (std::isnan(value)) {
    out.append("\"NaN\"");
  } else if (std::isinf(value)) {
    out.append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else {
    // Fixed notation where people expect it, as JavaScript has it.
    const Float size = std::abs(value);
    const bool fixed = size == 0 || (size >= Float(1e-6) && size < Float(1e21));
    std::array<char, 64> text;
    const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
    out.append(text.data(), end);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  std::size_t unwritten = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (static_cast<unsigned char>(character) >= 0x20 && character != '"' && character != '\\') continue;
    out.append(text.substr(unwritten, i - unwritten));
    AppendEscape(character, out);
    unwritten = i + 1;
  }
  out.append(text.substr(unwritten));
  out.push_back('"');
}

void AppendJsonNumber(double value, std::string& out) { AppendFloat(value, out); }
void AppendJsonNumber(float value, std::string& out) { AppendFloat(value, out); }

void AppendJsonBytes(std::string_view bytes, std::string& out) {
  std::string base64;
  absl::Base64Escape(base::ToAbsl(bytes), &base64);
  out.push_back('"');
  out.append(base64);
  out.push_back('"');
}

}  // namespace cloudstate::userfunction
