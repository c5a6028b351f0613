#include "emulator/admin/dashboard.h"

#include <utility>

#include "absl/strings/str_replace.h"
#include "devui/dashboard_files.h"

namespace cloudstate::admin {
namespace {

constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

serving::HttpResponse ResponseFor(const devui::DashboardFile& file, const std::string& token) {
  serving::HttpResponse response;
  response.content_type = std::string(file.content_type);
  response.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (file.compressed) {
    response.body = std::string(file.content);
    response.headers.emplace_back("Content-Encoding", "gzip");
    // Its name changes with its content.
    response.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
  } else {
    response.body =
        absl::StrReplaceAll(absl::string_view(file.content.data(), file.content.size()), {{"{{token}}", token}});
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
  }
  return response;
}

}  // namespace

std::map<std::string, serving::HttpHandler> DashboardHandlers(const std::string& token) {
  std::map<std::string, serving::HttpHandler> handlers;
  for (const devui::DashboardFile& file : devui::DashboardFiles()) {
    handlers[std::string(file.path)] = [response = ResponseFor(file, token)](const serving::HttpRequest&) {
      return response;
    };
  }
  return handlers;
}

}  // namespace cloudstate::admin
