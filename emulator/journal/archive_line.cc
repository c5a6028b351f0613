#include "emulator/journal/archive_line.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/base/view.h"

namespace cloudstate::journal {
namespace {

constexpr char kArchiveTime[] = "%Y-%m-%dT%H:%M:%E*SZ";

bool IsEscaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// The character behind a backslash, and how many of `escape` tell it; 0 of them where it is no such thing.
struct Unescaped {
  char character = 0;
  std::size_t size = 0;
};

Unescaped Unescape(std::string_view escape) {
  if (escape.starts_with('"') || escape.starts_with('\\')) return {escape.front(), 1};
  unsigned code = 0;
  if (escape.size() < 5 || !escape.starts_with("u00") ||
      !absl::SimpleHexAtoi(base::ToAbsl(escape.substr(3, 2)), &code) || code >= 0x20) {
    return {};
  }
  return {static_cast<char>(code), 5};
}

}  // namespace

ArchiveLineWriter& ArchiveLineWriter::Raw(std::string_view text) {
  line_.append(text);
  return *this;
}

ArchiveLineWriter& ArchiveLineWriter::Text(std::string_view text) {
  line_.push_back('"');
  for (const char c : text) {
    if (!IsEscaped(c)) {
      line_.push_back(c);
    } else if (c == '"' || c == '\\') {
      line_.append({'\\', c});
    } else {
      absl::StrAppend(&line_, "\\u00", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  line_.push_back('"');
  return *this;
}

ArchiveLineWriter& ArchiveLineWriter::Bytes(std::string_view bytes) {
  absl::StrAppend(&line_, "\"", absl::Base64Escape(base::ToAbsl(bytes)), "\"");
  return *this;
}

ArchiveLineWriter& ArchiveLineWriter::Number(std::uint64_t number) {
  absl::StrAppend(&line_, number);
  return *this;
}

ArchiveLineWriter& ArchiveLineWriter::Time(std::int64_t nanoseconds) {
  absl::StrAppend(&line_, "\"", absl::FormatTime(kArchiveTime, absl::FromUnixNanos(nanoseconds), absl::UTCTimeZone()),
                  "\"");
  return *this;
}

bool ArchiveLineReader::Next(std::string_view text) {
  if (!status_.ok() || !Rest().starts_with(text)) return false;
  at_ += text.size();
  return true;
}

ArchiveLineReader& ArchiveLineReader::Raw(std::string_view text) {
  if (!Next(text)) Wrong(text);
  return *this;
}

ArchiveLineReader& ArchiveLineReader::Text(std::string& text) {
  text.clear();
  if (!Next("\"")) {
    Wrong("a text");
    return *this;
  }
  for (; at_ < line_.size() && line_[at_] != '"'; ++at_) {
    if (line_[at_] != '\\') {
      text.push_back(line_[at_]);
      continue;
    }
    const Unescaped unescaped = Unescape(line_.substr(at_ + 1));
    if (unescaped.size == 0) break;
    text.push_back(unescaped.character);
    at_ += unescaped.size;
  }
  if (!Next("\"")) Wrong("a text's next character, or its end");
  return *this;
}

std::string_view ArchiveLineReader::Quoted() {
  if (!Rest().starts_with('"')) return {};
  const std::size_t end = Rest().substr(1).find('"');
  return end == std::string_view::npos ? std::string_view() : Rest().substr(1, end);
}

ArchiveLineReader& ArchiveLineReader::Bytes(std::string& bytes) {
  bytes.clear();
  const std::string_view base64 = Quoted();
  if (!Rest().starts_with("\"") || !absl::Base64Unescape(base::ToAbsl(base64), &bytes)) {
    Wrong("bytes in base64");
  } else {
    at_ += base64.size() + 1;
    if (!Next("\"")) Wrong("the end of the bytes");
  }
  return *this;
}

ArchiveLineReader& ArchiveLineReader::Number(std::uint64_t& number) {
  std::size_t size = 0;
  while (size < Rest().size() && absl::ascii_isdigit(static_cast<unsigned char>(Rest()[size]))) ++size;
  if (size == 0 || !absl::SimpleAtoi(base::ToAbsl(Rest().substr(0, size)), &number)) {
    Wrong("a number");
  } else {
    at_ += size;
  }
  return *this;
}

ArchiveLineReader& ArchiveLineReader::Number(std::int64_t& number) {
  std::uint64_t any = 0;
  const std::size_t begin = at_;
  Number(any);
  if (any > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    at_ = begin;
    Wrong("a number of 63 bits");
    any = 0;
  }
  number = static_cast<std::int64_t>(any);
  return *this;
}

ArchiveLineReader& ArchiveLineReader::Time(std::int64_t& nanoseconds) {
  const std::string_view text = Quoted();
  absl::Time time;
  std::string error;
  if (text.empty() || !absl::ParseTime(kArchiveTime, base::ToAbsl(text), absl::UTCTimeZone(), &time, &error)) {
    Wrong("a time");
    return *this;
  }
  nanoseconds = absl::ToUnixNanos(time);
  at_ += text.size() + 2;
  return *this;
}

void ArchiveLineReader::Wrong(std::string_view expected) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat("column ", at_ + 1, ": there should be ", base::ToAbsl(expected)));
}

absl::Status ArchiveLineReader::End() {
  if (status_.ok() && at_ != line_.size()) Wrong("the end of the line");
  return status_;
}

}  // namespace cloudstate::journal
