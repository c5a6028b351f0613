#include "emulator/capacity/svg.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace cloudstate::capacity {
namespace {

constexpr char kStyle[] = R"(
text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.panel { font-weight: 600; }
.note, .tick { fill: #59636e; }
.tick { font-size: 11px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.paper { fill: #ffffff; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.axis { stroke: #8c959f; stroke-width: 1; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.dashed { fill: none; stroke-width: 1.5; stroke-dasharray: 5 4; }
.area { stroke: none; fill-opacity: 0.22; }
.panic { fill: #cf222e; fill-opacity: 0.1; }
.dot { stroke: none; fill-opacity: 0.55; }
.best { fill-opacity: 1; }
.chosen { fill: none; stroke: #cf222e; stroke-width: 2.5; }
.load.line, .load.dashed { stroke: #0969da; } .load.area, .load.dot { fill: #0969da; }
.ready.line { stroke: #1a7f37; } .ready.area { fill: #1a7f37; }
.wanted.dashed { stroke: #6e7781; }
.concurrency.line { stroke: #8250df; }
.target.dashed { stroke: #9a6700; }
.slow.line { stroke: #bc4c00; } .typical.line { stroke: #1b7c83; }
.refused.line { stroke: #cf222e; } .refused.area { fill: #cf222e; fill-opacity: 0.5; }
.front.line { stroke: #0969da; stroke-opacity: 0.5; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.note, .tick { fill: #9198a1; }
.paper { fill: #0d1117; }
.grid { stroke: #2a313c; }
.axis { stroke: #656c76; }
.panic { fill: #ff7b72; fill-opacity: 0.16; }
.chosen { stroke: #ff7b72; }
.load.line, .load.dashed { stroke: #58a6ff; } .load.area, .load.dot { fill: #58a6ff; }
.ready.line { stroke: #3fb950; } .ready.area { fill: #3fb950; }
.wanted.dashed { stroke: #9198a1; }
.concurrency.line { stroke: #bc8cff; }
.target.dashed { stroke: #d29922; }
.slow.line { stroke: #f0883e; } .typical.line { stroke: #39c5cf; }
.refused.line { stroke: #ff7b72; } .refused.area { fill: #ff7b72; }
.front.line { stroke: #58a6ff; }
}
)";

constexpr double kMinute = 60.0 * kSecond;
constexpr double kHour = 3600.0 * kSecond;
constexpr double kTimeSteps[] = {
    kSecond,     2.0 * kSecond, 5.0 * kSecond, 10.0 * kSecond, 15.0 * kSecond, 30.0 * kSecond, kMinute,
    2 * kMinute, 5 * kMinute,   10 * kMinute,  15 * kMinute,   30 * kMinute,   kHour,          2 * kHour,
    3 * kHour,   6 * kHour,     12 * kHour,    24 * kHour,     48 * kHour,     168 * kHour,    720 * kHour};
constexpr double kMostTimeTicks = 10;
constexpr double kMostTicks = 4;

std::string Pixels(double value) { return absl::StrFormat("%.1f", value); }

// The first of 1, 2, 5, 10, 20 … that is at least `least`.
double RoundStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= least * (1 - 1e-9)) return digit * power;
  }
  return 10 * power;
}

// The last of them that is at most `most`.
double RoundBelow(double most) {
  const double power = std::pow(10, std::floor(std::log10(most) + 1e-9));
  for (const double digit : {5.0, 2.0}) {
    if (digit * power <= most * (1 + 1e-9)) return digit * power;
  }
  return power;
}

std::string PathOf(const Axis& x, const Axis& y, const Points& points) {
  std::string path;
  bool drawn = false;
  for (const auto& [x_value, y_value] : points) {
    const bool draws = std::isfinite(y_value);
    if (draws) absl::StrAppend(&path, drawn ? "L" : "M", Pixels(x.At(x_value)), " ", Pixels(y.At(y_value)));
    drawn = draws;
  }
  return path;
}

}  // namespace

std::string XmlEscaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string TimeLabel(Nanoseconds time) {
  const auto value = static_cast<double>(time);
  if (time == 0) return "0";
  // What would be rounded up to more digits than %g writes out has the next unit, here and below.
  if (value < 999.5e3) return absl::StrFormat("%.3gµs", value / 1e3);
  if (value < 999.5e6) return absl::StrFormat("%.3gms", value / 1e6);
  if (value < kMinute) return absl::StrFormat("%.3gs", value / kSecond);
  const Nanoseconds seconds = time / kSecond;
  std::string label;
  if (seconds >= 3600) absl::StrAppend(&label, seconds / 3600, "h");
  if (seconds % 3600 >= 60) absl::StrAppend(&label, seconds % 3600 / 60, "m");
  if (seconds % 60 > 0) absl::StrAppend(&label, seconds % 60, "s");
  return label;
}

std::string NumberLabel(double number) {
  if (number >= 999.5e6) return absl::StrFormat("%.0fM", number / 1e6);
  if (number >= 999.5e3) return absl::StrFormat("%.3gM", number / 1e6);
  if (number >= 9999.5) return absl::StrFormat("%.3gk", number / 1e3);
  return absl::StrFormat("%.4g", number);
}

Axis Axis::Numbers(double most, double begin, double end) {
  const double step = RoundStep(std::max(most, 1e-6) / kMostTicks);
  Axis axis(0, step * std::ceil(std::max(most, 1e-6) / step * (1 - 1e-9)), begin, end);
  axis.AddRoundTicks(step, NumberLabel);
  return axis;
}

Axis Axis::Times(double most, double begin, double end) {
  const double longest = std::max(most, 1.0 * kSecond);
  Axis axis(0, longest, begin, end);
  const double* step = std::find_if(std::begin(kTimeSteps), std::end(kTimeSteps) - 1,
                                    [&](double each) { return longest / each <= kMostTimeTicks; });
  axis.AddRoundTicks(*step, [](double value) { return TimeLabel(static_cast<Nanoseconds>(std::llround(value))); });
  return axis;
}

Axis Axis::Latencies(double least, double most, double begin, double end) {
  const double low = RoundBelow(least);
  const double high = RoundStep(std::max(most, low * 1.5));
  Axis axis(std::log10(low), std::log10(high), begin, end);
  axis.logarithmic_ = true;
  const bool all_digits = high / low <= 100;
  for (double value = low; value <= high * 1.001; value = RoundStep(value * 1.01)) {
    const double digit = value / std::pow(10, std::floor(std::log10(value) + 1e-9));
    if (!all_digits && digit > 1.5) continue;
    axis.ticks_.push_back({value, value < kMinute ? TimeLabel(static_cast<Nanoseconds>(std::llround(value)))
                                                  : NumberLabel(value / kSecond) + "s"});
  }
  return axis;
}

void Axis::AddRoundTicks(double step, const std::function<std::string(double)>& label) {
  for (int i = 0; step * i <= high_ * (1 + 1e-9); ++i) ticks_.push_back({step * i, label(step * i)});
}

double Axis::At(double value) const {
  const double place = logarithmic_ ? std::log10(std::max(value, 1.0)) : value;
  return begin_ + (end_ - begin_) * std::clamp((place - low_) / (high_ - low_), 0.0, 1.0);
}

void Drawing::Text(double x, double y, const std::string& text, const std::string& classes) {
  absl::StrAppend(&body_, "<text x=\"", Pixels(x), "\" y=\"", Pixels(y), "\" class=\"", classes, "\">",
                  XmlEscaped(text), "</text>\n");
}

void Drawing::Line(double x1, double y1, double x2, double y2, const std::string& classes) {
  absl::StrAppend(&body_, "<line x1=\"", Pixels(x1), "\" y1=\"", Pixels(y1), "\" x2=\"", Pixels(x2), "\" y2=\"",
                  Pixels(y2), "\" class=\"", classes, "\"/>\n");
}

void Drawing::Box(double x, double y, double width, double height, const std::string& classes) {
  absl::StrAppend(&body_, "<rect x=\"", Pixels(x), "\" y=\"", Pixels(y), "\" width=\"", Pixels(width), "\" height=\"",
                  Pixels(height), "\" class=\"", classes, "\"/>\n");
}

void Drawing::Dot(double x, double y, double radius, const std::string& classes, const std::string& tooltip) {
  absl::StrAppend(&body_, "<circle cx=\"", Pixels(x), "\" cy=\"", Pixels(y), "\" r=\"", Pixels(radius), "\" class=\"",
                  classes, "\"><title>", XmlEscaped(tooltip), "</title></circle>\n");
}

void Drawing::Curve(const Axis& x, const Axis& y, const Points& points, const std::string& classes) {
  const std::string path = PathOf(x, y, points);
  if (!path.empty()) absl::StrAppend(&body_, "<path d=\"", path, "\" class=\"", classes, "\"/>\n");
}

void Drawing::Stairs(const Axis& x, const Axis& y, const Points& points, const std::string& classes) {
  Points corners;
  for (const auto& point : points) {
    if (!corners.empty()) corners.emplace_back(point.first, corners.back().second);
    corners.push_back(point);
  }
  Curve(x, y, corners, classes);
  // The axis ends where its pixels do.
  if (!points.empty())
    Line(x.At(points.back().first), y.At(points.back().second), x.end(), y.At(points.back().second), classes);
}

void Drawing::Area(const Axis& x, const Axis& y, Points points, const std::string& classes) {
  if (points.empty()) return;
  const std::string path = PathOf(x, y, points);
  absl::StrAppend(&body_, "<path d=\"", path, "L", Pixels(x.At(points.back().first)), " ", Pixels(y.begin()), "L",
                  Pixels(x.At(points.front().first)), " ", Pixels(y.begin()), "Z\" class=\"", classes, "\"/>\n");
}

void Drawing::Across(const Axis& x, const Axis& y, const std::string& title) {
  for (const Axis::Tick& tick : y.ticks()) {
    const double at = y.At(tick.value);
    Line(x.begin(), at, x.end(), at, "grid");
    Text(x.begin() - 8, at + 4, tick.label, "tick end");
  }
  Text(x.begin(), y.end() - 10, title, "panel");
}

void Drawing::Along(const Axis& x, double y, double grid_until) {
  for (const Axis::Tick& tick : x.ticks()) {
    Line(x.At(tick.value), grid_until, x.At(tick.value), y, "grid");
    Text(x.At(tick.value), y + 18, tick.label, "tick middle");
  }
  Line(x.begin(), y, x.end(), y, "axis");
}

std::string Drawing::ToSvg(const std::string& title, const std::string& description) const {
  return absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", Pixels(width_), "\" height=\"",
                      Pixels(height_), "\" viewBox=\"0 0 ", Pixels(width_), " ", Pixels(height_),
                      "\" role=\"img\">\n<title>", XmlEscaped(title), "</title>\n<desc>", XmlEscaped(description),
                      "</desc>\n<style>", kStyle, "</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n",
                      body_, "</svg>\n");
}

void DrawLegend(Drawing& drawing, double right, double y,
                const std::vector<std::pair<std::string, std::string>>& classes_and_names) {
  constexpr double kCharacter = 6.6;
  for (auto entry = classes_and_names.rbegin(); entry != classes_and_names.rend(); ++entry) {
    const auto& [classes, name] = *entry;
    right -= kCharacter * static_cast<double>(name.size());
    drawing.Text(right, y, name, "note");
    if (classes.find("panic") != std::string::npos || classes.find("area") != std::string::npos) {
      drawing.Box(right - 22, y - 9, 18, 10, classes);
    } else {
      drawing.Line(right - 24, y - 4, right - 4, y - 4, classes);
    }
    right -= 40;
  }
}

}  // namespace cloudstate::capacity
