#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "emulator/admin/log_lines.h"
#include "emulator/base/log.h"

namespace cloudstate::runtime {

// The newest lines that the emulator and the user function wrote, in the order in which they came. Bounded by number
// and bytes. Any thread.
class LogBook {
 public:
  static constexpr std::size_t kMostLines = 10'000;
  static constexpr std::size_t kMostBytes = 8 << 20;
  static constexpr std::size_t kLongestLine = 16 << 10;  // bytes; of longer ones the beginning is kept

  enum class Source { kEmulator, kUserFunction };

  // `now` tells the time of day.
  explicit LogBook(std::function<absl::Time()> now) : now_(std::move(now)) {}

  // What is not UTF-8 is replaced.
  void Add(Source source, base::LogLevel level, std::string_view text);

  // Lines that somebody asks for, such as an admin::LogFilter. Those who write do not wait for it.
  using Fits = absl::FunctionRef<bool(const dev::v1::LogLine&)>;
  // At most `limit` of the newest that fit, oldest first; they end where the book does.
  admin::LogLines Newest(Fits fits, std::size_t limit) const;
  // At most `limit` that fit, from the line of this number on.
  admin::LogLines From(std::int64_t number, Fits fits, std::size_t limit) const;

  // Number of the newest line; 0 before the first.
  std::int64_t last_number() const;

  // `added` runs after each line, on the thread that wrote it: it must be quick, and not come back here.
  std::uint64_t Watch(absl::AnyInvocable<void()> added);
  void Unwatch(std::uint64_t watch);

 private:
  using Line = std::shared_ptr<const dev::v1::LogLine>;

  struct Part {
    std::vector<Line> lines;
    std::int64_t first = 1;  // number of the first line, of the one to come where there are none
  };

  // From the line of this number on.
  Part Copy(std::int64_t number) const;

  const std::function<absl::Time()> now_;
  mutable std::mutex mutex_;
  std::deque<Line> lines_;  // numbered without gaps
  std::size_t bytes_ = 0;   // of all texts
  std::int64_t last_number_ = 0;
  std::uint64_t last_watch_ = 0;
  std::map<std::uint64_t, absl::AnyInvocable<void()>> watchers_;
};

}  // namespace cloudstate::runtime
