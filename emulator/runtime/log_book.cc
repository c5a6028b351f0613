#include "emulator/runtime/log_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::runtime {
namespace {

// Cut between characters: what follows the last whole one is less than four bytes.
std::string Shortened(std::string_view text) {
  std::size_t end = LogBook::kLongestLine;
  for (std::size_t back = 0; back < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++back) --end;
  return absl::StrCat(userfunction::ToUtf8(text.substr(0, end)), " … (", text.size() - end,
                      " more bytes were not kept)");
}

}  // namespace

void LogBook::Add(Source source, base::LogLevel level, std::string_view text) {
  auto line = std::make_shared<dev::v1::LogLine>();
  line->set_source(source == Source::kEmulator ? admin::kEmulatorWrites : admin::kUserFunctionWrites);
  line->set_level(admin::kLogLevels.at(static_cast<std::size_t>(level)));
  line->set_text(text.size() > kLongestLine ? Shortened(text) : userfunction::ToUtf8(text));
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

LogBook::Part LogBook::Copy(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t end = last_number_ + 1;
  const auto count = static_cast<std::int64_t>(lines_.size());
  const std::int64_t copied = std::clamp<std::int64_t>(end - number, 0, count);
  return {.lines = {lines_.end() - copied, lines_.end()}, .first = std::max(number, end - count)};
}

admin::LogLines LogBook::Newest(Fits fits, std::size_t limit) const {
  const Part all = Copy(0);
  admin::LogLines result;
  for (auto line = all.lines.rbegin(); line != all.lines.rend() && result.lines.size() < limit; ++line) {
    if (fits(**line)) result.lines.push_back(*line);
  }
  std::ranges::reverse(result.lines);
  result.next = all.first + static_cast<std::int64_t>(all.lines.size());
  return result;
}

admin::LogLines LogBook::From(std::int64_t number, Fits fits, std::size_t limit) const {
  const Part rest = Copy(number);
  admin::LogLines result;
  result.next = rest.first;
  result.missed = rest.first - number;
  for (const Line& line : rest.lines) {
    if (result.lines.size() >= limit) break;
    if (fits(*line)) result.lines.push_back(line);
    ++result.next;
  }
  return result;
}

std::int64_t LogBook::last_number() const {
  const std::lock_guard lock(mutex_);
  return last_number_;
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
