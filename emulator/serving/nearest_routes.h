#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// The routes that a path most probably meant, at most five, likeliest first: by what has to be changed to make the path
// fit, segment by segment.
std::vector<const Route*> NearestRoutes(std::string_view path, const std::vector<Route>& routes);

}  // namespace cloudstate::serving
