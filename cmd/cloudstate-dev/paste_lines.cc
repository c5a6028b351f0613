#include "cmd/cloudstate-dev/paste_lines.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace cloudstate::cli {
namespace {

std::string ExamplePath(const std::string& path) {
  std::string example;
  for (std::size_t at = 0; at < path.size();) {
    if (path[at] != '{') {
      example += path[at++];
      continue;
    }
    const std::size_t end = path.find_first_of("=}", at);
    example += path.substr(at + 1, end - at - 1);
    at = path.find('}', end) + 1;
  }
  return example;
}

}  // namespace

std::string ShellQuoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string ShellWord(const std::string& text) {
  const auto harmless = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '/' || c == '-' || c == '_';
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), harmless)) return text;
  return ShellQuoted(text);
}

std::string CurlLine(const CurlCall& call, const std::string& client_address) {
  std::string line = call.streamed ? "curl -N " : "curl ";
  const std::string method = call.method == "*" ? "POST" : call.method;
  const bool has_body = !call.body.empty();
  if (has_body) absl::StrAppend(&line, "-H 'content-type: application/json' -d ", ShellQuoted(call.body), " ");
  if (method != (has_body ? "POST" : "GET")) absl::StrAppend(&line, "-X ", method, " ");
  return absl::StrCat(line, "http://", client_address, ExamplePath(call.path));
}

int ShownByRoute(bool generated, const std::string& body) { return (generated ? 0 : 2) + (body == "*" ? 1 : 0); }

std::string GrpcurlLine(const std::string& service, const std::string& method, const std::string& messages,
                        const std::string& client_address) {
  return absl::StrCat("grpcurl -plaintext -d ", ShellQuoted(messages), " ", client_address, " ", service, "/", method);
}

}  // namespace cloudstate::cli
