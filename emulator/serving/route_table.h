#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/serving/path_template.h"

namespace cloudstate::serving {

// Finds the route for a request in time that depends on the path, hardly on the number of routes: a trie over the
// segments of the templates. At each segment a literal goes before "*", and "*" before "**"; a template with the path's
// verb goes before one without. Routes are numbers here.
class RouteTable {
 public:
  // `http_method` is "*" for any. Of two routes for the same requests the first one added counts.
  void Add(const PathTemplate& path, const std::string& http_method, std::size_t route);

  struct Found {
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t route = kNone;
    std::vector<std::string>
        allowed;  // without a route: the HTTP methods that the path has, in the order they were met
    // The path as the route's template sees it: without the verb.
    RequestPath path;
  };
  // A HEAD request finds the route for GET, unless there is one for HEAD.
  Found Find(const std::string& http_method, RequestPath path) const;

 private:
  // Where a path may end: routes by verb, then HTTP method.
  using Ends = std::map<std::string, std::vector<std::pair<std::string, std::size_t>>, std::less<>>;
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> any;
    Ends ends;
    Ends rest_ends;  // of templates that go on with "**"
  };
  struct Search;

  static bool Take(const Ends& ends, Search& search);
  static bool Visit(const Node& node, std::size_t depth, Search& search);

  Node root_;
};

}  // namespace cloudstate::serving
