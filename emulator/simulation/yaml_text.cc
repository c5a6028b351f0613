#include "emulator/simulation/yaml_text.h"

#include <charconv>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace cloudstate::simulation {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

// Anything that YAML might take for something else gets quotation marks: better too many than too few.
bool IsPlain(const std::string& text) {
  if (text.empty()) return false;
  if (!absl::ascii_isalpha(static_cast<unsigned char>(text.front())) && text.front() != '$') return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (absl::EqualsIgnoreCase(text, word)) return false;
  }
  for (const char c : text) {
    if (IsControl(c) || absl::StrContains("[]{},#&*!|>'\"%@`", std::string(1, c))) return false;
  }
  return !absl::StrContains(text, ": ");
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (IsControl(c)) {
      absl::StrAppendFormat(&quoted, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace

std::string YamlScalar(const std::string& text) { return IsPlain(text) ? text : Quoted(text); }

std::optional<std::string> YamlLiteral(const std::string& text, const std::string& indent) {
  const bool ends = absl::EndsWith(text, "\n");
  const std::string body = ends ? text.substr(0, text.size() - 1) : text;
  if (!absl::StrContains(text, '\n') || body.empty() || body.front() == ' ' || body.front() == '\n')
    return std::nullopt;
  if (body.back() == '\n') return std::nullopt;
  std::string lines = ends ? "|" : "|-";
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(body, '\n'))) {
    for (const char c : line) {
      if (IsControl(c)) return std::nullopt;
    }
    if (!line.empty() && line.find_first_not_of(' ') == std::string::npos) return std::nullopt;
    absl::StrAppend(&lines, "\n", line.empty() ? "" : indent, line);
  }
  return lines;
}

std::string YamlNumber(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

}  // namespace cloudstate::simulation
