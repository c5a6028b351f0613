#pragma once

#include <string>
#include <vector>

namespace cloudstate::base {

// JSON with a member or an element in each line, for people; its values stay as they are written.
std::vector<std::string> JsonLines(const std::string& json);

// The lines of both, those of `before` alone after "- ", those of `after` alone after "+ ", the others after "  ".
std::vector<std::string> DiffLines(const std::vector<std::string>& before, const std::vector<std::string>& after);

}  // namespace cloudstate::base
