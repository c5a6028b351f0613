#pragma once

#include <string>

namespace cloudstate::cli {

// One word for a shell.
std::string ShellQuoted(const std::string& text);
// The same, but plain where it needs no quotes.
std::string ShellWord(const std::string& text);

// An HTTP route as a curl line. `path` is its template: each variable's name stands in its place, which is what the
// example of the input has there as well. `body` is sent unless it is empty; `streamed` shows answers as they come.
struct CurlCall {
  std::string method;  // "*" for any
  std::string path;
  std::string body;
  bool streamed = false;
};
std::string CurlLine(const CurlCall& call, const std::string& client_address);

// `messages` is JSON: one message, or several of them after each other for a method that takes a stream.
std::string GrpcurlLine(const std::string& service, const std::string& method, const std::string& messages,
                        const std::string& client_address);

}  // namespace cloudstate::cli
