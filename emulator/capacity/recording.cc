#include "emulator/capacity/recording.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace cloudstate::capacity {
namespace {

constexpr std::array<absl::string_view, 8> kColumns = {
    "at_us", "total_us", "until_sent_us", "held_us", "user_function_us", "journal_us", "node", "code"};
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";  // spreadsheets begin with it
constexpr char kExpectedHeader[] = "at_us,total_us,until_sent_us,held_us,user_function_us,journal_us,node,code";
constexpr std::int64_t kMostMicroseconds = std::int64_t{366} * 24 * 3600 * 1'000'000;
// Of `name:line`, which is whole in messages.
constexpr std::size_t kMostShown = 80;

class Reading {
 public:
  explicit Reading(const std::string& name) : name_(name) {}

  absl::Status Read(std::istream& input) {
    for (std::string line; std::getline(input, line);) {
      ++line_;
      absl::string_view text = line;
      if (line_ == 1) absl::ConsumePrefix(&text, kByteOrderMark);
      text = absl::StripAsciiWhitespace(text);
      if (text.empty() || text.front() == '#') continue;
      if (absl::Status status = has_header_ ? ReadCall(text) : ReadHeader(text); !status.ok()) return status;
    }
    if (input.bad()) return absl::UnavailableError(absl::StrCat(name_, " can't be read to its end."));
    if (!has_header_) return Wrong(absl::StrCat("there is no header line, such as ", kExpectedHeader));
    if (recording_.calls.empty()) return Wrong("there are no calls; send some while `scale record` runs");
    return absl::OkStatus();
  }

  Recording Take() {
    std::vector<RecordedCall>& calls = recording_.calls;
    std::stable_sort(calls.begin(), calls.end(),
                     [](const RecordedCall& one, const RecordedCall& other) { return one.at < other.at; });
    const Nanoseconds first = calls.front().at;
    for (RecordedCall& call : calls) call.at -= first;
    return std::move(recording_);
  }

 private:
  absl::Status Wrong(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(name_, ":", std::max(line_, 1), ": ", what, "."));
  }

  absl::Status ReadHeader(absl::string_view text) {
    std::vector<absl::string_view> names = absl::StrSplit(text, ',');
    for (absl::string_view& name : names) {
      const auto column = std::find(kColumns.begin(), kColumns.end(), absl::StripAsciiWhitespace(name));
      const auto index = static_cast<std::size_t>(column - kColumns.begin());
      if (column != kColumns.end() && has_[index]) return Wrong(absl::StrCat("two columns are ", *column));
      if (column != kColumns.end()) has_[index] = true;
      order_.push_back(column == kColumns.end() ? std::nullopt : std::optional(index));
    }
    if (!has_[0]) {
      return Wrong(absl::StrCat("expected the names of the columns, at_us at least, such as ", kExpectedHeader));
    }
    recording_.has_times = has_[1] && has_[2] && has_[4];  // older files do not say what was held
    has_header_ = true;
    return absl::OkStatus();
  }

  absl::Status ReadCall(absl::string_view text) {
    std::array<std::int64_t, kColumns.size()> values = {};
    std::size_t place = 0;
    for (absl::string_view field : absl::StrSplit(text, ',')) {
      if (place < order_.size() && order_[place].has_value()) {
        std::int64_t& value = values[*order_[place]];
        const absl::string_view name = kColumns[*order_[place]];
        if (!absl::SimpleAtoi(field, &value)) {
          return Wrong(absl::StrCat(name, " is no whole number: \"", field.substr(0, kMostShown), "\""));
        }
        const bool may_be_negative = *order_[place] == 0;
        if (value > kMostMicroseconds || value < (may_be_negative ? -kMostMicroseconds : 0)) {
          return Wrong(absl::StrCat(name, " is out of range: ", value));
        }
      }
      ++place;
    }
    if (place != order_.size()) {
      return Wrong(absl::StrCat("expected ", order_.size(), " values as in the header, not ", place));
    }
    recording_.calls.push_back({.at = values[0] * 1'000,
                                .total = values[1] * 1'000,
                                .until_sent = values[2] * 1'000,
                                .held = values[3] * 1'000,
                                .user_function = values[4] * 1'000,
                                .journal = values[5] * 1'000,
                                .node = static_cast<std::uint32_t>(values[6]),
                                .code = static_cast<int>(values[7])});
    return absl::OkStatus();
  }

  const std::string& name_;
  int line_ = 0;
  bool has_header_ = false;
  std::array<bool, kColumns.size()> has_ = {};
  std::vector<std::optional<std::size_t>> order_;  // which column comes at each place
  Recording recording_;
};

}  // namespace

Load Recording::ToLoad() const {
  Load load;
  load.recorded.reserve(calls.size());
  for (const RecordedCall& call : calls) load.recorded.push_back(call.at);
  return load;
}

absl::StatusOr<Recording> ReadRecording(std::istream& input, const std::string& name) {
  Reading reading(name);
  if (absl::Status status = reading.Read(input); !status.ok()) return status;
  return reading.Take();
}

void WriteRecordingHeader(std::ostream& output) { output << kExpectedHeader << '\n'; }

void WriteRecordedCall(const RecordedCall& call, std::ostream& output) {
  output << call.at / 1'000 << ',' << call.total / 1'000 << ',' << call.until_sent / 1'000 << ',' << call.held / 1'000
         << ',' << call.user_function / 1'000 << ',' << call.journal / 1'000 << ',' << call.node << ',' << call.code
         << '\n';
}

}  // namespace cloudstate::capacity
