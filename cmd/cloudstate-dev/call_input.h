#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::cli {

// One input message for a method, and what errors call it.
struct InputMessage {
  std::string json;
  std::string label;
};

// All of an argument's input: the JSON that it is, what standard input has for "-", a file's content for "@FILE".
absl::StatusOr<std::string> ReadWhole(const std::string& argument);

// The same for each. INVALID_ARGUMENT for a second "-", since the first has read all.
absl::StatusOr<std::vector<std::string>> ReadAll(const std::vector<std::string>& arguments);

// The messages for a method that takes a stream of them, one after the other: an argument is a message, and "-" and
// "@FILE" have one in each line that is not blank. Without arguments, standard input. For one thread.
class InputStream {
 public:
  // INVALID_ARGUMENT: there is a file that can't be opened.
  static absl::StatusOr<InputStream> Open(const std::vector<std::string>& arguments);

  // A single message.
  static InputStream OfMessage(std::string json) { return InputStream({{std::move(json)}}); }

  InputStream(InputStream&& other) noexcept;
  InputStream& operator=(InputStream&&) = delete;
  ~InputStream();

  // Waits for the next message; none at the end, and none once `stop`, a file descriptor, can be read.
  absl::StatusOr<std::optional<InputMessage>> Next(int stop);

 private:
  struct Source {
    std::string argument;
    int descriptor = -1;  // of what is read line by line; -1 for a message
  };

  explicit InputStream(std::vector<Source> sources) : sources_(std::move(sources)) {}
  // False at the end of the source.
  absl::StatusOr<bool> ReadMore(const Source& source, int stop);
  std::string Label(const Source& source) const;

  std::vector<Source> sources_;
  std::size_t current_ = 0;
  int line_ = 0;  // of the current source
  std::string read_;
  std::size_t begin_ = 0;  // of what was read and not handed out yet
  bool stopped_ = false;
};

}  // namespace cloudstate::cli
