#include "cmd/cloudstate-dev/call_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

absl::Status Unreadable(const std::string& argument) {
  return absl::InvalidArgumentError(
      absl::StrCat(argument == "-" ? "Standard input" : absl::StrCat("The file ", argument.substr(1)),
                   " can't be read: ", std::strerror(errno), "."));
}

bool IsFile(const std::string& argument) { return absl::StartsWith(argument, "@"); }

// Appends what there is; false at the end.
absl::StatusOr<bool> ReadSome(int descriptor, const std::string& argument, std::string& text) {
  char bytes[kReadBytes];
  ssize_t count = 0;
  do {
    count = read(descriptor, bytes, sizeof bytes);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Unreadable(argument);
  text.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

absl::StatusOr<int> OpenInput(const std::string& argument) {
  if (!IsFile(argument)) return STDIN_FILENO;
  const int descriptor = open(argument.substr(1).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Unreadable(argument);
  return descriptor;
}

}  // namespace

absl::StatusOr<std::string> ReadWhole(const std::string& argument) {
  if (argument != "-" && !IsFile(argument)) return argument;
  absl::StatusOr<int> descriptor = OpenInput(argument);
  if (!descriptor.ok()) return descriptor.status();
  std::string text;
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) more = ReadSome(*descriptor, argument, text);
  if (IsFile(argument)) close(*descriptor);
  if (!more.ok()) return more.status();
  return text;
}

absl::StatusOr<std::vector<std::string>> ReadAll(const std::vector<std::string>& arguments) {
  if (std::count(arguments.begin(), arguments.end(), "-") > 1) {
    return absl::InvalidArgumentError("Standard input can be read only once: there is more than one '-'.");
  }
  std::vector<std::string> texts;
  for (const std::string& argument : arguments) {
    absl::StatusOr<std::string> text = ReadWhole(argument);
    if (!text.ok()) return text.status();
    texts.push_back(*std::move(text));
  }
  return texts;
}

absl::StatusOr<InputStream> InputStream::Open(const std::vector<std::string>& arguments) {
  InputStream stream({});
  for (const std::string& argument : arguments.empty() ? std::vector<std::string>{"-"} : arguments) {
    Source source{argument};
    if (argument == "-" || IsFile(argument)) {
      absl::StatusOr<int> descriptor = OpenInput(argument);
      if (!descriptor.ok()) return descriptor.status();
      source.descriptor = *descriptor;
    }
    stream.sources_.push_back(std::move(source));
  }
  return stream;
}

InputStream::InputStream(InputStream&& other) noexcept : sources_(std::exchange(other.sources_, {})) {}

InputStream::~InputStream() {
  for (const Source& source : sources_) {
    if (source.descriptor > STDIN_FILENO) close(source.descriptor);
  }
}

absl::StatusOr<std::optional<InputMessage>> InputStream::Next(int stop) {
  while (current_ < sources_.size() && !stopped_) {
    const Source& source = sources_[current_];
    if (source.descriptor < 0) {
      ++current_;
      return InputMessage{source.argument, absl::StrCat("message ", current_)};
    }
    std::size_t end = read_.find('\n', begin_);
    if (end == std::string::npos) {
      absl::StatusOr<bool> more = ReadMore(source, stop);
      if (!more.ok()) return more.status();
      if (*more || stopped_) continue;
      end = read_.size();  // the last line, which may have no end
    }
    std::string line = read_.substr(begin_, end - begin_);
    const bool last = end == read_.size();
    begin_ = last ? end : end + 1;
    ++line_;
    const std::string label = Label(source);
    if (last) {
      ++current_;
      line_ = 0;
    }
    if (!absl::StripAsciiWhitespace(line).empty()) return InputMessage{std::move(line), label};
  }
  return std::nullopt;
}

absl::StatusOr<bool> InputStream::ReadMore(const Source& source, int stop) {
  pollfd descriptors[] = {{source.descriptor, POLLIN, 0}, {stop, POLLIN, 0}};
  while (poll(descriptors, 2, -1) < 0) {
    if (errno != EINTR) return Unreadable(source.argument);
  }
  stopped_ = descriptors[1].revents != 0;
  if (stopped_) return false;
  read_.erase(0, std::exchange(begin_, 0));
  return ReadSome(source.descriptor, source.argument, read_);
}

std::string InputStream::Label(const Source& source) const {
  return source.argument == "-" ? absl::StrCat("line ", line_) : absl::StrCat(source.argument.substr(1), ":", line_);
}

}  // namespace cloudstate::cli
