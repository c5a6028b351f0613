#include "emulator/serving/path_template.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/serving/percent.h"

namespace cloudstate::serving {
namespace {

using Kind = PathTemplate::Segment::Kind;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  absl::StatusOr<PathTemplate> Parse() {
    if (!Skip('/')) return Error("a template starts with '/'");
    if (at_ < text_.size()) {
      if (absl::Status status = ParseSegments(Where::kTop); !status.ok()) return status;
    }
    if (Skip(':')) {
      result_.verb = text_.substr(at_);
      if (result_.verb.empty()) return Error("a verb after ':' has at least one character");
      if (result_.verb.find_first_of("/{}*:") != std::string::npos) return Error("a verb is plain text");
      at_ = text_.size();
    }
    if (at_ < text_.size()) return Error("expected '/' or ':'");
    if (absl::Status status = CheckRestIsLast(); !status.ok()) return status;
    return std::move(result_);
  }

 private:
  enum class Where { kTop, kVariable };

  absl::Status Error(absl::string_view problem) const {
    return absl::InvalidArgumentError(absl::StrCat("path template '", text_, "', character ", at_ + 1, ": ", problem));
  }

  bool Skip(char character) {
    if (at_ >= text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  absl::Status ParseSegments(Where where) {
    do {
      if (absl::Status status = ParseSegment(where); !status.ok()) return status;
    } while (Skip('/'));
    return absl::OkStatus();
  }

  absl::Status ParseSegment(Where where) {
    if (Skip('{')) return where == Where::kTop ? ParseVariable() : Error("a variable cannot stand within a variable");
    if (Skip('*')) {
      const bool rest = Skip('*');
      result_.segments.push_back({.kind = rest ? Kind::kRest : Kind::kAny, .literal = ""});
      return absl::OkStatus();
    }
    const std::size_t end = LiteralEnd(where);
    auto literal = PercentDecode(std::string_view(text_).substr(at_, end - at_), PercentDecoding::kAll);
    if (!literal.ok()) return Error(literal.status().message());
    if (literal->empty()) return Error("a segment is missing");
    at_ = end;
    result_.segments.push_back({.kind = Kind::kLiteral, .literal = *std::move(literal)});
    return absl::OkStatus();
  }

  // A colon ends a literal only in the last segment, where it starts the verb.
  std::size_t LiteralEnd(Where where) const {
    const std::size_t end = std::min(text_.find_first_of("/{}*", at_), text_.size());
    if (where == Where::kVariable || end < text_.size()) return end;
    return std::min(text_.find(':', at_), end);
  }

  absl::Status ParseVariable() {
    const std::size_t end = std::min(text_.find_first_of("={}/", at_), text_.size());
    PathTemplate::Variable variable;
    variable.field = text_.substr(at_, end - at_);
    if (variable.field.empty()) return Error("a variable names a field");
    at_ = end;
    variable.first = result_.segments.size();
    if (Skip('=')) {
      if (absl::Status status = ParseSegments(Where::kVariable); !status.ok()) return status;
    } else {
      result_.segments.push_back({.kind = Kind::kAny, .literal = ""});
    }
    if (!Skip('}')) return Error("expected '}'");
    variable.count = result_.segments.size() - variable.first;
    variable.rest = result_.segments.back().kind == Kind::kRest;
    variable.multiple = variable.count > 1 || variable.rest;
    const auto same = std::ranges::find(result_.variables, variable.field, &PathTemplate::Variable::field);
    if (same != result_.variables.end()) return Error(absl::StrCat("the field ", variable.field, " occurs twice"));
    result_.variables.push_back(std::move(variable));
    return absl::OkStatus();
  }

  absl::Status CheckRestIsLast() const {
    for (std::size_t i = 0; i + 1 < result_.segments.size(); ++i) {
      if (result_.segments[i].kind == Kind::kRest) return Error("'**' can only be the last segment");
    }
    return absl::OkStatus();
  }

  const std::string& text_;
  std::size_t at_ = 0;
  PathTemplate result_;
};

}  // namespace

absl::StatusOr<PathTemplate> PathTemplate::Parse(const std::string& text) { return Parser(text).Parse(); }

absl::StatusOr<RequestPath> RequestPath::Parse(std::string_view path) {
  if (!path.starts_with('/')) return absl::InvalidArgumentError("a path starts with '/'");
  RequestPath result;
  if (path == "/") return result;
  for (std::size_t start = 1; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view raw = path.substr(start, end - start);
    auto decoded = PercentDecode(raw, PercentDecoding::kAll);
    if (!decoded.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("malformed path: ", decoded.status().message()));
    }
    result.raw.push_back(raw);
    result.decoded.push_back(*std::move(decoded));
    start = end + 1;
  }
  return result;
}

std::string VariableText(const PathTemplate::Variable& variable, const RequestPath& path) {
  if (!variable.multiple) return path.decoded[variable.first];
  std::string text;
  // Only "**" takes more segments than it stands for, and then all that are left.
  const std::size_t last = variable.rest ? path.raw.size() : variable.first + variable.count;
  for (std::size_t i = variable.first; i < last; ++i) {
    if (i > variable.first) text.push_back('/');
    // Each segment has been decoded once without an error.
    text.append(*PercentDecode(path.raw[i], PercentDecoding::kAllButSlashes));
  }
  return text;
}

}  // namespace cloudstate::serving
