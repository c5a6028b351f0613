#include "emulator/userfunction/json_check.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "emulator/base/hex_digit.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::userfunction {
namespace {

bool IsDigit(char character) { return character >= '0' && character <= '9'; }

class Checker {
 public:
  Checker(std::string_view text, int max_depth) : text_(text), max_depth_(max_depth) {}

  absl::Status Check() {
    if (!IsValidUtf8(text_)) return absl::InvalidArgumentError("the JSON is not valid UTF-8");
    SkipSpace();
    if (CheckValue(0)) {
      SkipSpace();
      if (at_ < text_.size()) Expect("nothing after the value");
    }
    if (problem_.empty()) return absl::OkStatus();
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return absl::InvalidArgumentError(
        absl::StrCat("line ", line, ", column ", at_ - line_start + 1, ": expected ", problem_));
  }

 private:
  bool Expect(absl::string_view what) {
    if (problem_.empty()) problem_ = what;
    return false;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool Skip(char character) {
    if (Peek() != character || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  void SkipDigits() {
    while (IsDigit(Peek())) ++at_;
  }

  bool CheckValue(int depth) {
    switch (Peek()) {
      case '{':
        return CheckItems(depth + 1, '}', &Checker::CheckMember);
      case '[':
        return CheckItems(depth + 1, ']', &Checker::CheckValue);
      case '"':
        return CheckString();
      case 't':
        return CheckWord("true");
      case 'f':
        return CheckWord("false");
      case 'n':
        return CheckWord("null");
      default:
        return CheckNumber();
    }
  }

  // The items of an object or an array, which closes with `end`.
  bool CheckItems(int depth, char end, bool (Checker::*check_item)(int)) {
    if (depth > max_depth_) return Expect("fewer levels of nesting");
    ++at_;
    SkipSpace();
    if (Skip(end)) return true;
    while (true) {
      if (!(this->*check_item)(depth)) return false;
      SkipSpace();
      if (Skip(end)) return true;
      if (!Skip(',')) return Expect(end == '}' ? "',' or '}'" : "',' or ']'");
      SkipSpace();
    }
  }

  bool CheckMember(int depth) {
    if (Peek() != '"') return Expect("a name in double quotes");
    if (!CheckString()) return false;
    SkipSpace();
    if (!Skip(':')) return Expect("':'");
    SkipSpace();
    return CheckValue(depth);
  }

  bool CheckString() {
    ++at_;
    while (at_ < text_.size()) {
      if (Skip('"')) return true;
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return Expect("no control character in a string");
      if (Skip('\\')) {
        if (!CheckEscape()) return false;
      } else {
        ++at_;
      }
    }
    return Expect("the string's closing quote");
  }

  bool CheckEscape() {
    if (Skip('u')) {
      for (int i = 0; i < 4; ++i, ++at_) {
        if (base::HexDigit(Peek()) < 0) return Expect("four hexadecimal digits");
      }
      return true;
    }
    if (at_ >= text_.size() || std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos)
      return Expect("a known escape");
    ++at_;
    return true;
  }

  bool CheckWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return Expect("a value");
    at_ += word.size();
    return true;
  }

  bool CheckNumber() {
    Skip('-');
    if (!IsDigit(Peek())) return Expect(at_ < text_.size() ? "a value" : "a value before the end");
    if (!Skip('0')) SkipDigits();
    if (Skip('.')) {
      if (!IsDigit(Peek())) return Expect("a digit after the point");
      SkipDigits();
    }
    if (Skip('e') || Skip('E')) {
      if (!Skip('+')) Skip('-');
      if (!IsDigit(Peek())) return Expect("a digit in the exponent");
      SkipDigits();
    }
    return true;
  }

  const std::string_view text_;
  const int max_depth_;
  std::size_t at_ = 0;
  absl::string_view problem_;
};

}  // namespace

absl::Status CheckJson(std::string_view text, int max_depth) { return Checker(text, max_depth).Check(); }

}  // namespace cloudstate::userfunction
