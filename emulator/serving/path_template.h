#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::serving {

// A path template of google.api.http, such as "/v1/{name=shelves/*}/books/{book.id}:rename".
struct PathTemplate {
  struct Segment {
    enum class Kind {
      kLiteral,
      kAny,   // "*": one segment that is not empty
      kRest,  // "**": any number of segments; always the last
    };
    Kind kind = Kind::kLiteral;
    std::string literal;  // percent-decoded
  };

  // A field that takes what stands in some of the segments.
  struct Variable {
    std::string field;      // with dots where it is nested
    std::size_t first = 0;  // its segments
    std::size_t count = 0;
    // Whether it can be more than one segment: slashes within it then stay distinct from "%2F".
    bool multiple = false;
    bool rest = false;  // ends with "**": takes all segments that are left
  };

  std::vector<Segment> segments;
  std::vector<Variable> variables;
  std::string verb;  // what follows the last colon; empty for none

  // INVALID_ARGUMENT says what is wrong at which character.
  static absl::StatusOr<PathTemplate> Parse(const std::string& text);
};

// A request's path, taken apart.
struct RequestPath {
  std::vector<std::string_view> raw;  // segments as they came
  std::vector<std::string> decoded;

  // INVALID_ARGUMENT for a path that does not start with a slash or has a malformed percent-encoding. `path` must
  // outlive it.
  static absl::StatusOr<RequestPath> Parse(std::string_view path);
};

// What a variable takes from a path that its template matches.
std::string VariableText(const PathTemplate::Variable& variable, const RequestPath& path);

}  // namespace cloudstate::serving
