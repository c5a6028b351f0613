#include "emulator/runtime/log_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::runtime {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

// Bytes of the character that `text` begins with; 0 where they are none.
std::size_t CharacterSize(std::string_view text) {
  if (static_cast<unsigned char>(text.front()) < 0x80) return 1;
  for (std::size_t size = 2; size <= std::min<std::size_t>(4, text.size()); ++size) {
    if (userfunction::IsValidUtf8(text.substr(0, size))) return size;
  }
  return 0;
}

std::string ToUtf8(std::string_view text) {
  if (userfunction::IsValidUtf8(text)) return std::string(text);
  std::string result;
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    if (size == 0) {
      result += kReplacement;
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result;
}

// Cut between characters: what follows the last whole one is less than four bytes.
std::string Shortened(std::string_view text) {
  std::size_t end = LogBook::kLongestLine;
  for (std::size_t back = 0; back < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++back) --end;
  return absl::StrCat(ToUtf8(text.substr(0, end)), " … (", text.size() - end, " more bytes were not kept)");
}

const char* NameOf(LogBook::Source source) {
  return source == LogBook::Source::kEmulator ? "emulator" : "user function";
}

const char* NameOf(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return "debug";
    case base::LogLevel::kInfo:
      return "info";
    case base::LogLevel::kWarning:
      return "warning";
    case base::LogLevel::kError:
      return "error";
  }
  return "";
}

}  // namespace

void LogBook::Add(Source source, base::LogLevel level, std::string_view text) {
  auto line = std::make_shared<dev::v1::LogLine>();
  line->set_source(NameOf(source));
  line->set_level(NameOf(level));
  line->set_text(text.size() > kLongestLine ? Shortened(text) : ToUtf8(text));
  const std::lock_guard lock(mutex_);
  *line->mutable_time() = base::ToTimestamp(now_());
  line->set_number(++last_number_);
  bytes_ += line->text().size();
  lines_.push_back(std::move(line));
  while (lines_.size() > kMostLines || bytes_ > kMostBytes) {
    bytes_ -= lines_.front()->text().size();
    lines_.pop_front();
  }
  for (auto& [id, added] : watchers_) added();
}

admin::LogLines LogBook::Newest(const admin::LogFilter& filter, std::size_t limit) const {
  admin::LogLines result;
  const std::lock_guard lock(mutex_);
  for (auto line = lines_.rbegin(); line != lines_.rend() && result.lines.size() < limit; ++line) {
    if (filter.LetsThrough(**line)) result.lines.push_back(*line);
  }
  std::ranges::reverse(result.lines);
  result.next = last_number_ + 1;
  return result;
}

admin::LogLines LogBook::From(std::int64_t number, const admin::LogFilter& filter, std::size_t limit) const {
  admin::LogLines result;
  const std::lock_guard lock(mutex_);
  result.next = std::max(number, first_number());
  result.missed = result.next - number;
  while (result.next <= last_number_ && result.lines.size() < limit) {
    const Line& line = lines_[static_cast<std::size_t>(result.next - first_number())];
    if (filter.LetsThrough(*line)) result.lines.push_back(line);
    ++result.next;
  }
  return result;
}

std::uint64_t LogBook::Watch(absl::AnyInvocable<void()> added) {
  const std::lock_guard lock(mutex_);
  watchers_.emplace(++last_watch_, std::move(added));
  return last_watch_;
}

void LogBook::Unwatch(std::uint64_t watch) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watch);
}

}  // namespace cloudstate::runtime
