#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cloudstate::journal {

// One line of an archive: JSON with one way to write each value, so that the same content is the same bytes. Texts
// stand as they are but for what JSON wants escaped, bytes in base64, times with all their digits.
class ArchiveLineWriter {
 public:
  // Appends to `line`, which outlives this.
  explicit ArchiveLineWriter(std::string& line) : line_(line) {}

  ArchiveLineWriter& Raw(std::string_view text);  // punctuation and keys
  ArchiveLineWriter& Text(std::string_view text);
  ArchiveLineWriter& Bytes(std::string_view bytes);
  ArchiveLineWriter& Number(std::uint64_t number);
  ArchiveLineWriter& Time(std::int64_t nanoseconds);  // since 1970

 private:
  std::string& line_;
};

// Reads such a line again. After the first thing that is not what it should be, nothing is read any more.
class ArchiveLineReader {
 public:
  // `line` outlives this.
  explicit ArchiveLineReader(std::string_view line) : line_(line) {}

  // Whether this text comes next; goes behind it only then.
  bool Next(std::string_view text);

  // What must come next.
  ArchiveLineReader& Raw(std::string_view text);
  ArchiveLineReader& Text(std::string& text);
  ArchiveLineReader& Bytes(std::string& bytes);
  ArchiveLineReader& Number(std::uint64_t& number);
  ArchiveLineReader& Number(std::int64_t& number);  // none below 0
  ArchiveLineReader& Time(std::int64_t& nanoseconds);

  // INVALID_ARGUMENT, "column 12: …", where something was wrong, or more follows.
  absl::Status End();

 private:
  std::string_view Rest() const { return line_.substr(at_); }
  void Wrong(std::string_view expected);
  std::string_view Quoted();  // up to the next quotation mark, without it

  std::string_view line_;
  std::size_t at_ = 0;
  absl::Status status_;
};

}  // namespace cloudstate::journal
