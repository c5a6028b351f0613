#include <cmath>
#include <cstddef>
#include <numbers>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "emulator/capacity/load.h"

namespace cloudstate::capacity {
namespace {

// A period of a sine becomes so many stretches: the rate is within 0.01 % of it.
constexpr int kStretchesOfPeriod = 240;
constexpr std::size_t kMostStretches = 1'000'000;
constexpr double kMostRate = 1e6;
constexpr absl::Duration kLongest = absl::Hours(24 * 366);

constexpr char kPhases[] =
    "constant 50/s for 10m, ramp 10/s to 200/s over 5m, step 10/s to 100/s by 30/s every 1m, sine 10/s to 100/s every "
    "10m for 1h, burst 20/s to 200/s for 10s every 5m over 1h, idle for 10m";

// Reads the words from left to right. Once something is wrong, `status` says what, and all else reads as zero.
class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) { Next(); }

  const absl::Status& status() const { return status_; }
  bool AtEnd() const { return word_.empty(); }
  const std::string& word() const { return word_; }

  // Whether the next word is one of these; then it has been read.
  bool Take(std::string_view one, std::string_view other = "") {
    if (word_ != one && (other.empty() || word_ != other)) return false;
    Next();
    return true;
  }
  void Expect(std::string_view one, std::string_view other = "") {
    if (!Take(one, other)) Wrong(absl::StrCat("expected \"", std::string(one), "\""));
  }

  double Rate(std::string_view what) {
    const std::size_t slash = word_.find('/');
    double number = 0;
    const std::string unit = slash == std::string::npos ? "" : word_.substr(slash + 1);
    const double per = unit == "s" ? 1 : unit == "m" || unit == "min" ? 60 : unit == "h" ? 3600 : 0;
    if (per == 0 || !absl::SimpleAtod(word_.substr(0, slash), &number) || !std::isfinite(number) || number < 0) {
      return Wrong(absl::StrCat("expected ", std::string(what), ", calls per second, minute or hour such as \"50/s\""));
    }
    if (number / per > kMostRate) return Wrong("no more than 1,000,000 calls a second are played");
    Next();
    return number / per;
  }

  Nanoseconds Time(std::string_view what) {
    absl::Duration time;
    if (!absl::ParseDuration(word_, &time) || time <= absl::ZeroDuration()) {
      return Wrong(absl::StrCat("expected ", std::string(what), ", a time such as \"30s\", \"5m\" or \"1h\""));
    }
    if (time > kLongest) return Wrong("no more than a year is played");
    Next();
    return absl::ToInt64Nanoseconds(time);
  }

  int Wrong(const std::string& expected) {
    const std::string found = AtEnd() ? "and here is the end" : absl::StrCat("not \"", word_, "\"");
    return WrongAt(begin_, absl::StrCat(expected, ", ", found));
  }
  // Of the word that was read last.
  int WrongBefore(const std::string& what) { return WrongAt(before_, what); }

 private:
  int WrongAt(std::size_t place, const std::string& what) {
    if (!status_.ok()) return 0;
    status_ = absl::InvalidArgumentError(absl::StrCat("load, at character ", place + 1, ": ", what, "\n  ", text_,
                                                      "\n  ", std::string(place, ' '), "^"));
    return 0;
  }

  void Next() {
    before_ = begin_;
    while (end_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[end_]))) ++end_;
    begin_ = end_;
    while (end_ < text_.size() && text_[end_] != ',' && !absl::ascii_isspace(static_cast<unsigned char>(text_[end_]))) {
      ++end_;
    }
    if (end_ == begin_ && end_ < text_.size()) ++end_;  // a comma
    word_ = text_.substr(begin_, end_ - begin_);
  }

  const std::string text_;
  std::size_t before_ = 0;  // where the word before begins
  std::size_t begin_ = 0;   // of the word
  std::size_t end_ = 0;
  std::string word_;
  absl::Status status_;
};

void AddSteps(Reader& reader, std::vector<Stretch>& stretches) {
  const double first = reader.Rate("the first rate");
  reader.Expect("to");
  const double last = reader.Rate("the last rate");
  reader.Expect("by");
  if (const double step = reader.Rate("by how much"); step > 0) {
    const double steps = std::floor(std::abs(last - first) / step + 1e-9);
    if (steps > static_cast<double>(kMostStretches)) {
      reader.WrongBefore("there would be more than a million steps; make them larger");
    }
    reader.Expect("every", "for");
    const Nanoseconds length = reader.Time("how long each step is");
    for (double i = 0; reader.status().ok() && i <= steps; ++i) {
      const double rate = first + (last < first ? -step : step) * i;
      stretches.push_back({length, rate, rate});
    }
  } else {
    reader.WrongBefore("steps have to be of more than none, such as \"30/s\"");
  }
}

