#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloudstate::tck {

// Whether `text` is what `pattern` describes: "*" stands for any characters, "/" among them, "?" for one.
bool MatchesGlob(std::string_view pattern, std::string_view text);

// Chooses cases by the patterns of --filter: an id must match one of them, and none of those that begin with "!".
// Without a positive one every id is taken.
class Filter {
 public:
  explicit Filter(const std::vector<std::string>& patterns);
  bool Takes(std::string_view id) const;

 private:
  std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
};

}  // namespace cloudstate::tck
