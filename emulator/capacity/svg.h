#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/capacity/load.h"

// What charts are drawn with: SVG that needs nothing else, and is as readable in the dark.
namespace cloudstate::capacity {

// For an element or an attribute. `text` is UTF-8 without control characters.
std::string XmlEscaped(const std::string& text);

// "5m", "1h30m"; "250ms", "1.2s" below a minute.
std::string TimeLabel(Nanoseconds time);
// "1.5k".
std::string NumberLabel(double number);

// Values onto a line of pixels, with round values to write next to it.
class Axis {
 public:
  struct Tick {
    double value = 0;
    std::string label;
  };

  // From 0 to `most` or a bit more.
  static Axis Numbers(double most, double begin, double end);
  // From 0 to `most`, nanoseconds.
  static Axis Times(double most, double begin, double end);
  // Logarithmic, nanoseconds; both are more than 0.
  static Axis Latencies(double least, double most, double begin, double end);

  // Where a value is; those beyond the ends are at the end.
  double At(double value) const;
  double begin() const { return begin_; }
  double end() const { return end_; }
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  Axis(double low, double high, double begin, double end) : low_(low), high_(high), begin_(begin), end_(end) {}
  void AddRoundTicks(double step, const std::function<std::string(double)>& label);

  double low_, high_;
  double begin_, end_;  // pixels
  bool logarithmic_ = false;
  std::vector<Tick> ticks_;
};

using Points = std::vector<std::pair<double, double>>;  // values of both axes

// A drawing that grows from the back to the front. Classes are those of the style sheet in svg.cc: names of what is
// shown ("load", "ready" …) with "line", "area", "dashed".
class Drawing {
 public:
  Drawing(double width, double height) : width_(width), height_(height) {}

  void Text(double x, double y, const std::string& text, const std::string& classes);
  void Line(double x1, double y1, double x2, double y2, const std::string& classes);
  void Box(double x, double y, double width, double height, const std::string& classes);
  void Dot(double x, double y, double radius, const std::string& classes, const std::string& tooltip);
  // Straight from point to point; not drawn where a value is not a number.
  void Curve(const Axis& x, const Axis& y, const Points& points, const std::string& classes);
  // As stairs: a value holds until the next one, the last one until the end of the axis.
  void Stairs(const Axis& x, const Axis& y, const Points& points, const std::string& classes);
  // Down to the beginning of the axis.
  void Area(const Axis& x, const Axis& y, Points points, const std::string& classes);
  // Grid and labels.
  void Across(const Axis& x, const Axis& y, const std::string& title);
  void Along(const Axis& x, double y, double grid_until);

  // A whole document. `description` is for those who cannot see it.
  std::string ToSvg(const std::string& title, const std::string& description) const;

 private:
  double width_, height_;
  std::string body_;
};

// One after the other from the right: a mark of each class with its name.
void DrawLegend(Drawing& drawing, double right, double y,
                const std::vector<std::pair<std::string, std::string>>& classes_and_names);

}  // namespace cloudstate::capacity
