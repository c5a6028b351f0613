#pragma once

#include <string_view>
#include <vector>

namespace cloudstate::devui {

// One file of the dashboard, as it is compiled into the program.
struct DashboardFile {
  std::string_view path;  // as it is asked for: "/", "/assets/app-0123456789abcdef.js"
  std::string_view content_type;
  std::string_view content;
  bool compressed = false;  // with gzip
};

// All of them; built by devui/build. In the page itself, "/", stands {{token}} where the token of the run belongs.
const std::vector<DashboardFile>& DashboardFiles();

}  // namespace cloudstate::devui
