#include "emulator/serving/nearest_routes.h"

#include <algorithm>
#include <utility>

namespace cloudstate::serving {
namespace {

constexpr std::size_t kMostRoutes = 5;
// What is compared of a path, so that long ones cost little.
constexpr std::size_t kMostSegments = 24;
constexpr std::size_t kLongestSegment = 48;

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty() && segments.size() < kMostSegments) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, std::min(end, kLongestSegment)));
    path.remove_prefix(end);
  }
  return segments;
}

// The cheapest way to turn one sequence into another: `change` gives the cost of putting one element for another;
// leaving one out or adding one costs 1.
template <typename Sequence, typename Change>
double EditDistance(const Sequence& from, const Sequence& to, const Change& change) {
  std::vector<double> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = static_cast<double>(j);
  for (std::size_t i = 0; i < from.size(); ++i) {
    double diagonal = row[0];
    row[0] = static_cast<double>(i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const double replaced = diagonal + change(from[i], to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// Between 0 and 1.
double SegmentDistance(std::string_view segment, std::string_view of_template) {
  if (of_template.find_first_of("{*") != std::string_view::npos) return 0.1;  // fits, but a literal fits better
  const std::size_t longest = std::max({segment.size(), of_template.size(), std::size_t{1}});
  const auto letters = [](char a, char b) { return a == b ? 0.0 : 1.0; };
  return EditDistance(segment, of_template, letters) / static_cast<double>(longest);
}

}  // namespace

std::vector<const Route*> NearestRoutes(std::string_view path, const std::vector<Route>& routes) {
  const auto segments = Split(path);
  std::vector<std::pair<double, const Route*>> ranked;
  for (const Route& route : routes) {
    ranked.emplace_back(EditDistance(segments, Split(route.path), SegmentDistance), &route);
  }
  std::ranges::stable_sort(ranked, {}, &std::pair<double, const Route*>::first);
  std::vector<const Route*> nearest;
  for (std::size_t i = 0; i < std::min(ranked.size(), kMostRoutes); ++i) nearest.push_back(ranked[i].second);
  return nearest;
}

}  // namespace cloudstate::serving
