#include "emulator/serving/route_table.h"

#include <algorithm>
#include <utility>

#include "emulator/serving/percent.h"

namespace cloudstate::serving {

using Kind = PathTemplate::Segment::Kind;

namespace {

// Of a part of a segment that was decoded as a whole before, so that it cannot fail.
std::string DecodeAgain(std::string_view text) { return *PercentDecode(text, PercentDecoding::kAll); }

}  // namespace

struct RouteTable::Search {
  const std::string& http_method;
  std::vector<std::string>& segments;  // without the verb
  std::string verb;
  Found& found;
};

void RouteTable::Add(const PathTemplate& path, const std::string& http_method, std::size_t route) {
  Node* node = &root_;
  bool rest = false;
  for (const PathTemplate::Segment& segment : path.segments) {
    rest = segment.kind == Kind::kRest;
    if (rest) break;
    auto& next = segment.kind == Kind::kAny ? node->any : node->literals[segment.literal];
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
  }
  auto& end = (rest ? node->rest_ends : node->ends)[path.verb];
  if (std::ranges::find(end, http_method, &std::pair<std::string, std::size_t>::first) == end.end()) {
    end.emplace_back(http_method, route);
  }
}

RouteTable::Found RouteTable::Find(const std::string& http_method, RequestPath path) const {
  Found found;
  found.path = std::move(path);
  std::vector<std::string>& segments = found.path.decoded;
  const std::string_view last = segments.empty() ? std::string_view() : found.path.raw.back();
  if (const std::size_t colon = last.rfind(':'); colon != std::string_view::npos) {
    std::string whole = segments.back();
    segments.back() = DecodeAgain(last.substr(0, colon));
    Search search{
        .http_method = http_method, .segments = segments, .verb = DecodeAgain(last.substr(colon + 1)), .found = found};
    if (!search.verb.empty() && Visit(root_, 0, search)) {
      found.path.raw.back() = last.substr(0, colon);
      return found;
    }
    segments.back() = std::move(whole);
  }
  Search search{.http_method = http_method, .segments = segments, .verb = "", .found = found};
  Visit(root_, 0, search);
  return found;
}

bool RouteTable::Visit(const Node& node, std::size_t depth, Search& search) {
  if (depth == search.segments.size()) {
    if (Take(node.ends, search)) return true;
  } else {
    const std::string& segment = search.segments[depth];
    const auto literal = node.literals.find(segment);
    if (literal != node.literals.end() && Visit(*literal->second, depth + 1, search)) return true;
    if (node.any != nullptr && !segment.empty() && Visit(*node.any, depth + 1, search)) return true;
  }
  return Take(node.rest_ends, search);
}

bool RouteTable::Take(const Ends& ends, Search& search) {
  const auto end = ends.find(search.verb);
  if (end == ends.end()) return false;
  const auto& routes = end->second;
  const auto method = &std::pair<std::string, std::size_t>::first;
  auto route = std::ranges::find(routes, search.http_method, method);
  if (route == routes.end() && search.http_method == "HEAD") route = std::ranges::find(routes, "GET", method);
  if (route == routes.end()) route = std::ranges::find(routes, "*", method);
  if (route != routes.end()) {
    search.found.route = route->second;
    return true;
  }
  for (const auto& [allowed, number] : routes) {
    if (std::ranges::find(search.found.allowed, allowed) == search.found.allowed.end()) {
      search.found.allowed.push_back(allowed);
    }
  }
  return false;
}

}  // namespace cloudstate::serving
