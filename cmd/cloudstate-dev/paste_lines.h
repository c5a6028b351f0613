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

// Among a method's routes, and those of several methods, the one with the most of this shows most: one that its author
// wrote, not the one that every method has, and takes a whole message.
int ShownByRoute(bool generated, const std::string& body);

// `messages` is JSON: one message, or several of them after each other for a method that takes a stream.
std::string GrpcurlLine(const std::string& service, const std::string& method, const std::string& messages,
                        const std::string& client_address);

}  // namespace cloudstate::cli