// Repeats what `period` adds until `length` is over; the last time may be cut short.
template <typename Period>
void Repeat(Reader& reader, Nanoseconds every, Nanoseconds length, std::vector<Stretch>& stretches, Period period) {
  if (!reader.status().ok()) return;
  while (length > 0) {
    std::vector<Stretch> one = period();
    if (stretches.size() + one.size() > kMostStretches) {
      reader.WrongBefore("that are more than a million changes of rate; make periods longer, or the whole shorter");
      return;
    }
    for (Stretch stretch : one) {
      if (length <= 0) break;
      if (stretch.length > length) {
        stretch.to = stretch.from + (stretch.to - stretch.from) * InSeconds(length) / InSeconds(stretch.length);
        stretch.length = length;
      }
      length -= stretch.length;
      stretches.push_back(stretch);
    }
    if (every <= 0) return;
  }
}

void AddSine(Reader& reader, std::vector<Stretch>& stretches) {
  const double first = reader.Rate("the first rate");
  reader.Expect("to");
  const double second = reader.Rate("the second rate");
  reader.Expect("every");
  const Nanoseconds every = reader.Time("how long a period is");
  reader.Expect("for", "over");
  const Nanoseconds length = reader.Time("how long it lasts");
  const auto rate = [&](int i) {
    return first + (second - first) * (1 - std::cos(2 * std::numbers::pi * i / kStretchesOfPeriod)) / 2;
  };
  Repeat(reader, every, length, stretches, [&] {
    std::vector<Stretch> period;
    for (int i = 0; i < kStretchesOfPeriod; ++i) {
      period.push_back({every / kStretchesOfPeriod, rate(i), rate(i + 1)});
    }
    period.back().length += every % kStretchesOfPeriod;
    return period;
  });
}

void AddBursts(Reader& reader, std::vector<Stretch>& stretches) {
  double meanwhile = 0;
  double rate = reader.Rate("the rate of a burst, or that between bursts");
  if (reader.Take("to")) meanwhile = std::exchange(rate, reader.Rate("the rate of a burst"));
  reader.Expect("for");
  const Nanoseconds burst = reader.Time("how long a burst is");
  reader.Expect("every");
  if (const Nanoseconds every = reader.Time("from one burst to the next"); reader.status().ok() && every < burst) {
    reader.WrongBefore("bursts are longer than the time from one to the next; make that longer, or them shorter");
  } else {
    reader.Expect("over", "for");
    const Nanoseconds length = reader.Time("how long it lasts");
    Repeat(reader, every, length, stretches, [&]() -> std::vector<Stretch> {
      return {{every - burst, meanwhile, meanwhile}, {burst, rate, rate}};
    });
  }
}

void AddPhase(Reader& reader, std::vector<Stretch>& stretches) {
  if (reader.Take("constant")) {
    const double rate = reader.Rate("the rate");
    reader.Expect("for", "over");
    stretches.push_back({reader.Time("how long it lasts"), rate, rate});
  } else if (reader.Take("ramp")) {
    const double from = reader.Rate("the first rate");
    reader.Expect("to");
    const double to = reader.Rate("the last rate");
    reader.Expect("over", "for");
    stretches.push_back({reader.Time("how long it lasts"), from, to});
  } else if (reader.Take("step")) {
    AddSteps(reader, stretches);
  } else if (reader.Take("sine")) {
    AddSine(reader, stretches);
  } else if (reader.Take("burst")) {
    AddBursts(reader, stretches);
  } else if (reader.Take("idle")) {
    reader.Expect("for", "over");
    stretches.push_back({reader.Time("how long it lasts"), 0, 0});
  } else {
    reader.Wrong(absl::StrCat("expected a phase (", kPhases, ")"));
  }
}

}  // namespace

absl::StatusOr<Load> ParseLoad(const std::string& text) {
  Reader reader(text);
  Load load;
  do {
    AddPhase(reader, load.stretches);
    if (!reader.status().ok()) return reader.status();
  } while (reader.Take(","));
  if (!reader.AtEnd()) reader.Wrong("expected a comma and another phase, or the end");
  if (reader.status().ok() && load.Length() > absl::ToInt64Nanoseconds(kLongest)) {
    return absl::InvalidArgumentError("load: no more than a year is played; make the phases shorter");
  }
  if (!reader.status().ok()) return reader.status();
  return load;
}

}  // namespace cloudstate::capacity
